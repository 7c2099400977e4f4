//! Schemas of tools and of answers, and the arguments of calls.

use crate::support::{Bedrock, Reply, Server};
use chatrix::offline::wire;
use serde_json::{Value, json};

fn body(model: &str, parameters: &Value) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hi"}], "tools": [
        {"type": "function", "function": {"name": "look", "description": "Looks something up", "parameters": parameters}}]})
}

/// The schema that Bedrock is sent for a tool with these parameters.
fn sent(model: &str, parameters: &Value) -> Value {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let answer = Server::start(&bedrock).chat(&body(model, parameters));
    assert_eq!(answer.status, 200, "{}", answer.body);
    bedrock.call().body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"].clone()
}

#[test]
fn report_01_schema_old_dialect() {
    let old = json!({"type": "object", "properties": {
        "n": {"type": "integer", "minimum": 0, "exclusiveMinimum": true},
        "a": {"type": "any"},
        "b": {"type": "int"},
        "c": {"type": "string", "required": true},
        "r": {"type": "array", "items": [{"type": "number"}, {"type": "number"}]},
        "deep": {"type": "object", "properties": {"d": {"type": "array", "items": {"type": "dict", "properties": {"e": {"type": "float", "required": true}}}}}},
    }});
    let expected = json!({"type": "object", "properties": {
        "n": {"type": "integer", "exclusiveMinimum": 0},
        "a": {},
        "b": {"type": "integer"},
        "c": {"type": "string"},
        "r": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]},
        "deep": {"type": "object", "properties": {"d": {"type": "array", "items": {"type": "object", "properties": {"e": {"type": "number"}}, "required": ["e"]}}}},
    }, "required": ["c"]});
    for model in ["claude-haiku-4-5", "nova-pro", "us.meta.llama4-maverick-17b-instruct-v1:0"] {
        assert_eq!(sent(model, &old), expected, "{model}");
    }
}

#[test]
fn a_schema_that_cannot_be_repaired_is_refused_by_the_name_of_its_tool() {
    let server = Server::start(&Bedrock::script([Reply::text("never")]));
    for parameters in [json!("string"), json!({"type": "array", "items": {}}), json!(7)] {
        let answer = server.chat(&body("claude-haiku-4-5", &parameters));
        assert_eq!(answer.status, 400, "{parameters}");
        assert!(answer.body.contains("look"), "{}", answer.body);
    }
}

#[test]
fn the_schema_of_an_answer_is_repaired_too() {
    let old = json!({"type": "object", "properties": {"n": {"type": "int", "description": null}, "t": {"type": "string", "nullable": true}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": old}});
    for model in ["claude-haiku-4-5", "nova-pro"] {
        let bedrock = Bedrock::script([Reply::text("{}")]);
        let answer = Server::start(&bedrock)
            .chat(&json!({"model": model, "messages": [{"role": "user", "content": "hi"}], "response_format": format}));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = bedrock.call().body.to_string().replace('\\', "");
        assert!(body.contains(r#""n":{"type":"integer"},"t":{"type":["string","null"]}"#), "{model}: {body}");
    }
}

const PARAMETERS: &str = r#"{"type": "object", "properties": {"Account Number": {"type": "string"}, "rows": {"type": "array",
    "items": {"type": "object", "properties": {"filter[id]": {"type": "integer"}}}}, "free": {"type": "object"}}}"#;
const OWN: &str = r#"{"Account Number":"7","rows":[{"filter[id]":1}],"free":{"Account_Number":1}}"#;
const SENT: &str = r#"{"Account_Number":"7","rows":[{"filter_id_":1}],"free":{"Account_Number":1}}"#;

#[test]
fn property_keys_are_mapped_and_mapped_back() {
    let parameters: Value = serde_json::from_str(PARAMETERS).unwrap();
    let pieces: Vec<&str> = SENT.split_inclusive('_').collect();
    let mut frames = vec![wire::event(
        "contentBlockStart",
        json!({"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "tooluse_1", "name": "look"}}}),
    )];
    frames.extend(pieces.iter().map(|piece| {
        wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"toolUse": {"input": piece}}}))
    }));
    frames.push(wire::event("contentBlockStop", json!({"contentBlockIndex": 0})));
    frames.push(wire::event("messageStop", json!({"stopReason": "tool_use"})));
    frames.push(wire::event("metadata", json!({"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}})));
    let input: Value = serde_json::from_str(SENT).unwrap();
    let complete = Reply::Blocks(json!([{"toolUse": {"toolUseId": "tooluse_1", "name": "look", "input": input}}]));
    let bedrock = Bedrock::script([complete, Reply::Frames(frames)]);
    let server = Server::start(&bedrock);
    let mut request = body("claude-haiku-4-5", &parameters);
    request["messages"] = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "look", "arguments": OWN}}]},
        {"role": "tool", "tool_call_id": "a", "content": "ok"},
    ]);
    let answer = server.chat(&request);
    let call = &answer.json()["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["arguments"], OWN);
    let body = bedrock.calls()[0].body.clone();
    assert_eq!(body["messages"][1]["content"][0]["toolUse"]["input"].to_string(), SENT);
    let properties = &body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]["properties"];
    assert!(properties.get("Account_Number").is_some() && properties.get("Account Number").is_none(), "{properties}");
    request["stream"] = true.into();
    let answer = server.chat(&request);
    let chunks = answer.chunks();
    let arguments: String = chunks
        .iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta/tool_calls/0/function/arguments")?.as_str())
        .collect();
    assert_eq!(arguments, OWN);
}

#[test]
fn the_answer_tool_has_its_own_keys_too() {
    let parameters: Value = serde_json::from_str(PARAMETERS).unwrap();
    let input: Value = serde_json::from_str(SENT).unwrap();
    let bedrock = Bedrock::script([Reply::Blocks(
        json!([{"toolUse": {"toolUseId": "t", "name": "json_answer", "input": input}}]),
    )]);
    let answer = Server::start(&bedrock).chat(&json!({
        "model": "us.anthropic.claude-sonnet-4-20250514-v1:0", "messages": [{"role": "user", "content": "hi"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": parameters}}}));
    assert_eq!(answer.json()["choices"][0]["message"]["content"], OWN);
    assert!(bedrock.call().body["toolConfig"].to_string().contains("filter_id_"));
}
