//! An error names the client's own place, although the neutral request has taken system messages out, merged tool
//! results and filtered tools.

use crate::support::{Bedrock, Reply, Server};
use serde_json::{Value, json};

const IMAGE: &str = "data:image/png;base64,iVBORw0KGgo=";

fn param(path: &str, body: &Value) -> Value {
    let server = Server::start(&Bedrock::script([Reply::text("never asked")]));
    let answer = server.post(path, body);
    assert_eq!(answer.status, 400, "{}", answer.body);
    answer.json()["error"]["param"].clone()
}

#[test]
fn errors_name_the_place_in_the_clients_own_list() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "found"});
    let image = json!([{"type": "image_url", "image_url": {"url": IMAGE}}]);
    let tool = |name: &str, parameters: Value| json!({"type": "function", "function": {"name": name, "parameters": parameters}});
    let object = json!({"type": "object", "properties": {}});
    let messages = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "go"},
        {"role": "assistant", "tool_calls": [call("1"), call("2")]},
        result("1"),
        result("2"),
        {"role": "developer", "content": "And kind."},
        {"role": "user", "content": image},
    ]);
    // A model without images, seven messages of which four are left.
    let body = json!({"model": "nova-micro", "messages": messages, "tools": [tool("look", object.clone())]});
    assert_eq!(param("/v1/chat/completions", &body), "messages[6].content");
    // The second of two tools is the only one that may be called, and its schema is an array's.
    let body = json!({
        "model": "nova-micro", "messages": [{"role": "user", "content": "go"}],
        "tools": [tool("look", object), tool("list", json!({"type": "array"}))],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {
            "mode": "auto", "tools": [{"type": "function", "function": {"name": "list"}}]}},
    });
    assert_eq!(param("/v1/chat/completions", &body), "tools[1].function.parameters");
    let body = json!({
        "model": "nova-micro", "messages": [{"role": "user", "content": "go"}],
        "functions": [{"name": "list", "parameters": {"type": "array"}}],
    });
    assert_eq!(param("/v1/chat/completions", &body), "functions[0].parameters");
    // Every dialect names its own parameter.
    let body = json!({"model": "nova-micro", "prompt": " "});
    assert_eq!(param("/v1/completions", &body), "prompt");
    assert_eq!(param("/v1/embeddings", &json!({"model": "titan-embed", "input": ["a", " "]})), "input[1]");
}
