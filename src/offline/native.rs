//! `InvokeModel` for Claude models: bodies and answers in Anthropic's own dialect (docs/bedrock.md §1.8). A body is
//! checked for what Bedrock refuses, and is turned into one of Converse, so that both forms have the same model.

use super::answer::{Answer, BROKEN_OFF, Block, SIGNATURE};
use super::{rules, wire};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// The fields that Bedrock takes; any other is refused.
const FIELDS: &[&str] = &[
    "anthropic_beta",
    "anthropic_version",
    "context_management",
    "max_tokens",
    "messages",
    "metadata",
    "output_config",
    "stop_sequences",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

/// The beta flags that Bedrock takes; any other is refused.
const BETAS: &[&str] = &[
    "claude-code-20250219",
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "context-1m-2025-08-07",
    "context-management-2025-06-27",
    "effort-2025-11-24",
    "fine-grained-tool-streaming-2025-05-14",
    "interleaved-thinking-2025-05-14",
    "thinking-token-count-2026-05-13",
    TOOL_SEARCH,
];

/// Without this flag, tools cannot be deferred and tool results cannot name tools.
const TOOL_SEARCH: &str = "tool-search-tool-2025-10-19";

/// Turns a body into one of Converse for the offline model.
///
/// # Errors
/// The message of the `ValidationException` that Bedrock would answer.
pub(super) fn read(id: &str, body: &Value) -> Result<Value, String> {
    let body = body.as_object().ok_or("Malformed input request, please reformat your input and try again.")?;
    if body.get("anthropic_version").and_then(Value::as_str) != Some("bedrock-2023-05-31") {
        return Err("anthropic_version: Field required".into());
    }
    let betas = strings(body.get("anthropic_beta"));
    if betas.iter().any(|beta| !BETAS.contains(beta)) {
        return Err("invalid beta flag".into());
    }
    if let Some(name) = body.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(format!("{name}: Extra inputs are not permitted"));
    }
    if body.contains_key("context_management") && !betas.contains(&"context-management-2025-06-27") {
        return Err("context_management: Extra inputs are not permitted".into());
    }
    let max_tokens = body.get("max_tokens").and_then(Value::as_u64).ok_or("max_tokens: Field required")?;
    check_thinking(id, body, max_tokens)?;
    let searches = betas.contains(&TOOL_SEARCH);
    let mut converse = Map::new();
    converse.insert("messages".into(), messages(id, body, searches)?.into());
    converse.insert("system".into(), texts("system", body.get("system"))?.into());
    converse.insert("inferenceConfig".into(), inference_config(body, max_tokens));
    let mut fields = Map::new();
    for name in ["thinking", "output_config"] {
        fields.extend(body.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    if let Some(tools) = body.get("tools").and_then(Value::as_array).filter(|tools| !tools.is_empty()) {
        let specs = tools.iter().enumerate().map(|(index, tool)| tool_spec(index, tool, searches));
        let mut config = json!({"tools": specs.collect::<Result<Vec<_>, _>>()?});
        match body.get("tool_choice").and_then(|choice| choice.get("type")).and_then(Value::as_str) {
            Some("any") => config["toolChoice"] = json!({"any": {}}),
            Some("tool") => config["toolChoice"] = json!({"tool": {"name": body["tool_choice"]["name"]}}),
            _ => {}
        }
        fields.extend(body.get("tool_choice").map(|choice| ("tool_choice".to_owned(), choice.clone())));
        converse.insert("toolConfig".into(), config);
    }
    converse.insert("additionalModelRequestFields".into(), fields.into());
    if let Some(schema) = body.get("output_config").and_then(|config| config.pointer("/format/schema")) {
        let structure = json!({"jsonSchema": {"schema": schema.to_string()}});
        converse.insert("outputConfig".into(), json!({"textFormat": {"structure": structure}}));
    }
    let converse = converse.into();
    rules::check(id, &converse).map_err(|message| match message.split_once("following errors: ") {
        Some((_, own)) => own.to_owned(),
        None => message,
    })?;
    Ok(converse)
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn check_thinking(id: &str, body: &Map<String, Value>, max_tokens: u64) -> Result<(), String> {
    let thinking = body.get("thinking").unwrap_or(&Value::Null);
    let adapts = ["-4-6", "-4-7", "-4-8", "-5", "fable", "mythos"].iter().any(|name| id.contains(name))
        && !["haiku-4-5", "sonnet-4-5", "opus-4-5"].iter().any(|name| id.contains(name));
    match (thinking.get("type").and_then(Value::as_str), thinking.get("budget_tokens").and_then(Value::as_u64)) {
        (Some("adaptive"), _) if !adapts => Err("adaptive thinking is not supported on this model".into()),
        (Some("enabled"), None) => Err("thinking.enabled.budget_tokens: Field required".into()),
        (Some("enabled"), Some(..1024)) => {
            Err("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024".into())
        }
        (Some("enabled"), Some(budget)) if budget >= max_tokens => {
            Err("`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size".into())
        }
        _ => Ok(()),
    }
}

fn inference_config(body: &Map<String, Value>, max_tokens: u64) -> Value {
    let mut config = json!({"maxTokens": max_tokens});
    for (name, own) in [("temperature", "temperature"), ("top_p", "topP"), ("stop_sequences", "stopSequences")] {
        if let Some(value) = body.get(name) {
            config[own] = value.clone();
        }
    }
    config
}

/// The turns, of which consecutive ones of the same role are one.
fn messages(id: &str, body: &Map<String, Value>, searches: bool) -> Result<Vec<Value>, String> {
    let messages = body.get("messages").and_then(Value::as_array).ok_or("messages: Field required")?;
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages.{index}.content");
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        if role == "system" && !id.contains("-5-5") {
            return Err("role system is not supported on this model".into());
        }
        let content = match message.get("content") {
            Some(Value::String(text)) => vec![json!({"text": text})],
            Some(Value::Array(blocks)) => {
                let blocks = blocks.iter().enumerate();
                blocks
                    .map(|(at, block)| block_of(&format!("{path}.{at}"), block, searches))
                    .collect::<Result<_, _>>()?
            }
            _ => return Err(format!("{path}: Field required")),
        };
        let role = if role == "assistant" { "assistant" } else { "user" };
        match turns.last_mut() {
            // What the operator says between two turns is no question of the user's.
            _ if message.get("role").and_then(Value::as_str) == Some("system") => {}
            Some((last, blocks)) if *last == role => blocks.extend(content),
            _ => turns.push((role, content)),
        }
    }
    Ok(turns.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect())
}

fn block_of(path: &str, block: &Value, searches: bool) -> Result<Value, String> {
    check_cache_control(path, block)?;
    let member = |name: &str| block.get(name).cloned().unwrap_or_default();
    let source = |format: &str| {
        let data = block.pointer("/source/data").filter(|data| data.is_string());
        data.map(|data| json!({"format": format, "source": {"bytes": data}}))
            .ok_or_else(|| format!("{path}.source: Only sources of the type base64 are supported"))
    };
    Ok(match block.get("type").and_then(Value::as_str).unwrap_or_default() {
        "text" => json!({"text": member("text")}),
        "image" => {
            let format = block.pointer("/source/media_type").and_then(Value::as_str).unwrap_or_default();
            json!({"image": source(format.trim_start_matches("image/"))?})
        }
        "document" => json!({"document": source("pdf")?}),
        "thinking" => {
            let text = json!({"text": member("thinking"), "signature": member("signature")});
            json!({"reasoningContent": {"reasoningText": text}})
        }
        "redacted_thinking" => json!({"reasoningContent": {"redactedContent": member("data")}}),
        "tool_use" => json!({"toolUse": {"toolUseId": member("id"), "name": member("name"), "input": member("input")}}),
        "tool_reference" if searches => json!({"text": member("tool_name")}),
        "tool_result" => {
            let content = match block.get("content") {
                Some(Value::String(text)) if !text.is_empty() => vec![json!({"text": text})],
                Some(Value::Array(blocks)) => {
                    let blocks = blocks.iter().map(|block| block_of(&format!("{path}.tool_result"), block, searches));
                    blocks.collect::<Result<_, _>>()?
                }
                _ => vec![json!({"text": "(nothing)"})],
            };
            json!({"toolResult": {"toolUseId": member("tool_use_id"), "content": content}})
        }
        other => {
            return Err(format!(
                "{path}: Input tag '{other}' found using 'type' does not match any of the expected tags"
            ));
        }
    })
}

fn texts(path: &str, value: Option<&Value>) -> Result<Vec<Value>, String> {
    match value {
        Some(Value::String(text)) => Ok(vec![json!({"text": text})]),
        Some(Value::Array(blocks)) => {
            let blocks = blocks.iter().enumerate();
            blocks.map(|(index, block)| block_of(&format!("{path}.{index}"), block, false)).collect()
        }
        _ => Ok(Vec::new()),
    }
}

fn check_cache_control(path: &str, block: &Value) -> Result<(), String> {
    let members = block.get("cache_control").and_then(Value::as_object);
    match members.into_iter().flat_map(Map::keys).find(|name| !["type", "ttl"].contains(&name.as_str())) {
        Some(name) => Err(format!("{path}.cache_control.ephemeral.{name}: Extra inputs are not permitted")),
        None => Ok(()),
    }
}

fn tool_spec(index: usize, tool: &Value, searches: bool) -> Result<Value, String> {
    let path = format!("tools.{index}");
    check_cache_control(&path, tool)?;
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or("custom");
    if ["bash_", "text_editor_", "computer_", "memory_"].iter().any(|known| kind.starts_with(known)) {
        return Ok(json!({"toolSpec": {"name": tool.get("name"), "inputSchema": {"json": {"type": "object"}}}}));
    } else if kind != "custom" {
        return Err(format!("{path}: Input tag '{kind}' found using 'type' does not match any of the expected tags"));
    }
    let known = |name: &str| match name {
        "name" | "description" | "input_schema" | "type" | "cache_control" => true,
        "defer_loading" => searches,
        _ => false,
    };
    if let Some(name) = tool.as_object().into_iter().flat_map(Map::keys).find(|name| !known(name)) {
        return Err(format!("{path}.custom.{name}: Extra inputs are not permitted"));
    }
    let schema = tool.get("input_schema").ok_or_else(|| format!("{path}.custom.input_schema: Field required"))?;
    Ok(json!({"toolSpec": {"name": tool.get("name"), "inputSchema": {"json": schema}}}))
}

/// Whether thoughts are signed but not told.
fn omits_thoughts(body: &Value) -> bool {
    body.pointer("/thinking/display").and_then(Value::as_str) == Some("omitted")
}

fn usage(answer: &Answer, output: usize) -> Value {
    json!({
        "input_tokens": answer.input_tokens, "output_tokens": output,
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    })
}

/// A complete answer to a body.
pub(super) fn message(body: &Value, answer: &Answer) -> Value {
    let content = answer.blocks.iter().map(|block| match block {
        Block::Reasoning(text) => {
            let text = if omits_thoughts(body) { "" } else { text };
            json!({"type": "thinking", "thinking": text, "signature": SIGNATURE})
        }
        Block::Text(tokens) => json!({"type": "text", "text": tokens.concat()}),
        Block::ToolUse(id, name, arguments) => {
            let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        }
    });
    json!({
        "id": "msg_bdrk_offline", "type": "message", "role": "assistant", "model": "claude-offline",
        "content": content.collect::<Vec<_>>(), "stop_reason": answer.stop, "stop_sequence": answer.stop_sequence,
        "usage": usage(answer, answer.output_tokens()),
    })
}

/// The frames of a streamed answer to a body, each with whether it is a token.
pub(super) fn frames(body: &Value, answer: &Answer) -> Vec<(bool, Bytes)> {
    let frame = |event: Value| (false, wire::chunk(&event));
    let mut frames = vec![frame(json!({"type": "message_start", "message": {
        "id": "msg_bdrk_offline", "type": "message", "role": "assistant", "model": "claude-offline", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage(answer, 1),
    }}))];
    for (index, block) in answer.blocks.iter().enumerate() {
        let delta = |is_token: bool, delta: Value| {
            (is_token, wire::chunk(&json!({"type": "content_block_delta", "index": index, "delta": delta})))
        };
        let start =
            |block: Value| frame(json!({"type": "content_block_start", "index": index, "content_block": block}));
        match block {
            Block::Reasoning(text) => {
                frames.push(start(json!({"type": "thinking", "thinking": "", "signature": ""})));
                if !omits_thoughts(body) {
                    frames.push(delta(true, json!({"type": "thinking_delta", "thinking": text})));
                }
                frames.push(delta(false, json!({"type": "signature_delta", "signature": SIGNATURE})));
            }
            Block::Text(tokens) => {
                frames.push(start(json!({"type": "text", "text": ""})));
                frames.extend(tokens.iter().map(|token| delta(true, json!({"type": "text_delta", "text": token}))));
                if answer.fails {
                    frames.push((false, wire::exception("modelStreamErrorException", BROKEN_OFF)));
                }
            }
            Block::ToolUse(id, name, _) => {
                frames.push(start(json!({"type": "tool_use", "id": id, "name": name, "input": {}})));
                let pieces = block.argument_pieces().into_iter();
                frames.extend(
                    pieces.map(|piece| delta(true, json!({"type": "input_json_delta", "partial_json": piece}))),
                );
            }
        }
        frames.push(frame(json!({"type": "content_block_stop", "index": index})));
    }
    let stop = json!({"stop_reason": answer.stop, "stop_sequence": answer.stop_sequence});
    let output = answer.output_tokens();
    frames.push(frame(json!({"type": "message_delta", "delta": stop, "usage": {"output_tokens": output}})));
    frames.push(frame(json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": {
        "inputTokenCount": answer.input_tokens, "outputTokenCount": output, "invocationLatency": 1, "firstByteLatency": 1,
    }})));
    frames
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::super::model;
    use super::*;

    const ID: &str = "us.anthropic.claude-opus-5-5";

    fn body(content: &Value, more: Value) -> Value {
        let mut body = json!({
            "anthropic_version": "bedrock-2023-05-31", "max_tokens": 2000,
            "messages": [{"role": "user", "content": content}],
        });
        let Value::Object(more) = more else { panic!("an object is expected") };
        body.as_object_mut().unwrap().extend(more);
        body
    }

    fn ask(content: &Value, more: Value) -> Value {
        let body = body(content, more);
        message(&body, &model::answer(&read(ID, &body).unwrap()))
    }

    #[test]
    fn it_answers_what_the_user_typed() {
        let content = json!([{"type": "text", "text": "<system-reminder>\nUse Bash.\n</system-reminder>"}, {"type": "text", "text": "echo ü"}]);
        let answer = ask(&content, json!({"tools": [{"name": "Bash", "input_schema": {"type": "object"}}]}));
        assert_eq!(
            (&answer["content"], &answer["stop_reason"]),
            (&json!([{"type": "text", "text": "ü"}]), &json!("end_turn"))
        );
        let cut = ask(&json!("count to 9"), json!({"max_tokens": 3}));
        assert_eq!((&cut["content"][0]["text"], &cut["stop_reason"]), (&json!("1 2 3"), &json!("max_tokens")));
        let stopped = ask(&json!("count to 9"), json!({"stop_sequences": ["7", " 4"]}));
        assert_eq!((&stopped["content"][0]["text"], &stopped["stop_sequence"]), (&json!("1 2 3"), &json!(" 4")));
    }

    #[test]
    fn each_call_has_the_object_after_its_name() {
        let tool = |name: &str| json!({"name": name, "input_schema": {"type": "object"}});
        let thinking = json!({"type": "adaptive", "display": "omitted"});
        let members = json!({"tools": [tool("Bash"), tool("Read"), tool("Grep")], "thinking": thinking});
        let answer = ask(&json!(r#"run Bash {"command": "Read"} and then Grep {"q": 1}"#), members);
        let calls: Vec<_> =
            answer["content"].as_array().unwrap().iter().map(|block| (&block["name"], &block["input"])).collect();
        let expected = [(json!("Bash"), json!({"command": "Read"})), (json!("Grep"), json!({"q": 1}))];
        assert_eq!(calls[1..], expected.each_ref().map(|(name, input)| (name, input)));
        assert_eq!(answer["content"][0], json!({"type": "thinking", "thinking": "", "signature": SIGNATURE}));
    }

    #[test]
    fn it_refuses_what_bedrock_refuses() {
        let tools = json!([{"name": "x", "input_schema": {"type": "object"}, "defer_loading": true}]);
        for (more, message) in [
            (json!({"stream": true}), "stream: Extra inputs are not permitted"),
            (json!({"safeguards": []}), "safeguards: Extra inputs are not permitted"),
            (json!({"anthropic_beta": ["oauth-2025-04-20"]}), "invalid beta flag"),
            (json!({"context_management": {}}), "context_management: Extra inputs are not permitted"),
            (json!({"tools": tools}), "tools.0.custom.defer_loading: Extra inputs are not permitted"),
            (
                json!({"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "scope": "global"}}]}),
                "system.0.cache_control.ephemeral.scope: Extra inputs are not permitted",
            ),
            (
                json!({"thinking": {"type": "enabled", "budget_tokens": 1000}}),
                "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
            ),
            (json!({"temperature": 1}), "`temperature` is deprecated for this model."),
            (
                json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": "zz"}]}, {"role": "user", "content": "y"}]}),
                "messages.1.content.0: Invalid `signature` in `thinking` block",
            ),
        ] {
            assert_eq!(read(ID, &body(&json!("hi"), more)), Err(message.to_owned()));
        }
        let searches = json!({"tools": tools, "anthropic_beta": [TOOL_SEARCH]});
        assert!(read(ID, &body(&json!("hi"), searches)).is_ok());
    }
}
