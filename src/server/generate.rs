//! The paid routes. A parsed request goes through the engine, and its answer is returned as JSON or as a stream.

use super::body::ReceivedBody;
use super::body_memory::HeldBytes;
use super::encoding::Encoding;
use super::images::RequestImages;
use super::places::Place;
use super::reply::{BEDROCK_REQUEST_ID, json_response, random_digits, set_dollars, set_header, set_rates};
use super::sse::{self, Upstream};
use super::state::State;
use super::stop::{Stop, reached};
use crate::api::aws;
use crate::api::openai::embeddings;
use crate::api::{AnswerForm, AnswerHead, Dialect, ParsedRequest, RequestHeaders};
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{EmbeddingRequest, Embeddings, Request};
use crate::engine::{AnswerMode, Call, Caller, Count, ImageSource};
use crate::error::{Error, Field, Result};
use crate::policy::Edit;
use crate::telemetry::{RequestScope, without_secrets};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;
use warp::Reply;
use warp::reply::Response;

/// How long a streamed answer waits for its call to be accepted before it begins all the same, where its dialect allows
/// that. Agents wait for minutes, but some programs between close a connection that is silent.
const EARLY_START: Duration = Duration::from_secs(10);

/// Asks a model, and responds with its answer.
///
/// # Errors
/// Any kind. A streamed response begins, with status 200, once Bedrock has accepted the call, or once it has waited for
/// [`EARLY_START`]. Until then every error has a status of its own, unless the dialect reports it in the stream.
pub(super) async fn generate(
    state: &State,
    dialect: &dyn Dialect,
    (body, client): ((ReceivedBody, Encoding), RequestHeaders),
    caller: Caller,
    scope: &RequestScope,
) -> Result<Response> {
    let place = state.load.places().take().await?;
    let (parsed, mut memory) = parse(state, body, |body| dialect.parse(body, &client)).await?;
    let ParsedRequest { mut request, stream, form } = parsed;
    request.conversation = request.conversation.or(client.conversation);
    let request_bytes = memory.bytes();
    account_for_native(&request, &mut memory)?;
    let images = state.fetcher.as_ref().map(|fetcher| Arc::new(RequestImages::new(fetcher, &memory)));
    let sources = images.clone().map(|images| images as Arc<dyn ImageSource>);
    let caller = Caller { images: sources, request_bytes, cut_calls: form.cut_calls(), ..caller };
    let mut head = answer_head(state, form.as_ref(), &request, &caller);
    let key = caller.key.as_ref().map(|key| key.name.clone());
    let mode = if stream { AnswerMode::Streamed } else { AnswerMode::Complete };
    scope.set_requested_model(&head.model);
    let mut asking = ask(state, request, mode, caller, Arc::clone(&form));
    let accepted = if stream && form.begins_early() {
        timeout(EARLY_START, &mut asking).await.ok()
    } else {
        Some(asking.as_mut().await)
    };
    let streamed = Streamed { state, form: &form, scope, key: key.clone(), kept: (place, memory, images) };
    let mut call = match accepted {
        Some(Ok(call)) => call,
        Some(Err(error)) if stream && form.reports_in_stream(&error) => {
            let refused = Upstream::Asking(Box::pin(std::future::ready(Err(error))));
            return Ok(streamed.response(refused, head));
        }
        Some(Err(error)) => return Err(error),
        None => return Ok(streamed.response(Upstream::Asking(asking), head)),
    };
    head.expected_input = call.expected_input();
    let mut headers = policy_headers(&call);
    headers.extend(call.budget_use().into_iter().flat_map(|budget| form.budget_headers(&budget)));
    let mut left = call.budget_left();
    let rates = call.rates();
    let mut response = if stream {
        streamed.response(Upstream::Answering(Box::new(call)), head)
    } else {
        let answer = call.answer().await;
        state.console.announce_cut(&call, key.as_deref());
        let answer = answer.map_err(|error| locate(error, form.as_ref()))?;
        let mut response = json_response(&form.complete(&head, &answer, call.cost()));
        set_dollars(&mut response, "x-chatrix-cost-usd", call.cost());
        left = call.budget_left();
        state.console.warn(&call.warnings());
        response
    };
    set_dollars(&mut response, "x-chatrix-budget-remaining-usd", left);
    set_rates(&mut response, rates);
    for (name, value) in headers {
        set_header(response.headers_mut(), name, &value);
    }
    Ok(response)
}

