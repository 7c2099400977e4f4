//! The routes. Every route of OpenAI's and Anthropic's APIs exists with and without `/v1`, and doubled and trailing
//! slashes are ignored (docs/openai.md §0.1).

use crate::api::Dialect;
use crate::api::anthropic::Messages;
use crate::api::aws::{Converse, InvokeMessages};
use crate::api::openai::{ChatCompletions, Responses, TextCompletions};
use percent_encoding::percent_decode_str;

/// A route. It is found by the path alone, because a wrong method is a different error from a wrong path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Root,
    Health,
    Ready,
    Metrics,
    Models,
    Model(String),
    ChatCompletions,
    Completions,
    Responses,
    Embeddings,
    Messages,
    /// How many input tokens a message has.
    CountTokens,
    /// How many input tokens a response has.
    InputTokens,
    /// What Claude Code shows of its budget.
    Usage,
    /// Bedrock's own `Converse` and `ConverseStream`.
    Converse(Converse),
    /// Bedrock's own `InvokeModel` and `InvokeModelWithResponseStream`.
    Invoke(InvokeMessages),
}

impl Route {
    pub(super) fn from_path(path: &str) -> Option<Self> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
        segments.next_if_eq(&"v1");
        let route = match segments.next() {
            None => Self::Root,
            // Claude Code opens its connection with this.
            Some("api") => match (segments.next(), segments.next()) {
                (Some("hello"), None) => Self::Root,
                (Some("oauth"), Some("usage")) => Self::Usage,
                _ => return None,
            },
            Some("healthz") => Self::Health,
            Some("readyz") => Self::Ready,
            Some("metrics") => Self::Metrics,
            Some("models") => match segments.next() {
                None => return Some(Self::Models),
                // An ARN contains slashes, which clients may or may not encode.
                Some(first) => {
                    let id = segments.fold(first.to_owned(), |id, segment| id + "/" + segment);
                    return Some(Self::Model(decoded(&id)));
                }
            },
            Some("model") => return Self::of_bedrock(&segments.collect::<Vec<_>>()),
            Some("completions") => Self::Completions,
            Some("responses") => match segments.next_if_eq(&"input_tokens") {
                Some(_) => Self::InputTokens,
                None => Self::Responses,
            },
            Some("embeddings") => Self::Embeddings,
            Some("messages") => match segments.next_if_eq(&"count_tokens") {
                Some(_) => Self::CountTokens,
                None => Self::Messages,
            },
            Some("chat") if segments.next() == Some("completions") => Self::ChatCompletions,
            Some(_) => return None,
        };
        segments.next().is_none().then_some(route)
    }

    /// A route of Bedrock's own API: the id of a model, and an operation.
    fn of_bedrock(segments: &[&str]) -> Option<Self> {
        let (operation, id) = segments.split_last()?;
        let model = decoded(&id.join("/"));
        if model.is_empty() {
            return None;
        }
        Some(match *operation {
            "converse" => Self::Converse(Converse { model, stream: false }),
            "converse-stream" => Self::Converse(Converse { model, stream: true }),
            "invoke" => Self::Invoke(InvokeMessages { model, stream: false }),
            "invoke-with-response-stream" => Self::Invoke(InvokeMessages { model, stream: true }),
            _ => return None,
        })
    }

    /// Whether the route takes a body.
    pub(super) fn takes_body(&self) -> bool {
        self.operation().is_some() || matches!(self, Self::CountTokens | Self::InputTokens)
    }

    /// The methods that the route supports, as in the header `allow`.
    pub(super) fn methods(&self) -> &'static str {
        if self.takes_body() { "POST, OPTIONS" } else { "GET, HEAD, OPTIONS" }
    }

    /// The route as it is logged. Never the path itself, which a client could fill with anything.
    pub(super) fn pattern(&self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Health => "/healthz",
            Self::Ready => "/readyz",
            Self::Metrics => "/metrics",
            Self::Models => "/v1/models",
            Self::Model(_) => "/v1/models/{id}",
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Responses => "/v1/responses",
            Self::Embeddings => "/v1/embeddings",
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
            Self::InputTokens => "/v1/responses/input_tokens",
            Self::Usage => "/api/oauth/usage",
            Self::Converse(Converse { stream: false, .. }) => "/model/{id}/converse",
            Self::Converse(Converse { stream: true, .. }) => "/model/{id}/converse-stream",
            Self::Invoke(InvokeMessages { stream: false, .. }) => "/model/{id}/invoke",
            Self::Invoke(InvokeMessages { stream: true, .. }) => "/model/{id}/invoke-with-response-stream",
        }
    }

    /// What is asked of a model, in the words of OpenTelemetry's conventions; `None` for a route that asks none.
    pub(super) fn operation(&self) -> Option<&'static str> {
        match self {
            Self::ChatCompletions | Self::Responses | Self::Messages => Some("chat"),
            Self::Converse(_) | Self::Invoke(_) => Some("chat"),
            Self::Completions => Some("text_completion"),
            Self::Embeddings => Some("embeddings"),
            Self::Root | Self::Health | Self::Ready | Self::Metrics | Self::Models | Self::Model(_) => None,
            // Counting is free, and asks no model for an answer.
            Self::CountTokens | Self::InputTokens | Self::Usage => None,
        }
    }

    /// The header in which clients of the route look for the id of their request, besides `x-request-id`.
    pub(super) fn request_id_header(&self) -> Option<&'static str> {
        matches!(self, Self::Messages | Self::CountTokens).then_some("request-id")
    }

    /// The dialect of the route's answers and errors.
    pub(super) fn dialect(&self) -> &dyn Dialect {
        match self {
            Self::Completions => &TextCompletions,
            Self::Responses => &Responses,
            Self::Messages | Self::CountTokens | Self::Usage => &Messages,
            Self::InputTokens => &Responses,
            Self::Converse(converse) => converse,
            Self::Invoke(invoke) => invoke,
            _ => &ChatCompletions,
        }
    }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// The dialect of a path without a route: that of the routes below which it is.
