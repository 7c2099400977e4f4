//! The offline Bedrock: a Bedrock Runtime on a loopback port of this process, for use without an AWS account. The
//! transport connects to it as to the real service. It validates requests as Bedrock does (`rules`), so that faults of
//! Chatrix show up without AWS, and it answers with a small deterministic model (`model`).

mod answer;
mod embedding;
mod model;
mod rules;
mod tools;
pub mod wire;

use answer::{Answer, Block};
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Starts the server on a free loopback port and returns its URL. The server runs as long as the process. `pace` is the
/// time between two tokens of a streamed answer.
///
/// # Errors
/// When no loopback port can be bound.
pub async fn start(pace: Duration) -> std::io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        loop {
            let Ok((socket, _)) = listener.accept().await else {
                continue;
            };
            // Without this, each of the small frames would wait for the acknowledgement of the one before.
            let _ = socket.set_nodelay(true);
            tokio::spawn(async move {
                let service = service_fn(move |request| respond(request, pace));
                // A client may close the connection at any time.
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    Ok(url)
}

async fn respond(request: Request<Incoming>, pace: Duration) -> Result<Response<Body>, Infallible> {
    let is_post = request.method() == Method::POST;
    let path = request.uri().path().to_owned();
    let Ok(body) = request.into_body().collect().await.map(http_body_util::Collected::to_bytes) else {
        return Ok(error_response(400, "ValidationException", "The request body could not be read."));
    };
    let operation = if is_post { path.strip_prefix("/model/").and_then(|rest| rest.rsplit_once('/')) } else { None };
    let Some((id, operation)) = operation else {
        return Ok(error_response(404, "UnknownOperationException", "The offline Bedrock has no such operation."));
    };
    let id = percent_decode_str(id).decode_utf8_lossy();
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return Ok(error_response(400, "SerializationException", "The request body is not valid JSON."));
    };
    Ok(match operation {
        "converse" => match rules::check(&id, &body) {
            Ok(()) => complete_response(&body),
            Err(message) => error_response(400, "ValidationException", &message),
        },
        "converse-stream" => match rules::check(&id, &body) {
            Ok(()) => streamed_response(&body, pace),
            Err(message) => error_response(400, "ValidationException", &message),
        },
        "count-tokens" => match body.pointer("/input/converse") {
            Some(conversation) => {
                json_response(StatusCode::OK, &json!({"inputTokens": model::input_tokens(conversation)}))
            }
            None => error_response(400, "ValidationException", "The offline Bedrock counts Converse requests only."),
        },
        "invoke" => match embedding::answer(&id, &body) {
            Some((answer, tokens)) => {
                let mut response = json_response(StatusCode::OK, &answer);
                if let Ok(tokens) = tokens.to_string().parse() {
                    response.headers_mut().insert("x-amzn-bedrock-input-token-count", tokens);
                }
                response
            }
            None => error_response(
                400,
                "ValidationException",
                "Malformed input request, please reformat your input and try again.",
            ),
        },
        _ => error_response(404, "UnknownOperationException", "The offline Bedrock has no such operation."),
    })
}

fn usage_json(answer: &Answer) -> Value {
    let input = answer.input_tokens;
    let output = answer.output_tokens();
    json!({"inputTokens": input, "outputTokens": output, "totalTokens": input + output, "serverToolUsage": {}})
}

/// The signature of the offline model's reasoning. Bedrock would refuse it; only this service accepts it back.
const SIGNATURE: &str = "b2ZmbGluZQ==";

fn complete_response(body: &Value) -> Response<Body> {
    let answer = model::answer(body);
    if answer.fails {
        return error_response(424, "ModelErrorException", "The model broke off, as it was asked to.");
    }
    let content = answer.blocks.iter().map(|block| match block {
        Block::Reasoning(text) => {
            json!({"reasoningContent": {"reasoningText": {"text": text, "signature": SIGNATURE}}})
        }
        Block::Text(tokens) => json!({"text": tokens.concat()}),
        Block::ToolUse(id, name, arguments) => {
            let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
            json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
        }
    });
    let content: Vec<Value> = content.collect();
    json_response(
        StatusCode::OK,
        &json!({
            "metrics": {"latencyMs": 1},
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": answer.stop,
            "usage": usage_json(&answer),
        }),
    )
}

fn streamed_response(body: &Value, pace: Duration) -> Response<Body> {
    let answer = model::answer(body);
    let mut frames = vec![(false, wire::event("messageStart", json!({"role": "assistant"})))];
    for (index, block) in answer.blocks.iter().enumerate() {
        let delta =
            |delta: Value| wire::event("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}));
        match block {
            Block::Reasoning(text) => {
                frames.push((true, delta(json!({"reasoningContent": {"text": text}}))));
                frames.push((false, delta(json!({"reasoningContent": {"signature": SIGNATURE}}))));
            }
            Block::Text(tokens) => {
                frames.extend(tokens.iter().map(|token| (true, delta(json!({"text": token})))));
                if answer.fails {
                    let exception =
                        wire::exception("modelStreamErrorException", "The model broke off, as it was asked to.");
                    frames.push((false, exception));
                }
            }
            Block::ToolUse(id, name, arguments) => {
                let start = json!({"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": id, "name": name}}});
                frames.push((false, wire::event("contentBlockStart", start)));
                // Like Claude, the model sends the arguments in pieces, and nothing for a call without arguments.
                let arguments = if arguments == "{}" { "" } else { arguments };
                let chars: Vec<char> = arguments.chars().collect();
                frames.extend(
                    chars.chunks(7).map(|piece| (true, delta(json!({"toolUse": {"input": String::from_iter(piece)}})))),
                );
            }
        }
        frames.push((false, wire::event("contentBlockStop", json!({"contentBlockIndex": index}))));
    }
    frames.push((false, wire::event("messageStop", json!({"stopReason": answer.stop}))));
    frames.push((false, wire::event("metadata", json!({"usage": usage_json(&answer), "metrics": {"latencyMs": 1}}))));
    let paced = futures_util::stream::iter(frames).then(move |(is_token, frame)| async move {
        if is_token && !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
        Ok::<_, Infallible>(Frame::data(frame))
    });
    response(StatusCode::OK, "application/vnd.amazon.eventstream", StreamBody::new(paced).boxed_unsync())
}

fn error_response(status: u16, code: &str, message: &str) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json_response(status, &json!({"message": message}));
    if let Ok(value) = format!("{code}:http://internal.amazon.com/coral/com.amazon.bedrock/").parse() {
        response.headers_mut().insert("x-amzn-errortype", value);
    }
    response
}

fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    response(status, "application/json", Full::new(Bytes::from(body.to_string())).boxed_unsync())
}

fn response(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    let id = format!("00000000-0000-4000-8000-{:012}", CALLS.fetch_add(1, Ordering::Relaxed));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", hyper::header::HeaderValue::from_static(content_type));
    if let Ok(id) = id.parse() {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
