//! Answers: tool calls that were cut or are named wrongly, and what is told about them.

use crate::support::{Answer, Bedrock, Chatrix, Reply, Server};
use bytes::Bytes;
use chatrix::offline::wire;
use serde_json::{Value, json};

const HALF: &str = "{\"path\":\"a.txt\",\"content\":\"aaaa";
const WHOLE: &str = "{\"path\":\"a.txt\",\"content\":\"aaaa\"}";

#[expect(clippy::needless_pass_by_value, reason = "a transcript reads better without the ampersands")]
fn body(more: Value) -> Value {
    let tool = |name: &str| {
        json!({"type": "function", "function": {"name": name, "description": name, "parameters": {"type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}}, "required": ["path", "content"]}}})
    };
    let mut body = json!({"model": "claude-haiku-4-5", "tools": [tool("write"), tool("look")],
        "messages": [{"role": "user", "content": "save it"}]});
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        body[name] = value;
    }
    body
}

fn text_frames() -> Vec<Bytes> {
    vec![
        wire::event("messageStart", json!({"role": "assistant"})),
        wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "I will save it."}})),
        wire::event("contentBlockStop", json!({"contentBlockIndex": 0})),
    ]
}

fn call_frames(index: u64, arguments: &str) -> Vec<Bytes> {
    let at = |name: &str, value: Value| json!({"contentBlockIndex": index, name: value});
    let start = at("start", json!({"toolUse": {"toolUseId": format!("tooluse_{index}"), "name": "write"}}));
    let mut frames = vec![wire::event("contentBlockStart", start)];
    for piece in arguments.split_inclusive(',') {
        frames.push(wire::event("contentBlockDelta", at("delta", json!({"toolUse": {"input": piece}}))));
    }
    frames.push(wire::event("contentBlockStop", json!({"contentBlockIndex": index})));
    frames
}

fn ended(frames: &[Vec<Bytes>], stop: &str) -> Reply {
    let mut frames = frames.concat();
    frames.push(wire::event("messageStop", json!({"stopReason": stop})));
    frames.push(wire::event("metadata", json!({"usage": {"inputTokens": 5, "outputTokens": 3, "totalTokens": 8}})));
    Reply::Frames(frames)
}

/// A complete answer of these blocks.
fn complete(blocks: &Value, stop: &str) -> Reply {
    let body = json!({"output": {"message": {"role": "assistant", "content": blocks}}, "stopReason": stop,
        "usage": {"inputTokens": 5, "outputTokens": 3, "totalTokens": 8}, "metrics": {"latencyMs": 1}});
    whole(&body.to_string())
}

fn whole(body: &str) -> Reply {
    Reply::Recorded(200, vec![("content-type".into(), "application/json".into())], body.to_owned().into())
}

fn finish_reasons(answer: &Answer) -> Vec<String> {
    answer
        .chunks()
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str().map(ToOwned::to_owned))
        .collect()
}

#[test]
fn client_01_cut_tool_call_that_the_policy_cut() {
    // The policy lowers 8192 to 1024, or sets 512.
    for limits in [json!({"max_tokens": 8192}), json!({})] {
        let ask = |reply: Reply| {
            let mut body = body(limits.clone());
            body["stream"] = true.into();
            Server::start(&Bedrock::script([reply])).chat(&body)
        };
        let alone = ask(ended(&[call_frames(0, HALF)], "max_tokens"));
        assert_eq!(alone.status, 200);
        assert!(!alone.body.contains("a.txt") && !alone.body.contains("tool_calls"), "{}", alone.body);
        assert!(
            alone.body.contains("\"code\":\"max_tokens_reached\"") && alone.body.contains("write"),
            "{}",
            alone.body
        );
        assert!(alone.body.contains("--max-tokens-limit 8192"), "{}", alone.body);
        assert_eq!((finish_reasons(&alone), alone.data().last()), (vec![], Some(&"[DONE]")));
        let beside_text = ask(ended(&[text_frames(), call_frames(1, HALF)], "max_tokens"));
        assert!(beside_text.body.contains("I will save it.") && !beside_text.body.contains("a.txt"));
        assert_eq!(finish_reasons(&beside_text), ["length"]);
        let before_arguments = ask(ended(&[call_frames(0, "")], "max_tokens"));
        assert!(!before_arguments.body.contains("tool_calls"), "{}", before_arguments.body);
        let whole = ask(ended(&[text_frames(), call_frames(1, WHOLE)], "tool_use"));
        assert!(whole.body.contains("a.txt"));
        assert_eq!(finish_reasons(&whole), ["tool_calls"]);
    }
}

#[test]
fn client_01_cut_tool_call_that_the_client_cut() {
    let mut asked = body(json!({"max_tokens": 100}));
    asked["stream"] = true.into();
    let cut =
        Server::start(&Bedrock::script([ended(&[text_frames(), call_frames(1, HALF)], "max_tokens")])).chat(&asked);
    assert!(cut.body.contains("a.txt"), "the arguments stream as they come");
    assert!(cut.body.contains("max_tokens_reached") && cut.body.contains("the max_tokens of the request"));
    assert_eq!((finish_reasons(&cut), cut.data().last()), (vec![], Some(&"[DONE]")));
}

