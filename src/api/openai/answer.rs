//! The parts that complete and streamed answers have in common.

use crate::catalog::NanoDollars;
use crate::conversation::{Citation, Reasoning, StopReason, Usage};
use serde_json::{Value, json};

/// `system_fingerprint` of every answer.
pub(super) const FINGERPRINT: &str = "fp_chatrix";

/// OpenAI's `finish_reason`. Clients know only these values (docs/openai.md §4.2). `function_call` is that of requests
/// with the legacy `functions`.
pub(super) fn finish_reason(stop: &StopReason, legacy_functions: bool) -> &'static str {
    match stop {
        StopReason::ToolUse if legacy_functions => "function_call",
        StopReason::EndTurn | StopReason::StopSequence(_) | StopReason::Malformed(_) | StopReason::Unknown(_) => "stop",
        StopReason::MaxTokens | StopReason::ContextWindow => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Guardrail | StopReason::ContentFiltered => "content_filter",
    }
}

/// OpenAI's `usage`, with the flat cache members that Roo Code reads, and OpenRouter's `cost` in dollars.
/// `prompt_tokens` includes cached tokens. Bedrock does not count reasoning tokens separately, so
/// `completion_tokens_details` is left out rather than filled with zeros.
pub(super) fn usage_object(usage: &Usage, cost: Option<NanoDollars>) -> Value {
    let prompt = usage.prompt();
    let completion = usage.output;
    let mut value = json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write(),
    });
    if let Some(cost) = cost {
        value["cost"] = cost.number().into();
    }
    value
}

/// An entry of `reasoning_details`, OpenRouter's convention for clients that send reasoning back (docs/openai.md §4.3).
pub(super) fn reasoning_detail(index: usize, reasoning: &Reasoning) -> Value {
    const FORMAT: &str = "anthropic-claude-v1";
    match reasoning {
        Reasoning::Text { text, signature } => {
            json!({"type": "reasoning.text", "text": text, "signature": signature, "format": FORMAT, "index": index})
        }
        Reasoning::Redacted(data) => {
            json!({"type": "reasoning.encrypted", "data": data, "format": FORMAT, "index": index})
        }
    }
}

/// A citation as OpenAI's `url_citation`. A cited document has no URL, so one is made from its title. `start` and `end`
/// count characters of the answer.
pub(super) fn annotation(citation: &Citation, start: usize, end: usize) -> Value {
    json!({"type": "url_citation", "url_citation": {
        "start_index": start, "end_index": end, "url": citation_url(citation), "title": citation.title,
    }})
}

/// The URL of a source.
pub(super) fn citation_url(citation: &Citation) -> String {
    if citation.url.is_empty() { format!("document:{}", citation.title) } else { citation.url.clone() }
}
