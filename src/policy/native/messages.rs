//! Leaves out of a Messages request what Bedrock does not take.

use super::accepted::{
    BETAS, CONTEXT_EDITS, KNOWN_TOOLS, MEMBERS, NEEDED_BETAS, NEEDLESS_EDIT, NeedsBeta, OUTPUT_MEMBERS,
    SILENTLY_LEFT_OUT, TOOL_CHANGES, TOOL_MEMBERS, left_out,
};
use crate::conversation::{IgnoredMember, NativeRequest};
use serde_json::{Map, Value, json};

/// Leaves out what Bedrock does not take, and returns what the client is told of it. The request keeps its order.
pub(super) fn reduce(request: &mut NativeRequest) -> Vec<IgnoredMember> {
    let mut ignored = Vec::new();
    let body = &mut request.body;
    move_output_format(body);
    keep_cache_point(body);
    for (name, value) in body.iter().filter(|(name, _)| !MEMBERS.contains(&name.as_str())) {
        if !SILENTLY_LEFT_OUT.contains(&name.as_str()) {
            ignored.push(left_out(name.clone(), value));
        }
    }
    body.retain(|name, value| MEMBERS.contains(&name.as_str()) && !value.is_null());
    if let Some(Value::Object(output)) = body.get_mut("output_config") {
        keep_members(output, &OUTPUT_MEMBERS, "output_config", &mut ignored);
    }
    reduce_context_edits(body, &mut ignored);
    if let Some(Value::Array(tools)) = body.get_mut("tools") {
        reduce_tools(tools, &mut ignored);
    }
    body.retain(|_, value| *value != json!({}) && *value != json!([]));
    if let Some(system) = body.get_mut("system") {
        reduce_cache_points(system);
    }
    if let Some(Value::Array(messages)) = body.get_mut("messages") {
        reduce_messages(messages);
    }
    request.betas = betas(&request.body, &request.betas);
    ignored
}

/// Keeps some members of an object, and lists the others under a path.
fn keep_members(object: &mut Map<String, Value>, kept: &[&str], path: &str, ignored: &mut Vec<IgnoredMember>) {
    for (name, value) in object.iter().filter(|(name, _)| !kept.contains(&name.as_str())) {
        ignored.push(left_out(format!("{path}.{name}"), value));
    }
    object.retain(|name, _| kept.contains(&name.as_str()));
}

/// Older clients ask for JSON in `output_format`.
fn move_output_format(body: &mut Map<String, Value>) {
    let Some(format) = body.remove("output_format").filter(Value::is_object) else { return };
    let output = body.entry("output_config").or_insert_with(|| json!({}));
    if let Value::Object(output) = output {
        output.entry("format").or_insert(format);
    }
}

/// A `cache_control` of the whole request stands for one at the end of the conversation.
fn keep_cache_point(body: &mut Map<String, Value>) {
    let Some(control) = body.get("cache_control").filter(|control| control.is_object()).cloned() else { return };
    let last = body.get_mut("messages").and_then(Value::as_array_mut).and_then(|messages| messages.last_mut());
    if let Some(content) = last.and_then(|message| message.get_mut("content")) {
        mark_for_cache(content, &control);
    }
}

/// Marks the last block of a content for the prompt cache.
pub fn mark_for_cache(content: &mut Value, control: &Value) {
    if let Value::String(text) = content {
        *content = json!([{"type": "text", "text": std::mem::take(text)}]);
    }
    if let Some(Value::Object(block)) = content.as_array_mut().and_then(|blocks| blocks.last_mut()) {
        block.entry("cache_control").or_insert_with(|| control.clone());
    }
}

fn reduce_context_edits(body: &mut Map<String, Value>, ignored: &mut Vec<IgnoredMember>) {
    let Some(management) = body.get_mut("context_management") else { return };
    if let Value::Object(members) = management {
        keep_members(members, &["edits"], "context_management", ignored);
    }
    let edits = management.get_mut("edits").and_then(Value::as_array_mut);
    let mut kept = false;
    if let Some(edits) = edits {
        for edit in edits.iter() {
            let kind = edit["type"].as_str().unwrap_or_default();
            if kind != NEEDLESS_EDIT && !CONTEXT_EDITS.contains(&kind) {
                ignored.push(left_out("context_management.edits".to_owned(), edit));
            }
        }
        edits.retain(|edit| edit["type"].as_str().is_some_and(|kind| CONTEXT_EDITS.contains(&kind)));
        kept = !edits.is_empty();
    }
    if !kept {
        body.remove("context_management");
    }
}

fn reduce_tools(tools: &mut Vec<Value>, ignored: &mut Vec<IgnoredMember>) {
    tools.retain(|tool| {
        let kind = tool["type"].as_str().unwrap_or("custom");
        let keeps = kind == "custom" || KNOWN_TOOLS.iter().any(|known| kind.starts_with(known));
        if !keeps {
            ignored.push(IgnoredMember { name: format!("tools of type {kind:.40}"), value: None });
        }
        keeps
    });
    for tool in tools.iter_mut() {
        let is_custom = tool["type"].as_str().unwrap_or("custom") == "custom";
        if let (Value::Object(members), true) = (&mut *tool, is_custom) {
            members.retain(|name, value| TOOL_MEMBERS.contains(&name.as_str()) && !value.is_null());
        }
        reduce_cache_point(tool);
    }
}

fn reduce_messages(messages: &mut Vec<Value>) {
    for message in messages.iter_mut() {
        let is_system = message["role"] == "system";
        let Some(Value::Array(blocks)) = message.get_mut("content") else { continue };
        blocks.retain(|block| match block["type"].as_str() {
            // The service refuses reasoning without its signature.
            Some("thinking") => block["signature"].as_str().is_some_and(|signature| !signature.is_empty()),
            Some(kind) => !(is_system && TOOL_CHANGES.contains(&kind)),
            None => true,
        });
        for block in blocks {
            if let Some(content) = block.get_mut("content") {
                reduce_cache_points(content);
            }
            reduce_cache_point(block);
        }
    }
    messages.retain(|message| message["content"] != json!([]));
}

