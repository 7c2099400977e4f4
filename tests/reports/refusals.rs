//! Refusals by AWS and by what stands between: status, tries, and what is booked.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, delta};
use chatrix::offline::wire;
use serde_json::{Value, json};

const MODEL: &str = "claude-haiku-4-5";

fn question(stream: bool) -> Value {
    json!({"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": "hi"}]})
}

fn recorded(status: u16, errortype: Option<&str>, content_type: &str, body: &str) -> Reply {
    let mut headers = vec![("content-type".to_owned(), content_type.to_owned())];
    headers.extend(errortype.map(|name| ("x-amzn-errortype".to_owned(), name.to_owned())));
    Reply::Recorded(status, headers, body.to_owned().into())
}

/// A refusal as Bedrock sends it.
fn refusal(status: u16, errortype: &str, message: &str) -> Reply {
    recorded(status, Some(errortype), "application/json", &json!({"message": message}).to_string())
}

fn exception(name: &'static str) -> bytes::Bytes {
    wire::exception(name, "Too many tokens, please wait before trying again.")
}

/// What a request to a server came to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: u16,
    code: String,
    /// How often the request was sent to Bedrock.
    tries: usize,
    /// Whether the call stays booked.
    booked: bool,
}

fn outcome(reply: Reply, stream: bool) -> (Outcome, String) {
    let home = Home::new("");
    let bedrock = Bedrock::script([reply]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let answer = server.chat(&question(stream));
    let code = answer.body.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next());
    let code = code.unwrap_or_default().to_owned();
    let (settled, _, uncertain) = home.at_rest();
    assert_eq!(settled, 0);
    (Outcome { status: answer.status, code, tries: bedrock.calls().len(), booked: uncertain > 0 }, answer.body)
}

#[track_caller]
fn expect(reply: &Reply, status: u16, code: &str, tries: usize, booked: bool) -> String {
    let mut body = String::new();
    for stream in [false, true] {
        let (outcome, answer) = outcome(reply.clone(), stream);
        assert_eq!(outcome, Outcome { status, code: code.into(), tries, booked }, "stream: {stream}, {answer}");
        body = answer;
    }
    body
}

#[test]
fn report_10a_unknown_aws_4xx_booked_as_spent() {
    let body = expect(&refusal(404, "UnknownOperationException", ""), 404, "model_not_in_region", 1, false);
    assert!(body.contains("UnknownOperationException"), "{body}");
}

#[test]
fn report_10b_unknown_aws_4xx_booked_as_spent() {
    let reply =
        refusal(403, "SubscriptionRequiredException", "The AWS Access Key Id needs a subscription for the service");
    expect(&reply, 403, "aws_account_not_ready", 1, false);
}

#[test]
fn report_10c_unknown_aws_4xx_booked_as_spent() {
    let reply = recorded(413, None, "text/html", "<html><h1>413 Request Entity Too Large</h1></html>");
    let body = expect(&reply, 413, "request_too_large", 1, false);
    assert!(body.contains("too large for what stands between"), "{body}");
}

#[test]
fn refusals_over_http_keep_their_meaning() {
    for (reply, status, code, tries, booked) in [
        (refusal(400, "SerializationException", ""), 400, "invalid_value", 1, false),
        (refusal(400, "ConflictException", "x"), 400, "invalid_value", 1, false),
        (refusal(400, "BadRequestException", "x"), 400, "invalid_value", 1, false),
        (refusal(403, "OptInRequired", "x"), 403, "aws_account_not_ready", 1, false),
        (refusal(403, "ForbiddenException", "x"), 403, "model_access_denied", 1, false),
        (refusal(503, "RequestLimitExceeded", "x"), 429, "rate_limit_exceeded", 3, false),
        (refusal(424, "ModelErrorException", "x"), 502, "upstream_error", 1, true),
        (refusal(408, "ModelTimeoutException", "x"), 504, "model_timeout", 1, true),
        (refusal(500, "InternalServerException", "x"), 500, "internal_error", 1, true),
        (recorded(302, None, "text/html", ""), 502, "upstream_proxy_error", 1, false),
        (recorded(407, None, "text/html", "<html>login"), 502, "upstream_proxy_error", 1, false),
        (recorded(502, None, "text/html", "<html>Bad Gateway"), 502, "upstream_proxy_error", 1, true),
        (recorded(200, None, "text/html", "<html>Welcome to the hotel"), 502, "upstream_proxy_error", 1, true),
    ] {
        expect(&reply, status, code, tries, booked);
    }
}

