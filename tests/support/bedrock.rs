//! A stand-in for Bedrock that answers by a script and records what it was sent. The real AWS SDK connects to it over a
//! socket.

use super::control_plane::ControlPlane;
use super::form::{Block, Form, converse_usage};
use bytes::Bytes;
use chatrix::offline::wire;
use futures_util::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;

/// The scripted answer to one call.
#[derive(Clone)]
pub enum Reply {
    /// An answer, complete or streamed as the call asks: pieces of text, stop reason, usage (input, output).
    Text(Vec<String>, &'static str, (u64, u64)),
    /// The text `ok` with this usage (input, output). The output is limited to the `maxTokens` of the call.
    Measured(u64, u64),
    /// An answer whose pieces come every few milliseconds: pieces of text, usage (input, output).
    Slow(Vec<String>, (u64, u64)),
    /// An HTTP error.
    Error(u16, &'static str, &'static str),
    /// These frames, then a clean end of the body.
    Frames(Vec<Bytes>),
    /// These frames, then the connection breaks.
    Cut(Vec<Bytes>),
    /// These frames, and then nothing more, with the connection open.
    Stall(Vec<Bytes>),
    /// Endless text, a piece every few milliseconds.
    Endless,
    /// This frame again and again, with this time between two.
    Forever(Bytes, Duration),
    /// No answer.
    Silence,
    /// The connection is closed after this time, without an answer.
    HangUp(Duration),
    /// A complete answer of Converse of these blocks.
    Blocks(Value),
    /// An answer of these content blocks, which are given in Anthropic's form, complete or streamed and in the form that
    /// the call asks for: blocks, stop reason, usage (input, output).
    Message(Value, &'static str, (u64, u64)),
    /// A recorded response: status, headers, body.
    Recorded(u16, Vec<(String, String)>, Bytes),
    /// The reply that this function chooses. The call is not kept, so that there may be any number of them.
    Chosen(Arc<dyn Fn(&Call) -> Reply + Send + Sync>),
}

impl Reply {
    pub fn text(text: &str) -> Self {
        Self::Text(text.split_inclusive(' ').map(ToOwned::to_owned).collect(), "end_turn", (10, 5))
    }

    pub fn retired() -> Self {
        Self::Error(404, "ResourceNotFoundException", "This model version has reached the end of its life.")
    }
}

/// A frame of text.
pub fn delta(text: &str) -> Bytes {
    wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": text}}))
}

/// A call as it arrived.
#[derive(Debug, Clone)]
pub struct Call {
    /// The scheme and host before the path, which a proxy needs; empty in requests to Bedrock itself.
    pub host_in_target: String,
    pub model: String,
    pub operation: String,
    pub headers: HashMap<String, String>,
    pub body: Value,
    pub bytes: Bytes,
}

#[derive(Default)]
struct Shared {
    script: Mutex<Vec<Reply>>,
    calls: Mutex<Vec<Call>>,
    abandoned: AtomicUsize,
    /// The answer to `CountTokens`, which is refused while this is 0.
    count: AtomicU64,
    counted: AtomicUsize,
    /// Whether answers wait for [`Bedrock::go_on`].
    held: AtomicBool,
    connections: AtomicUsize,
    open_connections: AtomicUsize,
    control: Mutex<ControlPlane>,
}

/// A running scripted Bedrock. It ends with the test.
#[derive(Clone)]
pub struct Bedrock {
    shared: Arc<Shared>,
    pub url: String,
}

impl Bedrock {
    /// Gives one reply for each call, and the last one for all further calls.
    pub fn script(replies: impl IntoIterator<Item = Reply>) -> Self {
        let shared = Arc::new(Shared { script: Mutex::new(replies.into_iter().collect()), ..Shared::default() });
        let (send, receive) = std::sync::mpsc::channel();
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                send.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
                loop {
                    let (socket, _) = listener.accept().await.unwrap();
                    socket.set_nodelay(true).unwrap();
                    serving.connections.fetch_add(1, Ordering::SeqCst);
                    serving.open_connections.fetch_add(1, Ordering::SeqCst);
                    let (shared, open) = (Arc::clone(&serving), Arc::clone(&serving));
                    tokio::spawn(async move {
                        let service = service_fn(move |request| answer(Arc::clone(&shared), request));
                        let _ = hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(socket), service)
                            .await;
                        open.open_connections.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            });
        });
        Self { shared, url: receive.recv().unwrap() }
    }