/// A request that is passed on is there twice: in neutral terms, and in the client's own words.
fn account_for_native(request: &Request, memory: &mut HeldBytes) -> Result<()> {
    if request.native.is_some() { memory.add(memory.bytes()) } else { Ok(()) }
}

fn answer_head(state: &State, form: &dyn AnswerForm, request: &Request, caller: &Caller) -> AnswerHead {
    AnswerHead {
        id: form.answer_id(&random_digits()),
        created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        model: state.engine.policy().model_name(&request.model).to_owned(),
        expected_input: expected_input(caller.request_bytes),
    }
}

/// What a streamed response is made of, besides its events.
struct Streamed<'a> {
    state: &'a State,
    form: &'a Arc<dyn AnswerForm>,
    scope: &'a RequestScope,
    /// The name of the API key.
    key: Option<String>,
    kept: sse::Kept,
}

impl Streamed<'_> {
    fn response(self, upstream: Upstream, head: AnswerHead) -> Response {
        let Self { state, form, scope, key, kept } = self;
        let notices = sse::Notices { console: state.console.clone(), key };
        let closing = reached(state.stop.clone(), Stop::CutOff);
        let writer = Arc::clone(form).stream(head);
        let body = sse::body(upstream, writer, scope.clone(), notices, kept, closing);
        stream_response(form.content_type(), body)
    }
}

/// Asks a model, and tells the operator what there is to tell. The future holds all that it needs.
fn ask(state: &State, request: Request, mode: AnswerMode, caller: Caller, form: Arc<dyn AnswerForm>) -> sse::Asking {
    let (engine, console) = (Arc::clone(&state.engine), state.console.clone());
    Box::pin(async move {
        let call = engine.ask(request, mode, caller).await.map_err(|error| locate(error, form.as_ref()))?;
        console.announce(&call);
        Ok(call)
    })
}

/// A guess at the input tokens of a request of this size (bytes), for an answer that begins before more is known.
fn expected_input(bytes: usize) -> u64 {
    const BYTES_PER_TOKEN: usize = 4;
    u64::try_from(bytes / BYTES_PER_TOKEN).unwrap_or(u64::MAX).max(1)
}

/// Unpacks and parses a body. Returns the memory that is accounted for it, which the parsed request now fills.
async fn parse<T>(
    state: &State,
    (body, encoding): (ReceivedBody, Encoding),
    parse: impl FnOnce(JsonBlocks) -> Result<T>,
) -> Result<(T, HeldBytes)> {
    // What a packed body grows to is known only when it is unpacked.
    let size = if encoding == Encoding::Identity { body.len() } else { usize::MAX };
    let work = || {
        let (blocks, memory) = encoding.unpack(body)?.into_parts();
        Ok((parse(blocks.into())?, memory))
    };
    state.engine.heavy_work().run(size, work).await
}

/// The error with its place in the client's own words.
fn locate(mut error: Error, form: &dyn AnswerForm) -> Error {
    error.at = error.at.map(|field| Field::Path(form.path(&field)));
    error
}

/// How a dialect asks for the number of input tokens, and how it is told.
pub(super) struct TokenCount {
    pub(super) parse: fn(JsonBlocks, &RequestHeaders) -> Result<Request>,
    pub(super) answer: fn(u64) -> serde_json::Value,
}

/// Counts the input tokens of a request. It is free of charge, and no budget holds it back.
///
/// # Errors
/// Those of parsing, and refusals by the policy and the API key.
pub(super) async fn count(
    state: &State,
    (body, client): ((ReceivedBody, Encoding), RequestHeaders),
    caller: Caller,
    dialect: &TokenCount,
) -> Result<Response> {
    let (request, memory) = parse(state, body, |body| (dialect.parse)(body, &client)).await?;
    let caller = Caller { request_bytes: memory.bytes(), ..caller };
    let Count { tokens, is_estimate } = state.engine.count(request, &caller).await?;
    let mut response = json_response(&(dialect.answer)(tokens));
    if is_estimate {
        set_header(response.headers_mut(), "x-chatrix-policy", "input_tokens estimated");
    }
    Ok(response)
}

