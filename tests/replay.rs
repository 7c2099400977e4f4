//! Recorded Bedrock answers are served to the SDK of a real `chatrix serve`. Its answers must have the same text,
//! reasoning, tool calls, stop reason and usage, and be valid by OpenAI's specification. `CHATRIX_RECORDINGS` names the
//! folder of the recordings, and `CHATRIX_OPENAPI` the file of the specification.

mod responses;

use crate::support::{Bedrock, Reply, Server};
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use base64::Engine;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Recordings that Chatrix answers differently on purpose, each with the reason.
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
        // These headers belong to the connection that was recorded.
        let framing = ["content-length", "transfer-encoding", "connection", "content-encoding"];
        let headers = headers.filter(|(name, _)| !framing.contains(&name.to_ascii_lowercase().as_str()));
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        Reply::Recorded(u16::try_from(response["status"].as_u64().unwrap()).unwrap(), headers, self.body.clone())
    }

    /// The output tokens of the recorded usage; `None` when no usage was recorded.
    pub fn output_tokens(&self) -> Option<u64> {
        let text = String::from_utf8_lossy(&self.body);
        let after = text.split("\"outputTokens\":").nth(1)?;
        after.trim_start().chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    }

    pub fn model(&self) -> &str {
        self.json["model_id"].as_str().unwrap()
    }
}

/// The recordings of a folder. Without `CHATRIX_RECORDINGS`, the test is skipped with a message.
pub fn recordings(folder: &str) -> Option<Vec<Recording>> {
    let Some(root) = std::env::var_os("CHATRIX_RECORDINGS").map(PathBuf::from) else {
        println!("skipped: CHATRIX_RECORDINGS is not set to the folder of the recordings");
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

/// OpenAI's specification; `None` when `CHATRIX_OPENAPI` is not set.
struct Specification(Option<Value>);

impl Specification {
    fn open() -> Self {
        let path = std::env::var_os("CHATRIX_OPENAPI");
        if path.is_none() {
            println!(
                "skipped: CHATRIX_OPENAPI is not set to the file of OpenAI's specification; answers are not validated"
            );
        }
        Self(path.map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()))
    }

    fn validator(&self, schema: &str) -> Option<jsonschema::Validator> {
        let mut specification = self.0.clone()?;
        specification["$ref"] = format!("#/components/schemas/{schema}").into();
        Some(jsonschema::validator_for(&specification).unwrap())
    }
}

fn check(validator: Option<&jsonschema::Validator>, value: &Value, problems: &mut Vec<String>) {
    if let Some(validator) = validator {
        problems.extend(
            validator
                .iter_errors(value)
                .map(|error| format!("invalid by OpenAI's specification: {error} at {}", error.instance_path())),
        );
    }
}

/// The content of an answer, of Bedrock or of Chatrix.
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

impl Content {
    /// The same content with the reasoning that Nova and Kimi write at the start of the text (docs/bedrock.md §2.9).
    fn separated(mut self) -> Self {
        let opening =
            |text: &str| ["think", "thinking"].into_iter().find(|name| text.starts_with(&format!("<{name}>")));
        while let Some(name) = opening(self.text.trim_start()) {
            let text = self.text.trim_start()[name.len() + 2..].to_owned();
            let (reasoning, rest) = text.split_once(&format!("</{name}>")).unwrap_or((&text, ""));
            self.reasoning.push_str(reasoning);
            rest.trim_start().clone_into(&mut self.text);
        }
        self
    }
}

fn finish(reason: &str) -> String {
    match reason {
        "end_turn" | "stop_sequence" => "stop",
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "guardrail_intervened" | "content_filtered" => "content_filter",
        other => panic!("no recording had the stop reason {other} before"),
    }
    .to_owned()
}

fn usage(usage: &Value) -> Option<(u64, u64, u64, u64)> {
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    let (read, written) = (count("cacheReadInputTokens"), count("cacheWriteInputTokens"));
    usage.is_object().then(|| (count("inputTokens") + read + written, count("outputTokens"), read, written))
}

/// The content of a complete answer of Bedrock.
fn recorded_answer(body: &Value) -> Content {
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
        let reasoning = &block["reasoningContent"]["reasoningText"];
        content.reasoning.push_str(reasoning["text"].as_str().unwrap_or_default());
        content.signatures.extend(reasoning["signature"].as_str().map(ToOwned::to_owned));
        content.redacted += usize::from(block["reasoningContent"]["redactedContent"].is_string());
        let call = &block["toolUse"];
        if call.is_object() && call["type"] != "server_tool_use" {
            let text = |name: &str| call[name].as_str().unwrap().to_owned();
            content.calls.push((text("toolUseId"), text("name"), call["input"].clone()));
        }
    }
    content
}

/// The content of a streamed answer of Bedrock; `Err` with the exception that ended it.
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

fn chatrix_usage(usage: &Value) -> Option<(u64, u64, u64, u64)> {
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

/// The content of a complete answer of Chatrix.
fn chatrix_answer(body: &Value) -> Content {
    let choice = &body["choices"][0];
    let message = &choice["message"];
    let mut content = Content {
        text: message["content"].as_str().unwrap_or_default().to_owned(),
        reasoning: message["reasoning_content"].as_str().unwrap_or_default().to_owned(),
        finish: choice["finish_reason"].as_str().unwrap().to_owned(),
        usage: chatrix_usage(&body["usage"]),
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

/// The content of a streamed answer of Chatrix.
fn chatrix_stream(chunks: &[Value]) -> Content {
    let mut content = Content::default();
    let mut arguments: Vec<String> = Vec::new();
    for chunk in chunks {
        content.usage = chatrix_usage(&chunk["usage"]).or(content.usage);
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
        assert!(calls.len() <= 1, "a chunk has at most one call");
        for call in calls {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if let Some(id) = call["id"].as_str() {
                assert_eq!(index, arguments.len(), "T2: the indexes have no gaps");
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

/// Replays every recording of a folder, and prints how many passed. `run` returns the problems of one recording.
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

fn compare(answered: &Content, recorded: &Content, problems: &mut Vec<String>) {
    if answered != recorded {
        problems.push(format!("\n  answered {answered:?}\n  recorded {recorded:?}"));
    }
}

#[test]
fn complete_answers() {
    let validator = Specification::open().validator("CreateChatCompletionResponse");
    replay("converse", |server, recording| {
        let answer = server.chat(&question(recording.model(), false));
        let mut problems = Vec::new();
        if answer.status != 200 {
            return vec![format!("{} {}", answer.status, answer.body)];
        }
        let body = answer.json();
        check(validator.as_ref(), &body, &mut problems);
        let recorded = recorded_answer(&serde_json::from_slice(&recording.body).unwrap()).separated();
        compare(&chatrix_answer(&body), &recorded, &mut problems);
        problems
    });
}

#[test]
fn streamed_answers() {
    let specification = Specification::open();
    let chunk_validator = specification.validator("CreateChatCompletionStreamResponse");
    let error_validator = specification.validator("ErrorResponse");
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
                for chunk in &chunks {
                    check(chunk_validator.as_ref(), chunk, &mut problems);
                }
                compare(&chatrix_stream(&chunks), &recorded.separated(), &mut problems);
            }
            Err(exception) => {
                check(error_validator.as_ref(), chunks.last().unwrap(), &mut problems);
                if chunks.last().unwrap()["error"]["message"].as_str().is_none() {
                    problems.push(format!("{exception} was not reported"));
                }
            }
        }
        problems
    });
}

#[test]
fn errors() {
    let validator = Specification::open().validator("ErrorResponse");
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
