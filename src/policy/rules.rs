//! The policy's rules: what the operator allows, for all models and for single ones.

use super::limits::{KeyRules, Limits, Overrides};
use crate::catalog::{Catalog, Model, base};
use crate::conversation::ServiceTier;
use std::sync::Arc;

/// What the operator set for one model.
#[derive(Debug, Clone)]
pub struct ModelLimits {
    /// The name in the config file: an alias or an id.
    pub name: String,
    /// The Bedrock id that the name stands for.
    pub id: String,
    pub overrides: Overrides,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent settings, not states")]
pub struct Policy {
    pub catalog: Arc<Catalog>,
    /// The name of the model for requests that name none.
    pub default_model: String,
    /// Limits for all models.
    pub limits: Limits,
    /// Limits for single models.
    pub overrides: Vec<ModelLimits>,
    /// Whether a model at its end of life is replaced by its successor.
    pub follow_successor: bool,
    /// Whether a cache point is added where it saves money.
    pub prompt_cache: bool,
    /// The service tiers, besides the standard one, that a client may request.
    pub service_tiers: Vec<ServiceTier>,
    /// Whether Messages requests to Claude are sent as they are, with the policy's changes, rather than translated.
    pub native_messages: bool,
    /// Whether images may be given by URL. They are fetched when everything else is decided.
    pub fetch_images: bool,
}

impl Policy {
    /// The name of the model that a request is for: its own, or the default.
    #[must_use]
    pub fn model_name<'a>(&'a self, requested: &'a str) -> &'a str {
        if requested.is_empty() { &self.default_model } else { requested }
    }

    /// The longest answer that a request to a model may ask for (tokens). `key`: the rules for its API key.
    #[must_use]
    pub fn longest_answer(&self, model: &Model, key: Option<&KeyRules>) -> u32 {
        let limit = self.limits_for(model, key).max_tokens_limit;
        model.max_output.map_or(limit, |max| limit.min(u32::try_from(max).unwrap_or(u32::MAX)))
    }

    /// The longest answer to a request that names no length (tokens). `key`: the rules for its API key.
    #[must_use]
    pub fn usual_answer(&self, model: &Model, key: Option<&KeyRules>) -> u32 {
        self.limits_for(model, key).max_tokens.min(self.longest_answer(model, key))
    }

    /// The table of the config file that sets the limits on a model's answers.
    pub(super) fn limits_table(&self, model: &Model, key: Option<&KeyRules>) -> String {
        if let Some(key) = key.filter(|key| key.overrides.sets_tokens()) {
            return format!("[keys.{:?}]", key.name);
        }
        let sets_tokens = |limits: &&ModelLimits| {
            let overrides = limits.overrides;
            base(&limits.id) == base(&model.id)
                && (overrides.max_tokens.is_some() || overrides.max_tokens_limit.is_some())
        };
        match self.overrides.iter().find(sets_tokens) {
            Some(limits) => format!("[models.{:?}]", limits.name),
            None => "[limits]".to_owned(),
        }
    }

    /// The limits of a call. What is set for its API key wins over what is set for its model.
    pub(super) fn limits_for(&self, model: &Model, key: Option<&KeyRules>) -> Limits {
        let limits = self.limits_of(model);
        key.map_or(limits, |key| limits.for_key(key.overrides))
    }

    /// The limits of a model. They also hold for its other ids.
    fn limits_of(&self, model: &Model) -> Limits {
        let name = model.alias.as_ref().unwrap_or(&model.id);
        if let Some(named) = self.overrides.iter().find(|limits| limits.name == *name || limits.name == model.id) {
            return self.limits.with(&named.overrides);
        }
        // Another geography must not get around the limits of a model, so the strictest of them apply.
        let related = self.overrides.iter().filter(|limits| base(&limits.id) == base(&model.id));
        let strictest = related.map(|limits| limits.overrides).reduce(Overrides::stricter);
        strictest.map_or(self.limits, |overrides| self.limits.with(&overrides))
    }

    /// The tier that a call gets: the requested one if the operator allows it and the model has a price for it, and the
    /// standard one otherwise.
    pub(super) fn tier(&self, requested: Option<ServiceTier>, model: &Model) -> ServiceTier {
        let requested = requested.unwrap_or_default();
        let priced = model.prices.is_some_and(|prices| match requested {
            ServiceTier::Flex => prices.flex,
            ServiceTier::Priority => prices.priority.is_some(),
            ServiceTier::Standard => true,
            ServiceTier::Other => false,
        });
        if priced && self.service_tiers.contains(&requested) { requested } else { ServiceTier::Standard }
    }
}
