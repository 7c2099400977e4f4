//! `cases.md`: what broke other gateways, each a test named after its id. Cases of one room are in that room's own tests
//! (`m1_…`, `t4_…` in src/bedrock, `d1_…` in src/conversation, `x2_…` in ask and serve); the rest are here, end to end.

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

/// Posts a body to a server over a scripted Bedrock: the answer, and what Bedrock was sent.
fn post(replies: impl IntoIterator<Item = Reply>, body: &Value) -> (Answer, Vec<Call>) {
    let bedrock = Bedrock::script(replies);
    let answer = Server::start(&bedrock).chat(body);
    (answer, bedrock.calls())
}

/// What Bedrock was sent for a body that it took at once.
fn sent(body: &Value) -> Value {
    let (answer, calls) = post([Reply::text("ok")], body);
    assert_eq!((answer.status, calls.len()), (200, 1), "{}", answer.body);
    calls[0].body.clone()
}

fn tool(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "description": "Looks.", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}}})
}

/// A conversation in which `look` was called and has answered.
fn tool_history() -> Value {
    json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"q\":\"x\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "found"},
    ])
}

/// A frame that begins a tool call, one of its arguments, one that ends the block.
fn call_frames(place: u64, id: &str, fragments: &[&str]) -> Vec<bytes::Bytes> {
    let start = json!({"contentBlockIndex": place, "start": {"toolUse": {"toolUseId": id, "name": "look"}}});
    let mut frames = vec![wire::event("contentBlockStart", start)];
    frames.extend(fragments.iter().map(|piece| {
        wire::event("contentBlockDelta", json!({"contentBlockIndex": place, "delta": {"toolUse": {"input": piece}}}))
    }));
    frames.push(wire::event("contentBlockStop", json!({"contentBlockIndex": place})));
    frames
}

