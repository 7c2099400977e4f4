//! The parameters that are sent in place of those that a client requested.

use super::reasoning::ReasoningGrant;
use crate::conversation::{ServiceTier, ToolChoice};

#[derive(Debug, Clone)]
pub(super) struct Parameters {
    pub(super) max_tokens: u32,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) stop: Vec<String>,
    pub(super) tool_choice: ToolChoice,
    pub(super) reasoning: ReasoningGrant,
    pub(super) tier: ServiceTier,
    pub(super) cache_point_added: bool,
    pub(super) reasoning_history_removed: bool,
    pub(super) shortened_for_budget: bool,
}
