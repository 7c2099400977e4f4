//! Caps on an answer and the fixed sampling. The operator sets them, for all models or for one; a client never can.

use crate::error::{Error, Field, Kind, Result};

/// A sampling parameter the house decides on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SamplingOverride {
    /// Always this value.
    Value(f64),
    /// Never sent: the model's own default.
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

/// What a request may have at most, and what it gets when it asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// `max_tokens` of a request that names none (tokens).
    pub max_tokens: u32,
    /// The highest `max_tokens` (tokens).
    pub max_tokens_limit: u32,
    /// Temperature, where the model takes it.
    pub temperature: SamplingOverride,
    /// `top_p`, where the model takes it.
    pub top_p: SamplingOverride,
}

impl Default for Limits {
    /// What holds unless the operator says otherwise.
    fn default() -> Self {
        Self {
            max_tokens: 512,
            max_tokens_limit: 1024,
            temperature: SamplingOverride::Value(0.3),
            top_p: SamplingOverride::Value(0.3),
        }
    }
}

/// What the operator changed of [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Overrides {
    /// See [`Limits::max_tokens`].
    pub max_tokens: Option<u32>,
    /// See [`Limits::max_tokens_limit`].
    pub max_tokens_limit: Option<u32>,
    /// See [`Limits::temperature`].
    pub temperature: Option<SamplingOverride>,
    /// See [`Limits::top_p`].
    pub top_p: Option<SamplingOverride>,
}

impl Overrides {
    /// The stricter of two: lower caps, and the sampling of the first that says something.
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
    /// These limits with what the operator changed.
    #[must_use]
    pub fn with(self, overrides: &Overrides) -> Self {
        Self {
            max_tokens: overrides.max_tokens.unwrap_or(self.max_tokens),
            max_tokens_limit: overrides.max_tokens_limit.unwrap_or(self.max_tokens_limit),
            temperature: overrides.temperature.unwrap_or(self.temperature),
            top_p: overrides.top_p.unwrap_or(self.top_p),
        }
    }

    /// The `max_tokens` to send for the one that was wished, lowered to the cap and to what the model can give.
    ///
    /// # Errors
    /// `RefusedByPolicy` below 1: Bedrock would refuse it after we had signed for it (docs/cases.md, S5).
    pub fn max_tokens(&self, wished: Option<i64>, max_output: Option<u64>) -> Result<u32> {
        let wished = match wished {
            None => self.max_tokens,
            Some(n) if n < 1 => {
                return Err(Error::new(Kind::RefusedByPolicy, format!("max_tokens is {n}, and must be at least 1"))
                    .at(Field::MaxTokens)
                    .advise(format!("ask for 1 to {}", self.max_tokens_limit)));
            }
            Some(n) => u32::try_from(n).unwrap_or(u32::MAX),
        };
        let model = max_output.map_or(u32::MAX, |max| u32::try_from(max).unwrap_or(u32::MAX));
        Ok(wished.min(self.max_tokens_limit).min(model))
    }
}
