//! Reasoning counts against `max_tokens` (docs/bedrock.md §2.2): it stays off unless it is asked for and fits.

use crate::catalog::{Model, Thinking};
use crate::conversation::{Effort, ReasoningRequest};

/// The least that a reasoning budget may be (tokens).
const SMALLEST_BUDGET: u32 = 1024;
/// What should be left for the answer itself (tokens).
const ANSWER_ROOM: u32 = 256;

/// How much a model may reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningGrant {
    /// As little as the model can.
    Off,
    /// As much as this effort takes.
    Effort(Effort),
    /// At most this many tokens, out of `max_tokens`.
    Budget(u32),
}

/// How much of the wished reasoning is possible, given the model's highest effort and the room below `max_tokens`.
pub(super) fn grant(wished: &ReasoningRequest, model: &Model, max_tokens: u32) -> ReasoningGrant {
    if !wished.is_wanted() {
        return ReasoningGrant::Off;
    }
    match (model.capabilities.thinking, model.capabilities.max_effort) {
        (_, Some(highest)) => ReasoningGrant::Effort(effort(wished).min(highest)),
        (Thinking::Budget, None) => match budget(wished).min(max_tokens.saturating_sub(ANSWER_ROOM)) {
            budget @ SMALLEST_BUDGET.. => ReasoningGrant::Budget(budget),
            // A budget must stay below max_tokens, and the limit is the policy's (docs/cases.md, S6).
            _ => ReasoningGrant::Off,
        },
        _ => ReasoningGrant::Off,
    }
}

/// The effort that comes closest to the wish.
fn effort(wished: &ReasoningRequest) -> Effort {
    match (wished.effort, wished.budget) {
        (Some(effort), _) => effort,
        (None, Some(budget)) if budget <= SMALLEST_BUDGET => Effort::Low,
        (None, Some(budget)) if budget > 2 * SMALLEST_BUDGET => Effort::High,
        (None, Some(_) | None) => Effort::Medium,
    }
}

/// The budget that comes closest to the wish (tokens).
fn budget(wished: &ReasoningRequest) -> u32 {
    wished.budget.map_or_else(
        || match effort(wished) {
            Effort::Low => SMALLEST_BUDGET,
            Effort::Medium => 2 * SMALLEST_BUDGET,
            Effort::High | Effort::Xhigh | Effort::Max => 4 * SMALLEST_BUDGET,
        },
        |budget| budget.max(SMALLEST_BUDGET),
    )
}
