//! `/v1/responses`: what Codex and OpenAI's SDKs send, and what they get.

mod captured;

use crate::support::{Answer, Bedrock, Chatrix, Reply, Server};
use chatrix::offline::wire;
use serde_json::{Value, json};

/// A server whose limits leave room for reasoning.
fn roomy(bedrock: &Bedrock) -> Server {
    Server::run(Chatrix::serve().bedrock(bedrock).config("[limits]\nmax_tokens = 8192\nmax_tokens_limit = 32000"))
}

fn asked(members: &Value) -> Value {
    let mut body = json!({"model": "claude-haiku", "input": "hi"});
    for (name, value) in members.as_object().cloned().unwrap() {
        body[name] = value;
    }
    body
}

fn streamed(server: &Server, mut body: Value) -> Vec<Value> {
    body["stream"] = true.into();
    let answer = server.post("/v1/responses", &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    events(&answer)
}

fn events(answer: &Answer) -> Vec<Value> {
    answer.data().into_iter().map(|data| serde_json::from_str(data).unwrap()).collect()
}

/// The types of events, without what all of them begin with.
fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap().strip_prefix("response.").unwrap()).collect()
}

fn last(events: &[Value]) -> &Value {
    &events.last().unwrap()["response"]
}

/// The frames of a streamed answer of these blocks, each with what begins it and its deltas.
fn frames(blocks: &[(Value, Vec<Value>)], stop: Option<&str>) -> Vec<bytes::Bytes> {
    let mut frames = vec![wire::event("messageStart", json!({"role": "assistant"}))];
    for (place, (start, deltas)) in blocks.iter().enumerate() {
        if start.is_object() {
            frames.push(wire::event("contentBlockStart", json!({"contentBlockIndex": place, "start": start})));
        }
        for delta in deltas {
            frames.push(wire::event("contentBlockDelta", json!({"contentBlockIndex": place, "delta": delta})));
        }
        frames.push(wire::event("contentBlockStop", json!({"contentBlockIndex": place})));
    }
    if let Some(stop) = stop {
        frames.push(wire::event("messageStop", json!({"stopReason": stop})));
        let usage = json!({"inputTokens": 10, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 3, "cacheWriteInputTokens": 2});
        frames.push(wire::event("metadata", json!({"usage": usage, "metrics": {"latencyMs": 1}})));
    }
    frames
}

fn call(id: &str, name: &str, json: &str) -> (Value, Vec<Value>) {
    (json!({"toolUse": {"toolUseId": id, "name": name}}), vec![json!({"toolUse": {"input": json}})])
}

fn text(text: &str) -> (Value, Vec<Value>) {
    (Value::Null, vec![json!({"text": text})])
}

#[test]
fn a_plain_answer_in_both_forms() {
    let bedrock = Bedrock::script([Reply::text("Hello there")]);
    let server = Server::start(&bedrock);
    let answer = server.post("/responses", &asked(&json!({"instructions": "be brief", "max_output_tokens": 64000})));
    let whole = answer.json();
    assert_eq!((&whole["object"], &whole["status"]), (&json!("response"), &json!("completed")));
    assert_eq!(whole["output"][0]["content"][0]["text"], "Hello there");
    assert_eq!((&whole["usage"]["total_tokens"], &whole["instructions"]), (&json!(15), &json!("be brief")));
    assert!(whole["usage"]["cost"].is_number() && answer.headers["x-chatrix-policy"].starts_with("max_tokens 64000->"));
    assert_eq!(bedrock.call().body["system"][0]["text"], "be brief");
    let events = streamed(&server, asked(&json!({})));
    let expected = "created in_progress output_item.added content_part.added output_text.delta output_text.delta \
        output_text.done content_part.done output_item.done completed";
    assert_eq!(types(&events).join(" "), expected);
    assert_eq!(last(&events)["output"][0]["content"], whole["output"][0]["content"]);
    assert_eq!(last(&events)["usage"], whole["usage"]);
}