fn ended(mut frames: Vec<bytes::Bytes>, stop: &str) -> Reply {
    frames.push(wire::event("messageStop", json!({"stopReason": stop})));
    frames.push(wire::event("metadata", json!({"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}})));
    Reply::Frames(frames)
}

fn chunks(answer: &Answer) -> Vec<Value> {
    answer.data().iter().filter(|data| **data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn refused(message: &'static str) -> Reply {
    Reply::Error(400, "ValidationException", message)
}

#[test]
fn s1_temperature_and_top_p_together_are_one_by_policy() {
    let body = sent(&asked("claude-sonnet-4-6", json!({"temperature": 0.7, "top_p": 0.9})));
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 512, "temperature": 0.3}));
    // A model we did not know that about: its refusal is free, and teaches.
    let both = refused(
        "The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    );
    let bedrock = Bedrock::script([both, Reply::text("ok")]);
    let server = Server::start(&bedrock);
    for _ in 0..2 {
        assert_eq!(server.chat(&asked("claude-sonnet-4", json!({}))).status, 200);
    }
    let configs: Vec<_> =
        bedrock.calls().into_iter().map(|call| call.body["inferenceConfig"]["topP"].clone()).collect();
    assert_eq!(configs, [json!(0.3), Value::Null, Value::Null], "asked once, remembered");
}

#[test]
fn s2_a_deprecated_parameter_is_learned_from_the_refusal() {
    let temperature = refused("The model returned the following errors: `temperature` is deprecated for this model.");
    let top_p = refused("The model returned the following errors: `top_p` is deprecated for this model.");
    let bedrock = Bedrock::script([temperature, top_p, Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let first = server.chat(&asked("eu.deepseek.v9", json!({})));
    assert_eq!(
        first.headers["x-chatrix-policy"],
        "max_tokens unset->512; temperature unset->0.3; top_p unset->0.3; temperature 0.3->unset; top_p 0.3->unset"
    );
    assert_eq!(server.chat(&asked("eu.deepseek.v9", json!({}))).status, 200);
    let calls = bedrock.calls();
    assert_eq!((calls.len(), &calls[3].body["inferenceConfig"]), (4, &json!({"maxTokens": 512})));
    let (other, calls) = post([refused("Something else about top_k.")], &asked("eu.deepseek.v9", json!({})));
    assert_eq!((other.status, calls.len()), (400, 1));
}

#[test]
fn s3_s4_sampling_is_accepted_ignored_and_told_and_a_limit_is_always_sent() {
    let (answer, calls) = post(
        [Reply::text("ok")],
        &asked("nova-micro", json!({"temperature": 1.7, "top_k": 5, "seed": 1, "min_p": 0.1})),
    );
    assert_eq!(answer.headers["x-chatrix-policy"], "max_tokens unset->512; temperature 1.7->0.3; top_p unset->0.3");
    assert_eq!(calls[0].body["inferenceConfig"], json!({"maxTokens": 512, "temperature": 0.3, "topP": 0.3}));
}

#[test]
fn s5_max_tokens_below_one_is_refused_before_spending() {
    let (answer, calls) = post([Reply::text("never")], &asked("nova-micro", json!({"max_tokens": 0})));
    assert_eq!((answer.status, calls.len()), (400, 0));
}

#[test]
fn s6_a_thinking_budget_fits_under_the_cap_or_is_off() {
    let body = sent(&asked("claude-haiku-4-5", json!({"reasoning_effort": "high"})));
    assert_eq!(body["additionalModelRequestFields"], Value::Null, "no budget fits under 1,024");
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let config = "[models.claude-haiku-4-5]\nmax_tokens_limit = 3000\n";
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config(config));
    let answer = server.chat(&asked("claude-haiku-4-5", json!({"reasoning_effort": "high", "max_tokens": 9000})));
    assert_eq!(answer.headers["x-chatrix-policy"], "max_tokens 9000->3000; reasoning_effort high->2744 tokens");
    let body = bedrock.call().body;
    assert_eq!(body["additionalModelRequestFields"], json!({"thinking": {"type": "enabled", "budget_tokens": 2744}}));
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 3000}), "thinking takes no sampling");
}

#[test]
fn t1_tools_in_the_history_alone_get_specs() {
    let body = sent(&asked("claude-haiku", json!({"messages": tool_history()})));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "look");
    assert_eq!(body["messages"][2]["content"][0]["toolResult"]["toolUseId"], "call_1");
}

#[test]
fn t2_t3_streamed_calls_are_dense_and_apart() {
    let mut frames =
        vec![wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "Let me look."}}))];
    frames.extend(call_frames(1, "a", &["", "{\"q\":", "\"1\"}"]));
    frames.extend(call_frames(3, "b", &["{\"q\":\"2\"}"]));
    let (answer, _) =
        post([ended(frames, "tool_use")], &asked("claude-haiku", json!({"stream": true, "tools": [tool("look")]})));
    let mut arguments = [String::new(), String::new()];
    for chunk in chunks(&answer) {
        for call in chunk["choices"][0]["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            arguments[index].push_str(call["function"]["arguments"].as_str().unwrap());
        }
    }
    assert_eq!(arguments, ["{\"q\":\"1\"}", "{\"q\":\"2\"}"]);
    assert!(answer.body.contains("\"finish_reason\":\"tool_calls\""));
}

#[test]
fn t6_a_forced_choice_is_downgraded_where_it_is_refused_and_said() {
    let (answer, calls) =
        post([Reply::text("ok")], &asked("claude-sonnet", json!({"tools": [tool("look")], "tool_choice": "required"})));
    assert!(answer.headers["x-chatrix-policy"].contains("tool_choice required->auto"));
    assert_eq!(calls[0].body["toolConfig"]["toolChoice"], Value::Null);
    let named = json!({"type": "function", "function": {"name": "look"}});
    let body = sent(&asked("claude-haiku", json!({"tools": [tool("look")], "tool_choice": named})));
    assert_eq!(body["toolConfig"]["toolChoice"], json!({"tool": {"name": "look"}}));
}

