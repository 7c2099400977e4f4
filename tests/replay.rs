//! Recorded Bedrock traffic, served to the real SDK below a real `chatrix serve`: what comes out must carry the same
//! text, thoughts, tool calls, stop reason and usage, and be valid by OpenAI's own document.
//! The recordings are found through `CHATRIX_RECORDINGS`, OpenAI's document through `CHATRIX_OPENAPI`.

use crate::support::{Bedrock, Reply, Server};
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use base64::Engine;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Recordings whose answer is not an answer of ours, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

pub struct Recording {
    pub name: String,
    pub json: Value,
    pub body: bytes::Bytes,
}

impl Recording {
    pub fn reply(&self) -> Reply {
        let response = &self.json["response"];
        let headers = response["headers"].as_object().unwrap().iter();
        // The recorder's framing is not the service's.
        let framing = ["content-length", "transfer-encoding", "connection", "content-encoding"];
        let headers = headers.filter(|(name, _)| !framing.contains(&name.to_ascii_lowercase().as_str()));
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        Reply::Recorded(u16::try_from(response["status"].as_u64().unwrap()).unwrap(), headers, self.body.clone())
    }

    /// What the recorded usage says of the answer's length; `None` where there is no usage.
    pub fn output_tokens(&self) -> Option<u64> {
        let text = String::from_utf8_lossy(&self.body);
        let after = text.split("\"outputTokens\":").nth(1)?;
        after.trim_start().chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    }

    pub fn model(&self) -> &str {
        self.json["model_id"].as_str().unwrap()
    }
}

/// The recordings of a folder; `None`, said aloud, without them.
pub fn recordings(folder: &str) -> Option<Vec<Recording>> {
    let Some(root) = std::env::var_os("CHATRIX_RECORDINGS").map(PathBuf::from) else {
        println!("skipped: CHATRIX_RECORDINGS does not say where the recordings are");
        return None;
    };
    let mut files: Vec<_> = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = files.into_iter().map(|path| {
        let json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let body = base64::engine::general_purpose::STANDARD.decode(json["response"]["body_base64"].as_str().unwrap());
        Recording { name: path.file_name().unwrap().to_str().unwrap().to_owned(), body: body.unwrap().into(), json }
    });
    Some(read.filter(|recording| !EXCEPTIONS.iter().any(|(name, _)| *name == recording.name)).collect())
}

/// OpenAI's document, as far as it is there.
struct Document(Option<Value>);

impl Document {
    fn open() -> Self {
        let path = std::env::var_os("CHATRIX_OPENAPI");
        if path.is_none() {
            println!("skipped: CHATRIX_OPENAPI does not say where OpenAI's document is; shapes are not checked");
        }
        Self(path.map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()))
    }

    fn validator(&self, schema: &str) -> Option<jsonschema::Validator> {
        let mut document = self.0.clone()?;
        document["$ref"] = format!("#/components/schemas/{schema}").into();
        Some(jsonschema::validator_for(&document).unwrap())
    }
}

fn check(validator: Option<&jsonschema::Validator>, value: &Value, problems: &mut Vec<String>) {
    if let Some(validator) = validator {
        problems.extend(
            validator
                .iter_errors(value)
                .map(|error| format!("not OpenAI's shape: {error} at {}", error.instance_path())),
        );
    }
}

/// What an answer carries, whichever side it is read from.
#[derive(Debug, Default, PartialEq)]
struct Content {
    text: String,
    reasoning: String,
    signatures: Vec<String>,
    redacted: usize,
    calls: Vec<(String, String, Value)>,
    finish: String,
    usage: Option<(u64, u64, u64, u64)>,
}

fn finish(reason: &str) -> String {
    match reason {
        "end_turn" | "stop_sequence" => "stop",
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "guardrail_intervened" | "content_filtered" => "content_filter",
        other => panic!("{other} was not recorded before"),
    }
    .to_owned()
}

fn usage(usage: &Value) -> Option<(u64, u64, u64, u64)> {
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    let (read, written) = (count("cacheReadInputTokens"), count("cacheWriteInputTokens"));
    usage.is_object().then(|| (count("inputTokens") + read + written, count("outputTokens"), read, written))
}

