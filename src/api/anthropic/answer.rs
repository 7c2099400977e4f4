//! A complete answer, and the parts that it has in common with a streamed one.

use super::citation::citation_object;
use crate::api::dialect::AnswerHead;
use crate::catalog::NanoDollars;
use crate::conversation::{Answer, Block, Reasoning, StopReason, ToolCall, Usage};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The `message` of an answer.
pub(super) fn message(head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value {
    let native = answer.native.as_ref().and_then(|json| serde_json::from_slice(json).ok());
    if let Some(native @ Value::Object(_)) = native {
        return native_message(native, head, answer, cost);
    }
    let (reason, sequence) = stop_reason(&answer.stop);
    let usage = answer.usage.unwrap_or(Usage { input: head.expected_input, ..Usage::default() });
    json!({
        "id": head.id, "type": "message", "role": "assistant", "model": head.model,
        "content": answer.blocks.iter().map(block).collect::<Vec<_>>(),
        "stop_reason": reason, "stop_sequence": sequence, "usage": usage_object(&usage, cost),
    })
}

/// The service's own answer, under the model's name that the client knows, with the cost, and without the calls that the
/// end of the answer has cut.
fn native_message(mut message: Value, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value {
    message["model"] = head.model.as_str().into();
    let whole: HashSet<&str> = answer.tool_calls().map(|call| call.id.as_str()).collect();
    if let Some(blocks) = message["content"].as_array_mut() {
        let is_cut =
            |block: &Value| block["type"] == "tool_use" && !block["id"].as_str().is_some_and(|id| whole.contains(id));
        blocks.retain(|block| !is_cut(block));
    }
    if let Some(reason) = other_stop_reason(&answer.stop, &message["stop_reason"]) {
        message["stop_reason"] = reason.into();
    }
    add_cost(&mut message["usage"], cost);
    message
}

/// The stop reason that takes the place of the service's own; `None` where both say the same.
pub(super) fn other_stop_reason<'a>(stop: &'a StopReason, native: &Value) -> Option<&'a str> {
    let (reason, _) = stop_reason(stop);
    let is_known = !matches!(stop, StopReason::Unknown(_) | StopReason::Malformed(_));
    (is_known && native.as_str() != Some(reason)).then_some(reason)
}

/// Adds what the call cost to a usage.
pub(super) fn add_cost(usage: &mut Value, cost: Option<NanoDollars>) {
    if let (Some(cost), Value::Object(usage)) = (cost, usage) {
        usage.insert("cost".to_owned(), cost.number().into());
    }
}

fn block(block: &Block) -> Value {
    match block {
        Block::Text { text, citations } => {
            let mut object = json!({"type": "text", "text": text});
            let citations: Vec<Value> = citations.iter().filter_map(|cited| citation_object(&cited.citation)).collect();
            if !citations.is_empty() {
                object["citations"] = citations.into();
            }
            object
        }
        Block::Reasoning(Reasoning::Text { text, signature }) => {
            json!({"type": "thinking", "thinking": text, "signature": signature.as_deref().unwrap_or_default()})
        }
        Block::Reasoning(Reasoning::Redacted(data)) => json!({"type": "redacted_thinking", "data": data}),
        Block::ToolCall(ToolCall { id, name, arguments }) => {
            json!({"type": "tool_use", "id": id, "name": name, "input": input_object(arguments)})
        }
    }
}

/// The arguments of a call, which are an object in this API. Anything else is put inside one.
fn input_object(arguments: &str) -> Value {
    match serde_json::from_str(arguments) {
        Ok(object @ Value::Object(_)) => object,
        _ if arguments.trim().is_empty() => Value::Object(Map::new()),
        Ok(other) => json!({"arguments": other}),
        Err(_) => json!({"arguments": arguments}),
    }
}

/// Anthropic's `stop_reason` and `stop_sequence`
/// (<https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>). A reason that this build does not know
/// is passed on where it is one of Anthropic's, because clients know only those.
pub(super) fn stop_reason(stop: &StopReason) -> (&str, Option<&str>) {
    match stop {
        StopReason::StopSequence(sequence) => ("stop_sequence", sequence.as_deref()),
        StopReason::Guardrail | StopReason::ContentFiltered => ("refusal", None),
        StopReason::Unknown(word) if matches!(word.as_str(), "refusal" | "pause_turn") => (word, None),
        StopReason::Malformed(_) | StopReason::Unknown(_) => ("end_turn", None),
        StopReason::EndTurn | StopReason::MaxTokens | StopReason::ContextWindow | StopReason::ToolUse => {
            (stop.as_str(), None)
        }
    }
}

/// Anthropic's `usage`, and the cost in dollars. `input_tokens` has no cached tokens in it.
pub(super) fn usage_object(usage: &Usage, cost: Option<NanoDollars>) -> Value {
    let mut object = json!({
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write(),
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output,
    });
    add_cost(&mut object, cost);
    object
}
