//! `chatrix serve` as clients see it.

use crate::support::{Bedrock, Chatrix, Reply, Server, delta, eventually, signal};
use chatrix::offline::wire;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::Instant;

fn question(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hi"}]})
}

fn streamed(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": true})
}

#[test]
fn models_are_listed_under_every_spelling() {
    let server = Server::offline();
    let list = server.get("/v1/models").json();
    assert_eq!((&list["object"], &list["has_more"]), (&json!("list"), &json!(false)));
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    for name in ["claude-sonnet-4", "claude-sonnet-3", "deepseek", "claude-haiku"] {
        assert!(ids.contains(&name), "{name}");
    }
    for path in ["/models", "//models", "/models/", "/v1//models/"] {
        assert_eq!(server.get(path).json(), list, "{path}");
    }
    let entry = server.get("/v1/models/claude-sonnet-4").json();
    assert_eq!((&entry["object"], &entry["owned_by"]), (&json!("model"), &json!("anthropic")));
    assert!(entry["created"].as_u64().unwrap() > 1_700_000_000);
    let id = "us.anthropic.claude-sonnet-4-20250514-v1:0";
    assert_eq!(server.get(&format!("/models/{}", id.replace(':', "%3A"))).json()["id"], id);
    let missing = server.get("/v1/models/nobody");
    assert_eq!(missing.error(), (404, "invalid_request_error".into(), "model_not_found".into()));
}

#[test]
fn a_complete_answer() {
    let bedrock = Bedrock::script([Reply::Text(vec!["Hel".into(), "lo".into()], "end_turn", (312, 204))]);
    let server = Server::start(&bedrock);
    let mut asked = question("claude-sonnet-4");
    for (name, value) in
        [("max_tokens", json!(4096)), ("temperature", json!(1)), ("top_p", json!(1)), ("top_k", json!(40))]
    {
        asked[name] = value;
    }
    let answer = server.chat(&asked);
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!((&json["object"], &json["model"]), (&json!("chat.completion"), &json!("claude-sonnet-4")));
    let choice = &json["choices"][0];
    assert_eq!(choice["message"], json!({"role": "assistant", "content": "Hello", "refusal": null, "annotations": []}));
    assert_eq!((&choice["finish_reason"], &choice["index"]), (&json!("stop"), &json!(0)));
    let usage = &json["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(312), &json!(204)));
    assert_eq!(usage["total_tokens"], 516);
    let header = |name: &str| answer.headers[name].clone();
    assert_eq!(header("x-chatrix-model"), "us.anthropic.claude-sonnet-4-20250514-v1:0");
    assert_eq!(header("x-chatrix-policy"), "max_tokens 4096->1024; temperature 1->0.3; top_p 1->0.3; top_k 40->unset");
    // 312 × $3 + 204 × $15 per million.
    assert_eq!(header("x-chatrix-cost-usd"), "0.003996");
    assert!(header("x-request-id").starts_with("req_"));
    let call = bedrock.call();
    assert_eq!(call.operation, "converse");
    assert_eq!(call.body["inferenceConfig"], json!({"maxTokens": 1024, "temperature": 0.3, "topP": 0.3}));
}

#[test]
fn x6_a_streamed_answer_reports_usage_only_when_asked() {
    let bedrock = Bedrock::script([Reply::Text(vec!["Hel".into(), String::new(), "lo".into()], "max_tokens", (3, 4))]);
    let server = Server::start(&bedrock);
    let mut asked = streamed("nova-micro");
    asked["stream_options"] = json!({"include_usage": true});
    let answer = server.chat(&asked);
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "text/event-stream; charset=utf-8"));
    assert_eq!(answer.headers["cache-control"], "no-cache");
    assert!(answer.body.ends_with("data: [DONE]\n\n"));
    let mut data = answer.data();
    assert_eq!(data.pop(), Some("[DONE]"));
    let chunks: Vec<Value> = data.iter().map(|data| serde_json::from_str(data).unwrap()).collect();
    assert!(chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"] && chunk["object"] == "chat.completion.chunk"));
    let deltas: Vec<&Value> = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]).collect();
    assert_eq!(deltas[0], &json!({"role": "assistant", "content": "", "refusal": null}));
    assert_eq!((deltas[1], deltas[2], deltas[3]), (&json!({"content": "Hel"}), &json!({"content": "lo"}), &json!({})));
    let reasons: Vec<_> = chunks.iter().filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str()).collect();
    assert_eq!(reasons, ["length"], "exactly once");
    assert_eq!((chunks.len(), &chunks[4]["choices"]), (5, &json!([])));
    assert_eq!(chunks[4]["usage"]["total_tokens"], 7);
    assert_eq!(bedrock.call().operation, "converse-stream");

    let silent = server.chat(&streamed("nova-micro"));
    assert!(!silent.body.contains("usage"), "X6: usage only when asked for");
}