#[test]
fn client_01_cut_tool_call_in_a_complete_answer() {
    let call = |input: Value| json!({"toolUse": {"toolUseId": "tooluse_a1", "name": "write", "input": input}});
    // Bedrock closes the JSON of a complete answer itself, and leaves out the argument that was not finished.
    for input in [json!({"path": "a.txt"}), json!({}), json!(HALF), Value::Null] {
        let alone = Server::start(&Bedrock::script([complete(&json!([call(input.clone())]), "max_tokens")]));
        let alone = alone.chat(&body(json!({})));
        assert_eq!(alone.error(), (400, "invalid_request_error".into(), "max_tokens_reached".into()));
        assert!(
            alone.body.contains("set max_tokens = 8192 and max_tokens_limit = 8192 under [limits]"),
            "{}",
            alone.body
        );
        let blocks = json!([{"text": "I will save it."}, call(input)]);
        let beside = Server::start(&Bedrock::script([complete(&blocks, "max_tokens")])).chat(&body(json!({}))).json();
        let choice = &beside["choices"][0];
        assert_eq!(choice["finish_reason"], "length");
        assert_eq!(
            (&choice["message"]["content"], &choice["message"]["tool_calls"]),
            (&json!("I will save it."), &Value::Null)
        );
        assert_eq!(beside["usage"]["completion_tokens"], 3);
    }
    // A call that holds all that its tool requires is one, though the answer was cut behind it.
    let whole = json!([call(json!({"path": "a.txt", "content": "aaaa"}))]);
    let answer = Server::start(&Bedrock::script([complete(&whole, "max_tokens")])).chat(&body(json!({}))).json();
    let choice = &answer["choices"][0];
    assert_eq!(
        (choice["message"]["tool_calls"].as_array().map(Vec::len), &choice["finish_reason"]),
        (Some(1), &json!("length"))
    );
}