#[test]
fn report_11a_exception_as_first_frame() {
    let reply = Reply::Frames(vec![exception("throttlingException")]);
    let (outcome, body) = outcome(reply.clone(), true);
    assert_eq!(outcome, Outcome { status: 429, code: "rate_limit_exceeded".into(), tries: 3, booked: false });
    assert!(body.contains("rate limit"), "{body}");
    let answer = Server::start(&Bedrock::script([reply])).chat(&question(true));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[test]
fn report_11b_exception_as_first_frame() {
    let (outcome, _) = outcome(Reply::Frames(vec![exception("validationException")]), true);
    assert_eq!(outcome, Outcome { status: 400, code: "invalid_value".into(), tries: 1, booked: false });
}

#[test]
fn an_exception_is_billed_only_after_the_first_event() {
    for (name, status, code, tries) in [
        ("throttlingException", 429, "rate_limit_exceeded", 3),
        ("serviceUnavailableException", 503, "service_unavailable", 3),
        ("modelNotReadyException", 503, "model_not_ready", 3),
        ("validationException", 400, "invalid_value", 1),
        ("accessDeniedException", 403, "model_access_denied", 1),
        ("resourceNotFoundException", 404, "model_not_found", 1),
        // These are answers of a model that failed, but before its first event nothing was generated.
        ("modelStreamErrorException", 502, "upstream_error", 3),
        ("internalServerException", 500, "internal_error", 3),
        ("madeUpException", 500, "internal_error", 3),
    ] {
        let (first, body) = outcome(Reply::Frames(vec![exception(name)]), true);
        assert_eq!(first, Outcome { status, code: code.into(), tries, booked: false }, "{name} {body}");
        let (later, body) = outcome(Reply::Frames(vec![delta("half"), exception(name)]), true);
        assert_eq!((later.status, later.tries), (200, 1), "{name} {body}");
        assert!(body.contains("\"error\"") && !body.contains("finish_reason\":\"stop"), "{name} {body}");
        // A refusal that cannot be billed stays free even there.
        let is_paid = !["validationException", "accessDeniedException", "resourceNotFoundException"].contains(&name);
        assert!(later.booked || !is_paid, "{name}");
    }
}

#[test]
fn report_12_on_demand_second_wording() {
    let reply = refusal(400, "ValidationException", "The provided model doesn't support on-demand throughput.");
    let body = expect(&reply, 404, "model_not_found", 1, false);
    assert!(body.contains("inference profile"), "{body}");
}

#[track_caller]
fn expect_overflow(message: &'static str) {
    expect(&refusal(400, "ValidationException", message), 400, "context_length_exceeded", 1, false);
}

#[test]
fn report_13a_overflow_wordings() {
    expect_overflow(
        "The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.",
    );
}

#[test]
fn report_13b_overflow_wordings() {
    expect_overflow("400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9875");
}

#[test]
fn report_13c_overflow_wordings() {
    expect_overflow(
        "Malformed input request: expected maxLength: 50000, actual: 160000, please reformat your input and try again.",
    );
}

#[test]
fn client_06_overflow_in_known_words() {
    let body = expect(
        &refusal(400, "ValidationException", "Input is too long for requested model."),
        400,
        "context_length_exceeded",
        1,
        false,
    );
    let words = "This model's maximum context length is 200000 tokens, and the prompt is too long \
                 (Bedrock: Input is too long for requested model)";
    assert!(body.contains(words), "{body}");
    let frame = wire::exception("validationException", "Input is too long for requested model.");
    let (_, first) = outcome(Reply::Frames(vec![frame]), true);
    assert_eq!(first.matches("maximum context length").count(), 1, "{first}");
}

#[test]
fn client_03_throttle_is_not_overflow() {
    let message = "Too many tokens, please wait before trying again.";
    let body = expect(&refusal(429, "ThrottlingException", message), 429, "rate_limit_exceeded", 3, false);
    assert!(body.contains("rate limit at Bedrock: Too many tokens, please wait before trying again\""), "{body}");
    let (_, later) = outcome(Reply::Frames(vec![delta("half"), exception("throttlingException")]), true);
    assert!(later.contains("rate limit"), "{later}");
    let daily = refusal(429, "ThrottlingException", "Too many tokens per day, please wait before trying again.");
    let body = expect(&daily, 402, "insufficient_quota", 1, false);
    assert!(body.contains("rate limit"), "{body}");
}

#[test]
fn client_05_budget_refusal_is_repeated() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config("[budget]\nday_usd = 0.0001"));
    let refused = server.chat(&question(false));
    assert_eq!(refused.error(), (402, "insufficient_quota".into(), "insufficient_quota".into()));
    assert_eq!(refused.headers["x-should-retry"], "false");
}