#[test]
fn a_max_tokens_below_one_is_refused_and_nothing_is_sent() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    let server = Server::start(&bedrock);
    for wrong in [json!(0), json!(-3), json!("0")] {
        let mut asked = question("nova-micro");
        asked["max_tokens"] = wrong;
        let answer = server.chat(&asked);
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"]["param"], "max_tokens");
    }
    assert!(bedrock.calls().is_empty());
}

#[test]
fn every_error_has_openai_shape() {
    let server = Server::offline();
    let error = |method: &str, path: &str, body: &str| server.send(method, path, &[], body).error();
    let chat = "/v1/chat/completions";
    let invalid = "invalid_request_error".to_owned();
    assert_eq!(error("GET", "/nope", ""), (404, invalid.clone(), "unknown_url".into()));
    assert_eq!(error("POST", "/v1/images/generations", "{}"), (404, invalid.clone(), "unknown_url".into()));
    assert_eq!(error("GET", chat, ""), (405, invalid.clone(), "method_not_supported".into()));
    assert_eq!(error("DELETE", "/v1/models", ""), (405, invalid.clone(), "method_not_supported".into()));
    assert_eq!(error("POST", chat, "{"), (400, invalid.clone(), "invalid_value".into()));
    assert_eq!(error("POST", chat, ""), (400, invalid.clone(), "invalid_value".into()));
    assert_eq!(error("POST", chat, "{}"), (400, invalid.clone(), "missing_required_parameter".into()));
    let two = json!({"messages": [{"role": "user", "content": "x"}], "n": 2});
    assert_eq!(error("POST", chat, &two.to_string()), (400, invalid.clone(), "unsupported_parameter".into()));
    assert_eq!(error("POST", chat, &question("gpt-4o").to_string()), (404, invalid.clone(), "model_not_found".into()));
    let large = server.send("POST", chat, &[("content-length", "99999999999")], "");
    assert_eq!(large.error(), (413, invalid, "request_too_large".into()));
}