pub(super) fn dialect_below(path: &str) -> &'static dyn Dialect {
    static BEDROCK: Converse = Converse { model: String::new(), stream: false };
    let mut segments = path.split('/').filter(|segment| !segment.is_empty() && *segment != "v1");
    match segments.next() {
        Some("messages") => &Messages,
        // Claude Code asks for more below this than is served. Others below `/api` are Ollama's.
        Some("api") if matches!(segments.next(), Some("hello" | "oauth" | "event_logging")) => &Messages,
        // Clients of Bedrock also ask which models an account has.
        Some("model" | "inference-profiles" | "foundation-models") => &BEDROCK,
        _ => &ChatCompletions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_slashes_are_ignored_and_unknown_names_are_not() {
        for path in ["/models", "/v1/models", "//models", "/v1//models/", "/models/"] {
            assert_eq!(Route::from_path(path), Some(Route::Models), "{path}");
        }
        for path in ["/chat/completions", "/v1/chat/completions/", "//v1//chat//completions"] {
            assert_eq!(Route::from_path(path), Some(Route::ChatCompletions), "{path}");
        }
        for path in ["/responses", "/v1/responses/", "//v1//responses"] {
            assert_eq!(Route::from_path(path), Some(Route::Responses), "{path}");
        }
        let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x.y";
        let encoded = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x.y";
        for id in [arn, encoded] {
            assert_eq!(Route::from_path(&format!("/v1/models/{id}")), Some(Route::Model(arn.into())));
            let converse = Converse { model: arn.into(), stream: true };
            assert_eq!(Route::from_path(&format!("/model/{id}/converse-stream")), Some(Route::Converse(converse)));
        }
        let invoke = InvokeMessages { model: "us.a.b-v1:0".into(), stream: false };
        assert_eq!(Route::from_path("/model/us.a.b-v1%3A0/invoke"), Some(Route::Invoke(invoke)));
        assert_eq!(Route::from_path("/"), Some(Route::Root));
        assert_eq!(Route::from_path("/v1/messages"), Some(Route::Messages));
        assert_eq!(Route::from_path("/api/hello"), Some(Route::Root));
        assert_eq!(Route::from_path("/api/oauth/usage"), Some(Route::Usage));
        assert_eq!(Route::from_path("/v1/messages/count_tokens"), Some(Route::CountTokens));
        assert_eq!(Route::from_path("/v1/responses/input_tokens"), Some(Route::InputTokens));
        for path in [
            "/nope",
            "/chat",
            "/embeddings/x",
            "/model/converse",
            "/model/a/b",
            "/messages/count",
            "/v1/responses/resp_1",
        ] {
            assert_eq!(Route::from_path(path), None, "{path}");
        }
    }
}
