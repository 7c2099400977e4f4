//! OpenAI's JSON to and from the common tongue. Pure: no sockets, no clocks, no Bedrock.
//! Shapes are those of `openai-clients.md` §3 and §4, which were run against the real clients.

pub mod chat;
pub mod chunk;
pub mod error;
pub mod models;

use crate::conversation::{StopReason, Usage};
use serde_json::{Value, json};

/// OpenAI's `finish_reason`; clients know these four and no other (`openai-clients.md` §4.2).
fn finish_reason(stop: &StopReason) -> &'static str {
    match stop {
        StopReason::EndTurn | StopReason::StopSequence | StopReason::Malformed(_) | StopReason::Unknown(_) => "stop",
        StopReason::MaxTokens | StopReason::ContextWindow => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Guardrail | StopReason::ContentFiltered => "content_filter",
    }
}

/// OpenAI's `usage`, with the flat cache members that Roo Code reads. `prompt_tokens` includes cached ones.
fn usage(usage: &Usage) -> Value {
    let (prompt, completion) = (usage.prompt(), usage.output);
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write(),
    })
}
