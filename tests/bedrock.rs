//! What Chatrix sends to Bedrock, and how it handles the answers. The real AWS SDK talks to a scripted service.

use crate::support::{Bedrock, Chatrix, Reply};
use chatrix::offline::wire;
use serde_json::{Value, json};

fn ask(bedrock: &Bedrock) -> Chatrix {
    Chatrix::ask().args(["-q", "hi"]).bedrock(bedrock)
}

#[test]
fn caps_and_sampling_by_model() {
    for (model, id, expected) in [
        (
            "claude-sonnet-4",
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            json!({"maxTokens": 1024, "temperature": 0.3, "topP": 0.3}),
        ),
        ("claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6", json!({"maxTokens": 1024, "temperature": 0.3})),
        ("claude-sonnet", "us.anthropic.claude-sonnet-5-5", json!({"maxTokens": 1024})),
    ] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        ask(&bedrock).args(["-m", model, "--max-tokens", "4096"]).stdout("ok\n").code(0);
        let call = bedrock.call();
        assert_eq!((call.model.as_str(), &call.body["inferenceConfig"]), (id, &expected));
        assert_eq!(call.operation, "converse-stream");
    }
    let bedrock = Bedrock::script([Reply::text("ok")]);
    ask(&bedrock).args(["-m", "deepseek"]).stdout("ok\n").code(0);
    assert_eq!(bedrock.call().body["inferenceConfig"]["maxTokens"], 512);
}

#[test]
fn reasoning_is_switched_off_where_it_would_use_up_the_answer() {
    for (model, fields) in [
        ("claude-haiku", json!({"thinking": {"type": "disabled"}})),
        ("claude-sonnet", json!({"thinking": {"type": "between_tools"}})),
        ("claude-opus", json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}})),
        ("gpt-oss-20b", json!({"reasoning_effort": "low"})),
        ("claude-sonnet-4-6", Value::Null),
        ("deepseek", Value::Null),
    ] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        ask(&bedrock).args(["-m", model]).stdout("ok\n").code(0);
        assert_eq!(bedrock.call().body["additionalModelRequestFields"], fields, "{model}");
    }
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    for _ in 0..3 {
        ask(&bedrock).args(["-m", "claude-opus", "-s", "Be brief."]).stdout("ok\n").code(0);
    }
    let calls = bedrock.calls();
    assert!(calls.iter().all(|call| call.bytes == calls[0].bytes));
    assert_eq!(calls[0].headers["content-length"], calls[0].bytes.len().to_string());
}

#[test]
fn complete_and_streamed_answers_are_the_same() {
    let bedrock = Bedrock::script([Reply::text("one two three")]);
    ask(&bedrock).stdout("one two three\n").code(0);
    ask(&bedrock).arg("--no-stream").stdout("one two three\n").code(0);
    let operations: Vec<_> = bedrock.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(operations, ["converse-stream", "converse"]);
}

