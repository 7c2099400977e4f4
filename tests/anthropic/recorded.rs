//! Recorded Converse answers, told in the words of Messages. They must say what the same answers say in those of Chat
//! Completions, which `replay` compares with the recordings.

use super::{assembled, events, question};
use crate::replay::{Recording, recordings};
use crate::support::{Bedrock, Chatrix, Reply, Server};
use serde_json::{Value, json};

/// What an answer says, in either API.
#[derive(Debug, Default, PartialEq)]
struct Content {
    text: String,
    reasoning: String,
    signatures: Vec<String>,
    redacted: usize,
    calls: Vec<(String, String, Value)>,
    stop: String,
    /// All input tokens, and the output.
    usage: Option<(u64, u64)>,
}

fn of_message(message: &Value) -> Content {
    let stop = match message["stop_reason"].as_str().unwrap() {
        "end_turn" | "stop_sequence" => "stop",
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "refusal" => "content_filter",
        other => panic!("no recording had the stop reason {other} before"),
    };
    let usage = &message["usage"];
    let count = |name: &str| usage[name].as_u64().unwrap();
    let input = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"].map(count).iter().sum();
    let mut content = Content { stop: stop.into(), usage: Some((input, count("output_tokens"))), ..Content::default() };
    for block in message["content"].as_array().unwrap() {
        let text = |name: &str| block[name].as_str().unwrap().to_owned();
        match block["type"].as_str().unwrap() {
            "text" => content.text += &text("text"),
            "thinking" => {
                content.reasoning += &text("thinking");
                content.signatures.extend(Some(text("signature")).filter(|signature| !signature.is_empty()));
            }
            "redacted_thinking" => content.redacted += 1,
            "tool_use" => content.calls.push((text("id"), text("name"), block["input"].clone())),
            other => panic!("no recording had a block of the type {other} before"),
        }
    }
    content
}

fn of_completion(body: &Value) -> Content {
    let (choice, usage) = (&body["choices"][0], &body["usage"]);
    let message = &choice["message"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut content = Content {
        text: text(&message["content"]),
        reasoning: text(&message["reasoning_content"]),
        stop: text(&choice["finish_reason"]),
        usage: usage["prompt_tokens"].as_u64().zip(usage["completion_tokens"].as_u64()),
        ..Content::default()
    };
    for detail in message["reasoning_details"].as_array().into_iter().flatten() {
        content.signatures.extend(detail["signature"].as_str().map(ToOwned::to_owned));
        content.redacted += usize::from(detail["type"] == "reasoning.encrypted");
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        content.calls.push((text(&call["id"]), text(&call["function"]["name"]), arguments));
    }
    content
}

/// The completion that a client puts together from the chunks of a stream; `None` where it ended with an error.
fn completion(chunks: &[Value]) -> Option<Value> {
    let mut message = json!({"content": "", "reasoning_content": "", "reasoning_details": [], "tool_calls": []});
    let (mut finish, mut usage) = (Value::Null, Value::Null);
    for chunk in chunks {
        if chunk["error"].is_object() {
            return None;
        }
        if chunk["usage"].is_object() {
            usage = chunk["usage"].clone();
        }
        let delta = &chunk["choices"][0]["delta"];
        for name in ["content", "reasoning_content"] {
            message[name] =
                (message[name].as_str().unwrap().to_owned() + delta[name].as_str().unwrap_or_default()).into();
        }
        let details = delta["reasoning_details"].as_array().into_iter().flatten().cloned();
        message["reasoning_details"].as_array_mut().unwrap().extend(details);
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let calls = message["tool_calls"].as_array_mut().unwrap();
            if call["id"].is_string() {
                calls.push(call.clone());
            } else {
                let arguments = &mut calls.last_mut().unwrap()["function"]["arguments"];
                let more = call["function"]["arguments"].as_str().unwrap();
                *arguments = (arguments.as_str().unwrap().to_owned() + more).into();
            }
        }
        if chunk["choices"][0]["finish_reason"].is_string() {
            finish = chunk["choices"][0]["finish_reason"].clone();
        }
    }
    Some(json!({"choices": [{"message": message, "finish_reason": finish}], "usage": usage}))
}

/// The answers to one recording in both APIs; `None` for one that failed.
fn both(server: &Server, recording: &Recording, stream: bool) -> [Option<Content>; 2] {
    let more = json!({"stream": stream, "stream_options": {"include_usage": true}});
    let chat = server.chat(&question(recording.model(), &more));
    let message = server.post("/v1/messages", &question(recording.model(), &json!({"stream": stream})));
    if !stream {
        let contents = [(&chat, of_completion as fn(&Value) -> Content), (&message, of_message)];
        return contents.map(|(answer, read)| (answer.status == 200).then(|| read(&answer.json())));
    }
    let completed = (chat.status == 200).then(|| completion(&chat.chunks())).flatten();
    let told = (message.status == 200).then(|| assembled(&events(&message)));
    let told = told.and_then(|(message, error)| error.is_none().then(|| of_message(&message)));
    [completed.map(|body| of_completion(&body)), told]
}

#[test]
fn recorded_answers_say_the_same_in_messages_as_in_chat() {
    for (folder, stream) in [("converse", false), ("converse-stream", true)] {
        let Some(recordings) = recordings(folder) else { return };
        let bedrock = Bedrock::script([Reply::text("never")]);
        let server = Server::run(Chatrix::serve().bedrock(&bedrock).config("messages = \"converse\"\n"));
        let mut failed = Vec::new();
        for recording in &recordings {
            bedrock.answer_with(recording.reply());
            let [chat, message] = both(&server, recording, stream);
            if chat != message {
                failed.push(format!("{}:\n  chat     {chat:?}\n  messages {message:?}", recording.name));
            }
        }
        println!("messages of {folder}: {} of {}", recordings.len() - failed.len(), recordings.len());
        assert!(failed.is_empty() && !recordings.is_empty(), "{}", failed.join("\n"));
    }
}
