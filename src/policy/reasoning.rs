//! ReasoningGrant counts against `max_tokens` (`bedrock.md` §2.2): it is off unless it is asked for and fits.

use crate::catalog::{self, Effort, Model};
use crate::conversation::Request;

/// What a request is allowed to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningGrant {
    /// As little as the model can.
    Off,
    /// As much as this effort takes.
    Effort(Effort),
    /// At most this many tokens, out of `max_tokens`.
    Budget(u32),
}

impl ReasoningGrant {
    /// What is said of it; nothing while it is off.
    #[must_use]
    pub fn as_str(self) -> Option<String> {
        match self {
            Self::Off => None,
            Self::Effort(effort) => Some(effort.as_str().to_owned()),
            Self::Budget(tokens) => Some(format!("{tokens} tokens")),
        }
    }
}

/// How much of the wished reasoning is possible: the model's ceiling, and the room below `max_tokens`.
pub fn grant(request: &Request, model: &Model, max_tokens: u32) -> ReasoningGrant {
    /// The least an extended-thinking budget may be, and what should be left for the answer (tokens).
    const LEAST: u32 = 1024;
    const ANSWER: u32 = 256;
    let wished = match request.reasoning_effort.as_deref() {
        Some("low") => Effort::Low,
        Some("medium") => Effort::Medium,
        Some("high") => Effort::High,
        Some("xhigh") => Effort::Xhigh,
        Some("max") => Effort::Max,
        _ => return ReasoningGrant::Off,
    };
    match (model.capabilities.thinking, model.capabilities.max_effort) {
        (_, Some(ceiling)) => ReasoningGrant::Effort(wished.min(ceiling)),
        (catalog::Thinking::Budget, None) => {
            let wished = match wished {
                Effort::Low => LEAST,
                Effort::Medium => 2 * LEAST,
                _ => 4 * LEAST,
            };
            match wished.min(max_tokens.saturating_sub(ANSWER)) {
                budget @ LEAST.. => ReasoningGrant::Budget(budget),
                // A budget must stay below max_tokens, and the cap is the policy's (cases.md S6).
                _ => ReasoningGrant::Off,
            }
        }
        _ => ReasoningGrant::Off,
    }
}
