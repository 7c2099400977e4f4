//! Parts of an answer that complete and streamed answers share.

use crate::catalog::NanoDollars;
use crate::conversation::{Citation, Reasoning, StopReason, Usage};
use serde_json::{Value, json};

/// `system_fingerprint` of every answer.
pub(super) const FINGERPRINT: &str = "fp_chatrix";

/// OpenAI's `finish_reason`; clients know these four and no other (docs/openai.md §4.2).
pub(super) fn finish_reason(stop: &StopReason) -> &'static str {
    match stop {
        StopReason::EndTurn | StopReason::StopSequence(_) | StopReason::Malformed(_) | StopReason::Unknown(_) => "stop",
        StopReason::MaxTokens | StopReason::ContextWindow => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Guardrail | StopReason::ContentFiltered => "content_filter",
    }
}

/// OpenAI's `usage`, with the flat cache members that Roo Code reads, and OpenRouter's `cost` in dollars.
/// `prompt_tokens` includes cached ones. Bedrock does not count
/// reasoning tokens apart, so `completion_tokens_details` is left out rather than filled with zeros.
pub(super) fn usage(usage: &Usage, cost: Option<NanoDollars>) -> Value {
    let (prompt, completion) = (usage.prompt(), usage.output);
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

/// Reasoning for clients that hand it back, by OpenRouter's convention (docs/openai.md §4.3).
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

/// OpenAI cites addresses only: a document has its title for one. The range is in characters.
pub(super) fn annotation(citation: &Citation, start: usize, end: usize) -> Value {
    let url = if citation.url.is_empty() { format!("document:{}", citation.title) } else { citation.url.clone() };
    json!({"type": "url_citation", "url_citation": {
        "start_index": start, "end_index": end, "url": url, "title": citation.title,
    }})
}