/// Embeds texts, and responds with their vectors.
///
/// # Errors
/// Any kind.
pub(super) async fn embed(
    state: &State,
    body: (ReceivedBody, Encoding),
    caller: Caller,
    scope: &RequestScope,
) -> Result<Response> {
    let place = state.load.places().take().await?;
    let ((request, encoding), memory) = parse(state, body, embeddings::parse).await?;
    let name = request.model.clone();
    let body = |embedded: &Embeddings| embeddings::response_body(&name, embedded, encoding);
    embed_texts(state, request, (place, memory), caller, scope, body).await
}

/// Embeds texts for a caller of Bedrock's own API, whose path names the model.
///
/// # Errors
/// Any kind.
pub(super) async fn invoke_embedding(
    state: &State,
    model: &str,
    body: (ReceivedBody, Encoding),
    caller: Caller,
    scope: &RequestScope,
) -> Result<Response> {
    let place = state.load.places().take().await?;
    let ((request, form), memory) = parse(state, body, |body| aws::embeddings::parse(model, body)).await?;
    let body = |embedded: &Embeddings| aws::embeddings::response_body(form, embedded);
    embed_texts(state, request, (place, memory), caller, scope, body).await
}

async fn embed_texts(
    state: &State,
    request: EmbeddingRequest,
    (_place, memory): (Place, HeldBytes),
    caller: Caller,
    scope: &RequestScope,
    body: impl FnOnce(&Embeddings) -> serde_json::Value,
) -> Result<Response> {
    scope.set_requested_model(&request.model);
    let caller = Caller { request_bytes: memory.bytes(), ..caller };
    let embedded = state.engine.embed(request, &caller).await?;
    state.console.warn(&embedded.warnings);
    let mut response = json_response(&body(&embedded.embeddings));
    set_header(response.headers_mut(), "x-chatrix-model", &without_secrets(&embedded.model));
    if let Some(id) = &embedded.bedrock_request_id {
        set_header(response.headers_mut(), BEDROCK_REQUEST_ID, id);
    }
    if let Some(changes) = policy_header(&embedded.edits) {
        set_header(response.headers_mut(), "x-chatrix-policy", &changes);
    }
    set_dollars(&mut response, "x-chatrix-cost-usd", embedded.cost);
    set_dollars(&mut response, "x-chatrix-budget-remaining-usd", embedded.left);
    set_rates(&mut response, embedded.rates);
    Ok(response)
}

fn stream_response(
    content_type: &str,
    events: impl futures_util::Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + Sync + 'static,
) -> Response {
    let mut response = warp::reply::stream(events).into_response();
    let headers = response.headers_mut();
    set_header(headers, "content-type", content_type);
    set_header(headers, "cache-control", "no-cache");
    set_header(headers, "x-accel-buffering", "no");
    response
}

/// The changes that the policy made, as a header; `None` when there are none.
fn policy_header(edits: &[Edit]) -> Option<String> {
    let changes: Vec<String> = edits.iter().map(Edit::ascii).collect();
    (!changes.is_empty()).then(|| changes.join("; "))
}

/// The headers that tell which model answers, what the policy changed, and whether a successor took over.
fn policy_headers(call: &Call) -> Vec<(&'static str, String)> {
    let mut headers = vec![("x-chatrix-model", without_secrets(&call.model().id))];
    headers.extend(call.bedrock_request_id().map(|id| (BEDROCK_REQUEST_ID, id.to_owned())));
    headers.extend(policy_header(call.edits()).map(|changes| ("x-chatrix-policy", changes)));
    if let Some(text) = call.successor_notice() {
        headers.push(("x-chatrix-successor", without_secrets(&text)));
    }
    headers
}