#[test]
fn tools_of_every_kind_come_back_as_what_they_are() {
    let patch = "*** Begin Patch\n*** End Patch\n";
    let calls = [
        text("Look:"),
        call("t1", "ls", "{}"),
        call("t2", "mcp__weather__get", "{\"city\": \"Paris\"}"),
        call("t3", "apply_patch", &json!({"input": patch}).to_string()),
        call("t4", "tool_search", "{\"query\": \"more\"}"),
    ];
    let bedrock = Bedrock::script([Reply::Frames(frames(&calls, Some("tool_use"))), Reply::text("Done.")]);
    let server = Server::start(&bedrock);
    let tools = json!([
        {"type": "function", "name": "ls", "parameters": {"type": "object", "properties": {}}, "strict": false},
        {"type": "namespace", "name": "mcp__weather", "description": "Weather.", "tools": [
            {"type": "function", "name": "get", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]},
        {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "start: /./"}},
        {"type": "tool_search", "execution": "client", "parameters": {"type": "object", "properties": {"query": {"type": "string"}}}},
        {"type": "web_search"},
    ]);
    let events = streamed(&server, asked(&json!({"tools": tools})));
    let output = last(&events)["output"].as_array().unwrap();
    let brief: Vec<Value> = output[1..]
        .iter()
        .map(|item| json!([item["type"], item["namespace"], item["name"], item["arguments"], item["input"]]))
        .collect();
    assert_eq!(
        brief,
        [
            json!(["function_call", null, "ls", "{}", null]),
            json!(["function_call", "mcp__weather", "get", "{\"city\": \"Paris\"}", null]),
            json!(["custom_tool_call", null, "apply_patch", null, patch]),
            json!(["tool_search_call", null, null, {"query": "more"}, null]),
        ]
    );
    // The client sends the items back as they came, each with its result.
    let mut input = vec![json!({"role": "user", "content": "hi"})];
    input.extend(output.iter().cloned());
    for item in &output[1..] {
        let kind = item["type"].as_str().unwrap().replace("_call", "");
        let mut result = match kind.as_str() {
            "tool_search" => json!({"type": "tool_search_output", "tools": [{"type": "function", "name": "found"}]}),
            "function" => json!({"type": "function_call_output", "output": "ok"}),
            _ => json!({"type": "custom_tool_call_output", "output": "ok"}),
        };
        result["call_id"] = item["call_id"].clone();
        input.push(result);
    }
    let answer = server.post("/v1/responses", &asked(&json!({"input": input, "tools": tools})));
    assert_eq!(answer.json()["output"][0]["content"][0]["text"], "Done.");
    assert_eq!(answer.headers["x-chatrix-policy"].matches("tools.web_search 1->unset").count(), 1);
    let sent = bedrock.calls()[1].body.clone();
    let uses = sent["messages"][1]["content"].as_array().unwrap();
    assert_eq!(uses[2]["toolUse"]["name"], "mcp__weather__get");
    assert_eq!(uses[3]["toolUse"]["input"], json!({"input": patch}));
    let results = sent["messages"][2]["content"].as_array().unwrap();
    assert_eq!(results.len(), 4, "all results are in one turn");
    assert_eq!(results[3]["toolResult"]["content"][0]["text"], "Found tools: found");
    let offered = sent["toolConfig"]["tools"].as_array().unwrap();
    assert_eq!(offered.last().unwrap()["toolSpec"]["name"], "found");
}

