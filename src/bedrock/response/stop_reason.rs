//! Why a model stopped.

use crate::conversation::StopReason;
use serde_json::Value;

/// The reason that a word of the service stands for. `fields` may name the stop sequence.
pub(super) fn stop_reason(reason: &str, fields: &Value) -> StopReason {
    match reason {
        "end_turn" => StopReason::EndTurn,
        "stop_sequence" => StopReason::StopSequence(fields["stop_sequence"].as_str().map(ToOwned::to_owned)),
        "max_tokens" => StopReason::MaxTokens,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        "tool_use" => StopReason::ToolUse,
        "guardrail_intervened" => StopReason::Guardrail,
        "content_filtered" | "refusal" => StopReason::ContentFiltered,
        "malformed_model_output" | "malformed_tool_use" => StopReason::Malformed(reason.to_owned()),
        other => StopReason::Unknown(other.to_owned()),
    }
}
