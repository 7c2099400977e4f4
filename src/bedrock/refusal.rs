//! Classifies each refusal of a call once, as one of the kinds in [`Kind`]. It goes by the error code where there is
//! one, by the HTTP status where the code is missing or unknown, and by the message where AWS uses one code for many
//! failures (docs/bedrock.md §1.5). Whether a call may be billed depends on where it was refused.

mod wait;
mod wording;

use super::aws_context::AwsContext;
use super::identity_error::refused_identity;
use crate::error::{Error, Field, Kind};
use serde_json::Value;
use std::time::Duration;

/// Where a refusal arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// As an HTTP answer with this status.
    Http(u16),
    /// In the first frame of a stream, in place of the first event.
    FirstFrame,
    /// In a frame after the first event.
    LaterFrame,
}

impl Place {
    /// Exceptions in a stream have no status of their own.
    fn status(self) -> u16 {
        match self {
            Self::Http(status) => status,
            Self::FirstFrame | Self::LaterFrame => 500,
        }
    }
}

/// A refusal as Bedrock words it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal<'a> {
    /// `ValidationException`, `validationException` or `ValidationException:http://…`; empty when it is missing.
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) place: Place,
}

/// Classifies an HTTP answer with a status other than 2xx. `header` looks a header up.
pub(super) fn http_refusal<'a>(
    status: u16,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    model: &str,
    context: &AwsContext,
) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let member = |names: &[&str]| names.iter().find_map(|name| value.get(*name)?.as_str());
    let code = header("x-amzn-errortype").or_else(|| member(&["__type", "code"])).unwrap_or_default();
    let message = member(&["message", "Message", "errorMessage"]);
    let is_from_aws = !code.is_empty() || message.is_some() || header("x-amzn-requestid").is_some();
    let refusal = Refusal { code, message: message.unwrap_or_default(), place: Place::Http(status) };
    let error = if is_from_aws { classified(refusal, model, context) } else { proxy_answer(status) };
    with_wait(error, wait::asked_wait(header))
}

/// Classifies a refusal by AWS.
pub(super) fn classified(refusal: Refusal<'_>, model: &str, context: &AwsContext) -> Error {
    let error = by_code(refusal, model, context);
    match refusal.place {
        // These two are the model's own failures, after it has worked on the request. Any other answer with such a
        // status was refused before that.
        Place::Http(300..=499) if !is_failure_of_the_model(refusal) => error.before_generation(),
        Place::Http(_) => error,
        Place::FirstFrame => error.before_generation(),
        Place::LaterFrame => match error.kind {
            // Once the answer has begun, whatever the exception, sending the request again may be billed twice.
            Kind::Throttled | Kind::Unavailable | Kind::ModelNotReady | Kind::QuotaExhausted => {
                let message = format!("the answer was cut short: {}", error.message);
                Error::new(Kind::ModelFailed, message)
            }
            _ => error,
        },
    }
}

/// Notes how long AWS asks to wait before a request that may succeed soon is sent again.
fn with_wait(mut error: Error, asked: Option<Duration>) -> Error {
    if matches!(error.kind, Kind::Throttled | Kind::Unavailable | Kind::ModelNotReady) {
        error.retry_after = asked;
    }
    error
}

fn is_failure_of_the_model(refusal: Refusal<'_>) -> bool {
    let name = exception_name(refusal.code);
    matches!(name.as_str(), "modeltimeout" | "modelerror" | "modelstreamerror")
        || (name.is_empty() && refusal.place == Place::Http(424))
}

/// The same code is `validationException` in a stream and `ValidationException:http://…` in a header. The result is
/// `validation`.
fn exception_name(code: &str) -> String {
    let name = code.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default();
    name.strip_suffix("Exception").unwrap_or(name).to_ascii_lowercase()
}

fn by_code(refusal: Refusal<'_>, model: &str, context: &AwsContext) -> Error {
    let Refusal { code, message, place } = refusal;
    // AWS writes both kinds of apostrophes.
    let text = message.to_lowercase().replace('’', "'");
    let has = |piece: &str| text.contains(piece);
    let worded = |kind: Kind| {
        let error = Error::new(kind, wording::upstream_message(kind, code, message, place.status()));
        error.with_service_words(wording::sentence(message))
    };
    if let Some(error) = by_words(&worded, &text, context) {
        return error;
    }
    let name = exception_name(code);
    if let Some(error) = refused_identity(&name, message, context) {
        return error;
    }
    let kind = match (name.as_str(), place.status()) {
        ("validation", _) | ("", 400) => return invalid_request(worded, &text, model, context),
        ("accessdenied" | "forbidden", _) | ("", 401 | 403)
            if has("token has expired") || has("api key") || has("bearer token") =>
        {
            return worded(Kind::ExpiredCredentials)
                .advise("create a new Bedrock API key for this region and set AWS_BEARER_TOKEN_BEDROCK");
        }
        ("subscriptionrequired" | "optinrequired", _) => {
            return worded(Kind::AccountNotReady).advise("finish the sign-up of this AWS account for Bedrock");
        }
        ("unknownoperation", _) => {
            let message =
                format!("the endpoint in {} does not offer this operation (UnknownOperationException)", context.region);
            return not_in_region(Error::new(Kind::NotInRegion, message), context);
        }
        ("resourcenotfound", _) | ("", 404) => return worded(Kind::ModelNotFound).at(Field::Model),
        (name, _) if is_throttle(name) && has("per day") => Kind::QuotaExhausted,
        ("", 429) if has("per day") => Kind::QuotaExhausted,
        ("servicequotaexceeded", _) => Kind::QuotaExhausted,
        ("modelnotready", _) => Kind::ModelNotReady,
        (name, _) if is_throttle(name) => Kind::Throttled,
        ("modeltimeout", _) | ("", 408) => Kind::ModelTimeout,
        ("modelerror" | "modelstreamerror", _) | ("", 424) => Kind::ModelFailed,
        ("serviceunavailable", _) => Kind::Unavailable,
        ("accessdenied" | "forbidden", _) => Kind::AccessDenied,
        ("serialization" | "conflict" | "badrequest", _) => Kind::InvalidRequest,
        _ => return by_status(worded, place.status(), code),
    };
    worded(kind)
}

