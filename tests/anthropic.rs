//! Anthropic's Messages API as its clients see it, end to end.

mod captures;
mod failures;
mod recorded;

use crate::support::{Answer, Bedrock, Chatrix, Home, Reply, Server};
use chatrix::offline::wire;
use serde_json::{Value, json};

/// A server that leaves an agent room, and translates for every model.
fn translating(bedrock: &Bedrock) -> Server {
    Server::run(Chatrix::serve().bedrock(bedrock).config(&format!("messages = \"converse\"\n{ROOM}")))
}

/// A server that leaves an agent room, and lets Messages pass to Claude as they are.
fn passing(bedrock: &Bedrock) -> Server {
    Server::run(Chatrix::serve().bedrock(bedrock).config(ROOM))
}

const ROOM: &str = "[limits]\nmax_tokens = 16000\nmax_tokens_limit = 32000\n";

fn ask(server: &Server, body: &Value) -> Answer {
    server.post("/v1/messages?beta=true", body)
}

fn question(model: &str, more: &Value) -> Value {
    let mut body = json!({"model": model, "max_tokens": 500, "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// The events of a stream: each name, and its data.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    assert_eq!(answer.headers["content-type"], "text/event-stream; charset=utf-8");
    let events = answer.body.split_terminator("\n\n").map(|event| {
        let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"], name);
        (name.to_owned(), data)
    });
    events.collect()
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

/// The message that a client puts together from a stream, and the error that ended it.
fn assembled(events: &[(String, Value)]) -> (Value, Option<Value>) {
    let mut message = Value::Null;
    let mut json = String::new();
    for (name, data) in events {
        let index = data["index"].as_u64().map(|index| usize::try_from(index).unwrap());
        match name.as_str() {
            "message_start" => message = data["message"].clone(),
            "content_block_start" => {
                assert_eq!(message["content"].as_array().map(Vec::len), index);
                message["content"].as_array_mut().unwrap().push(data["content_block"].clone());
            }
            "content_block_delta" => {
                let (delta, block) = (&data["delta"], &mut message["content"][index.unwrap()]);
                for member in ["text", "thinking", "signature"] {
                    if let Some(more) = delta[member].as_str() {
                        block[member] = (block[member].as_str().unwrap().to_owned() + more).into();
                    }
                }
                json.push_str(delta["partial_json"].as_str().unwrap_or_default());
            }
            "content_block_stop" => {
                let json = std::mem::take(&mut json);
                if !json.is_empty() {
                    message["content"][index.unwrap()]["input"] = serde_json::from_str(&json).unwrap();
                }
            }
            "message_delta" => {
                message["stop_reason"] = data["delta"]["stop_reason"].clone();
                message["usage"] = data["usage"].clone();
            }
            "error" => return (message, Some(data["error"].clone())),
            "ping" | "message_stop" => {}
            other => panic!("no event is called {other}"),
        }
    }
    assert_eq!(events.last().unwrap().0, "message_stop");
    (message, None)
}

const PLAIN: [&str; 9] = [
    "message_start",
    "ping",
    "content_block_start",
    "content_block_delta",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "",
];

#[test]
fn a_plain_answer_complete_and_streamed_in_both_ways_of_sending() {
    for model in ["nova-micro", "claude-haiku-5-5"] {
        let bedrock = Bedrock::script([Reply::Text(vec!["Hel".into(), "lo".into()], "end_turn", (312, 204))]);
        let server = passing(&bedrock);
        let complete = ask(&server, &question(model, &json!({})));
        assert_eq!((complete.status, complete.headers.contains_key("x-request-id")), (200, true));
        let complete = complete.json();
        assert_eq!(complete["content"], json!([{"type": "text", "text": "Hello"}]));
        let head = ["type", "role", "model", "stop_reason", "stop_sequence"].map(|name| complete[name].clone());
        assert_eq!(json!(head), json!(["message", "assistant", model, "end_turn", null]));
        assert!(complete["id"].as_str().unwrap().starts_with("msg_"));
        assert_eq!(
            (&complete["usage"]["input_tokens"], &complete["usage"]["output_tokens"]),
            (&json!(312), &json!(204))
        );
        assert!(complete["usage"]["cost"].as_f64().unwrap() > 0.0);
        let streamed = ask(&server, &question(model, &json!({"stream": true})));
        let events = events(&streamed);
        assert_eq!(names(&events), PLAIN[..8]);
        assert!(events[0].1["message"]["usage"]["input_tokens"].as_u64().unwrap() > 0);
        let (mut message, error) = assembled(&events);
        message["id"] = complete["id"].clone();
        assert_eq!((message, error), (complete, None), "{model}");
        let operations: Vec<String> = bedrock.calls().into_iter().map(|call| call.operation).collect();
        let expected = if model == "nova-micro" {
            ["converse", "converse-stream"]
        } else {
            ["invoke", "invoke-with-response-stream"]
        };
        assert_eq!(operations, expected);
    }
}

#[test]
fn a_tool_is_called_and_answered() {
    let call = json!([{"type": "text", "text": "Look: "}, {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"b": 1, "a": 2}}]);
    for model in ["nova-micro", "claude-haiku"] {
        let bedrock = Bedrock::script([Reply::Message(call.clone(), "tool_use", (9, 9)), Reply::text("done")]);
        let server = passing(&bedrock);
        let tools = json!([{"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}}}]);
        let (message, _) = assembled(&events(&ask(
            &server,
            &question(model, &json!({"tools": tools, "stream": true, "max_tokens": 40000})),
        )));
        assert_eq!((&message["content"], &message["stop_reason"]), (&call, &json!("tool_use")), "{model}");
        let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": [
            {"type": "text", "text": "found"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}]});
        let messages = json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": message["content"]},
            {"role": "user", "content": [result]}]);
        let answer = ask(&server, &question(model, &json!({"tools": tools, "messages": messages})));
        // This model has no eyes.
        let status = if model == "nova-micro" { 400 } else { 200 };
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

#[test]
fn signed_thinking_makes_the_round_trip_byte_by_byte() {
    let signature = "Er8BCkYIBxgCKkD/+=sig".repeat(9);
    let blocks = json!([
        {"type": "thinking", "thinking": "let me see", "signature": signature},
        {"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}},
    ]);
    let more = json!({"max_tokens": 16000, "thinking": {"type": "adaptive", "display": "omitted"},
        "tools": [{"name": "look", "input_schema": {"type": "object"}}]});
    for stream in [false, true] {
        let bedrock = Bedrock::script([Reply::Message(blocks.clone(), "tool_use", (9, 9)), Reply::text("done")]);
        let server = translating(&bedrock);
        let mut body = question("claude-opus-5-5", &more);
        body["stream"] = stream.into();
        let answer = ask(&server, &body);
        let message = if stream { assembled(&events(&answer)).0 } else { answer.json() };
        assert_eq!(message["content"], blocks, "stream: {stream}");
        body["messages"] = json!([body["messages"][0], {"role": "assistant", "content": message["content"]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}]}]);
        assert_eq!(ask(&server, &body).status, 200);
        let sent = &bedrock.calls()[1].body;
        let content = &sent["messages"][1]["content"];
        let reasoning = json!({"reasoningContent": {"reasoningText": {"text": "let me see", "signature": signature}}});
        assert_eq!(content[0], reasoning);
        assert_eq!(content[1], json!({"reasoningContent": {"redactedContent": "ZW5jcnlwdGVk"}}));
        let thinking = &sent["additionalModelRequestFields"]["thinking"];
        assert_eq!(thinking, &json!({"type": "adaptive", "display": "omitted"}));
    }
}

#[test]
fn what_converse_has_another_word_for_reaches_it() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = translating(&bedrock);
    let tools = json!([{"name": "look", "input_schema": {"type": "object"}}]);
    let document = json!({"type": "document", "title": "Report", "citations": {"enabled": true},
        "source": {"type": "text", "media_type": "text/plain", "data": "one"}});
    let body = question(
        "claude-haiku-4-5",
        &json!({
            "tools": tools, "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": true},
            "messages": [{"role": "user", "content": [document, {"type": "text", "text": "x"}]}],
        }),
    );
    assert_eq!(ask(&server, &body).status, 200);
    let sent = bedrock.call().body;
    let choice = json!({"type": "tool", "name": "look", "disable_parallel_tool_use": true});
    assert_eq!(sent["additionalModelRequestFields"]["tool_choice"], choice);
    assert!(sent["toolConfig"].get("toolChoice").is_none(), "both are refused");
    let document = &sent["messages"][0]["content"][0]["document"];
    assert_eq!((&document["name"], &document["citations"]), (&json!("Report"), &json!({"enabled": true})));
}

