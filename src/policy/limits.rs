//! The limits on an answer, and the fixed sampling parameters. Only the operator sets them, for all models or for one.

use super::token_limit::LimitSource;
use crate::error::{Error, Field, Kind, Result};

/// The value of a sampling parameter, which the operator sets in place of the client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SamplingOverride {
    /// This value is always sent.
    Value(f64),
    /// The parameter is never sent, so the model uses its default.
    Unset,
}

impl SamplingOverride {
    /// The value to send, if any.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unset => None,
        }
    }
}

/// The limits and the sampling parameters of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The `max_tokens` of a request that does not set it (tokens).
    pub max_tokens: u32,
    /// The highest `max_tokens` (tokens).
    pub max_tokens_limit: u32,
    /// The temperature, for models that accept one.
    pub temperature: SamplingOverride,
    /// The `top_p`, for models that accept one.
    pub top_p: SamplingOverride,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_tokens: 512,
            max_tokens_limit: 1024,
            temperature: SamplingOverride::Value(0.3),
            top_p: SamplingOverride::Value(0.3),
        }
    }
}

/// The operator's changes to [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Overrides {
    pub max_tokens: Option<u32>,
    pub max_tokens_limit: Option<u32>,
    pub temperature: Option<SamplingOverride>,
    pub top_p: Option<SamplingOverride>,
}

/// What the operator sets for the calls with one API key, in place of what holds for their model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyOverrides {
    /// The `max_tokens` of a request that does not set it (tokens).
    pub max_tokens: Option<u32>,
    /// The highest `max_tokens` (tokens).
    pub max_tokens_limit: Option<u32>,
    /// Whether a cache point is added where it saves money.
    pub prompt_cache: Option<bool>,
}

impl KeyOverrides {
    /// These with what others set in their place.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let Self { max_tokens, max_tokens_limit, prompt_cache } = other;
        Self {
            max_tokens: max_tokens.or(self.max_tokens),
            max_tokens_limit: max_tokens_limit.or(self.max_tokens_limit),
            prompt_cache: prompt_cache.or(self.prompt_cache),
        }
    }

    /// Whether they change how long an answer may be.
    pub(super) fn sets_tokens(self) -> bool {
        self.max_tokens.is_some() || self.max_tokens_limit.is_some()
    }
}

/// The rules for the calls with one API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRules {
    /// The name of the key, which is also that of its table in the config file.
    pub name: String,
    pub overrides: KeyOverrides,
}

impl Overrides {
    /// The stricter combination of two: the lower limits, and each sampling parameter of the first that sets it.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let lower = |a: Option<u32>, b: Option<u32>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self {
            max_tokens: lower(self.max_tokens, other.max_tokens),
            max_tokens_limit: lower(self.max_tokens_limit, other.max_tokens_limit),
            temperature: self.temperature.or(other.temperature),
            top_p: self.top_p.or(other.top_p),
        }
    }
}

impl Limits {
    /// These limits with the operator's changes.
    #[must_use]
    pub fn with(self, overrides: &Overrides) -> Self {
        Self {
            max_tokens: overrides.max_tokens.unwrap_or(self.max_tokens),
            max_tokens_limit: overrides.max_tokens_limit.unwrap_or(self.max_tokens_limit),
            temperature: overrides.temperature.unwrap_or(self.temperature),
            top_p: overrides.top_p.unwrap_or(self.top_p),
        }
    }

    /// These limits with what the operator sets for an API key.
    #[must_use]
    pub fn for_key(self, overrides: KeyOverrides) -> Self {
        let KeyOverrides { max_tokens, max_tokens_limit, prompt_cache: _ } = overrides;
        self.with(&Overrides { max_tokens, max_tokens_limit, ..Overrides::default() })
    }

    /// The `max_tokens` to send, and who set it: what was requested, lowered to the limit and to the longest answer of
    /// the model.
    ///
    /// # Errors
    /// `RefusedByPolicy` for a request below 1, which Bedrock would refuse too (docs/cases.md, S5).
    pub fn max_tokens(&self, requested: Option<i64>, max_output: Option<u64>) -> Result<(u32, LimitSource)> {
        let (wanted, source) = match requested {
            None => (self.max_tokens, LimitSource::Default),
            Some(n) if n < 1 => {
                return Err(Error::new(Kind::RefusedByPolicy, format!("max_tokens is {n} but must be at least 1"))
                    .at(Field::MaxTokens)
                    .advise(format!("set it to a value from 1 to {}", self.max_tokens_limit)));
            }
            Some(n) => (u32::try_from(n).unwrap_or(u32::MAX), LimitSource::Request),
        };
        let model = max_output.map_or(u32::MAX, |max| u32::try_from(max).unwrap_or(u32::MAX));
        let lowest = wanted.min(self.max_tokens_limit).min(model);
        let source = match lowest {
            tokens if tokens == wanted => source,
            tokens if tokens == self.max_tokens_limit => LimitSource::Limit,
            _ => LimitSource::Model,
        };
        Ok((lowest, source))
    }
}
