//! Ready-made limits for API keys, by the kind of client that they are for.

use super::key::KeyLimits;
use super::rate::RateLimits;
use crate::catalog::NanoDollars;
use crate::policy::KeyOverrides;

/// The name of the profile for coding agents.
pub(crate) const AGENTS: &str = "agents";

const DOLLAR: u64 = 1_000_000_000;

/// The limits that fit a kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyProfile {
    pub(crate) name: &'static str,
    /// The `max_tokens` of a request that does not set it (tokens).
    pub(crate) max_tokens: u32,
    /// The highest `max_tokens` (tokens).
    pub(crate) max_tokens_limit: u32,
    request: NanoDollars,
    day: NanoDollars,
    week: NanoDollars,
    prompt_cache: bool,
}

const PROFILES: &[KeyProfile] = &[KeyProfile {
    // Coding agents write whole files in one answer, and send a long history again with every call.
    name: AGENTS,
    max_tokens: 16_000,
    max_tokens_limit: 32_000,
    request: NanoDollars(DOLLAR * 3 / 2),
    day: NanoDollars(DOLLAR * 20),
    week: NanoDollars(DOLLAR * 60),
    prompt_cache: true,
}];

/// The names of all profiles.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|profile| profile.name)
}

/// The profile with a name.
pub(crate) fn find(name: &str) -> Option<&'static KeyProfile> {
    PROFILES.iter().find(|profile| profile.name == name)
}

impl KeyProfile {
    /// The limits of a key for such clients.
    pub(crate) fn limits(&self) -> KeyLimits {
        let Self { name: _, max_tokens, max_tokens_limit, request, day, week, prompt_cache } = *self;
        KeyLimits {
            request: Some(request),
            day: Some(day),
            week: Some(week),
            month: None,
            models: Vec::new(),
            rates: RateLimits::default(),
            overrides: KeyOverrides {
                max_tokens: Some(max_tokens),
                max_tokens_limit: Some(max_tokens_limit),
                prompt_cache: Some(prompt_cache),
            },
        }
    }
}