    /// Gives this reply for all further calls.
    pub fn answer_with(&self, reply: Reply) {
        *self.shared.script.lock().unwrap() = vec![reply];
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub fn open_connections(&self) -> usize {
        self.shared.open_connections.load(Ordering::SeqCst)
    }

    /// Holds all answers back until [`Bedrock::go_on`].
    pub fn hold(&self) {
        self.shared.held.store(true, Ordering::SeqCst);
    }

    pub fn go_on(&self) {
        self.shared.held.store(false, Ordering::SeqCst);
    }

    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// What is asked besides calls of models.
    pub fn control(&self) -> MutexGuard<'_, ControlPlane> {
        self.shared.control.lock().unwrap()
    }

    /// Answers every `CountTokens` call with this number.
    pub fn count_as(&self, tokens: u64) {
        self.shared.count.store(tokens, Ordering::SeqCst);
    }

    /// The number of `CountTokens` calls.
    pub fn counted(&self) -> usize {
        self.shared.counted.load(Ordering::SeqCst)
    }

    /// The only call that arrived.
    #[track_caller]
    pub fn call(&self) -> Call {
        let calls = self.calls();
        assert_eq!(calls.len(), 1, "one call was expected");
        calls[0].clone()
    }

    /// The number of answers whose client left before their end.
    pub fn abandoned(&self) -> usize {
        self.shared.abandoned.load(Ordering::SeqCst)
    }
}

/// Counts an answer as abandoned when it is dropped before its end.
struct Watch(Arc<Shared>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abandoned.fetch_add(1, Ordering::SeqCst);
    }
}

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let path = request.uri().path().to_owned();
    if !path.starts_with("/model/") {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let target = head.uri.path_and_query().unwrap().as_str();
        return Ok(shared.control.lock().unwrap().answer(&head.method, target, &head.headers, &body));
    }
    let host_in_target = request.uri().to_string().split("/model/").next().unwrap().to_owned();
    let (id, operation) = path.strip_prefix("/model/").unwrap().rsplit_once('/').unwrap();
    let bytes = request.into_body().collect().await.unwrap().to_bytes();
    if operation == "count-tokens" {
        return Ok(count(&shared));
    }
    let call = Call {
        host_in_target,
        model: percent_decode_str(id).decode_utf8().unwrap().into_owned(),
        operation: operation.to_owned(),
        headers,
        body: serde_json::from_slice(&bytes).unwrap(),
        bytes,
    };
    let limit = call.body["inferenceConfig"]["maxTokens"].as_u64().or(call.body["max_tokens"].as_u64());
    let is_native = operation.starts_with("invoke") && call.model.contains("anthropic.");
    let form = if is_native { Form::Anthropic } else { Form::Converse };
    let reply = {
        let mut script = shared.script.lock().unwrap();
        if script.len() > 1 { script.remove(0) } else { script[0].clone() }
    };
    let reply = match reply {
        Reply::Chosen(choose) => choose(&call),
        scripted => {
            shared.calls.lock().unwrap().push(call);
            scripted
        }
    };
    let reply = match reply {
        Reply::Measured(input, output) => {
            Reply::Text(vec!["ok".into()], "end_turn", (input, output.min(limit.unwrap_or(u64::MAX))))
        }
        other => other,
    };
    let watch = Watch(Arc::clone(&shared));
    while shared.held.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if let Reply::HangUp(after) = reply {
        tokio::time::sleep(after).await;
        std::mem::forget(watch);
        return Err(io::Error::other("the script closes the connection"));
    }
    Ok(respond(reply, form, operation.ends_with("-stream"), watch).await)
}

/// A slow answer keeps the watch, and counts as abandoned when it is dropped before its end.
async fn respond(reply: Reply, form: Form, streamed: bool, watch: Watch) -> Response<Body> {
    match reply {
        Reply::Stall(frames) => stream(frames, Some(End::Stall(watch))),
        Reply::Endless => {
            let pieces = futures_util::stream::unfold((0u64, watch), move |(n, watch)| async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let frame = if n == 0 { form.before_text(10) } else { form.text(&format!("line {}\n", n - 1)) };
                Some((Ok(Frame::data(frame)), (n + 1, watch)))
            });
            eventstream(StreamBody::new(pieces).boxed_unsync())
        }
        Reply::Forever(frame, pause) => {
            let pieces = futures_util::stream::unfold((frame, watch), move |(frame, watch)| async move {
                tokio::time::sleep(pause).await;
                Some((Ok(Frame::data(frame.clone())), (frame, watch)))
            });
            eventstream(StreamBody::new(pieces).boxed_unsync())
        }
        Reply::Slow(pieces, tokens) if streamed => slow(form.frames(&[Block::Text(pieces)], "end_turn", tokens), watch),
        Reply::Slow(pieces, tokens) => {
            tokio::time::sleep(Duration::from_millis(800)).await;
            std::mem::forget(watch);
            complete(&form.complete(&[Block::Text(pieces)], "end_turn", tokens))
        }
        Reply::Silence => {
            std::future::pending::<()>().await;
            drop(watch);
            unreachable!()
        }
        reply => {
            std::mem::forget(watch);
            at_once(reply, form, streamed)
        }
    }
}

