//! What a coding agent is set up with: its API key's limits, and the models that it asks.

use crate::catalog::{Catalog, Model, did_you_mean};
use crate::cli::AgentModel;
use crate::commands::setup::open_ledger;
use crate::config::Settings;
use crate::engine::Caller;
use crate::error::{Error, Kind};
use crate::ledger::key::Key;
use crate::ledger::key_profile::{self, AGENTS};
use crate::policy::{KeyRules, Policy};
use crate::terminal::output::note;
use crate::terminal::printable::Printable;
use std::sync::Arc;

/// The model that an agent is given when nobody names one. Claude Code and Codex both work with it.
const MODEL: &str = "claude-sonnet-4-6";
/// Answers with fewer tokens cut the files that an agent writes, and an agent that is cut asks again and again.
const LEAST_ANSWER: u32 = 8000;
/// The most of a model's context that an agent is told of (tokens). An agent fills what it has, and every call pays for
/// all of it.
const LARGEST_CONTEXT: u64 = 200_000;
/// The context of a model of which it is not known (tokens).
const USUAL_CONTEXT: u64 = 128_000;

/// An agent, with the limits that hold for its calls.
pub(super) struct Agent {
    policy: Policy,
    /// Who calls, with the key if one was named.
    caller: Caller,
    rules: KeyRules,
    offline: bool,
}

/// A model, under the name that the client uses.
#[derive(Debug, Clone)]
pub(super) struct NamedModel {
    pub(super) name: String,
    pub(super) model: Arc<Model>,
}

impl Agent {
    /// The agent that uses a key, or else a key that is yet to be made.
    pub(super) fn new(args: &AgentModel, settings: &Settings) -> anyhow::Result<Self> {
        let key = args.key.as_deref().map(|name| find_key(name, settings)).transpose()?;
        let profile = key_profile::find(AGENTS).map(|profile| profile.limits().overrides).unwrap_or_default();
        let rules = match &key {
            Some(key) => KeyRules { name: key.name.clone(), overrides: key.limits.overrides },
            None => KeyRules { name: String::new(), overrides: profile },
        };
        let caller = Caller { command: "serve", key: key.map(Arc::new), ..Caller::default() };
        Ok(Self { policy: settings.policy(), caller, rules, offline: settings.offline })
    }

    fn catalog(&self) -> &Catalog {
        &self.policy.catalog
    }

    /// The model for an agent's work.
    ///
    /// # Errors
    /// `ModelNotFound`; `ModelNotAllowed`.
    pub(super) fn main_model(&self, asked: Option<&str>) -> Result<NamedModel, Error> {
        match asked {
            Some(typed) => self.meant(typed),
            None => self.allowed_of(&[MODEL]).map_or_else(|| self.named(MODEL), Ok),
        }
    }

    /// The model for small work: one that the key allows, and otherwise the same as for all work.
    ///
    /// # Errors
    /// As [`Agent::main_model`].
    pub(super) fn small_model(&self, asked: Option<&str>, main: &NamedModel) -> Result<NamedModel, Error> {
        const SMALL_MODEL: &str = "claude-haiku-4-5";
        match asked {
            Some(typed) => self.meant(typed),
            None => Ok(self.named(SMALL_MODEL).unwrap_or_else(|_| main.clone())),
        }
    }

    /// The model, and the others that the key names.
    pub(super) fn all_models(&self, main: &NamedModel) -> Vec<NamedModel> {
        let names = self.caller.key.iter().flat_map(|key| &key.limits.models);
        let others = names.filter_map(|name| self.named(name).ok());
        let others = others.filter(|other| other.model.id != main.model.id && other.model.capabilities.features.tools);
        [main.clone()].into_iter().chain(others).collect()
    }

    /// The first of these models, or of those that the key names, that can be used.
    fn allowed_of(&self, names: &[&str]) -> Option<NamedModel> {
        let of_key = self.caller.key.iter().flat_map(|key| key.limits.models.iter().map(String::as_str));
        names.iter().copied().chain(of_key).find_map(|name| self.named(name).ok())
    }

    /// The model that a person means. A whole name stays as it was typed: agents know models by their names.
    fn meant(&self, typed: &str) -> Result<NamedModel, Error> {
        if self.catalog().resolve(typed).is_ok() {
            return self.named(typed);
        }
        let meant = self.catalog().resolve_typed(typed)?;
        if let Some(notice) = meant.notice(typed) {
            note(Printable::line(notice));
        }
        self.named(&meant.name)
    }

    fn named(&self, name: &str) -> Result<NamedModel, Error> {
        let model = self.catalog().resolve(name)?;
        self.caller.check(self.catalog(), &model.id)?;
        Ok(NamedModel { name: name.to_owned(), model })
    }

    /// How long an agent's answers are to be (tokens): what the operator gives a request that asks for nothing, because
    /// that much is reserved with each call, and the most that is allowed where that is too little.
    pub(super) fn answer_tokens(&self, model: &Model) -> u32 {
        let usual = self.policy.usual_answer(model, Some(&self.rules));
        if usual >= LEAST_ANSWER { usual } else { self.policy.longest_answer(model, Some(&self.rules)) }
    }

    /// The length of the answers of an agent that asks for no length (tokens).
    pub(super) fn usual_answer(&self, model: &Model) -> u32 {
        self.policy.usual_answer(model, Some(&self.rules))
    }

    /// Says where the token of the key comes from.
    pub(super) fn explain_key(&self, key_env: &str, client: &str) {
        note(match &self.caller.key {
            Some(key) => Printable::line(format_args!(
                "put the token of the key {name} into {key_env}; it was shown when it was made, and `chatrix keys rotate \
                 {name}` makes another",
                name = key.name
            )),
            None => Printable::line(format_args!(
                "first make a key with limits for agents: export {key_env}=$(chatrix keys add {client} --for agents{})",
                if self.offline { " --offline" } else { "" }
            )),
        });
    }

    /// Warns where answers are so short that an agent cannot write files. `tokens`: how long they are.
    pub(super) fn warn_of_short_answers(&self, model: &NamedModel, tokens: u32) {
        if tokens >= LEAST_ANSWER {
            return;
        }
        let model_allows = model.model.max_output.is_none_or(|most| most >= u64::from(LEAST_ANSWER));
        let remedy = if model_allows {
            let name = &self.rules.name;
            format!("set max_tokens = 16000 and max_tokens_limit = 32000 under [keys.{name:?}] in the config file")
        } else {
            "choose a model with longer answers".to_owned()
        };
        note(Printable::line(format_args!(
            "warning: answers of {} have at most {tokens} tokens, which cuts the files that an agent writes; {remedy}",
            model.name
        )));
    }
}

/// The part of a model's context that an agent uses (tokens).
pub(super) fn context_window(model: &Model) -> u64 {
    model.context_window.unwrap_or(USUAL_CONTEXT).min(LARGEST_CONTEXT)
}

/// The usable key of a name, with the limits that hold for it.
fn find_key(name: &str, settings: &Settings) -> anyhow::Result<Key> {
    let keys = open_ledger(settings)?.keys().map_err(Error::from)?;
    let usable = || keys.iter().filter(|key| key.revoked.is_none());
    let key = usable().find(|key| key.name == name).cloned().ok_or_else(|| {
        Error::new(Kind::InvalidRequest, format!("there is no key {name:?}")).advise(did_you_mean(
            name,
            usable().map(|key| key.name.as_str()),
            "`chatrix keys list` shows the keys; `chatrix keys add NAME --for agents` makes one",
        ))
    })?;
    Ok(settings.keys.apply(key))
}
