//! Builds responses and sets their headers.

use super::encoding;
use super::retries::ClientRetries;
use crate::api::openai::ChatCompletions;
use crate::api::{Dialect, ErrorReply};
use crate::catalog::NanoDollars;
use crate::error::{Error, Kind, Retry};
use crate::ledger::RateStatus;
use crate::telemetry::without_secrets;
use std::fmt::Write;
use std::time::Duration;
use warp::Reply;
use warp::http::{HeaderMap, HeaderValue, StatusCode};
use warp::reply::Response;

/// The header of Bedrock's id for the call, as Bedrock itself calls it.
pub(super) const BEDROCK_REQUEST_ID: &str = "x-amzn-requestid";

pub(super) fn json_response(value: &serde_json::Value) -> Response {
    let mut response = value.to_string().into_response();
    set_header(response.headers_mut(), "content-type", "application/json");
    response
}

/// Sets a header. A value with characters that a header cannot hold is left out; a model name in the config file may
/// have such characters.
pub(super) fn set_header(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Sets a header to an amount of dollars, if the amount is known.
pub(super) fn set_dollars(response: &mut Response, name: &'static str, amount: Option<NanoDollars>) {
    if let Some(amount) = amount {
        set_header(response.headers_mut(), name, &amount.dollars());
    }
}

/// The error as a client may see it. What AWS says of the operator's account and role is not for clients.
pub(super) fn for_client(error: &Error) -> Error {
    let advice = error.advice.as_deref().map(|text| without_secrets(text).into_boxed_str());
    let service_words = error.service_words.as_deref().map(|text| Box::new(without_secrets(text)));
    Error { message: without_secrets(&error.message), advice, service_words, ..error.clone() }
}

/// The response that reports an error in the words of a dialect, with the headers that tell clients whether to send the
/// request again.
pub(super) fn error_response(
    error: &Error,
    dialect: &dyn Dialect,
    request_id: &str,
    retries: ClientRetries,
) -> Response {
    let ErrorReply { status, headers: own_headers, body } = dialect.error(&for_client(error), request_id);
    let mut response = json_response(&body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in own_headers {
        set_header(headers, name, &value);
    }
    // A limit of the API key is known to let the call through after a time, even when this client stops trying.
    if error.kind == Kind::RateLimited {
        set_retry_after(headers, error.retry_after);
    }
    match (error.retry(), error.retry_after, status) {
        (Retry::Free, _, _) if retries.are_used_up() => set_header(headers, "x-should-retry", "false"),
        (Retry::Free, wait, 429 | 503 | 529) => {
            set_retry_after(headers, wait);
        }
        // OpenAI's SDKs repeat a request after 408, 409, 429 and 5xx, and each repetition may be a paid generation. Some
        // other clients repeat one after 402.
        (Retry::MayBill | Retry::Never, _, 402 | 408 | 409 | 429 | 500..) => {
            set_header(headers, "x-should-retry", "false");
        }
        _ => {}
    }
    if let Some(id) = &error.bedrock_request_id {
        set_header(headers, BEDROCK_REQUEST_ID, id);
    }
    match error.kind {
        Kind::MethodNotSupported => set_header(headers, "allow", error.advice.as_deref().unwrap_or_default()),
        Kind::HeadTooLarge => set_header(headers, "connection", "close"),
        Kind::UnsupportedEncoding => set_header(headers, "accept-encoding", encoding::ACCEPTED),
        _ => {}
    }
    response
}

/// Says after what time a request may be sent again: in whole seconds, at least one, for everybody, and in milliseconds
/// for OpenAI's SDKs, which prefer them.
fn set_retry_after(headers: &mut HeaderMap, wait: Option<Duration>) {
    let milliseconds = wait.map_or(1000, |wait| wait.as_millis().max(1));
    set_header(headers, "retry-after", &milliseconds.div_ceil(1000).to_string());
    if wait.is_some() {
        set_header(headers, "retry-after-ms", &milliseconds.to_string());
    }
}

/// Says what is left of a key's limits on requests and tokens, in OpenAI's headers
/// (<https://platform.openai.com/docs/guides/rate-limits>).
pub(super) fn set_rates(response: &mut Response, rates: Option<RateStatus>) {
    let Some(RateStatus { limits, requests_left, tokens_left }) = rates else { return };
    let headers = response.headers_mut();
    let resets = format!("{}s", RateStatus::RESETS_AFTER.as_secs());
    if let Some(limit) = limits.requests {
        set_header(headers, "x-ratelimit-limit-requests", &limit.to_string());
        set_header(headers, "x-ratelimit-remaining-requests", &requests_left.to_string());
        set_header(headers, "x-ratelimit-reset-requests", &resets);
    }
    if let Some(limit) = limits.tokens {
        set_header(headers, "x-ratelimit-limit-tokens", &limit.to_string());
        set_header(headers, "x-ratelimit-remaining-tokens", &tokens_left.to_string());
        set_header(headers, "x-ratelimit-reset-tokens", &resets);
    }
}

/// The bytes of a response to a client whose request never reached a route. The connection is closed after it.
pub(super) fn plain_response(error: &Error) -> Vec<u8> {
    let (parts, _) = error_response(error, &ChatCompletions, "", ClientRetries::Unknown).into_parts();
    let body = ChatCompletions.error(error, "").body.to_string();
    let mut text = format!("HTTP/1.1 {}\r\n", parts.status);
    for (name, value) in &parts.headers {
        let _ = write!(text, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    let _ = write!(text, "content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    text.into_bytes()
}

/// 24 random hexadecimal digits, for ids.
pub(super) fn random_digits() -> String {
    let mut text = String::with_capacity(24);
    // Writing to a String cannot fail.
    let _ = write!(text, "{:024x}", fastrand::u128(..) >> 32);
    text
}