/// What Bedrock said, read plainly.
fn recorded(body: &Value) -> Content {
    let mut content = Content {
        finish: finish(body["stopReason"].as_str().unwrap()),
        usage: usage(&body["usage"]),
        ..Content::default()
    };
    for block in body["output"]["message"]["content"].as_array().unwrap() {
        content.text.push_str(block["text"].as_str().unwrap_or_default());
        for piece in block["citationsContent"]["content"].as_array().into_iter().flatten() {
            content.text.push_str(piece["text"].as_str().unwrap());
        }
        let thought = &block["reasoningContent"]["reasoningText"];
        content.reasoning.push_str(thought["text"].as_str().unwrap_or_default());
        content.signatures.extend(thought["signature"].as_str().map(ToOwned::to_owned));
        content.redacted += usize::from(block["reasoningContent"]["redactedContent"].is_string());
        let call = &block["toolUse"];
        if call.is_object() && call["type"] != "server_tool_use" {
            let text = |name: &str| call[name].as_str().unwrap().to_owned();
            content.calls.push((text("toolUseId"), text("name"), call["input"].clone()));
        }
    }
    content
}

/// What Bedrock streamed, read plainly; `Err` with the exception that ended it.
fn recorded_stream(body: &[u8]) -> Result<Content, String> {
    let mut content = Content::default();
    let mut decoder = MessageFrameDecoder::new();
    let mut buffer = body;
    let mut arguments: BTreeMap<u64, (usize, String)> = BTreeMap::new();
    while let DecodedFrame::Complete(message) = decoder.decode_frame(&mut buffer).unwrap() {
        let header = |name: &str| {
            let header = message.headers().iter().find(|header| header.name().as_str() == name)?;
            Some(header.value().as_string().unwrap().as_str().to_owned())
        };
        if let Some(exception) = header(":exception-type") {
            return Err(exception);
        }
        let payload: Value = serde_json::from_slice(message.payload()).unwrap();
        let place = payload["contentBlockIndex"].as_u64().unwrap_or(0);
        match header(":event-type").unwrap().as_str() {
            "contentBlockStart" => {
                let call = &payload["start"]["toolUse"];
                if call.is_object() && call["type"] != "server_tool_use" {
                    arguments.insert(place, (content.calls.len(), String::new()));
                    let text = |name: &str| call[name].as_str().unwrap().to_owned();
                    content.calls.push((text("toolUseId"), text("name"), Value::Null));
                }
            }
            "contentBlockDelta" => {
                let delta = &payload["delta"];
                content.text.push_str(delta["text"].as_str().unwrap_or_default());
                content.reasoning.push_str(delta["reasoningContent"]["text"].as_str().unwrap_or_default());
                content.signatures.extend(delta["reasoningContent"]["signature"].as_str().map(ToOwned::to_owned));
                content.redacted += usize::from(delta["reasoningContent"]["redactedContent"].is_string());
                if let Some((_, json)) = arguments.get_mut(&place) {
                    json.push_str(delta["toolUse"]["input"].as_str().unwrap_or_default());
                }
            }
            "messageStop" => content.finish = finish(payload["stopReason"].as_str().unwrap()),
            "metadata" => content.usage = usage(&payload["usage"]),
            _ => {}
        }
    }
    for (call, json) in arguments.into_values() {
        content.calls[call].2 = json_or_text(if json.is_empty() { "{}" } else { &json });
    }
    Ok(content)
}

fn json_or_text(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| json.into())
}

fn answered_usage(usage: &Value) -> Option<(u64, u64, u64, u64)> {
    let count = |name: &str| usage[name].as_u64().unwrap();
    usage.is_object().then(|| {
        assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], usage["cache_read_input_tokens"]);
        assert_eq!(count("total_tokens"), count("prompt_tokens") + count("completion_tokens"));
        (
            count("prompt_tokens"),
            count("completion_tokens"),
            count("cache_read_input_tokens"),
            count("cache_creation_input_tokens"),
        )
    })
}