#[test]
fn reasoning_is_not_the_answer() {
    let blocks = json!([
        {"text": "42"},
        {"reasoningContent": {"reasoningText": {"text": "six times seven"}}},
        {"citationsContent": {"content": [{"text": " indeed"}], "citations": []}},
    ]);
    let bedrock = Bedrock::script([Reply::Blocks(blocks)]);
    ask(&bedrock).arg("--no-stream").stdout("42 indeed\n").code(0);
    let frames = vec![
        wire::event("messageStart", json!({"role": "assistant"})),
        wire::event(
            "contentBlockDelta",
            json!({"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
        ),
        wire::event(
            "contentBlockDelta",
            json!({"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "c2ln"}}}),
        ),
        wire::event("contentBlockDelta", json!({"contentBlockIndex": 1, "delta": {"text": "42"}})),
        wire::event("aNewKindOfEvent", json!({"x": 1})),
        wire::event("messageStop", json!({"stopReason": "end_turn"})),
        wire::event("metadata", json!({"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}})),
    ];
    ask(&Bedrock::script([Reply::Frames(frames)])).stdout("42\n").code(0).stderr("");
}

#[test]
fn only_a_call_that_cannot_have_generated_anything_is_retried() {
    let busy = Reply::Error(503, "ServiceUnavailableException", "Model is getting throttled. Try your request again.");
    let bedrock = Bedrock::script([busy, Reply::Error(429, "ModelNotReadyException", "Not ready."), Reply::text("ok")]);
    ask(&bedrock).stdout("ok\n").code(0);
    assert_eq!(bedrock.calls().len(), 3);

    for (reply, calls, piece) in [
        (
            Reply::Error(429, "ThrottlingException", "Too many requests."),
            3,
            "error: rate limit at Bedrock: Too many requests; wait",
        ),
        (Reply::Error(500, "InternalServerException", "Oh."), 1, "error: Bedrock: Oh"),
        (Reply::Error(424, "ModelErrorException", "The model failed."), 1, "error: Bedrock: The model failed"),
        (Reply::Error(408, "ModelTimeoutException", "Too slow."), 1, "error: Bedrock: Too slow"),
        (Reply::Error(429, "ThrottlingException", "Too many tokens per day, please wait."), 1, "raise the quota"),
        (Reply::Cut(vec![]), 1, "error: "),
    ] {
        let bedrock = Bedrock::script([reply]);
        ask(&bedrock).stdout("").code(5).stderr_has(piece);
        assert_eq!(bedrock.calls().len(), calls, "{piece}");
    }
}

#[test]
fn a_complete_answer_that_breaks_off_is_not_requested_again() {
    let bedrock = Bedrock::script([Reply::Cut(vec!["{\"output\":".into()])]);
    ask(&bedrock).arg("--no-stream").stdout("").code(5);
    assert_eq!(bedrock.calls().len(), 1);
}

#[test]
fn a_retired_model_is_followed_by_its_successor() {
    let bedrock = Bedrock::script([Reply::retired(), Reply::text("ok")]);
    let ask = || Chatrix::ask().args(["-m", "claude-sonnet-4", "hi"]).bedrock(&bedrock);
    ask().stdout("ok\n").code(0).stderr_has("AWS retired claude-sonnet-4 on 2026-10-14; claude-sonnet-4-6");
    let calls = bedrock.calls();
    assert_eq!(calls[0].model, "us.anthropic.claude-sonnet-4-20250514-v1:0");
    assert_eq!(calls[1].model, "us.anthropic.claude-sonnet-4-6");
    assert_eq!(calls[1].body["inferenceConfig"], json!({"maxTokens": 512, "temperature": 0.3}));

    // "No such model" means the end of a model that the catalog lists as retired, but not that of an active one.
    let unknown = Reply::Error(400, "ValidationException", "The provided model identifier is invalid.");
    let bedrock = Bedrock::script([unknown.clone(), Reply::text("ok")]);
    Chatrix::ask().args(["-m", "claude-sonnet-3", "hi"]).bedrock(&bedrock).stdout("ok\n").code(0);
    assert_eq!(bedrock.calls()[1].model, "us.anthropic.claude-haiku-4-5-20251001-v1:0");
    let bedrock = Bedrock::script([unknown]);
    Chatrix::ask().args(["-m", "nova-micro", "hi"]).bedrock(&bedrock).stdout("").code(2).stderr_has("has no model");
    assert_eq!(bedrock.calls().len(), 1);

    let bedrock = Bedrock::script([Reply::retired()]);
    let strict = Chatrix::ask().args(["-m", "claude-sonnet-4", "hi"]).bedrock(&bedrock);
    let refused = strict.config("follow_successor = false").stdout("").code(5);
    refused.stderr_has("AWS retired claude-sonnet-4").stderr_has("its successor is claude-sonnet-4-6");
    assert_eq!(bedrock.calls().len(), 1);
}

#[test]
fn credentials_come_from_the_usual_places() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let here = || Chatrix::ask().args(["-q", "hi"]).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url);
    let scope = |n: usize| bedrock.calls()[n].headers["authorization"].clone();

    here().credentials().stdout("ok\n").code(0);
    assert!(scope(0).contains("Credential=AKIDEXAMPLE/") && scope(0).contains("/us-west-2/bedrock/aws4_request"));

    let profile = "[profile work]\nregion = eu-west-1\naws_access_key_id = AKIDWORK\naws_secret_access_key = dummy\n";
    here().file(".aws/config", profile).args(["--profile", "work"]).stdout("ok\n").code(0);
    assert!(scope(1).contains("Credential=AKIDWORK/") && scope(1).contains("/eu-west-1/"));

    here()
        .file(".aws/config", profile)
        .env("AWS_PROFILE", "work")
        .env("AWS_REGION", "us-east-1")
        .stdout("ok\n")
        .code(0);
    assert!(scope(2).contains("Credential=AKIDWORK/") && scope(2).contains("/us-east-1/"));

    let process = "[profile tool]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"AKIDTOOL\",\"SecretAccessKey\":\"s\"}'\n";
    here().file(".aws/config", process).args(["--profile", "tool", "--region", "ca-central-1"]).stdout("ok\n").code(0);
    assert!(scope(3).contains("Credential=AKIDTOOL/") && scope(3).contains("/ca-central-1/"));

    here().env("AWS_BEARER_TOKEN_BEDROCK", "made-up-key").stdout("ok\n").code(0);
    assert_eq!(scope(4), "Bearer made-up-key");

    here().stdout("").code(4).stderr_has("no AWS credentials were found").stderr_has("AWS_PROFILE");
    here().args(["--profile", "nobody"]).stdout("").code(4).stderr_has("there is no AWS profile \"nobody\"");
    assert_eq!(bedrock.calls().len(), 5);
}

#[test]
fn e4_an_expired_session_is_reported_with_how_to_renew_it() {
    let sso = "[profile work]\nsso_session = my\nsso_account_id = 123456789012\nsso_role_name = dev\nregion = us-east-1\n\
               [sso-session my]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n\
               sso_registration_scopes = sso:account:access\n";
    let bedrock = Bedrock::script([Reply::text("never")]);
    let ask = Chatrix::ask().args(["--profile", "work", "hi"]).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url);
    ask.file(".aws/config", sso).stdout("").code(4).stderr_has("aws sso login --profile work");
    let expired = Reply::Error(403, "ExpiredTokenException", "The security token included in the request is expired");
    let bedrock = Bedrock::script([expired]);
    self::ask(&bedrock).stdout("").code(4).stderr_has("have expired; renew them (aws sso login, or new keys)");
}

#[test]
fn an_empty_endpoint_counts_as_unset() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let ask = Chatrix::ask().args(["-q", "hi"]).credentials();
    let ask = ask.env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "").env("AWS_ENDPOINT_URL", &bedrock.url);
    ask.env("AWS_BEARER_TOKEN_BEDROCK", "").env("AWS_PROFILE", "").env("AWS_REGION", "").stdout("ok\n").code(0);
}

#[test]
fn an_endpoint_without_a_listener_is_reported_plainly() {
    let outcome =
        Chatrix::ask().args(["-q", "hi"]).credentials().env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9");
    outcome.stdout("").code(5).stderr_has("cannot connect to Bedrock in us-west-2").stderr_lacks("panicked");
}

#[test]
fn thoughts_are_not_part_of_what_is_printed() {
    let content =
        json!([{"type": "thinking", "thinking": "Well.", "signature": "c2ln"}, {"type": "text", "text": "a b c"}]);
    let bedrock = Bedrock::script([Reply::Message(content, "end_turn", (3, 4))]);
    Chatrix::ask().bedrock(&bedrock).args(["-q", "hi"]).stdout("a b c\n").code(0);
}
