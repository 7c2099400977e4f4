//! `InvokeModel` and `InvokeModelWithResponseStream` with the bodies of Anthropic's Messages. Requests and answers are
//! those of that dialect; only their frames are Bedrock's.

use super::{error, event_frames};
use crate::api::anthropic::Messages;
use crate::api::dialect::{AnswerForm, AnswerHead, Dialect, ErrorReply, FrameWriter, ParsedRequest, RequestHeaders};
use crate::api::frames::Frames;
use crate::api::json::unsupported;
use crate::catalog::NanoDollars;
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{Answer, CutCalls, Event, Request, Usage};
use crate::error::{Error, Field, Kind, Result};
use serde_json::Value;
use std::sync::Arc;

/// A call of `InvokeModel` or `InvokeModelWithResponseStream`, whose path names the model.
#[derive(Debug, PartialEq, Eq)]
pub struct InvokeMessages {
    pub model: String,
    pub stream: bool,
}

struct InvokeForm {
    messages: Arc<dyn AnswerForm>,
}

impl Dialect for InvokeMessages {
    fn parse(&self, body: JsonBlocks, head: &RequestHeaders) -> Result<ParsedRequest> {
        let parsed = Messages.parse(body, head).map_err(of_another_family)?;
        let ParsedRequest { mut request, stream: _, form: messages } = parsed;
        refuse_guardrails(&request, head)?;
        request.model.clone_from(&self.model);
        Ok(ParsedRequest { request, stream: self.stream, form: Arc::new(InvokeForm { messages }) })
    }

    fn error(&self, error: &Error, _request_id: &str) -> ErrorReply {
        error::reply(error)
    }
}

/// The error for a body that may be one of another family's own form.
fn of_another_family(error: Error) -> Error {
    if error.kind != Kind::MissingParameter {
        return error;
    }
    error.advise(
        "InvokeModel takes the bodies of Anthropic's Messages here, for every model; use Converse for other bodies",
    )
}

/// A guardrail is billed beside the tokens. To leave it out without a word would be worse than to refuse it.
fn refuse_guardrails(request: &Request, head: &RequestHeaders) -> Result<()> {
    const MEMBER: &str = "amazon-bedrock-guardrailConfig";
    const HEADER: &str = "X-Amzn-Bedrock-GuardrailIdentifier";
    let in_body = request.native.as_ref().is_some_and(|native| native.body.contains_key(MEMBER));
    if in_body || head.guardrail.is_some() {
        let why = "its cost cannot be bounded; call Bedrock directly for a guardrail";
        return Err(unsupported(if in_body { MEMBER } else { HEADER }, why));
    }
    Ok(())
}

impl AnswerForm for InvokeForm {
    fn answer_id(&self, digits: &str) -> String {
        self.messages.answer_id(digits)
    }

    fn complete(&self, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value {
        self.messages.complete(head, answer, cost)
    }

    fn stream(self: Arc<Self>, head: AnswerHead) -> Box<dyn FrameWriter> {
        let messages = Arc::clone(&self.messages).stream(head);
        Box::new(ChunkWriter { messages, written: Frames::default() })
    }

    fn content_type(&self) -> &'static str {
        event_frames::CONTENT_TYPE
    }

    fn path(&self, field: &Field) -> String {
        self.messages.path(field)
    }

    fn cut_calls(&self) -> CutCalls {
        self.messages.cut_calls()
    }
}

/// Puts the events of Messages into Bedrock's frames.
struct ChunkWriter {
    messages: Box<dyn FrameWriter>,
    /// What the writer of Messages has written and was not moved yet.
    written: Frames,
}

impl ChunkWriter {
    fn move_events(&mut self, frames: &mut Frames) {
        let text = self.written.take();
        for line in text.split(|byte| *byte == b'\n') {
            if let Some(data) = line.strip_prefix(b"data: ")
                && !is_ping(data)
            {
                event_frames::chunk(data, frames);
            }
        }
    }
}

/// The service sends no pings, and its clients may not know them.
fn is_ping(data: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind {
        r#type: String,
    }
    serde_json::from_slice(data).is_ok_and(|Kind { r#type }| r#type == "ping")
}

impl FrameWriter for ChunkWriter {
    fn start(&mut self, frames: &mut Frames) {
        self.messages.start(&mut self.written);
        self.move_events(frames);
    }

    fn event(&mut self, event: &Event, frames: &mut Frames) {
        self.messages.event(event, &mut self.written);
        self.move_events(frames);
    }

    fn finish(&mut self, usage: Option<Usage>, cost: Option<NanoDollars>, frames: &mut Frames) {
        self.messages.finish(usage, cost, &mut self.written);
        self.move_events(frames);
    }

    fn fail(&mut self, error: &Error, frames: &mut Frames) {
        event_frames::exception(error, frames);
    }

    fn keep_alive(&mut self, _frames: &mut Frames) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn other_bodies_and_guardrails_are_refused_by_name() {
        let invoke = InvokeMessages { model: "m".into(), stream: false };
        let message = json!({"role": "user", "content": "hi"});
        let with_header = RequestHeaders { guardrail: Some("g".into()), ..RequestHeaders::default() };
        for (body, head, words) in [
            (json!({"prompt": "hi", "max_gen_len": 5}), RequestHeaders::default(), Some("use Converse")),
            (
                json!({"max_tokens": 5, "messages": [message], "amazon-bedrock-guardrailConfig": {}}),
                RequestHeaders::default(),
                Some("amazon-bedrock-guardrailConfig"),
            ),
            (json!({"max_tokens": 5, "messages": [message]}), with_header, Some("GuardrailIdentifier")),
            (json!({"max_tokens": 5, "messages": [message]}), RequestHeaders::default(), None),
        ] {
            let error = invoke.parse(body.to_string().as_bytes().into(), &head).err().map(|error| error.to_string());
            assert_eq!(error.is_some(), words.is_some(), "{body}");
            assert!(error.unwrap_or_default().contains(words.unwrap_or_default()), "{body}");
        }
    }
}