fn reduce_cache_points(content: &mut Value) {
    if let Value::Array(blocks) = content {
        blocks.iter_mut().for_each(reduce_cache_point);
    }
}

/// Bedrock takes only the type and the time to live of a cache point.
fn reduce_cache_point(block: &mut Value) {
    if let Some(Value::Object(control)) = block.get_mut("cache_control") {
        control.retain(|name, _| name == "type" || name == "ttl");
    }
}

/// The betas to send: those of the client that are passed on, and those that a part of the request needs.
fn betas(body: &Map<String, Value>, named: &[String]) -> Vec<String> {
    let passed = BETAS.iter().filter(|beta| named.iter().any(|name| name == *beta)).copied();
    let needed = NEEDED_BETAS.iter().filter(|(part, _)| needs(body, *part)).map(|(_, beta)| *beta);
    passed.chain(needed).map(ToOwned::to_owned).collect()
}

fn needs(body: &Map<String, Value>, part: NeedsBeta) -> bool {
    let mut tools = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    match part {
        NeedsBeta::ContextEdits => body.contains_key("context_management"),
        NeedsBeta::ToolExamples => tools.any(|tool| tool.get("input_examples").is_some()),
        NeedsBeta::DeferredTools => tools.any(|tool| tool.get("defer_loading").is_some()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::conversation::NativeApi;

    fn reduced(body: &Value, betas: &[&str]) -> (Value, Vec<String>, Vec<String>) {
        let betas = betas.iter().map(ToString::to_string).collect();
        let body = body.as_object().unwrap().clone();
        let mut request = NativeRequest { api: NativeApi::Messages, body, betas };
        let ignored = reduce(&mut request).into_iter().map(|member| member.name).collect();
        (request.body.into(), request.betas, ignored)
    }

    #[test]
    fn a_feature_and_its_beta_go_or_stay_together() {
        let tool = json!({"name": "a", "input_schema": {}, "defer_loading": true, "eager_input_streaming": true});
        let deferred = json!({"name": "a", "input_schema": {}, "defer_loading": true});
        for (body, named, sent, betas, ignored) in [
            (
                json!({"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}}),
                vec!["context-management-2025-06-27", "claude-code-20250219", "interleaved-thinking-2025-05-14"],
                json!({}),
                vec!["interleaved-thinking-2025-05-14"],
                vec![],
            ),
            (
                json!({"context_management": {"edits": [
                    {"type": "clear_tool_uses_20250919"}, {"type": "compact_20260112"}], "compact": {}}}),
                vec![],
                json!({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}),
                vec!["context-management-2025-06-27"],
                vec!["context_management.compact", "context_management.edits"],
            ),
            (
                json!({"tools": [tool]}),
                vec!["advanced-tool-use-2025-11-20"],
                json!({"tools": [deferred]}),
                vec!["tool-search-tool-2025-10-19"],
                vec![],
            ),
            (
                json!({"tools": [{"type": "web_search_20250305", "name": "web_search"},
                    {"type": "tool_search_tool_bm25_20251119"}, {"type": "bash_20250124", "name": "bash"}]}),
                vec!["made-up-2030-01-01"],
                json!({"tools": [{"type": "bash_20250124", "name": "bash"}]}),
                vec![],
                vec!["tools of type web_search_20250305", "tools of type tool_search_tool_bm25_20251119"],
            ),
            (
                json!({"model": "m", "stream": true, "metadata": {}, "safeguards": [], "speed": "fast", "thread": {}}),
                vec!["fast-mode-2026-02-01"],
                json!({}),
                vec![],
                vec!["speed", "thread"],
            ),
            (
                json!({"output_format": {"type": "json_schema"}, "output_config": {"effort": "low", "task_budget": 5}}),
                vec![],
                json!({"output_config": {"effort": "low", "format": {"type": "json_schema"}}}),
                vec![],
                vec!["output_config.task_budget"],
            ),
        ] {
            let expected =
                (sent, betas.into_iter().map(String::from).collect(), ignored.into_iter().map(String::from).collect());
            assert_eq!(reduced(&body, &named), expected, "{body}");
        }
    }

    #[test]
    fn messages_keep_their_order_and_lose_what_bedrock_refuses() {
        let control = json!({"type": "ephemeral", "ttl": "1h", "scope": "global"});
        let kept = json!({"type": "ephemeral", "ttl": "1h"});
        let (body, ..) = reduced(
            &json!({
                "system": [{"type": "text", "text": "a", "cache_control": control}],
                "messages": [
                    {"role": "user", "content": "hi"},
                    {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": ""}]},
                    {"role": "system", "content": [{"type": "text", "text": "s"}, {"type": "tool_addition"}]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t",
                        "content": [{"type": "text", "text": "r", "cache_control": control}]}]},
                    {"role": "user", "content": "end"},
                ],
                "cache_control": {"type": "ephemeral"},
            }),
            &[],
        );
        let expected = json!({
            "system": [{"type": "text", "text": "a", "cache_control": kept}],
            "messages": [
                {"role": "user", "content": "hi"},
                {"role": "system", "content": [{"type": "text", "text": "s"}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t",
                    "content": [{"type": "text", "text": "r", "cache_control": kept}]}]},
                {"role": "user", "content": [{"type": "text", "text": "end", "cache_control": {"type": "ephemeral"}}]},
            ],
        });
        assert_eq!(body.to_string(), expected.to_string());
    }
}
