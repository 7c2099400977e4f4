//! `chat.completion`: a complete answer (docs/openai.md §4.2).

use super::answer::{FINGERPRINT, annotation, finish_reason, reasoning_detail, usage_object};
use super::chat_request::AnswerOptions;
use crate::api::dialect::AnswerHead;
use crate::catalog::NanoDollars;
use crate::conversation::{Answer, Block, ToolCall};
use serde_json::{Value, json};

pub(super) fn completion(
    head: &AnswerHead,
    options: AnswerOptions,
    answer: &Answer,
    cost: Option<NanoDollars>,
) -> Value {
    let text = answer.text();
    let tool_calls: Vec<Value> = answer.tool_calls().map(tool_call).collect();
    // OpenAI gives null when there are only tool calls. In any other case Jan needs a string.
    let content = if text.is_empty() && !tool_calls.is_empty() { Value::Null } else { text.into() };
    let mut message =
        json!({"role": "assistant", "content": content, "refusal": null, "annotations": annotations(answer)});
    let reasoning = answer.reasoning_text();
    if !options.omit_reasoning && !reasoning.is_empty() {
        message["reasoning_content"] = reasoning.into();
    }
    let details: Vec<Value> =
        answer.reasoning().enumerate().map(|(index, reasoning)| reasoning_detail(index, reasoning)).collect();
    if !options.omit_reasoning && !details.is_empty() {
        message["reasoning_details"] = details.into();
    }
    match tool_calls.first() {
        Some(call) if options.legacy_functions => message["function_call"] = call["function"].clone(),
        Some(_) => message["tool_calls"] = tool_calls.into(),
        None => {}
    }
    let mut completion = json!({
        "id": head.id,
        "object": "chat.completion",
        "created": head.created,
        "model": head.model,
        "system_fingerprint": FINGERPRINT,
        "choices": [{
            "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(&answer.stop, options.legacy_functions),
        }],
    });
    if let Some(usage) = &answer.usage {
        completion["usage"] = usage_object(usage, cost);
    }
    completion
}

/// The sources of the whole text. Ranges count characters. Several sources of the same passage have the same range.
fn annotations(answer: &Answer) -> Vec<Value> {
    let mut annotations = Vec::new();
    // The number of characters before the passage that follows.
    let mut before = 0;
    // Where the passage of the next citation starts.
    let mut start = 0;
    for block in &answer.blocks {
        let Block::Text { text, citations } = block else { continue };
        let mut counted = 0;
        for cited in citations {
            before += text.get(counted..cited.end).unwrap_or_default().chars().count();
            counted = cited.end;
            annotations.push(annotation(&cited.citation, start.min(before), before));
            start = before;
        }
        before += text.get(counted..).unwrap_or_default().chars().count();
    }
    annotations
}

fn tool_call(call: &ToolCall) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
}
