//! The ceiling holds over all APIs at once. Chat, Responses, Messages (as they are and translated) and Bedrock's own API
//! spend one budget, with rounds of tool calls and with clients that hang up.

use super::{day, serve};
use crate::support::{Bedrock, Chatrix, Home, Reply, Server, SetOnDrop, eventually};
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

const CALLS: usize = 200;
const CLAUDE: &str = "claude-sonnet-4-6";
/// What an answer costs (nano-dollars): 500 input tokens and 480 output tokens of Claude Sonnet 4.6.
const COST: i64 = 500 * 3300 + 480 * 16_500;

/// A request in the words of one of the APIs: its path and its body. Each is a round of a conversation that has called a
/// tool.
fn request(n: usize) -> (String, Value) {
    let stream = n.is_multiple_of(2);
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    let messages = json!([
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "found"}]},
    ]);
    let tools = json!([{"name": "read", "input_schema": schema}]);
    let converse = json!({
        "messages": [
            {"role": "user", "content": [{"text": "look"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "read", "input": {"path": "a"}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "found"}]}}]},
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "read", "inputSchema": {"json": schema}}}]},
        "inferenceConfig": {"maxTokens": 480},
    });
    let door = |operation: &str, streamed: &str| {
        format!("/model/us.anthropic.{CLAUDE}/{}", if stream { streamed } else { operation })
    };
    match n % 5 {
        0 => (
            "/v1/chat/completions".to_owned(),
            json!({
                "model": CLAUDE, "stream": stream, "max_tokens": 480,
                "messages": [
                    {"role": "user", "content": "look"},
                    {"role": "assistant", "tool_calls": [{"id": "t1", "type": "function",
                        "function": {"name": "read", "arguments": "{\"path\": \"a\"}"}}]},
                    {"role": "tool", "tool_call_id": "t1", "content": "found"},
                ],
                "tools": [{"type": "function", "function": {"name": "read", "parameters": schema}}],
            }),
        ),
        1 => (
            "/v1/responses".to_owned(),
            json!({
                "model": CLAUDE, "stream": stream, "max_output_tokens": 480,
                "input": [
                    {"type": "message", "role": "user", "content": "look"},
                    {"type": "function_call", "call_id": "t1", "name": "read", "arguments": "{\"path\": \"a\"}"},
                    {"type": "function_call_output", "call_id": "t1", "output": "found"},
                ],
                "tools": [{"type": "function", "name": "read", "parameters": schema}],
            }),
        ),
        2 => (
            "/v1/messages".to_owned(),
            json!({"model": CLAUDE, "stream": stream, "max_tokens": 480, "messages": messages, "tools": tools}),
        ),
        3 => (door("converse", "converse-stream"), converse),
        _ => (
            door("invoke", "invoke-with-response-stream"),
            json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 480, "messages": messages, "tools": tools}),
        ),
    }
}

/// Sends a request; every tenth client leaves after the first bytes of its answer. Gives the status if it was read.
fn send(server: &Server, n: usize) -> Option<u16> {
    let (path, body) = request(n);
    let body = body.to_string();
    if n % 10 == 4 {
        let mut socket = server.open("POST", &path, &[], &body);
        let _ = socket.read(&mut [0; 64]);
        return None;
    }
    Some(server.send_for_bytes("POST", &path, &[], &body).0)
}

#[test]
fn no_mix_of_apis_overshoots() {
    let budget = COST * 60;
    let home = Home::new(&day(budget).replace("wait_seconds = 0.2", "wait_seconds = 30"));
    let billed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&billed);
    let bedrock = Bedrock::script([Reply::Chosen(Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Reply::Measured(500, 480)
    }))]);
    Chatrix::usage().home(&home).run().code(0); // creates the ledger
    let server = serve(&home, &bedrock);
    let (good, refused, left) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let (over, most) = (AtomicBool::new(false), AtomicI64::new(0));
    std::thread::scope(|scope| {
        let end = SetOnDrop(&over);
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                let (settled, reserved, uncertain) = home.booked();
                most.fetch_max(settled + reserved + uncertain, Ordering::SeqCst);
            }
        });
        let calls: Vec<_> = (0..CALLS)
            .map(|n| {
                let (server, good, refused, left) = (&server, &good, &refused, &left);
                scope.spawn(move || {
                    let counter = match send(server, n) {
                        Some(200) => good,
                        // Each API has a status of its own for a budget that is used up.
                        Some(400 | 402 | 429) => refused,
                        None => left,
                        other => panic!("{:?} was answered with {other:?}", request(n).0),
                    };
                    counter.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        for call in calls {
            call.join().unwrap();
        }
        drop(end);
    });
    eventually("nothing is left open", || home.booked().1 == 0);
    let (settled, reserved, uncertain) = home.booked();
    let (good, refused) = (good.into_inner(), refused.into_inner());
    let (billed, most) = (i64::try_from(billed.load(Ordering::SeqCst)).unwrap(), most.into_inner());
    println!(
        "budget {budget}: {good} served, {refused} refused, {} left, {billed} answers at Bedrock; settled {settled}, \
         uncertain {uncertain}, most booked at once {most} (nano-dollars)",
        left.into_inner()
    );
    assert_eq!(reserved, 0);
    assert!(most <= budget && settled + uncertain <= budget, "{most} {settled} {uncertain}");
    assert!(billed * COST <= budget, "{billed} answers were billed");
    // What is left does not pay for another answer of a useful length, unless clients have left.
    assert!(good >= 45, "only {good} were served");
    assert!(refused > 0);
}
