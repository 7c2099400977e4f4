//! `/completions`, OpenAI's legacy text completion (docs/openai.md §4.4). A prompt becomes a chat with one message.

use super::answer::{FINGERPRINT, finish_reason, usage_object};
use super::chat_chunk::{DONE, KEEP_ALIVE};
use super::chat_request::{self, ChatRequest, Positions};
use super::error::{envelope, field_path, reply};
use crate::api::dialect::{AnswerForm, AnswerHead, Dialect, ErrorReply, FrameWriter, ParsedRequest, RequestHeaders};
use crate::api::frames::Frames;
use crate::api::json::{body_members, integer, invalid, is_absent, missing, take, unsupported};
use crate::catalog::NanoDollars;
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{Answer, Event, Message, Usage};
use crate::error::{Error, Field, Result};
use serde_json::{Value, json};
use std::sync::Arc;

pub struct TextCompletions;

/// The form of a text completion.
#[derive(Debug, Default)]
struct TextForm {
    /// Whether a stream reports its usage at the end.
    include_usage: bool,
    positions: Positions,
}

impl Dialect for TextCompletions {
    fn parse(&self, body: JsonBlocks, _head: &RequestHeaders) -> Result<ParsedRequest> {
        let ChatRequest { request, stream, options, positions } = parse(body)?;
        let form = TextForm { include_usage: options.include_usage, positions };
        Ok(ParsedRequest { request, stream, form: Arc::new(form) })
    }

    fn error(&self, error: &Error, _request_id: &str) -> ErrorReply {
        reply(error, |field| TextForm::default().path(field))
    }
}

impl AnswerForm for TextForm {
    fn answer_id(&self, digits: &str) -> String {
        format!("cmpl-{digits}")
    }

    fn complete(&self, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value {
        let mut completion = completion_object(head, &answer.text(), Some(finish_reason(&answer.stop, false)));
        if let Some(usage) = &answer.usage {
            completion["usage"] = usage_object(usage, cost);
        }
        completion
    }

    fn stream(self: Arc<Self>, head: AnswerHead) -> Box<dyn FrameWriter> {
        Box::new(TextChunkWriter { head, form: self })
    }

    fn path(&self, field: &Field) -> String {
        match field {
            Field::Messages | Field::Message(_) => "prompt".to_owned(),
            field => field_path(field, &self.positions),
        }
    }
}

/// Parses a body. The prompt becomes a user's message.
///
/// # Errors
/// As [`chat_request::parse`].
fn parse(body: JsonBlocks) -> Result<ChatRequest> {
    let mut members = body_members(body)?;
    let prompt = match take(&mut members, "prompt") {
        Value::Null => return Err(missing("prompt")),
        Value::String(prompt) => prompt,
        Value::Array(mut prompts) => match (prompts.len(), prompts.pop()) {
            (1, Some(Value::String(prompt))) => prompt,
            (_, Some(Value::String(_))) => {
                return Err(unsupported("prompt", "only one prompt per request is supported"));
            }
            _ => return Err(invalid("prompt", "contains token ids, which no model here accepts")),
        },
        _ => return Err(invalid("prompt", "must be a string")),
    };
    for (member, why) in
        [("suffix", "no model here can fill in the middle of a text"), ("echo", "the answer cannot repeat the prompt")]
    {
        if members.get(member).is_some_and(|value| !is_absent(value) && *value != json!(false) && *value != json!("")) {
            return Err(unsupported(member, why));
        }
    }
    if integer(&take(&mut members, "best_of"), "best_of")?.is_some_and(|best| best != 1) {
        return Err(unsupported("best_of", "only one answer per request is supported"));
    }
    // A placeholder stands in for the prompt during parsing; the prompt itself is put in unparsed.
    members.insert("messages".to_owned(), json!([{"role": "user", "content": "."}]));
    let mut parsed = chat_request::from_members(members)?;
    parsed.request.messages = vec![Message::user(prompt)];
    Ok(parsed)
}

fn completion_object(head: &AnswerHead, text: &str, reason: Option<&str>) -> Value {
    json!({
        "id": head.id, "object": "text_completion", "created": head.created, "model": head.model,
        "system_fingerprint": FINGERPRINT,
        "choices": [{"text": text, "index": 0, "logprobs": null, "finish_reason": reason}],
    })
}

struct TextChunkWriter {
    head: AnswerHead,
    form: Arc<TextForm>,
}

impl FrameWriter for TextChunkWriter {
    fn start(&mut self, _frames: &mut Frames) {}

    fn event(&mut self, event: &Event, frames: &mut Frames) {
        let chunk = match event {
            Event::Text(text) => completion_object(&self.head, text, None),
            Event::Stop(reason) => completion_object(&self.head, "", Some(finish_reason(reason, false))),
            // A text completion has no members for anything else.
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) | Event::Citation(_) => return,
            Event::ToolCall { .. } | Event::Arguments { .. } | Event::BlockEnd => return,
            Event::Usage(_) | Event::Native(_) => return,
        };
        frames.event(None, |data| data.json(&chunk));
    }

    fn finish(&mut self, usage: Option<Usage>, cost: Option<NanoDollars>, frames: &mut Frames) {
        if let Some(usage) = usage
            && self.form.include_usage
        {
            let mut last = completion_object(&self.head, "", None);
            last["choices"] = json!([]);
            last["usage"] = usage_object(&usage, cost);
            frames.event(None, |data| data.json(&last));
        }
        frames.event(None, |data| data.text(DONE));
    }

    fn fail(&mut self, error: &Error, frames: &mut Frames) {
        let envelope = envelope(error, |field| self.form.path(field));
        frames.event(None, |data| data.json(&envelope));
        frames.event(None, |data| data.text(DONE));
    }

    fn keep_alive(&mut self, frames: &mut Frames) {
        frames.comment(KEEP_ALIVE);
    }
}