/// What we said, complete.
fn answered(body: &Value) -> Content {
    let choice = &body["choices"][0];
    let message = &choice["message"];
    let mut content = Content {
        text: message["content"].as_str().unwrap_or_default().to_owned(),
        reasoning: message["reasoning_content"].as_str().unwrap_or_default().to_owned(),
        finish: choice["finish_reason"].as_str().unwrap().to_owned(),
        usage: answered_usage(&body["usage"]),
        ..Content::default()
    };
    for detail in message["reasoning_details"].as_array().into_iter().flatten() {
        content.signatures.extend(detail["signature"].as_str().map(ToOwned::to_owned));
        content.redacted += usize::from(detail["type"] == "reasoning.encrypted");
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let function = &call["function"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        content.calls.push((
            text(&call["id"]),
            text(&function["name"]),
            json_or_text(function["arguments"].as_str().unwrap()),
        ));
    }
    content
}

/// What we said, as the sum of the chunks.
fn answered_stream(chunks: &[Value]) -> Content {
    let mut content = Content::default();
    let mut arguments: Vec<String> = Vec::new();
    for chunk in chunks {
        content.usage = answered_usage(&chunk["usage"]).or(content.usage);
        let Some(choice) = chunk["choices"].get(0) else { continue };
        assert!(content.finish.is_empty(), "X3: nothing follows finish_reason");
        let delta = &choice["delta"];
        content.text.push_str(delta["content"].as_str().unwrap_or_default());
        content.reasoning.push_str(delta["reasoning_content"].as_str().unwrap_or_default());
        for detail in delta["reasoning_details"].as_array().into_iter().flatten() {
            content.signatures.extend(detail["signature"].as_str().map(ToOwned::to_owned));
            content.redacted += usize::from(detail["type"] == "reasoning.encrypted");
        }
        let calls = delta["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert!(calls.len() <= 1, "one call per chunk");
        for call in calls {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if let Some(id) = call["id"].as_str() {
                assert_eq!(index, arguments.len(), "T2: dense indexes");
                let name = call["function"]["name"].as_str().unwrap();
                content.calls.push((id.to_owned(), name.to_owned(), Value::Null));
                arguments.push(String::new());
            }
            arguments[index].push_str(call["function"]["arguments"].as_str().unwrap());
        }
        content.finish.push_str(choice["finish_reason"].as_str().unwrap_or_default());
    }
    for (call, json) in content.calls.iter_mut().zip(arguments) {
        call.2 = json_or_text(&json);
    }
    content
}

fn question(model: &str, stream: bool) -> Value {
    let mut question = json!({"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": stream});
    if stream {
        question["stream_options"] = json!({"include_usage": true});
    }
    question
}

/// Runs every recording of a folder and says how many passed.
fn replay(folder: &str, mut run: impl FnMut(&Server, &Recording) -> Vec<String>) {
    let Some(recordings) = recordings(folder) else { return };
    let bedrock = Bedrock::script([Reply::text("never")]);
    let server = Server::start(&bedrock);
    let mut failed = Vec::new();
    for recording in &recordings {
        bedrock.answer_with(recording.reply());
        let problems = run(&server, recording);
        if !problems.is_empty() {
            failed.push(format!("{}: {}", recording.name, problems.join("; ")));
        }
    }
    let (tried, passed) = (recordings.len(), recordings.len() - failed.len());
    println!("replayed {folder}: {passed} of {tried}");
    assert!(tried > 0 && failed.is_empty(), "{} of {tried} failed:\n{}", failed.len(), failed.join("\n"));
}

fn differ(said: &Content, recorded: &Content, problems: &mut Vec<String>) {
    if said != recorded {
        problems.push(format!("\n  said     {said:?}\n  recorded {recorded:?}"));
    }
}

#[test]
fn complete_answers() {
    let validator = Document::open().validator("CreateChatCompletionResponse");
    replay("converse", |server, recording| {
        let answer = server.chat(&question(recording.model(), false));
        let mut problems = Vec::new();
        if answer.status != 200 {
            return vec![format!("{} {}", answer.status, answer.body)];
        }
        let said = answer.json();
        check(validator.as_ref(), &said, &mut problems);
        differ(&answered(&said), &recorded(&serde_json::from_slice(&recording.body).unwrap()), &mut problems);
        problems
    });
}

#[test]
fn streamed_answers() {
    let document = Document::open();
    let chunk = document.validator("CreateChatCompletionStreamResponse");
    let error = document.validator("ErrorResponse");
    replay("converse-stream", |server, recording| {
        let answer = server.chat(&question(recording.model(), true));
        let mut problems = Vec::new();
        let data = answer.data();
        if answer.status != 200 || data.last() != Some(&"[DONE]") {
            return vec![format!("{} {}", answer.status, answer.body)];
        }
        let chunks: Vec<Value> =
            data[..data.len() - 1].iter().map(|data| serde_json::from_str(data).unwrap()).collect();
        match recorded_stream(&recording.body) {
            Ok(recorded) => {
                for said in &chunks {
                    check(chunk.as_ref(), said, &mut problems);
                }
                differ(&answered_stream(&chunks), &recorded, &mut problems);
            }
            Err(exception) => {
                check(error.as_ref(), chunks.last().unwrap(), &mut problems);
                if chunks.last().unwrap()["error"]["message"].as_str().is_none() {
                    problems.push(format!("{exception} was not told"));
                }
            }
        }
        problems
    });
}

#[test]
fn errors() {
    let validator = Document::open().validator("ErrorResponse");
    replay("error", |server, recording| {
        let status = recording.json["response"]["status"].as_u64().unwrap();
        let mut problems = Vec::new();
        for stream in [false, true] {
            let answer = server.chat(&question(recording.model(), stream));
            if answer.status < 400 || (answer.status >= 500) != (status >= 500) {
                problems.push(format!("recorded {status}, answered {} {}", answer.status, answer.body));
                continue;
            }
            check(validator.as_ref(), &answer.json(), &mut problems);
        }
        problems
    });
}
