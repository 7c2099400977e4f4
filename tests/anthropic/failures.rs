//! Refusals, cuts and broken streams, in the words that Anthropic's clients act on.

use super::{ask, assembled, events, half_a_call, names, passing, question};
use crate::support::{Answer, Bedrock, Chatrix, Home, Reply, Server, delta};
use chatrix::offline::wire;
use serde_json::{Value, json};

/// The status and the type of an error, and its message.
#[track_caller]
fn error(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["type", "error", "request_id"]);
    assert_eq!(body["type"], "error");
    assert_eq!(answer.headers["request-id"], body["request_id"].as_str().unwrap());
    assert_eq!(answer.headers["request-id"], answer.headers["x-request-id"]);
    let text = |name: &str| body["error"][name].as_str().unwrap().to_owned();
    (answer.status, text("type"), text("message"))
}

#[test]
fn everything_below_messages_fails_in_anthropics_shape() {
    let server = Server::run(Chatrix::serve().arg("--offline").arg("--require-key").home(&Home::new("")));
    let refused = server.post("/v1/messages", &question("claude-haiku", &json!({})));
    assert_eq!((error(&refused).0, error(&refused).1.as_str()), (401, "authentication_error"));
    assert_eq!(refused.headers["x-should-retry"], "false");
    let server = Server::offline();
    let kind = |method: &str, path: &str, body: &str| {
        let (status, kind, _) = error(&server.send(method, path, &[], body));
        (status, kind)
    };
    let invalid = "invalid_request_error".to_owned();
    for path in ["/v1/messages", "/messages"] {
        assert_eq!(kind("GET", path, ""), (405, invalid.clone()));
        assert_eq!(kind("POST", path, "{"), (400, invalid.clone()));
        assert_eq!(kind("POST", path, "{}"), (400, invalid.clone()));
        assert_eq!(kind("POST", &format!("{path}/batches"), "{}"), (404, "not_found_error".into()));
        assert_eq!(kind("POST", &format!("{path}/count_tokens"), "{"), (400, invalid.clone()));
    }
    assert_eq!(
        kind("POST", "/v1/messages", &question("claude-nobody", &json!({})).to_string()),
        (404, "not_found_error".into())
    );
    let large = server.send("POST", "/v1/messages", &[("content-length", "99999999999")], "");
    assert_eq!((error(&large).0, error(&large).1.as_str()), (413, "request_too_large"));
    // Any other unknown path keeps OpenAI's shape.
    assert_eq!(server.get("/v1/nope").error().0, 404);
}

#[test]
fn upstream_errors_have_the_status_the_type_and_the_words_that_clients_know() {
    let overflow = "prompt is too long: 209353 tokens > 199999 maximum";
    let (wait, never) = (("retry-after", "1"), ("x-should-retry", "false"));
    for (reply, status, kind, beginning, header) in [
        (
            Reply::Error(429, "ThrottlingException", "Too many requests."),
            429,
            "rate_limit_error",
            "rate limit at Bedrock: Too many requests",
            wait,
        ),
        (Reply::Error(503, "ServiceUnavailableException", "Busy."), 529, "overloaded_error", "Bedrock: Busy", wait),
        (Reply::Error(500, "InternalServerException", "Oh."), 500, "api_error", "Bedrock: Oh", never),
        (Reply::Error(424, "ModelErrorException", "Oh."), 500, "api_error", "Bedrock: Oh", never),
        (
            Reply::Error(403, "AccessDeniedException", "You don't have access."),
            403,
            "permission_error",
            "Bedrock: You don't have access",
            never,
        ),
        (
            Reply::Error(400, "ValidationException", "The model returned the following errors: messages.1: odd."),
            400,
            "invalid_request_error",
            "messages.1: odd.",
            never,
        ),
        (Reply::Error(400, "ValidationException", overflow), 400, "invalid_request_error", overflow, never),
        (
            Reply::Error(400, "ValidationException", "Input is too long for requested model."),
            400,
            "invalid_request_error",
            "prompt is too long (Input is too long for requested model)",
            never,
        ),
    ] {
        let server = Server::start(&Bedrock::script([reply]));
        for stream in [false, true] {
            let answer = ask(&server, &question("nova-micro", &json!({"stream": stream})));
            let (answered, answered_kind, message) = error(&answer);
            assert_eq!((answered, answered_kind.as_str()), (status, kind));
            assert!(message.starts_with(beginning), "{message}");
            assert_eq!(answer.headers[header.0], header.1, "{message}");
        }
    }
}

