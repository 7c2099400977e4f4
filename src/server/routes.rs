//! Passes requests to their routes. Every error is reported in the words of the route's dialect.

use super::arrival::Arrival;
use super::body::read_body;
use super::connection::{HEAD_LIMIT, MAX_FIELDS};
use super::encoding::Encoding;
use super::generate::{self, TokenCount};
use super::monitoring;
use super::origin::OriginPolicy;
use super::panics::caught;
use super::reply::{error_response, json_response, random_digits, set_header};
use super::retries::ClientRetries;
use super::route::{Route, dialect_below};
use super::state::{State, shutdown_error};
use super::stop::{Stop, reached};
use crate::api::RequestHeaders;
use crate::api::anthropic::{budget, count_tokens};
use crate::api::aws::InvokeMessages;
use crate::api::openai::responses::input_tokens;
use crate::api::openai::{ChatCompletions, models};
use crate::catalog::Model;
use crate::engine::{Caller, TraceContext};
use crate::error::{Error, Kind, Result};
use crate::telemetry::{RequestHead, RequestScope};
use bytes::Buf;
use futures_util::Stream;
use std::fmt::Display;
use std::net::IpAddr;
use warp::Reply;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::reply::Response;

/// Counting the tokens of a message.
const MESSAGES: TokenCount = TokenCount { parse: count_tokens::parse, answer: count_tokens::answer };
/// Counting the tokens of a response's input.
const RESPONSES: TokenCount = TokenCount { parse: input_tokens::parse, answer: input_tokens::answer };

/// A request, before its body is read.
pub(super) struct Incoming<S> {
    pub(super) arrival: Arrival,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: S,
}

/// Responds to any request.
pub(super) async fn handle<S, B, E>(state: &State, request: Incoming<S>) -> Response
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Display,
{
    let request_id = format!("req_{}", random_digits());
    let retries = ClientRetries::from_headers(&request.headers);
    let cors = state.origin.cors(&request.headers);
    let path = request.path.clone();
    let route = Route::from_path(&path);
    let dialect = route.as_ref().map_or_else(|| dialect_below(&path), Route::dialect);
    let pattern = route.as_ref().map_or("unknown", Route::pattern);
    let scope = state.telemetry.request(&RequestHead {
        id: &request_id,
        client: Some(request.arrival.peer),
        method: logged_method(&request.method),
        route: pattern,
        operation: route.as_ref().and_then(Route::operation),
    });
    let response = tokio::select! {
        response = caught(dispatch(state, route.as_ref(), request, &scope)) => response,
        () = reached(state.stop.clone(), Stop::CutOff) => Err(shutdown_error()),
    };
    let mut response = response.unwrap_or_else(|error| {
        scope.set_error(error.kind);
        error_response(&error, dialect, &request_id, retries)
    });
    scope.set_status(response.status().as_u16());
    let headers = response.headers_mut();
    set_header(headers, "x-request-id", &request_id);
    if let Some(name) = route.as_ref().and_then(Route::request_id_header) {
        set_header(headers, name, &request_id);
    }
    for (name, value) in cors {
        headers.insert(name, value);
    }
    response
}

/// Checks whether a request is allowed, and passes it to its route.
async fn dispatch<S, B, E>(
    state: &State,
    route: Option<&Route>,
    request: Incoming<S>,
    scope: &RequestScope,
) -> Result<Response>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Display,
{
    let Incoming { arrival, method, path, headers, body } = request;
    check_arrival(state, &arrival, &headers)?;
    if method == Method::OPTIONS {
        return Ok(preflight(&headers));
    }
    let Some(route) = route else {
        return Err(Error::new(Kind::UnknownUrl, format!("there is no {method} {path}")).advise(way_out(&path)));
    };
    let caller = caller(state, route, &arrival, &headers, scope).await?;
    if let Some(key) = &caller.key {
        scope.set_key(&key.name);
    }
    match (method.as_str(), route) {
        ("POST", route) if route.takes_body() => {
            let encoding = Encoding::of(&headers)?;
            let body = (read_body(&headers, body, state.load.bodies(), &state.timeouts).await?, encoding);
            match route {
                Route::CountTokens => {
                    generate::count(state, (body, request_headers(&headers)), caller, &MESSAGES).await
                }
                Route::InputTokens => {
                    generate::count(state, (body, request_headers(&headers)), caller, &RESPONSES).await
                }
                Route::Embeddings => generate::embed(state, body, caller, scope).await,
                Route::Invoke(InvokeMessages { model, stream: false }) if is_embedding(state, model) => {
                    generate::invoke_embedding(state, model, body, caller, scope).await
                }
                route => {
                    let body = (body, request_headers(&headers));
                    Box::pin(generate::generate(state, route.dialect(), body, caller, scope)).await
                }
            }
        }
        ("GET" | "HEAD", Route::Usage) => Ok(usage(state, &caller).await),
        ("GET" | "HEAD", Route::Health) => Ok(monitoring::alive()),
        ("GET" | "HEAD", Route::Ready) => Ok(monitoring::ready(state).await),
        ("GET" | "HEAD", Route::Metrics) => Ok(monitoring::metrics(state).await),
        ("GET" | "HEAD", _) => {
            read_only(state, route, &caller).unwrap_or_else(|| Err(wrong_method(route, &method, &path)))
        }
        _ => Err(wrong_method(route, &method, &path)),
    }
}