#[test]
fn t8_the_role_tool_never_reaches_bedrock() {
    let body = sent(&asked("nova-pro", json!({"messages": tool_history(), "tools": [tool("look")]})));
    let roles: Vec<_> =
        body["messages"].as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
}

#[test]
fn t9_a_call_without_arguments_says_so_in_json() {
    for fragments in [&[][..], &[""][..]] {
        let reply = ended(call_frames(0, "a", fragments), "tool_use");
        let (answer, _) = post([reply], &asked("claude-haiku", json!({"stream": true, "tools": [tool("look")]})));
        assert_eq!(answer.body.matches("\"arguments\":\"{}\"").count(), 1, "{}", answer.body);
    }
}

#[test]
fn t10_no_tool_can_be_called_when_none_may() {
    let none = json!({"messages": tool_history(), "tools": [tool("look")], "tool_choice": "none"});
    let claude = sent(&asked("claude-haiku", none.clone()));
    assert_eq!(claude["additionalModelRequestFields"]["tool_choice"], json!({"type": "none"}));
    assert_eq!(claude["toolConfig"]["toolChoice"], Value::Null, "Bedrock refuses both");
    assert!(claude["messages"][1]["content"][0].get("toolUse").is_some());
    let nova = sent(&asked("nova-pro", none));
    assert_eq!(nova["toolConfig"], Value::Null);
    assert!(nova["messages"][1]["content"][0]["text"].as_str().unwrap().contains("look"), "{nova}");
    let fresh = sent(&asked("claude-haiku", json!({"tools": [tool("look")], "tool_choice": "none"})));
    assert_eq!(fresh["toolConfig"], Value::Null);
}

#[test]
fn t11_a_model_without_tools_is_named() {
    let (answer, calls) = post([Reply::text("never")], &asked("deepseek", json!({"tools": [tool("look")]})));
    assert_eq!((answer.error().0, calls.len()), (400, 0));
    assert!(answer.body.contains("deepseek takes no tools"));
}

#[test]
fn parallel_calls_can_be_switched_off_for_claude() {
    let body = sent(&asked(
        "claude-haiku",
        json!({"tools": [tool("look")], "parallel_tool_calls": false, "tool_choice": "required"}),
    ));
    let choice = &body["additionalModelRequestFields"]["tool_choice"];
    assert_eq!(choice, &json!({"type": "any", "disable_parallel_tool_use": true}));
    assert_eq!(body["toolConfig"]["toolChoice"], Value::Null);
}