fn at_once(reply: Reply, form: Form, streamed: bool) -> Response<Body> {
    let message = |blocks: &[Block], stop, tokens| {
        if streamed {
            stream(form.frames(blocks, stop, tokens), None)
        } else {
            complete(&form.complete(blocks, stop, tokens))
        }
    };
    match reply {
        Reply::Text(pieces, stop, tokens) => message(&[Block::Text(pieces)], stop, tokens),
        Reply::Message(blocks, stop, tokens) => message(&Block::read_all(&blocks), stop, tokens),
        Reply::Blocks(blocks) => complete(&json!({
            "output": {"message": {"role": "assistant", "content": blocks}},
            "stopReason": "end_turn", "usage": converse_usage((10, 5)), "metrics": {"latencyMs": 1},
        })),
        Reply::Recorded(status, headers, body) => {
            let response = Response::builder().status(status);
            let response = headers.iter().fold(response, |response, (name, value)| response.header(name, value));
            response.body(Full::new(body).map_err(|never| match never {}).boxed_unsync()).unwrap()
        }
        Reply::Error(status, code, message) => {
            let body = json!({"message": message}).to_string();
            let response = Response::builder().status(status).header("content-type", "application/json");
            let response = response.header("x-amzn-errortype", format!("{code}:http://internal.amazon.com/"));
            response.body(full(body)).unwrap()
        }
        Reply::Frames(frames) => stream(frames, None),
        Reply::Cut(frames) => stream(frames, Some(End::Break)),
        other => unreachable!("{} takes its time, or was made a text", std::any::type_name_of_val(&other)),
    }
}

/// A frame every 20 ms. The answer counts as abandoned when it is dropped before the last one.
fn slow(frames: Vec<Bytes>, watch: Watch) -> Response<Body> {
    let left = (frames.into_iter(), watch);
    let frames = futures_util::stream::unfold(Some(left), |left| async move {
        let (mut frames, watch) = left?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let frame = Frame::data(frames.next()?);
        if frames.len() == 0 {
            std::mem::forget(watch);
            return Some((Ok(frame), None));
        }
        Some((Ok(frame), Some((frames, watch))))
    });
    eventstream(StreamBody::new(frames).boxed_unsync())
}

fn count(shared: &Shared) -> Response<Body> {
    shared.counted.fetch_add(1, Ordering::SeqCst);
    match shared.count.load(Ordering::SeqCst) {
        0 => {
            let body = json!({"message": "The provided model doesn't support counting tokens."}).to_string();
            let response = Response::builder().status(400).header("x-amzn-errortype", "ValidationException");
            response.body(full(body)).unwrap()
        }
        tokens => {
            let body = json!({"inputTokens": tokens}).to_string();
            Response::builder().header("content-type", "application/json").body(full(body)).unwrap()
        }
    }
}

enum End {
    Break,
    Stall(Watch),
}

fn complete(body: &Value) -> Response<Body> {
    Response::builder().header("content-type", "application/json").body(full(body.to_string())).unwrap()
}

pub(super) fn full(body: String) -> Body {
    Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync()
}

fn stream(frames: Vec<Bytes>, end: Option<End>) -> Response<Body> {
    let frames = futures_util::stream::iter(frames.into_iter().map(|frame| Ok(Frame::data(frame))));
    let last = futures_util::stream::once(async move {
        match end {
            None => None,
            Some(End::Break) => {
                // What was written must be sent first.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some(Err(io::Error::other("the script breaks the connection")))
            }
            Some(End::Stall(_watch)) => std::future::pending().await,
        }
    });
    eventstream(StreamBody::new(frames.chain(last.filter_map(std::future::ready))).boxed_unsync())
}

fn eventstream(body: Body) -> Response<Body> {
    Response::builder().header("content-type", "application/vnd.amazon.eventstream").body(body).unwrap()
}
