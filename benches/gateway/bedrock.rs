//! A scripted Bedrock on one thread. A prompt says what the answer is: `[[tokens=50 pace_us=0]]`.

use bytes::Bytes;
use chatrix::offline::wire;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const WORD: &str = "word ";

/// The frames of streamed answers.
struct Frames {
    start: Bytes,
    delta: Bytes,
    end: Bytes,
}

fn usage(tokens: usize) -> Value {
    json!({"inputTokens": 10, "outputTokens": tokens, "totalTokens": tokens + 10})
}

/// Serves until the process is ended.
pub(super) fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let frames = Arc::new(Frames {
        start: wire::event("messageStart", json!({"role": "assistant"})),
        delta: wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": WORD}})),
        end: wire::event("messageStop", json!({"stopReason": "end_turn"})),
    });
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let frames = Arc::clone(&frames);
            tokio::task::spawn_local(async move {
                let service = service_fn(move |request| answer(Arc::clone(&frames), request));
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
}

/// The number that follows a name in the prompt.
fn number(body: &[u8], name: &str) -> usize {
    let at =
        body.windows(name.len()).rposition(|bytes| bytes == name.as_bytes()).map_or(body.len(), |at| at + name.len());
    body[at..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
}

async fn answer(
    frames: Arc<Frames>,
    request: Request<Incoming>,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, Infallible> {
    let is_stream = request.uri().path().ends_with("converse-stream");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    // What the prompt says is at its end.
    let last = &body[body.len().saturating_sub(600)..];
    let (tokens, pace) = (number(last, "tokens="), number(last, "pace_us="));
    let response = Response::builder().header("x-amzn-requestid", "00000000-0000-0000-0000-000000000000");
    if !is_stream {
        let text = WORD.repeat(tokens);
        let answer = json!({
            "output": {"message": {"role": "assistant", "content": [{"text": text}]}}, "stopReason": "end_turn",
            "usage": usage(tokens), "metrics": {"latencyMs": 1},
        });
        let body = Full::new(Bytes::from(answer.to_string())).boxed_unsync();
        return Ok(response.header("content-type", "application/json").body(body).unwrap());
    }
    let metadata = wire::event("metadata", json!({"usage": usage(tokens), "metrics": {"latencyMs": 1}}));
    let (head, end) = ([frames.start.clone()], frames.end.clone());
    let deltas = stream::iter(0..tokens).then(move |_| {
        let delta = frames.delta.clone();
        async move {
            if pace > 0 {
                tokio::time::sleep(Duration::from_micros(pace as u64)).await;
            }
            delta
        }
    });
    let tail = stream::iter([end, metadata]);
    let all = stream::iter(head).chain(deltas).chain(tail).map(|bytes| Ok(Frame::data(bytes)));
    let body = UnsyncBoxBody::new(StreamBody::new(Box::pin(all)));
    Ok(response.header("content-type", "application/vnd.amazon.eventstream").body(body).unwrap())
}