#[test]
fn the_retries_of_a_client_and_of_the_server_do_not_multiply() {
    let throttled = || Reply::Error(429, "ThrottlingException", "Too many requests.");
    for (count, tries, should_retry) in
        [(None, 3, None), (Some("0"), 1, None), (Some("1"), 1, None), (Some("2"), 1, Some("false"))]
    {
        let bedrock = Bedrock::script([throttled()]);
        let server = Server::start(&bedrock);
        let headers: Vec<_> = count.map(|count| ("x-stainless-retry-count", count)).into_iter().collect();
        let answer = server.send("POST", "/v1/chat/completions", &headers, &question(false).to_string());
        assert_eq!((answer.status, bedrock.calls().len()), (429, tries), "{count:?}");
        assert_eq!(answer.headers.get("x-should-retry").map(String::as_str), should_retry, "{count:?}");
        assert_eq!(answer.headers.contains_key("retry-after"), should_retry.is_none(), "{count:?}");
    }
}

/// Every error that Converse is documented to return, and some that it is not: status, exit code of `ask`, whether the
/// call stays booked when it arrives over HTTP. In place of the first event nothing is booked, and after it whatever may
/// have been generated is.
#[test]
fn each_error_has_one_exit_code_wherever_it_arrives() {
    for (name, status, exit, booked_over_http) in [
        ("ValidationException", 400, 2, false),
        ("AccessDeniedException", 403, 4, false),
        ("ResourceNotFoundException", 404, 2, false),
        ("ModelTimeoutException", 408, 5, true),
        ("ModelErrorException", 424, 5, true),
        ("InternalServerException", 500, 5, true),
        ("UnknownOperationException", 404, 2, false),
        ("SubscriptionRequiredException", 403, 4, false),
        ("OptInRequired", 403, 4, false),
        ("ForbiddenException", 403, 4, false),
        ("SerializationException", 400, 2, false),
        ("ConflictException", 409, 2, false),
        ("BadRequestException", 400, 2, false),
        ("RequestEntityTooLargeException", 413, 2, false),
        ("PaymentRequired", 402, 4, false),
        ("MadeUpException", 418, 2, false),
    ] {
        for stream in [false, true] {
            let booked = ask_books(refusal(status, name, "x"), stream, exit);
            assert_eq!(booked, booked_over_http, "{name} over HTTP, stream: {stream}");
        }
        let (first, later) = (vec![wire::exception(name, "x")], vec![delta("half"), wire::exception(name, "x")]);
        // The exception has no status in a stream, so an unknown name means no more than that the call failed.
        let is_known = !["RequestEntityTooLargeException", "PaymentRequired", "MadeUpException"].contains(&name);
        let exit = if is_known { exit } else { 5 };
        assert!(!ask_books(Reply::Frames(first), true, exit), "{name} in place of the first event");
        let booked = ask_books(Reply::Frames(later), true, exit);
        assert!(booked, "{name} after the first event");
    }
}

/// Whether the call of an `ask` that ends with this exit code stays booked.
#[track_caller]
fn ask_books(reply: Reply, stream: bool, exit: i32) -> bool {
    let home = Home::new("");
    let bedrock = Bedrock::script([reply]);
    let ask = Chatrix::ask().home(&home).bedrock(&bedrock).args(["-q", "-m", MODEL, "hi"]);
    let ask = if stream { ask } else { ask.arg("--no-stream") };
    ask.run().code(exit);
    home.at_rest().2 > 0
}