#[test]
fn r1_signed_thoughts_make_the_round_trip() {
    let thinking = json!({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}});
    let call = json!({"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"q": "x"}}});
    let bedrock = Bedrock::script([Reply::Blocks(json!([thinking, call])), Reply::text("done")]);
    let server = Server::start(&bedrock);
    let first =
        json!({"tools": [tool("look")], "reasoning_effort": "low", "messages": [{"role": "user", "content": "go"}]});
    let message = server.chat(&asked("claude-haiku", first.clone())).json()["choices"][0]["message"].clone();
    assert_eq!(
        (&message["reasoning_content"], &message["reasoning_details"][0]["signature"]),
        (&json!("hm"), &json!("c2ln"))
    );
    // One client hands the thoughts back, another (Jan) drops them: Claude gets them either way.
    let mut dropped = message.clone();
    dropped.as_object_mut().unwrap().remove("reasoning_details");
    for history in [message, dropped] {
        let mut next = first.clone();
        next["messages"] =
            json!([first["messages"][0], history, {"role": "tool", "tool_call_id": "call_1", "content": "found"}]);
        assert_eq!(server.chat(&asked("claude-haiku", next)).status, 200);
        assert_eq!(bedrock.calls().last().unwrap().body["messages"][1]["content"][0], thinking);
    }
}

#[test]
fn r2_r8_a_refused_signature_is_stripped_and_asked_once_more() {
    let details = json!([{"type": "reasoning.text", "text": "hm", "signature": "foreign", "index": 0}]);
    let mut history = tool_history();
    history[1]["reasoning_details"] = details;
    let invalid = refused(
        "The model returned the following errors: messages.1.content.0: Invalid `signature` in `thinking` block",
    );
    let body = asked("claude-haiku", json!({"messages": history, "tools": [tool("look")], "reasoning_effort": "low"}));
    let (answer, calls) = post([invalid, Reply::text("ok")], &body);
    assert_eq!((answer.status, calls.len()), (200, 2), "{}", answer.body);
    assert!(calls[0].body.to_string().contains("foreign") && !calls[1].body.to_string().contains("foreign"));
}

#[test]
fn r4_encrypted_thoughts_come_and_go_as_they_are() {
    let hidden = json!({"reasoningContent": {"redactedContent": "ZW5jcnlwdGVk"}});
    let call = json!({"toolUse": {"toolUseId": "call_1", "name": "look", "input": {}}});
    let bedrock = Bedrock::script([Reply::Blocks(json!([hidden, call])), Reply::text("done")]);
    let server = Server::start(&bedrock);
    let more = json!({"tools": [tool("look")], "reasoning_effort": "low"});
    let message = server.chat(&asked("claude-haiku", more.clone())).json()["choices"][0]["message"].clone();
    assert_eq!(message["reasoning_details"][0]["data"], "ZW5jcnlwdGVk");
    let mut next = more;
    next["messages"] =
        json!([{"role": "user", "content": "hi"}, message, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]);
    server.chat(&asked("claude-haiku", next));
    assert_eq!(bedrock.calls()[1].body["messages"][1]["content"][0], hidden);
}

#[test]
fn r6_r7_effort_goes_only_where_it_is_taken_and_not_above_the_ceiling() {
    for (model, effort, fields) in [
        ("deepseek", "high", Value::Null),
        ("llama-4", "high", Value::Null),
        ("claude-sonnet-4-6", "max", json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}})),
        ("gpt-oss-120b", "xhigh", json!({"reasoning_effort": "high"})),
        ("nova-2-lite", "high", json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}})),
        ("qwen3", "medium", json!({"reasoning_config": "high"})),
        ("deepseek-v3", "none", Value::Null),
        ("claude-haiku", "banana", json!({"thinking": {"type": "disabled"}})),
    ] {
        let body = sent(&asked(model, json!({"reasoning_effort": effort})));
        assert_eq!(body["additionalModelRequestFields"], fields, "{model}");
    }
}

#[test]
fn r9_inline_thoughts_of_gpt_oss_are_split_off() {
    let reply = Reply::Text(vec!["<reas".into(), "oning>hm</reasoning>".into(), "42".into()], "end_turn", (1, 2));
    let (answer, _) = post([reply], &asked("gpt-oss-20b", json!({})));
    let message = answer.json()["choices"][0]["message"].clone();
    assert_eq!((&message["content"], &message["reasoning_content"]), (&json!("42"), &json!("hm")));
}

#[test]
fn m5_system_messages_are_hoisted_from_anywhere() {
    let messages = json!([{"role": "user", "content": "a"}, {"role": "system", "content": "s"}, {"role": "assistant", "content": "b"}, {"role": "developer", "content": "d"}, {"role": "user", "content": "c"}]);
    let body = sent(&asked("claude-haiku", json!({"messages": messages})));
    assert_eq!(body["system"], json!([{"text": "s"}, {"text": "d"}]));
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
}

#[test]
fn d2_an_address_is_refused_by_name() {
    let part = json!({"type": "image_url", "image_url": {"url": "https://example.com/x.png"}});
    let (answer, calls) = post(
        [Reply::text("never")],
        &asked("claude-haiku", json!({"messages": [{"role": "user", "content": [part]}]})),
    );
    assert_eq!((answer.error().0, calls.len()), (400, 0));
    assert_eq!(answer.json()["error"]["param"], "messages[0].content[0].image_url.url");
}

