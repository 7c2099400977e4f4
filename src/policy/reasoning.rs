//! How much a model may reason. Reasoning counts against `max_tokens` (docs/bedrock.md §2.2), so it stays off unless it
//! is requested and fits.

use crate::catalog::{Model, Thinking};
use crate::conversation::{Effort, ReasoningRequest};

/// The smallest reasoning budget that Bedrock accepts (tokens).
const MIN_BUDGET: u32 = 1024;
/// The tokens of `max_tokens` that are kept for the answer itself.
const MIN_ANSWER_TOKENS: u32 = 256;
/// The least `max_tokens` with which a model may reason at any effort (tokens). A model does not know how many tokens
/// are left, so with fewer its reasoning can use them all, and the answer is empty.
const ROOM_FOR_ANY_EFFORT: u32 = 4096;
/// The least `max_tokens` with which a model may reason at all by effort (tokens).
pub(crate) const ROOM_FOR_LOW_EFFORT: u32 = 2048;

/// How much a model may reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningGrant {
    /// As little as the model can.
    Off,
    /// As much as this effort allows.
    Effort(Effort),
    /// At most this many tokens, out of `max_tokens`.
    Budget(u32),
}

/// How much of the requested reasoning the model's highest effort and `max_tokens` allow.
pub(super) fn grant(requested: &ReasoningRequest, model: &Model, max_tokens: u32) -> ReasoningGrant {
    if !requested.is_requested() {
        return ReasoningGrant::Off;
    }
    match (model.capabilities.thinking, model.capabilities.max_effort) {
        (_, Some(highest)) => match max_tokens {
            ROOM_FOR_ANY_EFFORT.. => ReasoningGrant::Effort(closest_effort(requested).min(highest)),
            ROOM_FOR_LOW_EFFORT.. => ReasoningGrant::Effort(Effort::Low),
            _ => ReasoningGrant::Off,
        },
        (Thinking::Budget, None) => match closest_budget(requested).min(max_tokens.saturating_sub(MIN_ANSWER_TOKENS)) {
            budget @ MIN_BUDGET.. => ReasoningGrant::Budget(budget),
            // A budget must be less than max_tokens, which the policy limits (docs/cases.md, S6).
            _ => ReasoningGrant::Off,
        },
        _ => ReasoningGrant::Off,
    }
}

/// The effort that comes closest to what was requested.
fn closest_effort(requested: &ReasoningRequest) -> Effort {
    match (requested.effort, requested.budget) {
        (Some(effort), _) => effort,
        (None, Some(budget)) if budget <= MIN_BUDGET => Effort::Low,
        (None, Some(budget)) if budget > 2 * MIN_BUDGET => Effort::High,
        (None, Some(_) | None) => Effort::Medium,
    }
}

/// The budget that comes closest to what was requested (tokens).
fn closest_budget(requested: &ReasoningRequest) -> u32 {
    requested.budget.map_or_else(
        || match closest_effort(requested) {
            Effort::Low => MIN_BUDGET,
            Effort::Medium => 2 * MIN_BUDGET,
            Effort::High | Effort::Xhigh | Effort::Max => 4 * MIN_BUDGET,
        },
        |budget| budget.max(MIN_BUDGET),
    )
}
