//! What this process has learned from calls, in memory only. Every engine of the process shares it.

use super::known_prompts::KnownPrompts;
use super::reasoning_cache::ReasoningCache;
use super::refusal_cache::RefusalCache;
use super::token_counts::TokenCounts;
use std::sync::Arc;

#[derive(Debug, Default, Clone)]
pub(super) struct Learned {
    pub(super) refusals: Arc<RefusalCache>,
    pub(super) reasoning: Arc<ReasoningCache>,
    pub(super) counts: Arc<TokenCounts>,
    pub(super) prompts: Arc<KnownPrompts>,
}