#[test]
fn a_prompt_that_cannot_fit_is_refused_with_both_numbers() {
    let refusal = Reply::Error(400, "ValidationException", "Input is too long for requested model.");
    let server = passing(&Bedrock::script([refusal]));
    let long = "word ".repeat(40_000);
    let answer = ask(&server, &question("nova-micro", &json!({"messages": [{"role": "user", "content": long}]})));
    let (_, _, message) = error(&answer);
    // The context of Nova Micro has 128,000 tokens; the prompt has at most as many as bytes.
    let numbers = message.strip_prefix("prompt is too long: ").unwrap();
    let (tokens, rest) = numbers.split_once(" tokens > ").unwrap();
    assert!(tokens.parse::<u64>().unwrap() >= 200_000, "{message}");
    assert!(rest.starts_with("128000 maximum ("), "{message}");
}

#[test]
fn a_budget_is_refused_once_with_its_sums() {
    let home = Home::new("[budget]\nrequest_usd = 0.000000001\n");
    let bedrock = Bedrock::script([Reply::text("never")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    for stream in [false, true] {
        let answer = ask(&server, &question("nova-micro", &json!({"stream": stream})));
        let (status, kind, message) = error(&answer);
        assert_eq!((status, kind.as_str()), (402, "billing_error"));
        assert_eq!(answer.headers["x-should-retry"], "false");
        assert!(message.contains('$'), "{message}");
    }
    assert!(bedrock.calls().is_empty());
}

#[test]
fn an_answer_that_is_cut_at_its_limit_says_so() {
    for model in ["nova-micro", "claude-haiku"] {
        let server = passing(&Bedrock::script([Reply::Text(vec!["Hel".into()], "max_tokens", (3, 4))]));
        let complete = ask(&server, &question(model, &json!({}))).json();
        assert_eq!(complete["stop_reason"], "max_tokens");
        let (message, _) = assembled(&events(&ask(&server, &question(model, &json!({"stream": true})))));
        assert_eq!((&message["content"], &message["stop_reason"]), (&complete["content"], &json!("max_tokens")));
    }
}

#[test]
fn half_a_call_never_leaves() {
    let server = passing(&Bedrock::script([Reply::Frames(half_a_call())]));
    let tools = json!([{"name": "look", "input_schema": {"type": "object"}}]);
    let answer = ask(&server, &question("nova-micro", &json!({"stream": true, "tools": tools, "max_tokens": 40000})));
    assert!(!answer.body.contains("\"tool_use\",\"id\""), "{}", answer.body);
    assert!(!answer.body.contains("a.t\\"), "{}", answer.body);
}

#[test]
fn a_broken_stream_ends_in_an_error_event() {
    let start = wire::event("messageStart", json!({"role": "assistant"}));
    let frames = vec![start, delta("Hel"), delta("lo")];
    let mut failing = frames.clone();
    failing.push(wire::exception("serviceUnavailableException", "Busy."));
    for reply in [Reply::Cut(frames.clone()), Reply::Frames(frames), Reply::Frames(failing)] {
        let server = passing(&Bedrock::script([reply]));
        let answer = ask(&server, &question("nova-micro", &json!({"stream": true})));
        assert_eq!(answer.status, 200);
        let events = events(&answer);
        let (message, error) = assembled(&events);
        assert_eq!(message["content"][0]["text"], "Hello");
        assert_eq!(error.unwrap()["type"], "api_error", "{:?}", names(&events));
        assert_eq!(names(&events).last(), Some(&"error"), "nothing follows");
    }
}

#[test]
fn nothing_of_the_user_is_logged_or_told() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = passing(&bedrock);
    let body = question(
        "nova-micro",
        &json!({"metadata": {"user_id": "{\"device_id\": \"secret-device\"}"},
            "safeguards": [{"classifier_context": {"home_dir": "/home/secret"}}], "mcp_servers": [{"url": "secret"}]}),
    );
    let answer = ask(&server, &body);
    assert_eq!(answer.status, 200);
    let policy = answer.headers["x-chatrix-policy"].clone();
    assert!(policy.contains("mcp_servers set->unset") && !policy.contains("safeguards"), "{policy}");
    let told = format!("{:?} {}", answer.headers, answer.body);
    let sent: Value = bedrock.call().body;
    let logged = server.stop();
    for text in [told, sent.to_string(), logged] {
        assert!(!text.contains("secret"), "{text}");
    }
}
