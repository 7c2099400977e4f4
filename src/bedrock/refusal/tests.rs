//! Tables of refusals: AWS's codes and wordings, and where they arrive.
use super::*;
use crate::error::Retry;

const MODEL: &str = "anthropic.claude-sonnet-4-6";

fn context() -> AwsContext {
    AwsContext::for_test("eu-west-1")
}

fn refused(code: &str, place: Place, message: &str) -> Error {
    classified(Refusal { code, message, place }, MODEL, &context())
}

fn over_http(status: u16, errortype: Option<&str>, body: &str) -> Error {
    http_refusal(status, |name| errortype.filter(|_| name == "x-amzn-errortype"), body.as_bytes(), MODEL, &context())
}

/// Code, status, message, kind.
const WORDINGS: &[(&str, u16, &str, Kind)] = &[
    ("ValidationException", 400, "The provided model identifier is invalid.", Kind::ModelNotFound),
    ("", 400, "The provided model identifier is invalid.", Kind::ModelNotFound),
    (
        "ValidationException",
        400,
        "Invocation of model ID x with on-demand throughput isn’t supported.",
        Kind::ProfileRequired,
    ),
    ("ValidationException", 400, "The provided model doesn't support on-demand throughput.", Kind::ProfileRequired),
    ("ValidationException", 400, "too many total text bytes: 10000002 > 9000000", Kind::ContextLength),
    ("ValidationException", 400, "Input is too long for requested model.", Kind::ContextLength),
    ("ValidationException", 400, "prompt is too long: 209353 tokens > 199999 maximum", Kind::ContextLength),
    (
        "ValidationException",
        400,
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        Kind::ContextLength,
    ),
    (
        "ValidationException",
        400,
        "The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.",
        Kind::ContextLength,
    ),
    (
        "ValidationException",
        400,
        "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9875",
        Kind::ContextLength,
    ),
    (
        "ValidationException",
        400,
        "Malformed input request: expected maxLength: 50000, actual: 160000, please reformat your input and try again.",
        Kind::ContextLength,
    ),
    (
        "ValidationException",
        400,
        "This model's maximum context length is 8192 tokens. Please reduce the length of the prompt",
        Kind::ContextLength,
    ),
    ("ValidationException", 400, "This model doesn't support tool use.", Kind::InvalidRequest),
    (
        "ValidationException",
        400,
        "Malformed input request: #/tools/0/name: expected maxLength: 64, actual: 80",
        Kind::InvalidRequest,
    ),
    (
        "ValidationException",
        400,
        "The maximum tokens you requested exceeds the model limit of 4096.",
        Kind::InvalidRequest,
    ),
    ("ValidationException", 400, "The document name is too long.", Kind::InvalidRequest),
    ("ValidationException", 400, "Operation not allowed", Kind::AccountNotReady),
    (
        "ValidationException",
        400,
        "The model returned the following errors: tools.0.custom.input_schema: payment_agreement is not supported in this region",
        Kind::InvalidRequest,
    ),
    (
        "AccessDeniedException",
        403,
        "You don't have access to the model with the specified model ID.",
        Kind::AccountNotReady,
    ),
    (
        "AccessDeniedException",
        403,
        "Model access is denied due to INVALID_PAYMENT_INSTRUMENT: A valid payment instrument must be provided.",
        Kind::AccountNotReady,
    ),
    (
        "ResourceNotFoundException",
        404,
        "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form.",
        Kind::AccountNotReady,
    ),
    (
        "AccessDeniedException",
        403,
        "Your account is not authorized to invoke this API operation.",
        Kind::AccountNotReady,
    ),
    ("AccessDeniedException", 403, "Your account does not have an agreement to this model.", Kind::AccountNotReady),
    (
        "SubscriptionRequiredException",
        403,
        "The AWS Access Key Id needs a subscription for the service",
        Kind::AccountNotReady,
    ),
    (
        "AccessDeniedException",
        403,
        "User: arn:aws:sts::123456789012:assumed-role/x is not authorized to perform: bedrock:InvokeModel on resource: y with an explicit deny in a service control policy",
        Kind::AccessDenied,
    ),
    ("ForbiddenException", 403, "no", Kind::AccessDenied),
    ("ValidationException", 400, "The model is not available in this Region.", Kind::NotInRegion),
    ("UnknownOperationException", 404, "", Kind::NotInRegion),
    (
        "UnrecognizedClientException",
        403,
        "The security token included in the request is invalid.",
        Kind::ExpiredCredentials,
    ),
    ("ExpiredTokenException", 403, "The security token included in the request is expired", Kind::ExpiredCredentials),
    ("InvalidSignatureException", 403, "Signature expired: 2025…", Kind::ClockSkew),
    ("ResourceNotFoundException", 404, "This model version has reached the end of its life.", Kind::EndOfLife),
    (
        "ResourceNotFoundException",
        404,
        "Access denied. This Model is marked by provider as Legacy and you have not…",
        Kind::EndOfLife,
    ),
    ("ThrottlingException", 429, "Too many requests, please wait before trying again.", Kind::Throttled),
    ("ThrottlingException", 429, "Too many tokens, please wait before trying again.", Kind::Throttled),
    ("RequestLimitExceeded", 503, "Slow down.", Kind::Throttled),
    ("ThrottlingException", 429, "Too many tokens per day, please wait before trying again.", Kind::QuotaExhausted),
    ("ModelNotReadyException", 429, "The model is not ready.", Kind::ModelNotReady),
    ("ServiceUnavailableException", 503, "Model is getting throttled. Try your request again.", Kind::Unavailable),
    ("", 503, "Service capacity limit has been reached. Please try again later.", Kind::Unavailable),
    ("", 500, "The system encountered an unexpected error during processing.", Kind::UpstreamInternal),
    ("ModelErrorException", 424, "The model failed.", Kind::ModelFailed),
    ("ModelTimeoutException", 408, "The model timed out.", Kind::ModelTimeout),
    ("SerializationException", 400, "", Kind::InvalidRequest),
    ("ConflictException", 400, "x", Kind::InvalidRequest),
    ("SomethingNewException", 409, "x", Kind::InvalidRequest),
    ("com.amazon.coral.service#ThrottlingException", 400, "x", Kind::Throttled),
];