#[test]
fn images_and_documents_go_through() {
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let content = json!([
        {"type": "image_url", "image_url": {"url": format!("data:image/jpeg;base64,{png}")}},
        {"type": "file", "file": {"filename": "a.b.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQ="}},
        {"type": "file", "file": {"filename": "a.b.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQ="}},
    ]);
    let body = sent(&asked("claude-haiku", json!({"messages": [{"role": "user", "content": content}]})));
    let content = &body["messages"][0]["content"];
    assert_eq!(
        content[0]["image"],
        json!({"format": "png", "source": {"bytes": png}}),
        "the bytes are believed, not the type"
    );
    assert_eq!((&content[1]["document"]["name"], &content[2]["document"]["name"]), (&json!("a b"), &json!("a b 2")));
    assert_eq!(content[3], json!({"text": "."}));
}

#[test]
fn x3_x4_nothing_follows_the_end_and_nothing_may_be_said() {
    let reply = Reply::Text(vec![], "end_turn", (1, 0));
    for stream in [false, true] {
        let (answer, _) = post([reply.clone()], &asked("nova-micro", json!({"stream": stream})));
        assert_eq!((answer.status, answer.body.matches("\"finish_reason\":\"stop\"").count()), (200, 1));
    }
}

#[test]
fn x7_a_model_that_cannot_stream_is_asked_for_the_whole() {
    let bedrock = Bedrock::script([refused("The model is unsupported for streaming."), Reply::text("whole answer")]);
    let answer = Server::start(&bedrock).chat(&asked("nova-micro", json!({"stream": true})));
    assert!(answer.body.contains("whole answer") && answer.body.ends_with("data: [DONE]\n\n"));
    let operations: Vec<_> = bedrock.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(operations, ["converse-stream", "converse"]);
    // Known beforehand for tools on Llama: asked for the whole at once.
    let (_, calls) = post([Reply::text("ok")], &asked("llama-4", json!({"stream": true, "tools": [tool("look")]})));
    assert_eq!((calls.len(), calls[0].operation.as_str()), (1, "converse"));
}

#[test]
fn e2_e6_a_refusal_is_no_server_error_and_never_a_200() {
    let (answer, calls) = post([refused("Nope.")], &asked("nova-micro", json!({})));
    assert_eq!((answer.error().0, calls.len()), (400, 1));
    assert!(!answer.headers.contains_key("retry-after"));
}

#[test]
fn e3_a_bare_id_is_told_its_profile() {
    let message = "Invocation of model ID anthropic.claude-haiku-4-5-20251001-v1:0 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.";
    let (answer, _) = post([refused(message)], &asked("anthropic.claude-haiku-4-5-20251001-v1:0", json!({})));
    assert_eq!(answer.error().2, "model_not_found");
    assert!(answer.body.contains("us.anthropic.claude-haiku-4-5-20251001-v1:0"));
}

#[test]
fn e5_e9_any_region_and_any_profile_id_work() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let ask = Chatrix::ask().args(["-q", "-m", "apac.anthropic.claude-sonnet-4-6", "hi"]).bedrock(&bedrock);
    ask.args(["--region", "ap-southeast-2"]).stdout("ok\n").code(0);
    assert_eq!(bedrock.call().model, "apac.anthropic.claude-sonnet-4-6");
    assert!(bedrock.call().headers["authorization"].contains("/ap-southeast-2/"));
}

#[test]
fn e8_a_missing_opt_in_is_said() {
    let reply = Reply::Error(403, "AccessDeniedException", "This model requires data retention mode to be enabled.");
    let (answer, _) = post([reply], &asked("us.anthropic.claude-fable-5", json!({})));
    assert_eq!(answer.error().0, 403);
    assert!(answer.body.contains("Bedrock console"));
}

#[test]
fn e11_jan_gets_its_preflight_and_its_models() {
    let server = Server::offline();
    let origin = [("origin", "tauri://localhost")];
    assert_eq!(server.send("OPTIONS", "/v1/models", &origin, "").status, 204);
    assert!(server.send("GET", "/v1/models", &origin, "").json()["data"].as_array().unwrap().len() >= 16);
}

