//! Requests and answers in the words of the API that the service itself speaks. Where the client speaks the same API, they
//! pass through, so that nothing is lost on the way. What limits and meters a call is read from the neutral types
//! beside them.

use bytes::Bytes;
use serde_json::{Map, Value};

/// An API that both clients and the service speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NativeApi {
    /// Anthropic's Messages, the body of `InvokeModel` for Claude.
    Messages,
    /// Bedrock's Converse.
    Converse,
}

/// A client's request in its own words.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeRequest {
    pub api: NativeApi,
    /// The members of the body.
    pub body: Map<String, Value>,
    /// The beta features that the client names, in its own order.
    pub betas: Vec<String>,
}

impl NativeRequest {
    /// Whether the request asks for a context of a million tokens.
    #[must_use]
    pub fn asks_for_long_context(&self) -> bool {
        self.all_betas().any(|beta| beta.starts_with("context-1m-"))
    }

    /// Whether the request names beta features.
    #[must_use]
    pub fn names_betas(&self) -> bool {
        self.all_betas().next().is_some()
    }

    fn all_betas(&self) -> impl Iterator<Item = &str> {
        let in_fields = self.body.get("additionalModelRequestFields").map(|fields| &fields["anthropic_beta"]);
        let in_fields = in_fields.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        self.betas.iter().map(String::as_str).chain(in_fields)
    }
}

/// A piece of an answer in the service's own words: an event of a stream, or a complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeEvent {
    /// The service's name of the event. Empty for a complete answer.
    pub kind: String,
    /// The JSON of the event or the answer.
    pub json: Bytes,
}
