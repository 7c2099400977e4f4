//! `chat.completion`: a complete answer (`openai-clients.md` §4.2).

use super::chunk::FINGERPRINT;
use crate::catalog::NanoDollars;
use crate::conversation::{Answer, Citation, Reasoning, StopReason, ToolCall, Usage};
use serde_json::{Value, json};

/// A complete answer. `created` is in seconds since 1970.
#[must_use]
pub fn completion(id: &str, created: u64, model: &str, answer: &Answer, cost: Option<NanoDollars>) -> Value {
    let Answer { text, reasoning, tool_calls, citations, stop, usage: tokens } = answer;
    let mut start = 0;
    let annotations: Vec<Value> = citations
        .iter()
        .map(|(end, citation)| {
            // OpenAI counts characters. Several sources of one passage share it.
            let end = text.get(..*end).unwrap_or(text).chars().count();
            let annotation = annotation(citation, if end > start { start } else { end }, end);
            start = end;
            annotation
        })
        .collect();
    // Only calls and no text: null, as OpenAI has it. Jan needs a string otherwise.
    let content = if text.is_empty() && !tool_calls.is_empty() { Value::Null } else { text.as_str().into() };
    let mut message = json!({"role": "assistant", "content": content, "refusal": null, "annotations": annotations});
    let thoughts = answer.reasoning_text();
    if !thoughts.is_empty() {
        message["reasoning_content"] = thoughts.into();
    }
    if !reasoning.is_empty() {
        let details = reasoning.iter().enumerate().map(|(index, thought)| detail(index, thought));
        message["reasoning_details"] = details.collect();
    }
    if !tool_calls.is_empty() {
        message["tool_calls"] = tool_calls.iter().map(tool_call).collect();
    }
    let mut completion = json!({
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "system_fingerprint": FINGERPRINT,
        "choices": [{
            "index": 0, "message": message, "logprobs": null,
            "finish_reason": stop.as_ref().map_or("stop", finish_reason),
        }],
    });
    if let Some(tokens) = tokens {
        completion["usage"] = usage(tokens, cost);
    }
    completion
}

/// OpenAI's `finish_reason`; clients know these four and no other (`openai-clients.md` §4.2).
pub(super) fn finish_reason(stop: &StopReason) -> &'static str {
    match stop {
        StopReason::EndTurn | StopReason::StopSequence | StopReason::Malformed(_) | StopReason::Unknown(_) => "stop",
        StopReason::MaxTokens | StopReason::ContextWindow => "length",
        StopReason::ToolUse => "tool_calls",
        StopReason::Guardrail | StopReason::ContentFiltered => "content_filter",
    }
}

/// OpenAI's `usage`, with the flat cache members that Roo Code reads, and OpenRouter's `cost` in dollars.
/// `prompt_tokens` includes cached ones.
pub(super) fn usage(usage: &Usage, cost: Option<NanoDollars>) -> Value {
    let (prompt, completion) = (usage.prompt(), usage.output);
    let mut value = json!({
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
    });
    if let Some(cost) = cost {
        value["cost"] = cost.number().into();
    }
    value
}

fn tool_call(call: &ToolCall) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
}

/// A thought for clients that hand it back (`openai-clients.md` §4.3, OpenRouter's convention).
pub(super) fn detail(index: usize, thought: &Reasoning) -> Value {
    const FORMAT: &str = "anthropic-claude-v1";
    match thought {
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