/// Who sends a request. Anyone may ask whether the server is running.
async fn caller(
    state: &State,
    route: &Route,
    arrival: &Arrival,
    headers: &HeaderMap,
    scope: &RequestScope,
) -> Result<Caller> {
    match route {
        Route::Root | Route::Health | Route::Ready => Ok(Caller::default()),
        Route::Metrics => {
            monitoring::check_reader(state, arrival, headers).await?;
            Ok(Caller::default())
        }
        _ => {
            let caller = state.keys.caller(headers).await?;
            let attempts = ClientRetries::from_headers(headers).attempts();
            Ok(Caller { request: Some(scope.clone()), trace: trace(headers), attempts, ..caller })
        }
    }
}

/// Responds to a request to the address for metrics, which is `bound`. The host must be right there too; keys are not
/// asked for.
pub(super) async fn handle_watcher<S>(state: &State, bound: IpAddr, request: Incoming<S>) -> Response {
    let Incoming { arrival, method, path, headers, body: _ } = request;
    let origin = OriginPolicy { bound, origins: Vec::new(), hosts: state.origin.hosts.clone() };
    let checked = origin.check(&arrival, &headers);
    let answered = match (checked, method.as_str(), Route::from_path(&path)) {
        (Err(error), ..) => Err(error),
        (Ok(()), "GET" | "HEAD", Some(Route::Metrics)) => Ok(monitoring::metrics(state).await),
        (Ok(()), "GET" | "HEAD", Some(Route::Ready)) => Ok(monitoring::ready(state).await),
        (Ok(()), "GET" | "HEAD", Some(Route::Health)) => Ok(monitoring::alive()),
        (Ok(()), ..) => Err(Error::new(Kind::UnknownUrl, "this address answers /metrics, /readyz and /healthz only")),
    };
    let retries = ClientRetries::from_headers(&headers);
    answered.unwrap_or_else(|error| error_response(&error, &ChatCompletions, "", retries))
}

/// Checks what can be said of a request before its route is looked at.
fn check_arrival(state: &State, arrival: &Arrival, headers: &HeaderMap) -> Result<()> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
    if size > HEAD_LIMIT || headers.len() > MAX_FIELDS {
        let message = format!("the request has more than {} KiB or {MAX_FIELDS} lines of headers", HEAD_LIMIT >> 10);
        return Err(Error::new(Kind::HeadTooLarge, message));
    }
    if arrival.is_tunnel {
        let message = "this server is no proxy: a request needs a path";
        return Err(Error::new(Kind::MethodNotSupported, message).advise("GET, HEAD, POST, OPTIONS"));
    }
    state.origin.check(arrival, headers).inspect_err(|error| match error.kind {
        Kind::OriginRefused => state.console.announce_refused_origin(text(headers, "origin"), &error.to_string()),
        Kind::HostRefused => state.console.announce_refused_host(text(headers, "host"), &error.to_string()),
        _ => {}
    })
}

/// A method as it is logged. A client could fill any other word than those of HTTP.
fn logged_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "CONNECT" => "CONNECT",
        "TRACE" => "TRACE",
        _ => "OTHER",
    }
}

