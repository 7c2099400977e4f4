//! What real programs send to `serve`, and what they need to be told.

use crate::support::{Bedrock, Chatrix, Reply, Server};
use serde_json::{Value, json};

#[expect(clippy::needless_pass_by_value, reason = "a transcript reads better without the ampersands")]
fn asked(more: Value) -> Value {
    let mut body = json!({"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        body[name] = value;
    }
    body
}

/// The `x-chatrix-policy` of the answer, and the body that Bedrock was sent.
fn policy_and_body(body: &Value) -> (String, Value) {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let answer = Server::start(&bedrock).chat(body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    (answer.headers["x-chatrix-policy"].clone(), bedrock.call().body)
}

#[test]
fn client_04_tools_for_a_model_without() {
    let tool = json!({"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}});
    let (policy, body) = policy_and_body(&asked(json!({"model": "deepseek", "stream": true, "tools": [tool]})));
    assert!(policy.contains("tools 1->unset"), "{policy}");
    assert_eq!(body["toolConfig"], Value::Null);
}

#[test]
fn client_08_effort_eats_the_answer() {
    for (max_tokens, effort, sent) in [
        (Value::Null, "medium", Value::Null),
        (json!(1024), "high", Value::Null),
        (json!(2048), "high", json!("low")),
        (json!(4096), "high", json!("high")),
    ] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        let server = Server::run(Chatrix::serve().bedrock(&bedrock).args(["--max-tokens-limit", "8192"]));
        let body = json!({"model": "claude-sonnet-4-6", "reasoning_effort": effort, "max_tokens": max_tokens});
        let answer = server.chat(&asked(body));
        let fields = &bedrock.call().body["additionalModelRequestFields"];
        assert_eq!(fields["output_config"]["effort"], sent, "{max_tokens}");
        let policy = answer.headers.get("x-chatrix-policy").map_or("", String::as_str);
        assert_eq!(policy.contains("reasoning_effort"), sent != effort, "{max_tokens} {policy}");
    }
}

#[test]
fn client_09_logprobs_by_default() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let answer = server.chat(&asked(json!({"logprobs": true, "top_logprobs": 5})));
    assert_eq!((answer.status, &answer.json()["choices"][0]["logprobs"]), (200, &Value::Null));
    assert!(answer.headers["x-chatrix-policy"].contains("logprobs true->unset; top_logprobs 5->unset"));
    let legacy = json!({"model": "claude-haiku-4-5", "prompt": "hi", "logprobs": 3});
    let answer = server.post("/v1/completions", &legacy);
    assert_eq!(answer.status, 200);
    assert!(answer.headers["x-chatrix-policy"].contains("logprobs 3->unset"));
}

#[test]
fn every_member_that_is_dropped_is_named() {
    let dropped = json!({"thinking": {"type": "enabled"}, "logit_bias": {"5": 1}, "guardrailConfig": {"x": 1},
        "seed": 0, "frequency_penalty": 0.5, "presence_penalty": 0, "store": false, "made_up": "secret words",
        "prediction": null, "n": 1});
    let (policy, _) = policy_and_body(&asked(dropped));
    for name in
        ["thinking set", "logit_bias set", "guardrailConfig set", "seed 0", "frequency_penalty 0.5", "made_up set"]
    {
        assert!(policy.contains(&format!("{name}->unset")), "{name}: {policy}");
    }
    for name in ["presence_penalty", "store", "prediction", "n ", "secret"] {
        assert!(!policy.contains(name), "{name}: {policy}");
    }
    let many: serde_json::Map<String, Value> =
        (0..5000).map(|n| (format!("member_{n}_{}", "x".repeat(200)), json!(1))).collect();
    let (policy, _) = policy_and_body(&asked(Value::Object(many)));
    assert!(policy.len() < 2000 && policy.contains("further members 4984->unset"), "{}", policy.len());
    let (policy, _) = policy_and_body(&asked(json!({"a\r\nx-evil: 1": 1, "ünïcode": 2})));
    assert!(policy.contains("?n?code 2->unset") && !policy.contains('\n'), "{policy}");
}

#[test]
fn client_10_refused_origin_is_invisible() {
    let server = Server::start(&Bedrock::script([Reply::text("ok")]));
    let preflight = |origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        server.send("OPTIONS", "/v1/chat/completions", &headers, "").status
    };
    assert_eq!((preflight("https://chat.example"), preflight("https://chat.example")), (403, 403));
    for origin in ["vscode-file://vscode-app", "http://app.localhost:5173", "https://app.localhost"] {
        assert_eq!(preflight(origin), 204, "{origin}");
    }
    crate::support::signal(server.pid(), "TERM");
    let (_, console) = server.wait();
    let line = "pages from https://chat.example may not use this server; allow them with: chatrix serve --allow-origin https://chat.example\n";
    assert_eq!(console.matches(line).count(), 1, "{console}");
}

#[test]
fn client_13_models_tell_limits() {
    let server = Server::run(Chatrix::serve().arg("--offline").args(["--max-tokens-limit", "9000"]));
    let model = server.get("/v1/models/claude-haiku-4-5").json();
    assert_eq!((&model["max_output_tokens"], &model["max_completion_tokens"]), (&json!(9000), &json!(9000)));
    assert_eq!(model["context_length"], 200_000);
    assert_eq!(model["architecture"]["input_modalities"], json!(["text", "image", "file"]));
    assert_eq!(model["pricing"], json!({"prompt": "0.0000011", "completion": "0.0000055"}));
    assert_eq!(model["supports_reasoning"], true);
    assert!(model["supported_parameters"].as_array().unwrap().contains(&json!("tools")));
    let deepseek = server.get("/v1/models/deepseek").json();
    assert!(!deepseek["supported_parameters"].as_array().unwrap().contains(&json!("tools")));
}

#[test]
fn client_14_lone_surrogate() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    for (raw, text) in [
        (r#"{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"a\ud83d b"}]}"#, "a\u{fffd} b"),
        ("\u{feff}{\"model\":\"claude-haiku-4-5\",\"messages\":[{\"role\":\"user\",\"content\":\"bom\"}]}", "bom"),
    ] {
        assert_eq!(server.send("POST", "/v1/chat/completions", &[], raw).status, 200);
        assert_eq!(bedrock.calls().last().unwrap().body["messages"][0]["content"][0]["text"], text);
    }
}

#[test]
fn client_15_embedding_models_unlisted() {
    let server = Server::offline();
    let one = server.get("/v1/models/titan-embed").json();
    assert_eq!((&one["id"], &one["type"]), (&json!("titan-embed"), &json!("embedding")));
    let list = server.get("/v1/models").json();
    let types = |kind: &str| list["data"].as_array().unwrap().iter().filter(|model| model["type"] == kind).count();
    assert!(types("embedding") >= 3 && types("model") >= 16);
}

#[test]
fn client_16_responses_hint() {
    let server = Server::offline();
    for (path, hint) in [
        ("/v1/responses/resp_1/cancel", "no responses"),
        ("/v1/conversations", "POST /v1/responses"),
        ("/api/tags", "Ollama's API"),
        ("/v1/nothing", "/v1/chat/completions"),
    ] {
        let answer = server.post(path, &json!({"model": "claude-haiku-4-5", "input": "hi"}));
        assert_eq!(answer.error().2, "unknown_url");
        assert!(answer.body.contains(hint), "{path}: {}", answer.body);
    }
}

#[test]
fn report_20_embeddings_input_type() {
    let vectors = json!({"embeddings": {"float": [[0.5, 0.25]]}}).to_string();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let bedrock = Bedrock::script([Reply::Recorded(200, headers, vectors.into())]);
    let server = Server::start(&bedrock);
    let embed = |more: Value| {
        let mut body = json!({"model": "cohere-embed-english", "input": "what is a budget?"});
        for (name, value) in more.as_object().cloned().unwrap_or_default() {
            body[name] = value;
        }
        server.post("/v1/embeddings", &body)
    };
    assert_eq!(
        embed(json!({"input_type": "search_query", "truncate": "END", "made_up": 1})).headers["x-chatrix-policy"],
        "made_up 1->unset"
    );
    let sent = bedrock.calls()[0].body.clone();
    assert_eq!((&sent["input_type"], &sent["truncate"]), (&json!("search_query"), &json!("END")));
    embed(json!({}));
    assert_eq!(bedrock.calls()[1].body["input_type"], "search_document");
    for (name, value) in [("input_type", json!("image")), ("truncate", json!(5))] {
        let refused = embed(json!({name: value}));
        assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!(name)));
    }
    let titan = json!({"model": "titan-embed", "input": "x", "input_type": "search_query"});
    let answer = Server::offline().post("/v1/embeddings", &titan);
    assert_eq!(answer.headers["x-chatrix-policy"], "input_type set->unset");
}