#[test]
fn known_wordings_are_classified() {
    for (code, status, message, expected) in WORDINGS {
        assert_eq!(refused(code, Place::Http(*status), message).kind, *expected, "{code} {status} {message}");
    }
}

/// Where a refusal arrives decides whether it may be billed, not what it is called.
#[test]
fn only_a_failure_after_generation_may_be_billed() {
    let codes = [
        "ValidationException",
        "AccessDeniedException",
        "ResourceNotFoundException",
        "ThrottlingException",
        "ModelNotReadyException",
        "ServiceUnavailableException",
        "ServiceQuotaExceededException",
        "ConflictException",
        "InternalServerException",
        "ModelErrorException",
        "ModelStreamErrorException",
        "ModelTimeoutException",
        "UnknownOperationException",
        "SubscriptionRequiredException",
        "OptInRequired",
        "ForbiddenException",
        "SerializationException",
        "BadRequestException",
        "RequestLimitExceeded",
        "MadeUpException",
        "",
    ];
    for code in codes {
        let paid = code.starts_with("Model") && code != "ModelNotReadyException";
        for status in [302, 400, 402, 403, 404, 407, 408, 409, 413, 422, 429] {
            let error = refused(code, Place::Http(status), "what happened");
            assert_eq!(error.may_be_billed(), paid, "{code} {status} {:?}", error.kind);
        }
        let first = refused(code, Place::FirstFrame, "what happened");
        assert!(!first.may_be_billed(), "{code} {:?}", first.kind);
        let later = refused(code, Place::LaterFrame, "what happened");
        assert_ne!(later.retry(), Retry::Free, "{code} {:?}", later.kind);
    }
    assert!(refused("", Place::Http(424), "x").may_be_billed());
    assert!(refused("InternalServerException", Place::Http(500), "x").may_be_billed());
    assert!(refused("MadeUpException", Place::Http(502), "x").may_be_billed());
    assert!(!refused("MadeUpException", Place::Http(503), "x").may_be_billed());
}

