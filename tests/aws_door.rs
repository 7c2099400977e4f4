//! Bedrock's own API through Chatrix, as AWS's SDKs use it. The recordings are sent as they were recorded: the request must
//! arrive with no other changes than the policy's, and the answer must come back as Bedrock gave it.

use crate::replay::{Recording, recordings};
use crate::support::{Bedrock, Chatrix, Reply, Server};
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, Bytes};
use serde_json::{Value, json};

/// The frames of an event stream: the name of the event or exception, and the payload.
fn frames(body: &[u8]) -> Vec<(String, Value)> {
    let mut bytes = Bytes::copy_from_slice(body);
    let mut decoder = MessageFrameDecoder::new();
    let mut frames = Vec::new();
    while bytes.has_remaining() {
        let DecodedFrame::Complete(message) = decoder.decode_frame(&mut bytes).unwrap() else { break };
        let header = |name: &str| {
            let mut headers = message.headers().iter().filter(|header| header.name().as_str() == name);
            headers.next().map(|header| header.value().as_string().unwrap().as_str().to_owned())
        };
        let name = header(":event-type").or_else(|| header(":exception-type")).unwrap();
        frames.push((name, serde_json::from_slice(message.payload()).unwrap()));
    }
    frames
}

/// The events of Anthropic's Messages in the chunks of a stream.
fn chunks(body: &[u8]) -> Vec<Value> {
    let events = frames(body).into_iter().filter(|(name, _)| name == "chunk");
    let decode = |(_, chunk): (String, Value)| STANDARD.decode(chunk["bytes"].as_str().unwrap()).unwrap();
    events.map(|event| serde_json::from_slice(&decode(event)).unwrap()).collect()
}

/// A server that lowers no recorded limit.
fn start(bedrock: &Bedrock) -> Server {
    Server::run(Chatrix::serve().arg("--max-tokens-limit").arg("1000000").bedrock(bedrock))
}

/// Sends what was recorded to a server. Gives the answer, and the body that arrived at Bedrock if it was sent.
fn send(
    (server, bedrock): (&Server, &Bedrock),
    recording: &Recording,
    operation: &str,
) -> (u16, Vec<u8>, Option<Value>) {
    bedrock.answer_with(recording.reply());
    let before = bedrock.calls().len();
    let path = format!("/model/{}/{operation}", recording.model().replace(':', "%3A").replace('/', "%2F"));
    let (status, body) = server.send_for_bytes("POST", &path, &[], &recording.json["request"]["body"].to_string());
    (status, body, bedrock.calls().get(before).map(|call| call.body.clone()))
}

/// What a request may hold that cannot be bounded.
fn is_refused(body: &Value) -> bool {
    let text = body.to_string();
    ["\"guardrailConfig\"", "\"systemTool\"", "\"s3Location\"", "\"video\"", "\"promptVariables\"", "\"audio\""]
        .iter()
        .any(|part| text.contains(part))
}

#[test]
fn converse_recordings_pass_through() {
    let Some(recordings) = recordings("converse") else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = start(&bedrock);
    let mut passed = 0;
    for recording in recordings {
        let sent = &recording.json["request"]["body"];
        let (status, body, arrived) = send((&server, &bedrock), &recording, "converse");
        if is_refused(sent) {
            assert_eq!((status, arrived), (400, None), "{}", recording.name);
            continue;
        }
        let answer: Value = serde_json::from_slice(&body).unwrap();
        let recorded: Value = serde_json::from_slice(&recording.body).unwrap();
        assert_eq!((status, &answer), (200, &recorded), "{}", recording.name);
        let arrived = arrived.unwrap();
        for member in ["messages", "system", "outputConfig", "additionalModelResponseFieldPaths"] {
            assert_eq!(arrived[member], sent[member], "{} {member}", recording.name);
        }
        assert_eq!(arrived["toolConfig"]["tools"], sent["toolConfig"]["tools"], "{}", recording.name);
        assert!(arrived["inferenceConfig"]["maxTokens"].as_u64().is_some(), "{}", recording.name);
        passed += 1;
    }
    assert!(passed > 150, "only {passed} recordings passed through");
    println!("replayed {passed} Converse recordings through Bedrock's own API");
}

#[test]
fn streams_pass_through_frame_by_frame() {
    let Some(recordings) = recordings("converse-stream") else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = start(&bedrock);
    let mut passed = 0;
    for recording in recordings.iter().filter(|recording| !is_refused(&recording.json["request"]["body"])) {
        let recorded = frames(&recording.body);
        let is_exception = recorded.first().is_some_and(|(name, _)| name.ends_with("Exception"));
        let (status, body, _) = send((&server, &bedrock), recording, "converse-stream");
        if is_exception {
            assert!(status >= 400, "{}", recording.name);
            continue;
        }
        assert_eq!((status, frames(&body)), (200, recorded), "{}", recording.name);
        passed += 1;
    }
    assert!(passed > 40, "only {passed} recordings passed through");
}

