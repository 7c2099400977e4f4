//! The retries of clients. OpenAI's SDKs send a failed request again by themselves, up to twice unless the program says
//! otherwise, and count the repetitions in a header (<https://github.com/openai/openai-python#retries>). Their tries and
//! those towards Bedrock must not multiply: a request that is sent by such a client is tried three times in all.

use crate::engine::MAX_ATTEMPTS;
use warp::http::HeaderMap;

/// How often a client has sent a request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientRetries {
    /// The client does not say. It may not retry at all.
    Unknown,
    /// The client retries by itself, and has sent the request this many times before.
    Counted(u32),
}

impl ClientRetries {
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        match headers.get("x-stainless-retry-count").map(|count| count.to_str().unwrap_or_default().trim().parse()) {
            None => Self::Unknown,
            Some(count) => Self::Counted(count.unwrap_or(0)),
        }
    }

    /// The most times that Chatrix sends the request to Bedrock.
    pub(super) fn attempts(self) -> u32 {
        match self {
            Self::Unknown => MAX_ATTEMPTS,
            Self::Counted(_) => 1,
        }
    }

    /// Whether the client has used up all tries, so that it must be told not to send the request again.
    pub(super) fn are_used_up(self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Counted(count) => count + 1 >= MAX_ATTEMPTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    #[test]
    fn a_request_is_tried_three_times_in_all() {
        for (value, attempts, used_up) in [
            (None, 3, false),
            (Some("0"), 1, false),
            (Some("1"), 1, false),
            (Some("2"), 1, true),
            (Some("x"), 1, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(value.map(|value| {
                (warp::http::HeaderName::from_static("x-stainless-retry-count"), HeaderValue::from_static(value))
            }));
            let retries = ClientRetries::from_headers(&headers);
            assert_eq!((retries.attempts(), retries.are_used_up()), (attempts, used_up), "{value:?}");
        }
    }
}