#[test]
fn signed_reasoning_makes_the_round_trip() {
    let thinking = json!({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "EqQBCkYIBxgC+/=="}}});
    let thought = |piece: Value| json!({"reasoningContent": piece});
    let blocks = [
        (
            Value::Null,
            vec![
                thought(json!({"text": "h"})),
                thought(json!({"text": "m"})),
                thought(json!({"signature": "EqQBCkYIBxgC+/=="})),
            ],
        ),
        call("t1", "ls", "{\"a\": 1}"),
    ];
    let whole = json!([thinking, {"toolUse": {"toolUseId": "t1", "name": "ls", "input": {"a": 1}}}]);
    let bedrock = Bedrock::script([Reply::Frames(frames(&blocks, Some("tool_use"))), Reply::Blocks(whole)]);
    let server = roomy(&bedrock);
    let tools = json!([{"type": "function", "name": "ls", "parameters": {"type": "object", "properties": {}}}]);
    let members = json!({"tools": tools, "reasoning": {"effort": "low", "summary": "auto"}});
    let from_stream = last(&streamed(&server, asked(&members)))["output"].clone();
    let complete = server.post("/v1/responses", &asked(&members)).json()["output"].clone();
    for output in [from_stream, complete] {
        assert_eq!(output[0]["summary"][0]["text"], "hm");
        // Another process has cached nothing.
        let bedrock = Bedrock::script([Reply::text("done")]);
        let server = roomy(&bedrock);
        let mut next = members.clone();
        next["input"] = json!([
            {"role": "user", "content": "hi"}, output[0], output[1],
            {"type": "function_call_output", "call_id": "t1", "output": "x"},
        ]);
        assert_eq!(server.post("/v1/responses", &asked(&next)).status, 200);
        assert_eq!(bedrock.call().body["messages"][1]["content"][0], thinking);
        next["input"][1]["encrypted_content"] = "gAAAA-foreign".into();
        let answer = server.post("/v1/responses", &asked(&next));
        assert!(answer.headers["x-chatrix-policy"].contains("input.reasoning 1->unset"));
        assert!(!bedrock.calls()[1].body.to_string().contains("foreign"));
    }
}

#[test]
fn the_end_of_a_stream_says_what_became_of_it() {
    let cut = [text("Half an answ")];
    for (reply, types_at_end, status, detail) in [
        (
            Reply::Frames(frames(&cut, Some("max_tokens"))),
            "output_item.done incomplete",
            "incomplete",
            "max_output_tokens",
        ),
        (Reply::Frames(frames(&cut, Some("guardrail_intervened"))), "output_item.done completed", "completed", ""),
        (Reply::Frames(frames(&[], Some("content_filtered"))), "in_progress failed", "failed", "invalid_prompt"),
        // The stream ends without its stop reason, or breaks.
        (Reply::Frames(frames(&cut, None)), "output_text.delta failed", "failed", "invalid_prompt"),
        (Reply::Cut(frames(&cut, None)), "output_text.delta failed", "failed", "invalid_prompt"),
    ] {
        let bedrock = Bedrock::script([reply]);
        let events = streamed(&Server::start(&bedrock), asked(&json!({})));
        assert!(types(&events).join(" ").ends_with(types_at_end), "{:?}", types(&events));
        let response = last(&events);
        let found = [&response["incomplete_details"]["reason"], &response["error"]["code"]];
        let found = found.into_iter().find_map(Value::as_str).unwrap_or_default();
        assert_eq!((response["status"].as_str(), found), (Some(status), detail));
        assert_eq!(bedrock.calls().len(), 1);
    }
}

