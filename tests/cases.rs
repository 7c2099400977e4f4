//! End-to-end tests of docs/cases.md, the failures of other gateways. Each test is named after the id of its case. A
//! case that concerns one module only is tested there (`m1_…` and `t4_…` in src/bedrock, `d1_…` in src/conversation),
//! and some are in the tests of `ask` and `serve` (`x2_…`).

mod messages;
mod reasoning;
mod sampling;
mod tools;
mod upstream;

use crate::support::{Answer, Bedrock, Call, Chatrix, Reply, Server};
use chatrix::offline::wire;
use serde_json::{Value, json};

#[expect(clippy::needless_pass_by_value, reason = "a transcript reads better without the ampersands")]
fn asked(model: &str, more: Value) -> Value {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Posts a body to a server that uses a scripted Bedrock. Gives the server's answer and the calls that reached Bedrock.
fn post(replies: impl IntoIterator<Item = Reply>, body: &Value) -> (Answer, Vec<Call>) {
    let bedrock = Bedrock::script(replies);
    let answer = Server::start(&bedrock).chat(body);
    (answer, bedrock.calls())
}

/// A server whose limits leave room for reasoning and an answer.
fn roomy(bedrock: &Bedrock) -> Server {
    Server::run(Chatrix::serve().bedrock(bedrock).args(["--max-tokens", "4096", "--max-tokens-limit", "8192"]))
}

/// The body that Bedrock was sent for a request that it accepted at once.
fn sent(body: &Value) -> Value {
    let (answer, calls) = post([Reply::text("ok")], body);
    assert_eq!((answer.status, calls.len()), (200, 1), "{}", answer.body);
    calls[0].body.clone()
}

fn tool(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "description": "Looks.", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}}})
}

/// A conversation in which the tool `look` was called and returned a result.
fn tool_history() -> Value {
    json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"q\":\"x\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "found"},
    ])
}

/// The frames of one tool call: its start, one frame for each fragment of the arguments, and the end of the block.
fn call_frames(index: u64, id: &str, fragments: &[&str]) -> Vec<bytes::Bytes> {
    let start = json!({"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": id, "name": "look"}}});
    let mut frames = vec![wire::event("contentBlockStart", start)];
    frames.extend(fragments.iter().map(|piece| {
        wire::event("contentBlockDelta", json!({"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}}))
    }));
    frames.push(wire::event("contentBlockStop", json!({"contentBlockIndex": index})));
    frames
}

fn ended(mut frames: Vec<bytes::Bytes>, stop: &str) -> Reply {
    frames.push(wire::event("messageStop", json!({"stopReason": stop})));
    frames.push(wire::event("metadata", json!({"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}})));
    Reply::Frames(frames)
}

fn refused(message: &'static str) -> Reply {
    Reply::Error(400, "ValidationException", message)
}
