//! `Converse` and `ConverseStream`.

use super::converse_request;
use super::error;
use super::event_frames;
use crate::api::dialect::{AnswerForm, AnswerHead, Dialect, ErrorReply, FrameWriter, ParsedRequest, RequestHeaders};
use crate::api::frames::Frames;
use crate::api::json::body_members;
use crate::catalog::NanoDollars;
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{Answer, CutCalls, Event, NativeApi, NativeRequest, Usage};
use crate::error::{Error, Field, Result};
use serde_json::Value;
use std::sync::Arc;

/// A call of `Converse` or `ConverseStream`, whose path names the model.
#[derive(Debug, PartialEq, Eq)]
pub struct Converse {
    pub model: String,
    pub stream: bool,
}

struct ConverseForm;

impl Dialect for Converse {
    fn parse(&self, body: JsonBlocks, _head: &RequestHeaders) -> Result<ParsedRequest> {
        let members = body_members(body)?;
        let mut request = converse_request::parse(&members)?;
        request.model.clone_from(&self.model);
        request.native = Some(NativeRequest { api: NativeApi::Converse, body: members, betas: Vec::new() });
        Ok(ParsedRequest { request, stream: self.stream, form: Arc::new(ConverseForm) })
    }

    fn error(&self, error: &Error, _request_id: &str) -> ErrorReply {
        error::reply(error)
    }
}

impl AnswerForm for ConverseForm {
    fn answer_id(&self, digits: &str) -> String {
        digits.to_owned()
    }

    fn complete(&self, _head: &AnswerHead, answer: &Answer, _cost: Option<NanoDollars>) -> Value {
        let native = answer.native.as_ref().and_then(|json| serde_json::from_slice(json).ok());
        let mut body: Value = native.unwrap_or_default();
        // A call that the end of the answer has cut was left out.
        let calls: Vec<&str> = answer.tool_calls().map(|call| call.id.as_str()).collect();
        let content = body.pointer_mut("/output/message/content").and_then(Value::as_array_mut);
        if let Some(content) = content {
            content.retain(|block| {
                let call = &block["toolUse"];
                let is_own = !call.is_object() || call["type"] == "server_tool_use";
                is_own || call["toolUseId"].as_str().is_some_and(|id| calls.contains(&id))
            });
        }
        body
    }

    fn stream(self: Arc<Self>, _head: AnswerHead) -> Box<dyn FrameWriter> {
        Box::new(NativeWriter)
    }

    fn content_type(&self) -> &'static str {
        event_frames::CONTENT_TYPE
    }

    fn path(&self, field: &Field) -> String {
        error::path(field)
    }

    fn cut_calls(&self) -> CutCalls {
        CutCalls::LeaveOut
    }
}

/// Hands the service's own events on.
struct NativeWriter;

impl FrameWriter for NativeWriter {
    fn start(&mut self, _frames: &mut Frames) {}

    fn event(&mut self, event: &Event, frames: &mut Frames) {
        if let Event::Native(native) = event {
            event_frames::event(&native.kind, &native.json, frames);
        }
    }

    fn finish(&mut self, _usage: Option<Usage>, _cost: Option<NanoDollars>, _frames: &mut Frames) {}

    fn fail(&mut self, error: &Error, frames: &mut Frames) {
        event_frames::exception(error, frames);
    }

    /// The service sends nothing while its model is silent, and its clients know no event for it.
    fn keep_alive(&mut self, _frames: &mut Frames) {}
}
