//! Streams, errors and discovery.

use super::{asked, post, refused, tool};
use crate::support::{Bedrock, Chatrix, Reply, Server};
use serde_json::json;

#[test]
fn x3_x4_nothing_follows_the_end_and_an_answer_may_be_empty() {
    let reply = Reply::Text(vec![], "end_turn", (1, 0));
    for stream in [false, true] {
        let (answer, _) = post([reply.clone()], &asked("nova-micro", json!({"stream": stream})));
        assert_eq!((answer.status, answer.body.matches("\"finish_reason\":\"stop\"").count()), (200, 1));
    }
}

#[test]
fn x7_a_model_that_cannot_stream_is_asked_for_a_complete_answer() {
    let bedrock = Bedrock::script([refused("The model is unsupported for streaming."), Reply::text("whole answer")]);
    let answer = Server::start(&bedrock).chat(&asked("nova-micro", json!({"stream": true})));
    assert!(answer.body.contains("whole answer") && answer.body.ends_with("data: [DONE]\n\n"));
    let operations: Vec<_> = bedrock.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(operations, ["converse-stream", "converse"]);
    // Llama is known not to stream tool calls, so the first call already asks for a complete answer.
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
fn e3_for_a_bare_id_the_error_names_its_profile() {
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
fn e8_a_missing_opt_in_is_named() {
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
fn e10_proxies_are_honoured_and_invoke_is_not_needed() {
    // The scripted Bedrock takes the place of the proxy: the requests it gets are meant for a host that does not exist.
    let proxy = Bedrock::script([Reply::text("ok")]);
    let ask = || {
        let ask = Chatrix::ask().args(["-q", "hi"]).credentials().env("HTTP_PROXY", &proxy.url);
        ask.env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://bedrock.invalid")
    };
    ask().stdout("ok\n").code(0);
    ask().arg("--no-stream").stdout("ok\n").code(0);
    assert!(proxy.calls().iter().all(|call| call.host_in_target == "http://bedrock.invalid"));
    let operations: Vec<_> = proxy.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(operations, ["converse-stream", "converse"]);
}

#[test]
fn x5_a_malformed_end_is_an_error_when_the_answer_is_empty() {
    for (text, status, piece) in [("", 502, "no valid answer (malformed_tool_use)"), ("half", 200, "half")] {
        let reply = Reply::Text(vec![text.to_owned()], "malformed_tool_use", (1, 1));
        let (complete, _) = post([reply.clone()], &asked("claude-haiku", json!({})));
        assert_eq!(complete.status, status);
        let (streamed, _) = post([reply], &asked("claude-haiku", json!({"stream": true})));
        assert!(complete.body.contains(piece) && streamed.body.contains(piece), "{}", streamed.body);
        assert_eq!(streamed.body.contains("\"finish_reason\":\"stop\""), status == 200);
    }
    let reply = Reply::Text(vec!["long".into()], "model_context_window_exceeded", (1, 1));
    let (full, _) = post([reply], &asked("claude-haiku", json!({})));
    assert_eq!(full.json()["choices"][0]["finish_reason"], "length");
}
