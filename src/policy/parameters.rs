//! The parameters that are sent in place of those that a client requested.

use super::limits::KeyRules;
use super::reasoning::ReasoningGrant;
use super::refusable::Refusable;
use super::token_limit::LimitSource;
use crate::conversation::{ServiceTier, ToolChoice};

#[derive(Debug, Clone)]
pub(super) struct Parameters {
    pub(super) max_tokens: u32,
    pub(super) max_tokens_source: LimitSource,
    /// The table of the config file that sets the limits of the model.
    pub(super) limits_table: String,
    /// The rules for the API key of the call, which also hold for a successor.
    pub(super) key: Option<KeyRules>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) stop: Vec<String>,
    pub(super) tool_choice: ToolChoice,
    pub(super) reasoning: ReasoningGrant,
    /// Whether the request's tools are sent. A model without tools gets none.
    pub(super) tools: bool,
    pub(super) tier: ServiceTier,
    pub(super) cache_point_added: bool,
    pub(super) reasoning_history_removed: bool,
    /// The parts of a native request that the model has refused.
    pub(super) refused: Vec<Refusable>,
}
