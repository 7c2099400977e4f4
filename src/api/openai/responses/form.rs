//! The form of a response: what the way back needs of its request.

use super::error::belongs_in_stream;
use super::event_writer::EventWriter;
use super::output_items::{AnswerOptions, items};
use super::places::Places;
use super::response_object::{Status, response, usage_object};
use crate::api::dialect::{AnswerForm, AnswerHead, FrameWriter};
use crate::catalog::NanoDollars;
use crate::conversation::{Answer, CutCalls};
use crate::error::{Error, Field};
use serde_json::Value;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct ResponseForm {
    pub(super) options: Arc<AnswerOptions>,
    pub(super) places: Places,
}

impl AnswerForm for ResponseForm {
    fn answer_id(&self, digits: &str) -> String {
        format!("resp_{digits}")
    }

    fn complete(&self, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value {
        let output = items(head, &self.options, answer);
        response(head, &self.options.echo, Status::of(&answer.stop), output, usage_object(answer.usage, cost))
    }

    fn stream(self: Arc<Self>, head: AnswerHead) -> Box<dyn FrameWriter> {
        Box::new(EventWriter::new(head, Arc::clone(&self.options)))
    }

    fn path(&self, field: &Field) -> String {
        self.places.path(field)
    }

    fn reports_in_stream(&self, error: &Error) -> bool {
        belongs_in_stream(error)
    }

    fn begins_early(&self) -> bool {
        true
    }

    /// An item of a call that is done is executed, whatever the end of the response says.
    fn cut_calls(&self) -> CutCalls {
        CutCalls::LeaveOut
    }
}
