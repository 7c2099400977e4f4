//! `POST /completions`, OpenAI's legacy text completion, through the chat path (`openai-clients.md` §4.4).

use super::chat;
use super::chat::ChatRequest;
use super::chunk::{FINGERPRINT, Writer};
use super::completion::{finish_reason, usage};
use crate::api::json as values;
use crate::api::json::{integer, invalid, is_nothing, missing, unsupported};
use crate::catalog::NanoDollars;
use crate::conversation::{Answer, Event, Message};
use crate::error::{Error, Kind, Result};
use serde_json::{Value, json};

/// Parses a body: the prompt becomes a user's turn.
///
/// # Errors
/// As [`chat::parse`].
pub fn parse(body: &[u8]) -> Result<ChatRequest> {
    let mut value: Value = serde_json::from_slice(body)
        .map_err(|error| Error::new(Kind::InvalidRequest, format!("the request body is not valid JSON: {error}")))?;
    let Some(members) = value.as_object_mut() else {
        return Err(Error::new(Kind::InvalidRequest, "the request body is not a JSON object"));
    };
    let prompt = match members.remove("prompt") {
        None | Some(Value::Null) => return Err(missing("prompt")),
        Some(Value::String(prompt)) => prompt,
        Some(Value::Array(mut prompts)) => match (prompts.len(), prompts.pop()) {
            (1, Some(Value::String(prompt))) => prompt,
            (_, Some(Value::String(_))) => {
                return Err(unsupported("prompt", "only one prompt per request is supported"));
            }
            _ => return Err(invalid("prompt", "holds token ids, and no model here reads them")),
        },
        Some(_) => return Err(invalid("prompt", "must be a string")),
    };
    for (member, why) in [("suffix", "no model here fills in the middle"), ("echo", "the prompt is not repeated")] {
        if members.get(member).is_some_and(|value| !is_nothing(value) && *value != json!(false) && *value != json!(""))
        {
            return Err(unsupported(member, why));
        }
    }
    if integer(members.get("best_of").unwrap_or(&Value::Null), "best_of")?.is_some_and(|best| best != 1) {
        return Err(unsupported("best_of", "only one answer per request is supported"));
    }
    // A number here, a flag in chat: none of either is given.
    match members.remove("logprobs").as_ref().map(|value| values::integer(value, "logprobs")) {
        None | Some(Ok(None | Some(0))) => {}
        Some(_) => return Err(unsupported("logprobs", "Bedrock gives no log probabilities")),
    }
    members.insert("messages".to_owned(), json!([{"role": "user", "content": "."}]));
    let mut request = chat::parse(value.to_string().as_bytes())?;
    request.request.messages = vec![Message::user(prompt)];
    Ok(request)
}

/// A complete answer. `created` is in seconds since 1970.
#[must_use]
pub fn completion(id: &str, created: u64, model: &str, answer: &Answer, cost: Option<NanoDollars>) -> Value {
    let reason = answer.stop.as_ref().map_or("stop", finish_reason);
    let mut completion = object(id, created, model, &answer.text, Some(reason));
    if let Some(tokens) = &answer.usage {
        completion["usage"] = usage(tokens, cost);
    }
    completion
}

fn object(id: &str, created: u64, model: &str, text: &str, reason: Option<&str>) -> Value {
    json!({
        "id": id, "object": "text_completion", "created": created, "model": model, "system_fingerprint": FINGERPRINT,
        "choices": [{"text": text, "index": 0, "logprobs": null, "finish_reason": reason}],
    })
}

/// Writes the chunks of one answer.
#[derive(Debug)]
pub struct TextChunks {
    /// The answer's id.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The name that was asked for.
    pub model: String,
    /// Whether usage was asked for.
    pub include_usage: bool,
}

impl Writer for TextChunks {
    fn first(&self) -> Option<String> {
        None
    }

    fn event(&mut self, event: &Event, cost: Option<NanoDollars>) -> Option<String> {
        let chunk = |text: &str, reason| object(&self.id, self.created, &self.model, text, reason);
        match event {
            Event::Text(text) => Some(chunk(text, None).to_string()),
            Event::Stop(reason) => Some(chunk("", Some(finish_reason(reason))).to_string()),
            Event::Usage(tokens) => self.include_usage.then(|| {
                let mut last = chunk("", None);
                last["choices"] = json!([]);
                last["usage"] = usage(tokens, cost);
                last.to_string()
            }),
            // A text completion has no place for them.
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) | Event::Citation(_) => None,
            Event::ToolCall { .. } | Event::Arguments { .. } => None,
        }
    }
}