#[test]
fn a_body_may_come_in_chunks_and_of_any_type() {
    let server = Server::offline();
    let body = question("claude-haiku").to_string();
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    assert_eq!(server.send("POST", "/chat/completions", &[("transfer-encoding", "chunked")], &chunked).status, 200);
    let form =
        [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Bearer x"), ("x-api-key", "y")];
    assert_eq!(server.send("POST", "/v1/chat/completions/", &form, &body).status, 200);
}

#[test]
fn e1_upstream_errors_keep_their_status() {
    for (reply, status, code, header) in [
        (
            Reply::Error(429, "ThrottlingException", "Too many requests."),
            429,
            "rate_limit_exceeded",
            Some(("retry-after", "1")),
        ),
        (Reply::Error(400, "ValidationException", "Nope."), 400, "invalid_value", None),
        (Reply::Error(403, "AccessDeniedException", "You don't have access."), 403, "model_access_denied", None),
        (
            Reply::Error(400, "ValidationException", "Input is too long for requested model."),
            400,
            "context_length_exceeded",
            None,
        ),
        (
            Reply::Error(503, "ServiceUnavailableException", "Busy."),
            503,
            "service_unavailable",
            Some(("retry-after", "1")),
        ),
        (Reply::Error(500, "InternalServerException", "Oh."), 500, "internal_error", Some(("x-should-retry", "false"))),
        (Reply::Error(424, "ModelErrorException", "Oh."), 502, "upstream_error", Some(("x-should-retry", "false"))),
    ] {
        let server = Server::start(&Bedrock::script([reply]));
        for asked in [question("nova-micro"), streamed("nova-micro")] {
            let answer = server.chat(&asked);
            assert_eq!((answer.error().0, answer.error().2.as_str()), (status, code));
            if let Some((name, value)) = header {
                assert_eq!(answer.headers[name], value);
            }
        }
    }
}

#[test]
fn x1_x2_an_error_after_the_stream_began_is_a_line_of_its_own() {
    for reply in [
        Reply::Frames(vec![delta("half"), wire::exception("modelStreamErrorException", "The model broke.")]),
        Reply::Frames(vec![delta("half")]),
        Reply::Cut(vec![delta("half")]),
    ] {
        let answer = Server::start(&Bedrock::script([reply])).chat(&streamed("nova-micro"));
        let data = answer.data();
        assert_eq!((answer.status, data.len(), data[3]), (200, 4, "[DONE]"));
        let error: Value = serde_json::from_str(data[2]).unwrap();
        assert_eq!((error["error"]["code"].as_str(), error.get("choices")), (Some("upstream_error"), None));
        assert!(!answer.body.contains("\"finish_reason\":\"stop\""));
    }
    let cut = Server::start(&Bedrock::script([Reply::Cut(vec!["{".into()])])).chat(&question("nova-micro"));
    assert_eq!(cut.error().0, 502, "complete");
}

#[test]
fn e7_a_successor_is_announced_and_remembered() {
    let bedrock = Bedrock::script([Reply::retired(), Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let first = server.chat(&question("claude-sonnet-4"));
    assert_eq!(first.json()["model"], "claude-sonnet-4", "the name that was asked for");
    assert_eq!(first.headers["x-chatrix-model"], "us.anthropic.claude-sonnet-4-6");
    assert!(first.headers["x-chatrix-successor"].contains("AWS retired claude-sonnet-4"));
    assert_eq!(first.headers["x-chatrix-cost-usd"], "0.0001155", "priced as the successor");
    server.chat(&streamed("claude-sonnet-4"));
    let models: Vec<_> = bedrock.calls().into_iter().map(|call| call.model).collect();
    let successor = "us.anthropic.claude-sonnet-4-6";
    assert_eq!(models, ["us.anthropic.claude-sonnet-4-20250514-v1:0", successor, successor]);
    signal(server.pid(), "TERM");
    let (code, stderr) = server.wait();
    assert_eq!((code, stderr.matches("AWS retired").count()), (Some(0), 1), "announced once: {stderr}");
}

#[test]
fn local_apps_are_allowed_and_web_pages_are_not() {
    let server = Server::run(Chatrix::serve().args(["--offline", "--allow-origin", "https://ui.example"]));
    let with = |method: &str, headers: &[(&str, &str)]| server.send(method, "/v1/models", headers, "");
    for origin in ["tauri://localhost", "http://tauri.localhost", "http://localhost:1420", "https://ui.example"] {
        let answer = with("GET", &[("origin", origin)]);
        assert_eq!((answer.status, answer.headers["access-control-allow-origin"].as_str()), (200, origin));
    }
    let refused = with("GET", &[("origin", "https://evil.example")]);
    assert_eq!(refused.error().2, "origin_not_allowed");
    assert!(refused.body.contains("--allow-origin https://evil.example"));
    assert!(!refused.headers.contains_key("access-control-allow-origin"));
    assert!(with("GET", &[("origin", "null")]).body.contains("--allow-origin null"));
    assert_eq!(with("GET", &[("host", "evil.example")]).error().2, "host_not_allowed");
    let port = server.port();
    assert_eq!(with("GET", &[("host", &format!("localhost:{port}"))]).status, 200);

    let asked = [("origin", "tauri://localhost"), ("access-control-request-headers", "authorization,x-stainless-os")];
    let preflight = with("OPTIONS", &asked);
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers["access-control-allow-headers"], "authorization,x-stainless-os");
    assert_eq!(with("OPTIONS", &[("origin", "https://evil.example")]).status, 403);
    let missing = server.send("GET", "/nope", &[("origin", "tauri://localhost")], "");
    assert_eq!(missing.headers["access-control-allow-origin"], "tauri://localhost", "on errors too");
    assert_eq!(server.send("HEAD", "/", &[], "").status, 200);
    assert_eq!(server.get("/healthz").json(), json!({"status": "ok"}));
}

#[test]
fn x8_a_client_that_goes_away_stops_bedrock() {
    for reply in [Reply::Endless, Reply::Stall(vec![delta("half")])] {
        let bedrock = Bedrock::script([reply]);
        let server = Server::start(&bedrock);
        let mut socket = server.open("POST", "/v1/chat/completions", &[], &streamed("nova-micro").to_string());
        let mut seen = String::new();
        let mut buffer = [0; 512];
        while !seen.contains("content\":\"") || !(seen.contains("half") || seen.contains("line")) {
            let length = socket.read(&mut buffer).unwrap();
            seen.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
        drop(socket);
        eventually("the Bedrock stream is cancelled", || bedrock.abandoned() == 1);
    }
    let bedrock = Bedrock::script([Reply::Silence]);
    let server = Server::start(&bedrock);
    let socket = server.open("POST", "/v1/chat/completions", &[], &question("nova-micro").to_string());
    eventually("the call has arrived", || bedrock.calls().len() == 1);
    drop(socket);
    eventually("the Bedrock call is cancelled", || bedrock.abandoned() == 1);
}

#[test]
fn a_stop_lets_running_answers_finish() {
    let server = Server::run(Chatrix::serve().arg("--offline").env("CHATRIX_OFFLINE_PACE", "20"));
    let mut asked = streamed("claude-haiku");
    asked["messages"][0]["content"] = json!("count to 50");
    let mut socket = server.open("POST", "/v1/chat/completions", &[], &asked.to_string());
    let mut first = [0; 16];
    socket.read_exact(&mut first).unwrap();
    signal(server.pid(), "TERM");
    let mut rest = String::new();
    socket.read_to_string(&mut rest).unwrap();
    assert!(rest.contains(" 50") && rest.contains("[DONE]"), "the answer was finished");
    let (code, stderr) = server.wait();
    assert_eq!(code, Some(0));
    assert!(stderr.contains("stopping"));
}

#[test]
fn a_stop_does_not_wait_forever() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("half")])]);
    let server = Server::start(&bedrock);
    let mut socket = server.open("POST", "/v1/chat/completions", &[], &streamed("nova-micro").to_string());
    let mut first = [0; 16];
    socket.read_exact(&mut first).unwrap();
    let started = Instant::now();
    signal(server.pid(), "INT");
    let mut rest = String::new();
    socket.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("server_is_shutting_down") && rest.contains("[DONE]"), "cut off with an error: {rest}");
    assert_eq!(server.wait().0, Some(0));
    assert!((9..20).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[test]
fn a_taken_port_and_an_open_address_are_one_clear_line() {
    let server = Server::offline();
    let again = Chatrix::serve().args(["--offline", "--port", server.port()]).run().code(1);
    assert_eq!(again.stderr.lines().count(), 1);
    assert!(again.stderr.contains(&format!("port {} on 127.0.0.1 is taken", server.port())), "{again:?}");
    let open = Chatrix::serve().args(["--offline", "--host", "0.0.0.0"]).run().code(3);
    open.stderr_has("--allow-unauthenticated");
    let meant = Server::run(Chatrix::serve().args(["--offline", "--host", "0.0.0.0", "--allow-unauthenticated"]));
    assert!(!meant.port().is_empty());
}

#[test]
fn many_streams_at_once() {
    let server = Server::offline();
    let mut asked = streamed("claude-haiku");
    asked["messages"][0]["content"] = json!("count to 300");
    let body = asked.to_string();
    let mut sockets: Vec<_> = (0..50).map(|_| server.open("POST", "/v1/chat/completions", &[], &body)).collect();
    for socket in &mut sockets {
        socket.flush().unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        assert!(text.contains(" 300") && text.contains("data: [DONE]"));
    }
}

#[test]
fn a_silent_stream_is_kept_alive_but_not_forever() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("half")])]);
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config("stream_idle_seconds = 17"));
    let answer = server.chat(&streamed("nova-micro"));
    assert!(answer.body.contains("\n\n: keep-alive\n\ndata: {\"error\":"), "{}", answer.body);
    assert!(answer.body.contains("upstream_timeout") && answer.body.ends_with("data: [DONE]\n\n"));
    eventually("the Bedrock stream is cancelled", || bedrock.abandoned() == 1);
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("half")])]);
    let server = Server::start(&bedrock);
    let mut socket = server.open("POST", "/v1/chat/completions", &[], &streamed("nova-micro").to_string());
    let mut first = [0; 16];
    socket.read_exact(&mut first).unwrap();
    let started = Instant::now();
    signal(server.pid(), "TERM");
    std::thread::sleep(std::time::Duration::from_millis(200));
    signal(server.pid(), "TERM");
    assert_eq!(server.wait().0, Some(0));
    assert!(started.elapsed().as_secs() < 5);
}