/// Classifies a refusal whose words say more than its code. AWS reports the end of a model's life, and an account that is
/// not ready, under several codes (docs/bedrock.md §1.5, trap 12). `text` is the message in lower case.
fn by_words(worded: &dyn Fn(Kind) -> Error, text: &str, context: &AwsContext) -> Option<Error> {
    if text.contains("end of its life") || text.contains("marked by provider as legacy") {
        return Some(worded(Kind::EndOfLife).at(Field::Model));
    }
    // A message that quotes the request may hold any words.
    if wording::quotes_the_request(text) {
        return None;
    }
    if let Some(advice) = wording::account_advice(text) {
        return Some(worded(Kind::AccountNotReady).at(Field::Model).advise(advice));
    }
    wording::is_not_in_region(text).then(|| not_in_region(worded(Kind::NotInRegion), context))
}

/// Classifies a refusal whose code says nothing that is known here.
fn by_status(worded: impl Fn(Kind) -> Error, status: u16, code: &str) -> Error {
    worded(match status {
        401 | 403 => Kind::AccessDenied,
        402 => Kind::AccountNotReady,
        413 => return too_large(&format!("Bedrock answered HTTP 413 ({code})")),
        429 => Kind::Throttled,
        503 => Kind::Unavailable,
        400..=499 => Kind::InvalidRequest,
        300..=399 => return proxy_answer(status),
        _ => Kind::UpstreamInternal,
    })
}

/// AWS's names for "too many requests" (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
fn is_throttle(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "throttling",
        "throttled",
        "requestthrottled",
        "toomanyrequests",
        "requestlimitexceeded",
        "limitexceeded",
        "bandwidthlimitexceeded",
        "provisionedthroughputexceeded",
        "slowdown",
    ];
    NAMES.contains(&name)
}

/// Classifies a request that Bedrock calls invalid. `text` is the message in lower case.
fn invalid_request(worded: impl Fn(Kind) -> Error, text: &str, model: &str, context: &AwsContext) -> Error {
    let region = &context.region;
    if text.contains("model identifier is invalid") {
        return Error::new(Kind::ModelNotFound, format!("Bedrock in {region} has no model {model}")).at(Field::Model);
    }
    if text.contains("on-demand") && text.contains("support") {
        let error = Error::new(Kind::ProfileRequired, format!("{model} is only served through an inference profile"));
        return error.at(Field::Model).advise(profile_advice(model, region));
    }
    if wording::is_overflow(text) {
        return worded(Kind::ContextLength).at(Field::Messages);
    }
    worded(Kind::InvalidRequest)
}

fn profile_advice(model: &str, region: &str) -> String {
    if model.starts_with("arn:") || crate::catalog::foundation_model(model) != Some(model) {
        "use the id or ARN of another inference profile that contains the model".to_owned()
    } else {
        format!("use {}.{model} instead", geography(region))
    }
}

fn not_in_region(error: Error, context: &AwsContext) -> Error {
    error.advise(format!("the region is {}; choose another with --region or AWS_REGION", context.region))
}

/// The error for an HTTP answer that Bedrock did not write.
pub(super) fn proxy_answer(status: u16) -> Error {
    let what = format!("HTTP {status} from a proxy, not from Bedrock");
    let proxy = |message: String| Error::new(Kind::ProxyAnswer, message);
    match status {
        413 => too_large(&what),
        429 => Error::new(Kind::Throttled, format!("rate limit: {what}")),
        503 => Error::new(Kind::Unavailable, what),
        407 => proxy(what)
            .advise("the proxy requires a login: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT")
            .before_generation(),
        300..=499 => proxy(what).before_generation(),
        _ => proxy(what),
    }
}

fn too_large(what: &str) -> Error {
    Error::new(Kind::TooLarge, format!("{what}: the request is too large for what stands between Chatrix and Bedrock"))
        .advise("send fewer or smaller images and documents, or a shorter conversation")
}

/// The error for a prompt that does not fit the model, in words that clients look for: most read only the message
/// (docs/openai.md §3, docs/anthropic.md §6). `context_window` is the model's, and `input_bound` what the prompt has at
/// most, both in tokens.
pub(super) fn in_words_of_clients(error: Error, context_window: Option<u64>, input_bound: Option<u64>) -> Error {
    if error.kind != Kind::ContextLength {
        return error;
    }
    let words = error.service_words.as_deref().map_or("", String::as_str);
    let service_words = Some(Box::new(wording::overflow_sentence(words, context_window, input_bound)));
    let length = context_window.map_or_else(|| "limited".to_owned(), |tokens| format!("{tokens} tokens"));
    let message =
        format!("This model's maximum context length is {length}, and the prompt is too long ({})", error.message);
    Error { message, service_words, ..error }
}

/// The inference-profile prefix of a region (docs/bedrock.md §3.2).
fn geography(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("eu") => "eu",
        Some("ap") if region.starts_with("ap-northeast") => "jp",
        Some("ap") if region == "ap-southeast-2" || region == "ap-southeast-4" => "au",
        Some("ap") => "apac",
        Some("us") if region.starts_with("us-gov") => "us-gov",
        Some("us" | "ca") => "us",
        _ => "global",
    }
}

#[cfg(test)]
mod tests;
