//! The operations of Bedrock Runtime that are called: their paths, and the headers of their requests
//! (docs/bedrock.md §1).

use super::destination::Destination;
use crate::bedrock::sending::{REQUEST_ID_TAG, Sending};
use hyper::HeaderMap;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bedrock) enum Operation {
    Converse,
    ConverseStream,
    Invoke,
    InvokeStream,
    CountTokens,
}

/// What stays as it is in a part of a path.
pub(in crate::bedrock) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Operation {
    /// The path for a model, as it is sent.
    pub(super) fn path(self, destination: &Destination, model: &str) -> String {
        let name = match self {
            Self::Converse => "converse",
            Self::ConverseStream => "converse-stream",
            Self::Invoke => "invoke",
            Self::InvokeStream => "invoke-with-response-stream",
            Self::CountTokens => "count-tokens",
        };
        format!("{}/model/{}/{name}", destination.base_path, utf8_percent_encode(model, SEGMENT))
    }

    /// The headers that do not depend on who sends the request, or where it goes.
    pub(super) fn headers(self, sending: &Sending) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(12);
        headers.insert(CONTENT_TYPE, JSON);
        match self {
            Self::Invoke => drop(headers.insert(ACCEPT, JSON)),
            // Here `accept` is the form of the stream, and this that of what its events hold.
            Self::InvokeStream => drop(headers.insert("x-amzn-bedrock-accept", JSON)),
            _ => {}
        }
        if matches!(self, Self::Invoke | Self::InvokeStream) {
            // `Converse` has a member of its body for this.
            if let Some(request) = &sending.request
                && let Ok(tags) = HeaderValue::try_from(json!({REQUEST_ID_TAG: request.id()}).to_string())
            {
                headers.insert("x-amzn-bedrock-request-metadata", tags);
            }
        }
        headers
    }
}