#[test]
fn claudes_own_streams_pass_through_event_by_event() {
    let Some(recordings) = recordings("invoke-stream") else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = start(&bedrock);
    let mut passed = 0;
    for recording in
        recordings.iter().filter(|recording| recording.json["request"]["body"]["anthropic_version"].is_string())
    {
        let recorded = chunks(&recording.body);
        if recorded.first().is_none_or(|event| event["type"] != "message_start") {
            continue;
        }
        let (status, body, arrived) = send((&server, &bedrock), recording, "invoke-with-response-stream");
        let mut events = chunks(&body);
        assert_eq!(status, 200, "{} {}", recording.name, String::from_utf8_lossy(&body));
        // The answer names the model as it was asked for, and says at its end what it cost and all that it used.
        events[0]["message"]["model"] = recorded[0]["message"]["model"].clone();
        for (event, recorded) in events.iter_mut().zip(&recorded) {
            if let Some(usage) = event.get_mut("usage").and_then(Value::as_object_mut) {
                usage.retain(|name, _| recorded["usage"].get(name).is_some());
            }
        }
        assert_eq!(events, recorded, "{}", recording.name);
        let arrived = arrived.unwrap();
        assert_eq!(arrived["messages"], recording.json["request"]["body"]["messages"], "{}", recording.name);
        passed += 1;
    }
    assert!(passed >= 10, "only {passed} recordings passed through");
}

#[test]
fn the_policy_changes_what_is_sent_and_the_ledger_books_it() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let body = json!({
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "inferenceConfig": {"maxTokens": 9000, "temperature": 1.0, "topP": 0.9},
        "additionalModelRequestFields": {"max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 8000}},
        "performanceConfig": {"latency": "optimized"},
    });
    let answer = server.post("/model/us.anthropic.claude-sonnet-4-6/converse", &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let sent = bedrock.call().body;
    assert_eq!(sent["inferenceConfig"], json!({"maxTokens": 1024, "temperature": 0.3}));
    assert_eq!(sent["additionalModelRequestFields"]["max_tokens"], Value::Null);
    assert_eq!(sent["performanceConfig"], Value::Null);
    let policy = &answer.headers["x-chatrix-policy"];
    assert!(policy.contains("max_tokens 9000->1024") && policy.contains("performanceConfig"), "{policy}");
    assert!(answer.headers.contains_key("x-chatrix-cost-usd"));
}

#[test]
fn errors_have_bedrocks_own_shape() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().config("[budget]\nrequest_usd = 0.000001\n").bedrock(&bedrock));
    let body = json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}]});
    for (path, body, status, name) in [
        ("/model/us.anthropic.claude-sonnet-4-6/converse", &body, 400, "ServiceQuotaExceededException"),
        ("/model/us.anthropic.claude-sonnet-4-6/converse-stream", &body, 400, "ServiceQuotaExceededException"),
        ("/model/no-such-model/converse", &body, 404, "ResourceNotFoundException"),
        ("/model/nova-micro/converse", &json!({"messages": 5}), 400, "ValidationException"),
        ("/model/nova-micro/guess", &body, 404, "UnknownOperationException"),
    ] {
        let answer = server.post(path, body);
        assert_eq!((answer.status, answer.headers["x-amzn-errortype"].as_str()), (status, name), "{}", answer.body);
        assert!(answer.json()["message"].is_string());
    }
    assert_eq!(bedrock.calls().len(), 0);
}

#[test]
fn embeddings_of_titan_and_cohere_pass_through() {
    let server = Server::offline();
    let answer = server.post("/model/amazon.titan-embed-text-v2:0/invoke", &json!({"inputText": "hi"}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.json()["embedding"][0].is_number() && answer.json()["inputTextTokenCount"].is_number());
    let texts = json!({"texts": ["a", "b"], "input_type": "search_query"});
    let answer = server.post("/model/cohere.embed-multilingual-v3/invoke", &texts);
    assert_eq!(answer.json()["embeddings"].as_array().map(Vec::len), Some(2), "{}", answer.body);
}

#[test]
fn the_id_of_an_access_key_may_be_a_key_of_this_server() {
    let server = Server::run(Chatrix::serve().arg("--offline").arg("--require-key"));
    let signed =
        |id: &str| format!("AWS4-HMAC-SHA256 Credential={id}/20261126/us-west-2/bedrock/aws4_request, Signature=0");
    let body = json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}).to_string();
    for id in ["AKIAIOSFODNN7EXAMPLE", "sk-chatrix-unknown"] {
        let answer = server.send("POST", "/model/nova-micro/converse", &[("authorization", &signed(id))], &body);
        assert_eq!((answer.status, answer.headers["x-amzn-errortype"].as_str()), (403, "UnrecognizedClientException"));
    }
}

#[test]
fn an_operation_that_is_not_offered_is_refused_in_the_words_of_bedrock() {
    let server = Server::offline();
    for (method, path) in [
        ("GET", "/inference-profiles?type=SYSTEM_DEFINED"),
        ("GET", "/inference-profiles/us.anthropic.claude-sonnet-4-6"),
        ("GET", "/foundation-models"),
        ("POST", "/model/us.anthropic.claude-sonnet-4-6/count-tokens"),
    ] {
        let answer = server.send(method, path, &[], "");
        assert_eq!((answer.status, answer.headers["x-amzn-errortype"].as_str()), (404, "UnknownOperationException"));
        assert!(answer.json()["message"].is_string(), "{path}: {answer:?}");
    }
    assert!(!server.get("/nothing").headers.contains_key("x-amzn-errortype"));
}
