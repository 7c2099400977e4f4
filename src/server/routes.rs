//! Where a request goes. Every route is there with and without `/v1`, with doubled and trailing slashes
//! (docs/openai.md §0.1), and everything that goes wrong answers in the words of the route's dialect.

use super::body::read_body;
use super::generate;
use super::origin::OriginPolicy;
use super::reply::{failure, json_response, random_digits, set_header};
use super::state::{State, shutdown_deadline, shutting_down};
use crate::api::Dialect;
use crate::api::openai::{ChatCompletions, TextCompletions, models};
use crate::catalog::Model;
use crate::engine::Caller;
use crate::error::{Error, Kind, Result};
use crate::telemetry::RequestScope;
use bytes::Buf;
use futures_util::Stream;
use percent_encoding::percent_decode_str;
use std::fmt::Display;
use warp::Reply;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::reply::Response;

/// A request, before its body is read.
pub(super) struct Incoming<S> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: S,
}

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

    /// The route as it stands in the log: never the path itself, which a client may fill with anything.
    fn pattern(&self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Health => "/healthz",
            Self::Models => "/v1/models",
            Self::Model(_) => "/v1/models/{id}",
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Embeddings => "/v1/embeddings",
        }
    }

    /// The dialect that an answer and its errors are written in.
    fn dialect(&self) -> &'static dyn Dialect {
        match self {
            Self::Completions => &TextCompletions,
            Self::Root | Self::Health | Self::Models | Self::Model(_) | Self::ChatCompletions | Self::Embeddings => {
                &ChatCompletions
            }
        }
    }
}

/// Answers any request.
pub(super) async fn handle<S, B, E>(state: &State, request: Incoming<S>) -> Response
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Display,
{
    let request_id = format!("req_{}", random_digits());
    let cors = state.origin.cors(&request.headers);
    let route = Route::find(&request.path);
    let dialect = route.as_ref().map_or(&ChatCompletions as &dyn Dialect, Route::dialect);
    let pattern = route.as_ref().map_or("unknown", Route::pattern);
    let scope = state.telemetry.request(&request_id, request.method.as_str(), pattern);
    let response = tokio::select! {
        response = answer(state, route, request, &scope) => response,
        () = shutdown_deadline(state.closing.clone()) => Err(shutting_down()),
    };
    let mut response = response.unwrap_or_else(|error| {
        scope.set_error(error.kind);
        failure(&error, dialect)
    });
    scope.set_status(response.status().as_u16());
    let headers = response.headers_mut();
    set_header(headers, "x-request-id", &request_id);
    for (name, value) in cors {
        headers.insert(name, value);
    }
    response
}

async fn answer<S, B, E>(
    state: &State,
    route: Option<Route>,
    request: Incoming<S>,
    scope: &RequestScope,
) -> Result<Response>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Display,
{
    let Incoming { method, path, headers, body } = request;
    state.origin.check(&headers).inspect_err(|error| state.telemetry.refused(error.kind))?;
    if method == Method::OPTIONS {
        return Ok(preflight(&headers));
    }
    let Some(route) = route else {
        let advice = "there are /v1/models, /v1/chat/completions, /v1/completions, /v1/embeddings and /healthz";
        return Err(Error::new(Kind::UnknownUrl, format!("there is no {method} {path}")).advise(advice));
    };
    // Anyone may ask whether the server is there.
    let caller = match route {
        Route::Root | Route::Health => Caller::default(),
        _ => {
            let caller = state.keys.caller(&headers).await.inspect_err(|error| state.telemetry.refused(error.kind))?;
            Caller { request_id: Some(scope.id().to_owned()), ..caller }
        }
    };
    if let Some(key) = &caller.key {
        scope.set_key(&key.name);
    }
    match (method.as_str(), &route) {
        ("POST", Route::ChatCompletions | Route::Completions) => {
            generate::answer(state, route.dialect(), &read_body(&headers, body).await?, caller, scope).await
        }
        ("POST", Route::Embeddings) => {
            generate::embeddings(state, &read_body(&headers, body).await?, &caller, scope).await
        }
        ("GET" | "HEAD", _) => {
            lookup(state, &route, &caller).unwrap_or_else(|| Err(wrong_method(&route, &method, &path)))
        }
        _ => Err(wrong_method(&route, &method, &path)),
    }
}

/// What can be read without asking a model; `None` for routes that do ask.
fn lookup(state: &State, route: &Route, caller: &Caller) -> Option<Result<Response>> {
    let catalog = &state.engine.policy().catalog;
    match route {
        Route::Root => Some(Ok(json_response(&serde_json::json!({
            "name": "chatrix", "version": env!("CARGO_PKG_VERSION"), "openai_base_url": "/v1",
        })))),
        Route::Health => Some(Ok(json_response(&serde_json::json!({"status": "ok"})))),
        Route::Models => {
            let models = catalog.models().map(AsRef::<Model>::as_ref);
            Some(Ok(json_response(&models::list(models.filter(|model| caller.may_ask(catalog, &model.id))))))
        }
        Route::Model(name) => Some(catalog.resolve(name).and_then(|model| {
            caller.check(catalog, &model.id)?;
            Ok(json_response(&models::entry(&model, name)))
        })),
        Route::ChatCompletions | Route::Completions | Route::Embeddings => None,
    }
}

fn preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    for (name, value) in OriginPolicy::preflight(headers) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn wrong_method(route: &Route, method: &Method, path: &str) -> Error {
    Error::new(Kind::MethodNotSupported, format!("{path} does not take {method}")).advise(route.methods())
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
