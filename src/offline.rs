//! The offline Bedrock: a Bedrock Runtime on a loopback port of this process, for use without an AWS account. The
//! transport connects to it as to the real service. It validates requests as Bedrock does (`rules`), so that faults of
//! Chatrix show up without AWS, and it answers with a small deterministic model (`model`).

mod answer;
mod embedding;
mod model;
mod native;
mod rules;
mod tools;
pub mod wire;

use answer::{Answer, BROKEN_OFF, Block, SIGNATURE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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
    let is_claude = id.contains("anthropic.");
    Ok(match operation {
        "converse" => refuse_or(rules::check(&id, &body), |()| complete_response(&body)),
        "converse-stream" => refuse_or(rules::check(&id, &body), |()| streamed_response(&body, pace)),
        "count-tokens" => {
            refuse_or(counted(&id, &body), |tokens| json_response(StatusCode::OK, &json!({"inputTokens": tokens})))
        }
        "invoke" if is_claude => refuse_or(native::read(&id, &body), |conversation| {
            let answer = model::answer(&conversation);
            if answer.fails {
                return error_response(424, "ModelErrorException", BROKEN_OFF);
            }
            with_counts(
                json_response(StatusCode::OK, &native::message(&body, &answer)),
                answer.input_tokens,
                Some(answer.output_tokens()),
            )
        }),
        "invoke-with-response-stream" if is_claude => refuse_or(native::read(&id, &body), |conversation| {
            stream_response(native::frames(&body, &model::answer(&conversation)), pace)
        }),
        "invoke" => refuse_or(embedding::answer(&id, &body).ok_or_else(malformed), |(answer, tokens)| {
            with_counts(json_response(StatusCode::OK, &answer), tokens, None)
        }),
        _ => error_response(404, "UnknownOperationException", "The offline Bedrock has no such operation."),
    })
}

fn refuse_or<T>(checked: Result<T, String>, respond: impl FnOnce(T) -> Response<Body>) -> Response<Body> {
    match checked {
        Ok(value) => respond(value),
        Err(message) => error_response(400, "ValidationException", &message),
    }
}

fn malformed() -> String {
    "Malformed input request, please reformat your input and try again.".to_owned()
}

/// The input tokens of a `CountTokens` body, which holds one of Converse, or one of `InvokeModel` as Base64.
fn counted(id: &str, body: &Value) -> Result<usize, String> {
    if let Some(conversation) = body.pointer("/input/converse") {
        return Ok(model::input_tokens(conversation));
    }
    let native = body.pointer("/input/invokeModel/body").and_then(Value::as_str).ok_or_else(malformed)?;
    let native = STANDARD.decode(native).map_err(|_| malformed())?;
    let native = serde_json::from_slice(&native).map_err(|_| malformed())?;
    Ok(model::input_tokens(&native::read(id, &native)?))
}

/// Adds the headers with which `InvokeModel` says how many tokens were used.
fn with_counts(mut response: Response<Body>, input: usize, output: Option<usize>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert("x-amzn-bedrock-input-token-count", input.into());
    if let Some(output) = output {
        headers.insert("x-amzn-bedrock-output-token-count", output.into());
    }
    response
}

fn usage_json(answer: &Answer) -> Value {
    let input = answer.input_tokens;
    let output = answer.output_tokens();
    json!({"inputTokens": input, "outputTokens": output, "totalTokens": input + output, "serverToolUsage": {}})
}

fn complete_response(body: &Value) -> Response<Body> {
    let answer = model::answer(body);
    if answer.fails {
        return error_response(424, "ModelErrorException", BROKEN_OFF);
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
    let mut response = json!({
        "metrics": {"latencyMs": 1},
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": answer.stop,
        "usage": usage_json(&answer),
    });
    add_stop_sequence(&mut response, body, &answer);
    json_response(StatusCode::OK, &response)
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
                    frames.push((false, wire::exception("modelStreamErrorException", BROKEN_OFF)));
                }
            }
            Block::ToolUse(id, name, _) => {
                let start = json!({"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": id, "name": name}}});
                frames.push((false, wire::event("contentBlockStart", start)));
                let pieces = block.argument_pieces().into_iter();
                frames.extend(pieces.map(|piece| (true, delta(json!({"toolUse": {"input": piece}})))));
            }
        }
        frames.push((false, wire::event("contentBlockStop", json!({"contentBlockIndex": index}))));
    }
    let mut stop = json!({"stopReason": answer.stop});
    add_stop_sequence(&mut stop, body, &answer);
    frames.push((false, wire::event("messageStop", stop)));
    frames.push((false, wire::event("metadata", json!({"usage": usage_json(&answer), "metrics": {"latencyMs": 1}}))));
    stream_response(frames, pace)
}

/// The stop sequence that was met, for a request that asks for it (docs/bedrock.md §1.3).
fn add_stop_sequence(response: &mut Value, body: &Value, answer: &Answer) {
    let paths = body.get("additionalModelResponseFieldPaths").and_then(Value::as_array);
    if paths.is_some_and(|paths| paths.iter().any(|path| path == "/stop_sequence")) {
        response["additionalModelResponseFields"] = json!({"stop_sequence": answer.stop_sequence});
    }
}

/// Frames, each with whether it is a token, which takes its time.
fn stream_response(frames: Vec<(bool, Bytes)>, pace: Duration) -> Response<Body> {
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