#[test]
fn claude_code_finds_the_models_and_its_first_request_is_answered() {
    let server = Server::offline();
    for method in ["HEAD", "GET"] {
        assert_eq!(server.send(method, "/api/hello", &[], "").status, 200);
    }
    let headers = [("anthropic-version", "2023-06-01"), ("x-api-key", "x")];
    let list = server.send("GET", "/v1/models?limit=1000", &headers, "").json();
    let data = list["data"].as_array().unwrap();
    assert_eq!(list["has_more"], false);
    assert_eq!((&list["first_id"], &list["last_id"]), (&data[0]["id"], &data[data.len() - 1]["id"]));
    let claude: Vec<&Value> = data.iter().filter(|entry| entry["id"].as_str().unwrap().starts_with("claude")).collect();
    assert!(claude.len() > 5);
    for entry in claude {
        assert_eq!(entry["type"], "model");
        assert!(entry["display_name"].is_string() && entry["created_at"].is_string(), "{entry}");
    }
    for path in ["/v1/messages?beta=true", "/messages", "/v1//messages/"] {
        assert_eq!(server.post(path, &question("claude-haiku", &json!({}))).status, 200, "{path}");
    }
}

#[test]
fn tokens_are_counted_or_estimated_and_nothing_is_booked() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    bedrock.count_as(1234);
    let home = Home::new("[budget]\nrequest_usd = 0.000000001\n");
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let count = |model: &str| {
        let mut body = question(model, &json!({}));
        body.as_object_mut().unwrap().remove("max_tokens");
        server.post("/v1/messages/count_tokens?beta=true", &body)
    };
    let counted = count("claude-haiku-4-5");
    assert_eq!((counted.json(), counted.headers.get("x-chatrix-policy")), (json!({"input_tokens": 1234}), None));
    let estimated = count("nova-micro");
    assert!(estimated.json()["input_tokens"].as_u64().unwrap() > 0, "{}", estimated.body);
    assert_eq!(estimated.headers["x-chatrix-policy"], "input_tokens estimated");
    assert!(bedrock.calls().is_empty());
    assert_eq!(home.at_rest(), (0, 0, 0));
}