#[test]
fn a_cut_call_is_paid_for_and_told_to_the_operator_once() {
    let home = crate::support::Home::new("");
    let bedrock = Bedrock::script([ended(&[call_frames(0, HALF)], "max_tokens")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let mut asked = body(json!({"stream": true}));
    for _ in 0..3 {
        server.chat(&asked);
    }
    // A request that sets its own limit and brings no tools is cut as it asked for.
    asked["max_tokens"] = 5.into();
    let (settled, _, uncertain) = home.at_rest();
    assert!(settled > 0 && uncertain == 0);
    crate::support::signal(server.pid(), "TERM");
    let (_, console) = server.wait();
    let line = "an answer of claude-haiku-4-5 was cut before it had any text at 512 tokens, the operator's default for max_tokens; set max_tokens = 8192 \
                and max_tokens_limit = 8192 under [limits] in the config file, or run chatrix serve --max-tokens 8192 \
                --max-tokens-limit 8192\n";
    assert_eq!(console.matches(line).count(), 1, "{console}");
}

#[test]
fn client_07_cut_in_silence() {
    let text = Reply::Text(vec!["half".into()], "max_tokens", (5, 512));
    let bedrock = Bedrock::script([text]);
    let server = Server::start(&bedrock);
    let asked = |max_tokens: Value| {
        json!({"model": "claude-haiku-4-5", "stream": true, "max_tokens": max_tokens,
        "messages": [{"role": "user", "content": "x"}]})
    };
    assert_eq!(finish_reasons(&server.chat(&asked(json!(5)))), ["length"]);
    assert_eq!(finish_reasons(&server.chat(&asked(Value::Null))), ["length"]);
    crate::support::signal(server.pid(), "TERM");
    let (_, console) = server.wait();
    assert_eq!(console.matches("was cut at").count(), 1, "{console}");
    assert!(console.contains("claude-haiku-4-5 was cut at 512 tokens"), "{console}");
}

#[test]
fn serve_has_flags_for_the_limits() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server =
        Server::run(Chatrix::serve().bedrock(&bedrock).args(["--max-tokens", "4096", "--max-tokens-limit", "9000"]));
    for (asked, sent) in [(Value::Null, 4096), (json!(8192), 8192), (json!(10_000), 9000)] {
        server.chat(&body(json!({"max_tokens": asked})));
        assert_eq!(bedrock.calls().last().unwrap().body["inferenceConfig"]["maxTokens"], sent);
    }
    let refused = Chatrix::serve().bedrock(&bedrock).args(["--max-tokens", "4096"]).run().code(2);
    refused.stderr_has("--max-tokens 4096 is above the limit of 1024 tokens; add --max-tokens-limit 4096");
}

/// Models and stop reasons that they say beside tool calls.
const BESIDE_CALLS: [(&str, &str); 5] = [
    ("openai.gpt-oss-120b-1:0", "end_turn"),
    ("claude-haiku-4-5", "end_turn"),
    ("nova-pro", "tool_use"),
    ("nova-pro", "a_reason_that_is_new"),
    ("claude-haiku-4-5", "tool_use"),
];

#[test]
fn report_02a_end_turn_with_tool_calls() {
    let blocks = json!([{"reasoningContent": {"reasoningText": {"text": "hm"}}},
        {"toolUse": {"toolUseId": "tooluse_a1", "name": "look", "input": {"q": "x"}}}]);
    for (model, stop) in BESIDE_CALLS {
        let asked = body(json!({"model": model}));
        let answer = Server::start(&Bedrock::script([complete(&blocks, stop)])).chat(&asked).json();
        let choice = &answer["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls", "{model} {stop}");
        assert_eq!(choice["message"]["tool_calls"][0]["function"]["arguments"], "{\"q\":\"x\"}");
    }
}

#[test]
fn report_02b_end_turn_with_tool_calls() {
    for (model, stop) in BESIDE_CALLS.into_iter().chain([("claude-haiku-4-5", "content_filtered")]) {
        let asked = body(json!({"model": model, "stream": true}));
        let reply = ended(&[text_frames(), call_frames(1, WHOLE)], stop);
        let streamed = Server::start(&Bedrock::script([reply])).chat(&asked);
        assert_eq!(finish_reasons(&streamed), ["tool_calls"], "{model} {stop} {}", streamed.body);
    }
}

#[test]
fn report_19_big_integers_in_arguments() {
    const DIGITS: &str = "123456789012345678901234567890";
    let body_text = format!(
        r#"{{"output":{{"message":{{"role":"assistant","content":[{{"toolUse":{{"toolUseId":"tooluse_a1","name":"look","input":{{"id":{DIGITS},"x":1.50,"e":1e400}}}}}}]}}}},"stopReason":"tool_use","usage":{{"inputTokens":5,"outputTokens":3,"totalTokens":8}},"metrics":{{"latencyMs":1}}}}"#
    );
    let answer = Server::start(&Bedrock::script([whole(&body_text)])).chat(&body(json!({}))).json();
    let arguments = answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(arguments, format!(r#"{{"id":{DIGITS},"x":1.50,"e":1e400}}"#));
    let frames = call_frames(0, &format!(r#"{{"id":{DIGITS}}}"#));
    let mut asked = body(json!({"stream": true}));
    let streamed = Server::start(&Bedrock::script([ended(&[frames], "tool_use")])).chat(&asked);
    assert!(streamed.body.contains(DIGITS));
    // The client sends the call back in the next turn.
    let arguments = arguments.replace(",\"e\":1e400", "");
    asked = body(json!({"messages": [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "tooluse_a1", "type": "function",
            "function": {"name": "look", "arguments": arguments}}]},
        {"role": "tool", "tool_call_id": "tooluse_a1", "content": "42"},
    ]}));
    let bedrock = Bedrock::script([Reply::text("ok")]);
    Server::start(&bedrock).chat(&asked);
    assert!(String::from_utf8_lossy(&bedrock.call().bytes).contains(DIGITS));
}

#[test]
fn client_11_legacy_functions() {
    let asked = |stream: bool| {
        json!({"model": "claude-haiku-4-5", "stream": stream, "max_tokens": 200,
        "functions": [{"name": "write", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}],
        "function_call": {"name": "write"}, "messages": [{"role": "user", "content": "x"}]})
    };
    let calls = [call_frames(0, WHOLE), call_frames(1, WHOLE)];
    let blocks = json!([{"toolUse": {"toolUseId": "a", "name": "write", "input": {"a": "b"}}},
        {"toolUse": {"toolUseId": "b", "name": "write", "input": {"a": "c"}}}]);
    let complete = Server::start(&Bedrock::script([complete(&blocks, "tool_use")])).chat(&asked(false)).json();
    let choice = &complete["choices"][0];
    assert_eq!(choice["message"]["function_call"], json!({"name": "write", "arguments": "{\"a\":\"b\"}"}));
    assert_eq!((&choice["finish_reason"], &choice["message"]["tool_calls"]), (&json!("function_call"), &Value::Null));
    let streamed = Server::start(&Bedrock::script([ended(&calls, "tool_use")])).chat(&asked(true));
    assert_eq!(finish_reasons(&streamed), ["function_call"]);
    assert!(!streamed.body.contains("tool_calls"), "{}", streamed.body);
    let chunks = streamed.chunks();
    let calls = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]["function_call"]);
    let calls: Vec<&Value> = calls.filter(|call| !call.is_null()).collect();
    assert_eq!(*calls[0], json!({"name": "write", "arguments": ""}));
    let arguments: String = calls[1..].iter().map(|call| call["arguments"].as_str().unwrap()).collect();
    assert_eq!(arguments, WHOLE);
}

#[test]
fn client_12_reasoning_tokens_zero() {
    let blocks = json!([{"text": "42"}, {"reasoningContent": {"reasoningText": {"text": "hm"}}}]);
    let mut asked = body(json!({"tools": null}));
    asked["model"] = "deepseek".into();
    let answer = Server::start(&Bedrock::script([complete(&blocks, "end_turn")])).chat(&asked);
    assert!(answer.body.contains("reasoning_content") && !answer.body.contains("reasoning_tokens"), "{}", answer.body);
}