#[test]
fn failures_have_the_status_and_code_that_make_codex_stop() {
    let refused = |status, kind, message| Reply::Error(status, kind, message);
    for (reply, status, code, retry) in [
        (refused(429, "ThrottlingException", "Too many requests"), 429, "rate_limit_exceeded", None),
        (refused(503, "ServiceUnavailableException", "busy"), 503, "server_is_overloaded", None),
        (
            refused(400, "ValidationException", "Input is too long for requested model."),
            400,
            "context_length_exceeded",
            Some("false"),
        ),
        (
            refused(404, "ResourceNotFoundException", "Could not resolve the foundation model"),
            404,
            "model_not_found",
            Some("false"),
        ),
    ] {
        let server = Server::start(&Bedrock::script([reply]));
        for stream in [false, true] {
            let answer = server.post("/v1/responses", &asked(&json!({"stream": stream})));
            assert_eq!((answer.status, answer.error().2.as_str()), (status, code), "{}", answer.body);
            assert_eq!(answer.headers.get("x-should-retry").map(String::as_str), retry, "{code}");
            assert_eq!(answer.headers.contains_key("retry-after"), retry.is_none(), "{code}");
        }
    }
    // What may have been billed is a status for SDKs, and a stream that fails for good for Codex.
    let bedrock = Bedrock::script([Reply::Error(424, "ModelErrorException", "The model broke")]);
    let server = Server::start(&bedrock);
    let complete = server.post("/v1/responses", &asked(&json!({})));
    assert_eq!((complete.status, complete.headers["x-should-retry"].as_str()), (502, "false"));
    let events = streamed(&server, asked(&json!({})));
    assert_eq!(types(&events), ["created", "in_progress", "failed"]);
    assert_eq!(last(&events)["error"]["code"], "invalid_prompt");
    assert!(last(&events)["error"]["message"].as_str().unwrap().contains("The model broke"));
    let budget = Chatrix::serve().bedrock(&bedrock).config("[budget]\nday_usd = 0.000001");
    let refused = Server::run(budget).post("/v1/responses", &asked(&json!({"stream": true})));
    assert_eq!((refused.status, refused.error().2.as_str()), (429, "insufficient_quota"), "{}", refused.body);
    assert!(refused.headers["x-should-retry"] == "false" && refused.body.contains('$'), "{}", refused.body);
}

#[test]
fn nothing_is_stored() {
    let server = Server::offline();
    let previous = server.post("/v1/responses", &asked(&json!({"previous_response_id": "resp_1"})));
    assert_eq!((previous.status, previous.error().2.as_str()), (400, "previous_response_not_found"));
    assert_eq!(previous.json()["error"]["param"], "previous_response_id");
    for path in ["/v1/responses/resp_1", "/responses/resp_1/input_items", "/v1/responses/compact"] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.error().2.as_str()), (404, "unknown_url"));
        assert!(answer.body.contains("no responses and no conversations are stored"), "{}", answer.body);
    }
    let get = server.get("/v1/responses");
    assert_eq!((get.status, get.headers["allow"].as_str()), (405, "POST, OPTIONS"));
}

#[test]
fn a_call_that_the_limit_has_cut_is_never_done() {
    let half = call("t2", "write", "{\"path\": \"a.t");
    for (blocks, left) in
        [(vec![text("Look:"), half.clone()], 1), (vec![call("t1", "ls", "{}"), half.clone()], 1), (vec![half], 0)]
    {
        let bedrock = Bedrock::script([Reply::Frames(frames(&blocks, Some("max_tokens")))]);
        let tools = json!([{"type": "function", "name": "write"}, {"type": "function", "name": "ls"}]);
        let events = streamed(&Server::start(&bedrock), asked(&json!({"tools": tools})));
        let done: Vec<&Value> = events.iter().filter(|event| event["type"] == "response.output_item.done").collect();
        assert_eq!(done.len(), left);
        assert!(done.iter().all(|event| event["item"]["call_id"] != "t2"));
        assert_eq!(last(&events)["output"].as_array().unwrap().len(), left);
        assert_ne!(last(&events)["status"], "completed");
    }
}

#[test]
fn input_tokens_are_counted_without_a_call() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    let server = Server::start(&bedrock);
    let body = asked(&json!({"instructions": "be brief"}));
    let estimated = server.post("/v1/responses/input_tokens", &body);
    assert_eq!((estimated.status, estimated.headers["x-chatrix-policy"].as_str()), (200, "input_tokens estimated"));
    assert!(estimated.json()["input_tokens"].as_u64().unwrap() > 0);
    bedrock.count_as(42);
    let body = asked(&json!({"model": "claude-haiku-4-5", "instructions": "be very brief"}));
    let counted = server.post("/responses/input_tokens", &body);
    assert_eq!(counted.json(), json!({"object": "response.input_tokens", "input_tokens": 42}));
    assert!(!counted.headers.contains_key("x-chatrix-policy"));
    let refused = server.post("/v1/responses/input_tokens", &json!({"input": []}));
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("input")));
    assert!(bedrock.calls().is_empty());
}