/// A call whose arguments are cut.
fn half_a_call() -> Vec<bytes::Bytes> {
    let block = |kind: &'static str, more: Value| {
        let mut data = json!({"contentBlockIndex": 0});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wire::event(kind, data)
    };
    vec![
        wire::event("messageStart", json!({"role": "assistant"})),
        block("contentBlockStart", json!({"start": {"toolUse": {"toolUseId": "t1", "name": "look"}}})),
        block("contentBlockDelta", json!({"delta": {"toolUse": {"input": "{\"path\": \"a.t"}}})),
        block("contentBlockStop", json!({})),
        wire::event("messageStop", json!({"stopReason": "max_tokens"})),
        wire::event("metadata", json!({"usage": {"inputTokens": 9, "outputTokens": 9, "totalTokens": 18}})),
    ]
}

#[test]
fn t1_a_history_of_calls_without_tools_is_translated() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = passing(&bedrock);
    let messages = json!([
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "read", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "found"}]},
    ]);
    let tools = json!([{"name": "read", "input_schema": {"type": "object"}}]);
    for more in [
        json!({"messages": messages}),
        json!({"messages": messages, "tools": []}),
        json!({"messages": messages, "tools": tools}),
    ] {
        assert_eq!(ask(&server, &question("claude-sonnet-4-6", &more)).status, 200);
    }
    let operations: Vec<String> = bedrock.calls().iter().map(|call| call.operation.clone()).collect();
    assert_eq!(operations, ["converse", "converse", "invoke"]);
    assert_eq!(bedrock.calls()[0].body["toolConfig"]["tools"][0]["toolSpec"]["name"], "read");
}
