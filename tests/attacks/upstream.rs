//! What a broken or hostile service, or a lost connection to it, does to calls, to their money and to the memory
//! (docs/bedrock.md §4.5 to §4.11).

mod clock;
mod connections;
mod credentials;

use crate::support::{Answer, Bedrock, Chatrix, Home, Reply, Server, delta, eventually};
use chatrix::offline::wire;
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;

fn question(stream: bool) -> Value {
    json!({"model": "nova-micro", "stream": stream, "max_tokens": 16, "messages": [{"role": "user", "content": "hi"}]})
}

/// A server with a scripted Bedrock and a home of its own.
fn server(config: &str, replies: impl IntoIterator<Item = Reply>) -> (Server, Bedrock, Home) {
    let (home, bedrock) = (Home::new(config), Bedrock::script(replies));
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    (server, bedrock, home)
}

fn pause(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn a_complete_answer_has_a_time_limit() {
    let (server, bedrock, home) = server("answer_seconds = 1", [Reply::Silence]);
    let answer = server.chat(&question(false));
    assert_eq!(answer.error(), (504, "timeout_error".into(), "upstream_timeout".into()));
    assert_eq!(answer.headers["x-should-retry"], "false");
    assert!(answer.body.contains("has not answered within 1 s, and may bill the answer"), "{}", answer.body);
    assert_eq!(bedrock.calls().len(), 1);
    assert!(home.at_rest().2 > 0, "it may be billed");
}

#[test]
fn a_client_that_leaves_before_the_next_try_owes_nothing() {
    for stream in [false, true] {
        let refusal = Reply::Error(429, "ThrottlingException", "Too many requests");
        let (server, bedrock, home) = server("", [refusal, Reply::text("ok")]);
        let socket = server.open("POST", "/v1/chat/completions", &[], &question(stream).to_string());
        eventually("the first try is refused", || bedrock.calls().len() == 1);
        thread::sleep(pause(100));
        drop(socket);
        assert_eq!((home.at_rest(), bedrock.calls().len()), ((0, 0, 0), 1));
    }
}

/// Frames that carry nothing of an answer do not keep it alive: name, frame.
#[test]
fn life_is_content() {
    let block = |delta: Value| wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": delta}));
    for (name, frame) in [
        ("an event that nobody knows", wire::event("ping", json!({}))),
        ("the beginning of a message", wire::event("messageStart", json!({"role": "assistant"}))),
        ("empty text", block(json!({"text": ""}))),
        ("empty arguments", block(json!({"toolUse": {"input": ""}}))),
        ("empty reasoning", block(json!({"reasoningContent": {"text": ""}}))),
        ("a delta that nobody knows", block(json!({"hum": 1}))),
        ("the end of a block", wire::event("contentBlockStop", json!({"contentBlockIndex": 0}))),
    ] {
        let (server, _, home) = server("stream_idle_seconds = 1", [Reply::Forever(frame, pause(20))]);
        let answer = server.chat(&question(true));
        assert!(answer.body.contains("Bedrock has sent no content for 1 s"), "{name}: {}", answer.body);
        assert!(home.at_rest().2 > 0, "{name}");
    }
}

#[test]
fn a_stream_that_goes_on_and_on_ends() {
    for frame in [
        delta("x"),
        wire::event(
            "contentBlockDelta",
            json!({"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
        ),
        wire::event(
            "contentBlockStart",
            json!({"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}}),
        ),
    ] {
        let (server, _, home) = server("", [Reply::Forever(frame, pause(0))]);
        let answer = server.chat(&question(true));
        assert!(answer.body.contains("Bedrock sent more than 320 events"), "{}", answer.body);
        assert!(home.at_rest().2 > 0);
    }
    let text = server("", [Reply::Forever(delta("x"), pause(0))]).0.chat(&question(true));
    assert_eq!(text.body.matches("\"content\":\"x\"").count(), 320, "what came is kept");
}

#[test]
fn an_answer_is_read_up_to_a_bound() {
    let headers = |kind: &str| vec![("content-type".to_owned(), kind.to_owned())];
    let huge = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "x".repeat(9_000_000)}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    });
    let complete = Reply::Recorded(200, headers("application/json"), huge.to_string().into());
    let frames = delta(&"x".repeat(100_000)).repeat(90);
    let streamed = Reply::Recorded(200, headers("application/vnd.amazon.eventstream"), frames.into());
    for (stream, reply) in [(false, complete), (true, streamed)] {
        let (server, bedrock, home) = server("", [reply]);
        let answer = server.chat(&question(stream));
        assert!(
            answer.body.contains("is larger than any answer of this length"),
            "{}",
            &answer.body[answer.body.len() - 300..]
        );
        assert_eq!(bedrock.calls().len(), 1);
        assert!(home.at_rest().2 > 0, "stream: {stream}");
    }
    // A refusal is free however long it is.
    let long = Reply::Recorded(400, headers("text/plain"), vec![b'x'; 5_000_000].into());
    let (server, _, home) = server("", [long]);
    assert_eq!((server.chat(&question(false)).status, home.at_rest()), (502, (0, 0, 0)));
}

#[test]
fn embeddings_are_read_up_to_a_bound() {
    let body = json!({"embedding": vec![0.123_456_789; 600_000], "inputTextTokenCount": 1}).to_string();
    let reply = Reply::Recorded(200, vec![("content-type".into(), "application/json".into())], body.into());
    let (server, _, home) = server("", [reply]);
    let answer = server.post("/v1/embeddings", &json!({"model": "titan-embed", "input": "hi"}));
    assert_eq!(answer.status, 502, "{}", answer.body);
    assert!(answer.body.contains("is larger than any answer"), "{}", answer.body);
    assert!(home.at_rest().2 > 0);
}

/// Thirty clients who are refused at once share a quota of repetitions.
#[test]
fn refused_callers_do_not_multiply() {
    let (server, bedrock, home) = server("", [Reply::Error(429, "ThrottlingException", "Too many requests")]);
    let answers: Vec<Answer> = thread::scope(|scope| {
        let calls: Vec<_> = (0..30).map(|_| scope.spawn(|| server.chat(&question(false)))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.status == 429));
    assert_eq!(bedrock.calls().len(), 30 + 20);
    assert_eq!(home.at_rest(), (0, 0, 0));
}

/// The wait that AWS asks for: header, its value, what a client is told in seconds and in milliseconds.
#[test]
fn a_wait_is_handed_on() {
    for (name, value, seconds, milliseconds) in [
        ("retry-after", "7", "7", "7000"),
        ("retry-after", "6.25", "7", "6250"),
        ("x-amz-retry-after", "5500", "6", "5500"),
        ("retry-after", "Thu, 26 Nov 2026 05:00:09 GMT", "9", "9000"),
    ] {
        let headers =
            [(name, value), ("date", "Thu, 26 Nov 2026 05:00:00 GMT"), ("x-amzn-errortype", "ThrottlingException")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let (server, bedrock, _) = server("", [Reply::Recorded(429, headers, "{\"message\":\"Too many\"}".into())]);
        let answer = server.chat(&question(false));
        assert_eq!((answer.status, bedrock.calls().len()), (429, 1), "such a wait is left to the client");
        assert_eq!(answer.headers["retry-after"], seconds, "{value}");
        assert_eq!(answer.headers["retry-after-ms"], milliseconds, "{value}");
    }
}

/// Bedrock's id for a call, as the client gets it and as the ledger keeps it.
#[test]
fn bedrocks_id_comes_back() {
    let reply = |status, kind: &str, body: bytes::Bytes| {
        let headers = [("content-type", kind), ("x-amzn-requestid", "0a1b-2c3d")];
        Reply::Recorded(status, headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), body)
    };
    let complete = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    });
    let stop = wire::event("messageStop", json!({"stopReason": "end_turn"}));
    let (json_type, stream_type) = ("application/json", "application/vnd.amazon.eventstream");
    let stream = [delta("ok"), stop].concat();
    let failed = json!({"message": "The model failed."}).to_string();
    let vector = json!({"embedding": [0.5], "inputTextTokenCount": 1}).to_string();
    for (path, stream, reply, status, is_booked) in [
        ("/v1/chat/completions", false, reply(200, json_type, complete.to_string().into()), 200, true),
        ("/v1/chat/completions", true, reply(200, stream_type, stream.into()), 200, true),
        ("/v1/chat/completions", true, reply(200, stream_type, delta("half")), 200, true),
        ("/v1/chat/completions", false, reply(500, json_type, failed.clone().into()), 500, true),
        ("/v1/chat/completions", true, reply(500, json_type, failed.into()), 500, true),
        ("/v1/chat/completions", false, reply(200, json_type, "{\"output\":1}".into()), 502, true),
        ("/v1/chat/completions", false, reply(400, json_type, "{\"message\":\"no\"}".into()), 400, false),
        ("/v1/embeddings", false, reply(200, json_type, vector.into()), 200, true),
    ] {
        let (server, _, home) = server("", [reply]);
        let body = match path {
            "/v1/embeddings" => json!({"model": "titan-embed", "input": "hi"}),
            _ => question(stream),
        };
        let answer = server.send("POST", path, &[("origin", "http://localhost:1")], &body.to_string());
        assert_eq!(
            (answer.status, answer.headers["x-amzn-requestid"].as_str()),
            (status, "0a1b-2c3d"),
            "{}",
            answer.body
        );
        assert!(answer.headers["access-control-expose-headers"].contains("x-amzn-requestid"));
        home.at_rest();
        let sql = "SELECT request_id FROM calls WHERE state <> 4";
        let booked: Option<String> = home.open().query_row(sql, [], |row| row.get(0)).unwrap_or_default();
        assert_eq!(booked.is_some_and(|id| id == "0a1b-2c3d"), is_booked, "{path} {status}");
    }
}

/// What a client's headers become on the way to Bedrock, and that the signature does not cover them.
#[test]
fn traces_and_request_ids_are_passed_on() {
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (server, bedrock, _) = server("", [Reply::text("ok")]);
    let send = |headers: &[(&str, &str)], stream| {
        let answer = server.send("POST", "/v1/chat/completions", headers, &question(stream).to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        let call = bedrock.calls().last().unwrap().clone();
        assert_eq!(call.body["requestMetadata"], json!({"chatrix_request_id": answer.headers["x-request-id"]}));
        assert!(!call.headers["authorization"].contains("trace"), "{:?}", call.headers);
        ["traceparent", "tracestate"].map(|name| call.headers.get(name).cloned())
    };
    for stream in [false, true] {
        let both = [("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")];
        assert_eq!(send(&both, stream), [Some(PARENT.to_owned()), Some("a=1,b=2".to_owned())]);
        assert_eq!(send(&[("traceparent", "nonsense"), ("tracestate", "a=1")], stream), [None, None]);
        assert_eq!(send(&[], stream), [None, None], "no trace is invented");
    }
    // A client's own tags stay, and the request's id is left out when there is no room.
    let tags: serde_json::Map<String, Value> = (0..16).map(|n| (format!("t{n}"), json!("x"))).collect();
    let mut body = question(false);
    body["metadata"] = tags.into();
    assert_eq!(server.chat(&body).status, 200);
    let kept = bedrock.calls().last().unwrap().body["requestMetadata"].clone();
    assert_eq!((kept.as_object().unwrap().len(), &kept["chatrix_request_id"]), (16, &Value::Null));
}