#[test]
fn messages_use_the_words_that_clients_look_for() {
    let throttled =
        refused("ThrottlingException", Place::Http(429), "Too many tokens, please wait before trying again.");
    assert_eq!(throttled.to_string(), "rate limit at Bedrock: Too many tokens, please wait before trying again");
    let later = refused("throttlingException", Place::LaterFrame, "Too many tokens, please wait.");
    assert_eq!(later.kind, Kind::ModelFailed);
    assert!(later.message.contains("rate limit"), "{later}");
    let overflow = refused("ValidationException", Place::Http(400), "Input is too long for requested model.");
    assert_eq!(
        in_words_of_clients(overflow.clone(), Some(200_000), Some(300_000)).message,
        "This model's maximum context length is 200000 tokens, and the prompt is too long (Bedrock: Input is too long for requested model)"
    );
    assert!(in_words_of_clients(overflow, None, None).message.contains("maximum context length"));
    let unworded = refused("SerializationException", Place::Http(400), "");
    assert_eq!(unworded.message, "Bedrock: SerializationException");
}

#[test]
fn the_services_own_sentence_is_kept_for_clients_that_act_on_it() {
    let signature = "messages.1.content.0: Invalid `signature` in `thinking` block";
    let wrapped = format!("The model returned the following errors: {signature}");
    for message in [signature, wrapped.as_str()] {
        let refused = refused("ValidationException", Place::Http(400), message);
        assert_eq!(refused.service_words.as_deref().map(String::as_str), Some(signature));
        assert!(refused.message.starts_with("Bedrock: "));
    }
    assert_eq!(refused("SerializationException", Place::Http(400), "").service_words, None);
    for (words, window, bound, expected) in [
        (
            "prompt is too long: 209353 tokens > 199999 maximum",
            Some(200_000),
            Some(900_000),
            "prompt is too long: 209353 tokens > 199999 maximum",
        ),
        (
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
            Some(200_000),
            Some(900_000),
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        ),
        (
            "Input is too long for requested model.",
            Some(200_000),
            Some(250_000),
            "prompt is too long: 250000 tokens > 200000 maximum (Input is too long for requested model)",
        ),
        // Where one of the numbers is unknown, or they contradict each other, there are none.
        ("Input is too long.", None, Some(250_000), "prompt is too long (Input is too long)"),
        ("Input is too long.", Some(200_000), Some(100_000), "prompt is too long (Input is too long)"),
    ] {
        let overflow = in_words_of_clients(refused("ValidationException", Place::Http(400), words), window, bound);
        assert_eq!(overflow.service_words.as_deref().map(String::as_str), Some(expected));
    }
}

#[test]
fn advice_says_the_next_step() {
    let bare = refused("ValidationException", Place::Http(400), "with on-demand throughput isn’t supported");
    assert_eq!(bare.advice(), "use eu.anthropic.claude-sonnet-4-6 instead");
    let unknown = refused("UnknownOperationException", Place::Http(404), "");
    assert!(unknown.message.contains("UnknownOperationException") && unknown.advice().contains("eu-west-1"));
}

#[test]
fn an_answer_that_is_not_bedrocks_is_named_with_its_status() {
    for (status, kind, may_be_billed) in [
        (302, Kind::ProxyAnswer, false),
        (403, Kind::ProxyAnswer, false),
        (407, Kind::ProxyAnswer, false),
        (413, Kind::TooLarge, false),
        (429, Kind::Throttled, false),
        (500, Kind::ProxyAnswer, true),
        (502, Kind::ProxyAnswer, true),
        (503, Kind::Unavailable, false),
    ] {
        for body in ["<html><h1>no</h1></html>", "", "{\"error\": \"no\"}", "[]"] {
            let error = over_http(status, None, body);
            assert_eq!((error.kind, error.may_be_billed()), (kind, may_be_billed), "{status} {body}");
            assert!(error.message.contains(&format!("HTTP {status} from a proxy")), "{error}");
        }
    }
    // AWS's own answers are told by any of these.
    for (errortype, body) in [
        (Some("ValidationException:http://x"), "<html>"),
        (None, "{\"message\": \"x\"}"),
        (None, "{\"__type\": \"ValidationException\"}"),
    ] {
        assert_eq!(over_http(400, errortype, body).kind, Kind::InvalidRequest, "{body}");
    }
}