#[test]
fn c1_c2_c3_c4_cached_tokens_are_counted_and_priced_once() {
    let tokens = json!({"inputTokens": 10, "outputTokens": 20, "totalTokens": 1130, "cacheReadInputTokens": 1000, "cacheWriteInputTokens": 100,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 40}, {"ttl": "5m", "inputTokens": 60}]});
    let body = json!({"output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}}, "stopReason": "end_turn", "usage": tokens});
    let json_type = vec![("content-type".to_owned(), "application/json".to_owned())];
    let (answer, _) =
        post([Reply::Recorded(200, json_type, body.to_string().into())], &asked("claude-sonnet-4-6", json!({})));
    let usage = &answer.json()["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["total_tokens"]), (&json!(1110), &json!(1130)));
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 1000);
    // 10 × $3.30 + 20 × $16.50 + 1000 × $0.33 + 60 × $4.125 + 40 × $6.60, per million.
    assert_eq!(answer.headers["x-chatrix-cost-usd"], "0.0012045");
    assert_eq!(usage["cost"], 0.001_204_5);
}

#[test]
fn c5_cache_points_go_only_where_they_are_taken() {
    let cached = json!({"type": "ephemeral"});
    let mut look = tool("look");
    look["cache_control"] = cached.clone();
    let part = |text: &str| json!({"type": "text", "text": text, "cache_control": cached});
    let messages = json!([{"role": "system", "content": [part("s")]}, {"role": "user", "content": [part("a"), part("b"), part("c")]}]);
    let count = |model: &str| {
        let body = sent(&asked(model, json!({"tools": [look], "messages": messages})));
        let count = |value: &Value| value.to_string().matches("cachePoint").count();
        (count(&body["toolConfig"]), count(&body["system"]), count(&body["messages"]))
    };
    assert_eq!(count("claude-haiku"), (1, 1, 2), "four at most");
    assert_eq!(count("nova-pro"), (0, 1, 3), "none among Nova's tools");
    assert_eq!(count("mistral-large-3"), (0, 0, 0));
}

#[test]
fn structured_answers_by_what_the_model_can() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let format = json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": true}});
    let native = sent(&asked("claude-haiku-4-5", json!({"response_format": format})));
    let bound = &native["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
    assert_eq!(bound["name"], "answer");
    assert!(bound["schema"].as_str().unwrap().contains("\"additionalProperties\":false"));

    let call = json!([{"toolUse": {"toolUseId": "t", "name": "json_answer", "input": {"n": 7}}}]);
    let (answer, calls) = post([Reply::Blocks(call)], &asked("claude-haiku", json!({"response_format": format})));
    assert_eq!(calls[0].body["toolConfig"]["toolChoice"], json!({"tool": {"name": "json_answer"}}));
    let choice = &answer.json()["choices"][0];
    assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&json!("{\"n\":7}"), &json!("stop")));
    assert!(choice["message"].get("tool_calls").is_none());

    let unforced = sent(&asked("claude-sonnet", json!({"response_format": format})));
    assert_eq!(unforced["toolConfig"]["toolChoice"], Value::Null, "Sonnet 5.5 refuses to be forced");

    let fenced = Reply::Text(vec!["```json\n{\"n\"".into(), ": 7}\n```".into()], "end_turn", (1, 1));
    let (answer, calls) = post([fenced], &asked("deepseek", json!({"response_format": {"type": "json_object"}})));
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "{\"n\": 7}");
    assert!(calls[0].body["system"].to_string().contains("JSON"));

    let mut frames =
        vec![wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "Sure."}}))];
    frames.push(wire::event(
        "contentBlockStart",
        json!({"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t", "name": "json_answer"}}}),
    ));
    for piece in ["{\"n\"", ":7}"] {
        frames.push(wire::event(
            "contentBlockDelta",
            json!({"contentBlockIndex": 1, "delta": {"toolUse": {"input": piece}}}),
        ));
    }
    let (answer, _) =
        post([ended(frames, "tool_use")], &asked("claude-haiku", json!({"response_format": format, "stream": true})));
    let text: String = chunks(&answer)
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(ToOwned::to_owned))
        .collect();
    assert_eq!(text, "{\"n\":7}");
}