/// The response of a route that asks no model; `None` for the others.
fn read_only(state: &State, route: &Route, caller: &Caller) -> Option<Result<Response>> {
    match route {
        Route::Root => Some(Ok(json_response(&serde_json::json!({
            "name": "chatrix", "version": env!("CARGO_PKG_VERSION"), "openai_base_url": "/v1",
        })))),
        Route::Models => Some(list_models(state, caller)),
        Route::Model(name) => Some(one_model(state, caller, name)),
        _ => None,
    }
}

/// What Claude Code shows its user of the budgets.
async fn usage(state: &State, caller: &Caller) -> Response {
    let (guard, key) = (state.engine.guard(), caller.key.as_deref());
    let budgets = guard.budget_uses(key).await;
    let spent = if budgets.is_empty() { guard.spent(key).await } else { Vec::new() };
    json_response(&budget::usage(&budgets, &spent))
}

/// Whether a model makes embeddings.
fn is_embedding(state: &State, model: &str) -> bool {
    state.engine.policy().catalog.resolve_embedding(model).is_ok()
}

fn list_models(state: &State, caller: &Caller) -> Result<Response> {
    let policy = state.engine.policy();
    let may_ask = |id: &str| caller.may_ask(&policy.catalog, id);
    let rules = caller.rules();
    let longest = |model: &Model| policy.longest_answer(model, rules.as_ref());
    let models = policy.catalog.models().filter(|model| may_ask(&model.id));
    let mut data: Vec<_> = models.map(|model| models::entry(model, model.display_name(), longest(model))).collect();
    let embeddings = policy.catalog.embedding_models()?.iter().filter(|model| may_ask(&model.id));
    data.extend(embeddings.map(|model| models::embedding_entry(model, &model.alias)));
    Ok(json_response(&models::list(&data)))
}

fn one_model(state: &State, caller: &Caller, name: &str) -> Result<Response> {
    let policy = state.engine.policy();
    let catalog = &policy.catalog;
    if let Ok(model) = catalog.resolve_embedding(name) {
        caller.check(catalog, &model.id)?;
        return Ok(json_response(&models::embedding_entry(&model, name)));
    }
    let model = catalog.resolve(name)?;
    caller.check(catalog, &model.id)?;
    Ok(json_response(&models::entry(&model, name, policy.longest_answer(&model, caller.rules().as_ref()))))
}

fn preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    for (name, value) in OriginPolicy::preflight(headers) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// What a client of an API that this server does not have can do instead.
fn way_out(path: &str) -> &'static str {
    if path.split('/').any(|segment| matches!(segment, "responses" | "conversations")) {
        return "no responses and no conversations are stored here; POST /v1/responses with the whole input";
    }
    match path.split('/').rfind(|segment| !segment.is_empty()) {
        Some("generate" | "tags" | "show") => {
            "this server does not speak Ollama's API; choose an OpenAI-compatible provider with the base URL of this \
             server and /v1"
        }
        _ => {
            "the routes are /v1/models, /v1/chat/completions, /v1/responses, /v1/messages, /v1/completions, \
             /v1/embeddings, /model/ID/converse and /model/ID/invoke with their streams, /healthz, /readyz and /metrics"
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// What the headers say about a request to a model.
fn request_headers(headers: &HeaderMap) -> RequestHeaders {
    let betas = headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
    let betas = betas.flat_map(|value| value.split(',')).map(str::trim).filter(|name| !name.is_empty());
    // Claude Code's header, and Codex's.
    let ids = ["x-claude-code-session-id", "session-id"].into_iter().map(|name| text(headers, name));
    let conversation = ids.filter(|id| !id.is_empty()).map(ToOwned::to_owned).next();
    let guardrail = Some(text(headers, "x-amzn-bedrock-guardrailidentifier")).filter(|id| !id.is_empty());
    RequestHeaders {
        betas: betas.map(ToOwned::to_owned).collect(),
        conversation,
        guardrail: guardrail.map(ToOwned::to_owned),
    }
}

/// The trace that a request belongs to.
fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    let states: Vec<&str> = headers.get_all("tracestate").iter().filter_map(|state| state.to_str().ok()).collect();
    TraceContext::from_headers(headers.get("traceparent").and_then(|parent| parent.to_str().ok()), &states)
}

fn wrong_method(route: &Route, method: &Method, path: &str) -> Error {
    Error::new(Kind::MethodNotSupported, format!("{path} does not support {method}")).advise(route.methods())
}
