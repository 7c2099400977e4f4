//! Where a request goes. Every route is there with and without `/v1`, with doubled and trailing slashes
//! (`openai-clients.md` §0.1), and everything that goes wrong answers in OpenAI's shape.

use super::generate::{self, Chat, Legacy};
use super::{Incoming, OriginPolicy, State, over, read, too_large};
use crate::api::openai::{chat, completions, error::envelope, models};
use crate::catalog::Model;
use crate::engine::Caller;
use crate::error::{Error, Kind, Result, Retry};
use bytes::Buf;
use futures_util::Stream;
use percent_encoding::percent_decode_str;
use std::fmt::{Display, Write as _};
use warp::Reply;
use warp::http::{HeaderValue, Method, StatusCode};
use warp::reply::Response;

/// A route, found by path alone: a wrong method is another error than a wrong path.
#[derive(Debug, PartialEq, Eq)]
enum Route {
    Root,
    Health,
    Models,
    Model(String),
    ChatCompletions,
    Completions,
    Embeddings,
}

impl Route {
    fn find(path: &str) -> Option<Self> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
        segments.next_if_eq(&"v1");
        let route = match segments.next() {
            None => Self::Root,
            Some("healthz") => Self::Health,
            Some("models") => match segments.next() {
                None => return Some(Self::Models),
                // An ARN has slashes of its own, encoded or not.
                Some(first) => {
                    let id = segments.fold(first.to_owned(), |id, segment| id + "/" + segment);
                    return Some(Self::Model(percent_decode_str(&id).decode_utf8_lossy().into_owned()));
                }
            },
            Some("completions") => Self::Completions,
            Some("embeddings") => Self::Embeddings,
            Some("chat") if segments.next() == Some("completions") => Self::ChatCompletions,
            Some(_) => return None,
        };
        segments.next().is_none().then_some(route)
    }

    fn methods(&self) -> &'static str {
        match self {
            Self::ChatCompletions | Self::Completions | Self::Embeddings => "POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

/// Answers anything.
pub async fn answer<S, B, E>(state: &State, request: Incoming<S>) -> Response
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Display,
{
    let id = format!("req_{}", random());
    let cors = state.access.cors(&request.headers);
    let response = tokio::select! {
        response = route(state, request) => response,
        () = over(state.closing.clone()) => Err(shutting_down()),
    };
    let mut response = response.unwrap_or_else(|error| failure(&error));
    let headers = response.headers_mut();
    set(headers, "x-request-id", &id);
    for (name, value) in cors {
        headers.insert(name, value);
    }
    response
}

async fn route<S, B, E>(state: &State, request: Incoming<S>) -> Result<Response>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Display,
{
    let Incoming { method, path, headers, body } = request;
    state.access.check(&headers)?;
    if method == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        for (name, value) in OriginPolicy::preflight(&headers) {
            response.headers_mut().insert(name, value);
        }
        return Ok(response);
    }
    let Some(route) = Route::find(&path) else {
        let advice = "there are /v1/models, /v1/chat/completions, /v1/completions, /v1/embeddings and /healthz";
        return Err(Error::new(Kind::UnknownUrl, format!("there is no {method} {path}")).advise(advice));
    };
    // Whether it is there may be asked by anyone.
    let caller = match route {
        Route::Root | Route::Health => Caller::default(),
        _ => state.keys.caller(&headers).await?,
    };
    let catalog = &state.engine.policy().catalog;
    match (&route, method.as_str()) {
        (Route::Root, "GET" | "HEAD") => Ok(json(&serde_json::json!({
            "name": "chatrix", "version": env!("CARGO_PKG_VERSION"), "openai_base_url": "/v1",
        }))),
        (Route::Health, "GET" | "HEAD") => Ok(json(&serde_json::json!({"status": "ok"}))),
        (Route::Models, "GET" | "HEAD") => {
            let models = catalog.models().map(AsRef::<Model>::as_ref);
            Ok(json(&models::list(models.filter(|model| caller.may_ask(catalog, &model.id)))))
        }
        (Route::Model(name), "GET" | "HEAD") => {
            let model = catalog.resolve(name)?;
            caller.check(catalog, &model.id)?;
            Ok(json(&models::entry(&model, name)))
        }
        (Route::ChatCompletions | Route::Completions | Route::Embeddings, "POST") => {
            let limit = state.body_limit;
            let declared = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
            if declared.is_some_and(|length| length > limit) {
                return Err(too_large(limit));
            }
            let body = read(body, limit).await?;
            match route {
                Route::Embeddings => generate::embeddings(state, &body, &caller).await,
                Route::Completions => generate::ask::<Legacy>(state, completions::parse(&body)?, caller).await,
                _ => {
                    let body = match &state.fetcher {
                        Some(fetcher) => fetcher.inline(body).await?,
                        None => body,
                    };
                    generate::ask::<Chat>(state, chat::parse(&body)?, caller).await
                }
            }
        }
        _ => {
            Err(Error::new(Kind::MethodNotSupported, format!("{path} does not take {method}")).advise(route.methods()))
        }
    }
}

/// What a running answer is told when its time is over.
pub(super) fn shutting_down() -> Error {
    Error::new(Kind::ShuttingDown, "the server was stopped before the answer was complete")
}

fn failure(error: &Error) -> Response {
    let row = error.kind.spec();
    let mut response = json(&envelope(error));
    *response.status_mut() = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    match (row.retry, error.retry_after, row.status) {
        (Retry::Free, wait, 429 | 503) => {
            set(headers, "retry-after", &wait.map_or(1, |wait| wait.as_secs().max(1)).to_string());
        }
        // The SDKs repeat 408, 409, 429 and 5xx by themselves; each repetition may be a paid generation.
        (Retry::MayBill | Retry::Never, _, 408 | 409 | 429 | 500..) => set(headers, "x-should-retry", "false"),
        _ => {}
    }
    if error.kind == Kind::MethodNotSupported {
        set(headers, "allow", error.advice.as_deref().unwrap_or_default());
    }
    response
}

pub(super) fn json(value: &serde_json::Value) -> Response {
    let mut response = value.to_string().into_response();
    set(response.headers_mut(), "content-type", "application/json");
    response
}

/// Sets a header; what cannot stand in one (an operator's alias, say) is left out.
pub(super) fn set(headers: &mut warp::http::HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

pub(super) fn random() -> String {
    let mut text = String::with_capacity(24);
    // Writing to a String cannot fail.
    let _ = write!(text, "{:024x}", fastrand::u128(..) >> 32);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_do_not_matter_but_names_do() {
        for path in ["/models", "/v1/models", "//models", "/v1//models/", "/models/"] {
            assert_eq!(Route::find(path), Some(Route::Models), "{path}");
        }
        for path in ["/chat/completions", "/v1/chat/completions/", "//v1//chat//completions"] {
            assert_eq!(Route::find(path), Some(Route::ChatCompletions), "{path}");
        }
        let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x.y";
        for path in [
            format!("/v1/models/{arn}"),
            "/models/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x.y".into(),
        ] {
            assert_eq!(Route::find(&path), Some(Route::Model(arn.into())));
        }
        assert_eq!(Route::find("/"), Some(Route::Root));
        for path in ["/v2/models", "/chat", "/chat/completions/x", "/v1/v1/models", "/healthz/x"] {
            assert_eq!(Route::find(path), None, "{path}");
        }
    }
}