#[test]
fn tool_names_outside_the_alphabet_come_back_as_they_were() {
    let name = "mcp.server/look up — with a name that is much longer than the sixty-four characters";
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    server.chat(&asked("claude-haiku", json!({"tools": [tool(name)]})));
    let legal = bedrock.call().body["toolConfig"]["tools"][0]["toolSpec"]["name"].as_str().unwrap().to_owned();
    assert!(legal.len() <= 64 && legal.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{legal}");
    bedrock.answer_with(Reply::Blocks(json!([{"toolUse": {"toolUseId": "t", "name": legal, "input": {}}}])));
    let answer = server.chat(&asked("claude-haiku", json!({"tools": [tool(name)]}))).json();
    assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"], name);
}

#[test]
fn legacy_functions_are_tools() {
    let function = tool("look")["function"].clone();
    let messages = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": null, "function_call": {"name": "look", "arguments": "{}"}},
        {"role": "function", "name": "look", "content": "found"},
    ]);
    let body =
        sent(&asked("claude-haiku", json!({"functions": [function], "function_call": "auto", "messages": messages})));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "look");
    let result = &body["messages"][2]["content"][0]["toolResult"];
    assert_eq!(result["toolUseId"], body["messages"][1]["content"][0]["toolUse"]["toolUseId"]);
}

#[test]
fn tags_reach_the_invocation_log_in_its_alphabet() {
    let body = sent(&asked("claude-haiku", json!({"user": "anna@example.com", "metadata": {"team": "grün & co"}})));
    assert_eq!(body["requestMetadata"], json!({"team": "gr_n _ co", "user": "anna@example.com"}));
}

#[test]
fn a_tier_is_given_where_the_operator_allows_it_and_priced() {
    let bedrock = Bedrock::script([Reply::Text(vec!["ok".into()], "end_turn", (1_000_000, 1_000_000))]);
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config("service_tiers = ['priority']"));
    let priority = server.chat(&asked("deepseek-v3", json!({"service_tier": "priority"})));
    assert_eq!(bedrock.call().body["serviceTier"], json!({"type": "priority"}));
    assert_eq!(priority.headers["x-chatrix-cost-usd"], "4.3225", "1.085 and 3.2375 per million");
    let flex = server.chat(&asked("deepseek-v3", json!({"service_tier": "flex"})));
    assert!(flex.headers["x-chatrix-policy"].contains("service_tier flex->unset"));
    assert_eq!(bedrock.calls()[1].body["serviceTier"], Value::Null);
    assert_eq!(server.chat(&asked("claude-haiku", json!({"service_tier": "priority"}))).status, 200);
    assert_eq!(bedrock.calls()[2].body["serviceTier"], Value::Null, "Claude has none");
}

#[test]
fn cache_points_are_added_only_where_they_pay() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config("prompt_cache = 'auto'"));
    let long = "word ".repeat(2000);
    let conversation = |first: &str| json!([{"role": "user", "content": first}, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "go on"}]);
    let points = |model: &str, messages: Value| {
        let answer = server.chat(&asked(model, json!({"messages": messages})));
        assert_eq!(answer.status, 200);
        bedrock.calls().last().unwrap().body["messages"].to_string().matches("cachePoint").count()
    };
    assert_eq!(points("claude-haiku", conversation(&long)), 1);
    assert_eq!(points("claude-haiku", conversation("short")), 0, "too short to be kept");
    assert_eq!(
        points("claude-haiku", json!([{"role": "user", "content": long}])),
        0,
        "nothing says that it comes again"
    );
    assert_eq!(points("mistral-large-3", conversation(&long)), 0, "the model has no cache");
}
