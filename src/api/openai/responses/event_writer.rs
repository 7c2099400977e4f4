//! Writes the events of a streamed response (docs/openai.md §5.4). Only types of OpenAI's `ResponseStreamEvent` are
//! written, because OpenAI's Node SDK fails on any other, and nothing follows the last of them.

use super::error::response_error;
use super::names::{ClientTool, ToolKind};
use super::output_items::{
    AnswerOptions, MessageText, call, call_input, call_prefix, item_id, message, message_status, reasoning,
    summary_part,
};
use super::response_object::{Status, response, usage_object};
use crate::api::dialect::{AnswerHead, FrameWriter};
use crate::api::frames::{Data, Frames};
use crate::catalog::NanoDollars;
use crate::conversation::{Citation, Event, Reasoning, StopReason, Usage, continue_reasoning};
use crate::error::Error;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::sync::Arc;

/// Writes one streamed answer.
pub(super) struct EventWriter {
    head: AnswerHead,
    options: Arc<AnswerOptions>,
    /// The response while it is in progress, as JSON.
    in_progress: String,
    sequence_number: u64,
    /// The items that are complete.
    output: Vec<Value>,
    open: Option<OpenItem>,
    stop: Option<StopReason>,
}

/// The item that still grows.
struct OpenItem {
    id: String,
    /// `"item_id":…,"output_index":…`, which most of its events have.
    place: String,
    content: Content,
}

enum Content {
    Message(MessageText),
    /// `is_shown`: whether a part of its text has been sent.
    Reasoning {
        block: Reasoning,
        is_shown: bool,
    },
    Call {
        tool: ClientTool,
        call_id: String,
        arguments: String,
    },
}

impl EventWriter {
    pub(super) fn new(head: AnswerHead, options: Arc<AnswerOptions>) -> Self {
        let in_progress = response(&head, &options.echo, Status::InProgress, Vec::new(), Value::Null).to_string();
        Self { head, options, in_progress, sequence_number: 0, output: Vec::new(), open: None, stop: None }
    }

    /// Adds an event. `members` writes what follows its type and number, each member after a comma.
    fn put(&mut self, frames: &mut Frames, name: &'static str, members: impl FnOnce(&mut Data<'_>)) {
        frames.event(Some(name), |data| {
            data.text("{\"type\":\"");
            data.text(name);
            data.text("\",\"sequence_number\":");
            data.json(&self.sequence_number);
            members(data);
            data.text("}");
        });
        self.sequence_number += 1;
    }

    /// Adds an event about a place. `members` writes what follows the place.
    fn put_at(&mut self, frames: &mut Frames, name: &'static str, place: &str, members: impl FnOnce(&mut Data<'_>)) {
        self.put(frames, name, |data| {
            data.text(",");
            data.text(place);
            members(data);
        });
    }

    fn put_item(&mut self, frames: &mut Frames, name: &'static str, item: &Value) {
        let index = self.output.len();
        self.put(frames, name, |data| {
            data.text(",\"output_index\":");
            data.json(&index);
            data.text(",\"item\":");
            data.json(item);
        });
    }

    fn put_in_progress(&mut self, frames: &mut Frames, name: &'static str) {
        let in_progress = std::mem::take(&mut self.in_progress);
        self.put(frames, name, |data| {
            data.text(",\"response\":");
            data.text(&in_progress);
        });
        self.in_progress = in_progress;
    }

    fn end(&mut self, frames: &mut Frames, status: Status, usage: Value) {
        let name = status.event();
        let output = std::mem::take(&mut self.output);
        let response = response(&self.head, &self.options.echo, status, output, usage);
        self.put(frames, name, |data| {
            data.text(",\"response\":");
            data.json(&response);
        });
    }

    /// Closes the item that is open, and begins another.
    fn begin(&mut self, prefix: &str, content: Content, frames: &mut Frames) -> OpenItem {
        self.close(frames);
        let index = self.output.len();
        let id = item_id(prefix, &self.head, index);
        let place = format!("\"item_id\":\"{id}\",\"output_index\":{index}");
        let added = match &content {
            Content::Message(_) => message(&id, "in_progress", &[]),
            Content::Reasoning { .. } => {
                json!({"id": id, "type": "reasoning", "summary": [], "encrypted_content": null})
            }
            Content::Call { tool, call_id, .. } => call(&id, tool, call_id, "", "in_progress"),
        };
        self.put_item(frames, "response.output_item.added", &added);
        OpenItem { id, place, content }
    }

    /// Adds to the message that is open, or to a new one.
    fn message(&mut self, frames: &mut Frames, add: impl FnOnce(&mut Self, &str, &mut MessageText, &mut Frames)) {
        let open = self.open.take_if(|open| matches!(open.content, Content::Message(_)));
        let mut item = if let Some(item) = open {
            item
        } else {
            let item = self.begin("msg", Content::Message(MessageText::default()), frames);
            let part = MessageText::default().part();
            self.put_at(frames, "response.content_part.added", &item.place, |data| {
                data.text(",\"content_index\":0,\"part\":");
                data.json(&part);
            });
            item
        };
        if let Content::Message(text) = &mut item.content {
            add(self, &item.place, text, frames);
        }
        self.open = Some(item);
    }

    fn text(&mut self, more: &str, frames: &mut Frames) {
        if more.is_empty() {
            return;
        }
        self.message(frames, |writer, place, text, frames| {
            text.push(more);
            writer.put_at(frames, "response.output_text.delta", place, |data| {
                data.text(",\"content_index\":0,\"delta\":");
                data.json(more);
                data.text(",\"logprobs\":[]");
            });
        });
    }

    fn citation(&mut self, citation: &Citation, frames: &mut Frames) {
        self.message(frames, |writer, place, text, frames| {
            let (index, annotation) = text.cite(citation);
            writer.put_at(frames, "response.output_text.annotation.added", place, |data| {
                data.text(",\"content_index\":0,\"annotation_index\":");
                data.json(&index);
                data.text(",\"annotation\":");
                data.json(annotation);
            });
        });
    }

    fn reasoning(&mut self, event: &Event, frames: &mut Frames) {
        let open = match &mut self.open {
            Some(OpenItem { content: Content::Reasoning { block, .. }, .. }) => Some(block),
            _ => None,
        };
        if let Some(block) = continue_reasoning(open, event) {
            self.open = Some(self.begin("rs", Content::Reasoning { block, is_shown: false }, frames));
        }
        let Event::Reasoning(more) = event else { return };
        if !self.options.show_reasoning || more.is_empty() {
            return;
        }
        let Some(mut item) = self.open.take() else { return };
        if let Content::Reasoning { is_shown: is_shown @ false, .. } = &mut item.content {
            *is_shown = true;
            self.put_at(frames, "response.reasoning_summary_part.added", &item.place, |data| {
                data.text(",\"summary_index\":0,\"part\":");
                data.json(&summary_part(""));
            });
        }
        self.put_at(frames, "response.reasoning_summary_text.delta", &item.place, |data| {
            data.text(",\"summary_index\":0,\"delta\":");
            data.json(more);
        });
        self.open = Some(item);
    }

    fn arguments(&mut self, more: &str, frames: &mut Frames) {
        let Some(mut item) = self.open.take() else { return };
        if let Content::Call { tool, arguments, .. } = &mut item.content {
            arguments.push_str(more);
            // The text for a custom tool is inside the JSON, so it leaves when it is whole, and so does a search.
            if tool.kind == ToolKind::Function && !more.is_empty() {
                self.put_at(frames, "response.function_call_arguments.delta", &item.place, |data| {
                    data.text(",\"delta\":");
                    data.json(more);
                });
            }
        }
        self.open = Some(item);
    }

    /// Adds the last events of the item that is open.
    fn close(&mut self, frames: &mut Frames) {
        let Some(OpenItem { id, place, content }) = self.open.take() else { return };
        let item = match content {
            Content::Message(text) => self.close_message(&id, &place, &text, frames),
            Content::Reasoning { block, is_shown } => {
                if let Reasoning::Text { text, .. } = &block
                    && is_shown
                {
                    self.put_at(frames, "response.reasoning_summary_text.done", &place, |data| {
                        data.text(",\"summary_index\":0,\"text\":");
                        data.json(text);
                    });
                    self.put_at(frames, "response.reasoning_summary_part.done", &place, |data| {
                        data.text(",\"summary_index\":0,\"part\":");
                        data.json(&summary_part(text));
                    });
                }
                reasoning(&id, &self.head, &self.options, &block)
            }
            // Clients run a call when its item is done, so half of one never is.
            Content::Call { tool, call_id, arguments } if !is_whole(&arguments) => {
                let input = call_input(tool.kind, arguments);
                self.output.push(call(&id, &tool, &call_id, &input, "incomplete"));
                return;
            }
            Content::Call { tool, call_id, arguments } => {
                let input = self.close_input(&tool, &place, arguments, frames);
                call(&id, &tool, &call_id, &input, "completed")
            }
        };
        self.put_item(frames, "response.output_item.done", &item);
        self.output.push(item);
    }

    fn close_message(&mut self, id: &str, place: &str, text: &MessageText, frames: &mut Frames) -> Value {
        self.put_at(frames, "response.output_text.done", place, |data| {
            data.text(",\"content_index\":0,\"text\":");
            data.json(&text.text);
            data.text(",\"logprobs\":[]");
        });
        let part = text.part();
        self.put_at(frames, "response.content_part.done", place, |data| {
            data.text(",\"content_index\":0,\"part\":");
            data.json(&part);
        });
        message(id, message_status(self.stop.as_ref()), &[part])
    }

    /// Adds the end of what a call passes to its tool, and returns all of it.
    fn close_input(&mut self, tool: &ClientTool, place: &str, arguments: String, frames: &mut Frames) -> String {
        let was_empty = arguments.trim().is_empty();
        let input = call_input(tool.kind, arguments);
        let (delta, done, member) = match tool.kind {
            ToolKind::Function => {
                ("response.function_call_arguments.delta", "response.function_call_arguments.done", ",\"arguments\":")
            }
            ToolKind::Custom => {
                ("response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", ",\"input\":")
            }
            ToolKind::Search => return input,
        };
        // The arguments of a function have left as they came.
        if !input.is_empty() && (tool.kind == ToolKind::Custom || was_empty) {
            self.put_at(frames, delta, place, |data| {
                data.text(",\"delta\":");
                data.json(&input);
            });
        }
        self.put_at(frames, done, place, |data| {
            if tool.kind == ToolKind::Function {
                data.text(",\"name\":");
                data.json(&tool.name);
            }
            data.text(member);
            data.json(&input);
        });
        input
    }

    /// Whether the client has seen a part of the answer.
    fn has_output(&self) -> bool {
        self.open.is_some() || !self.output.is_empty()
    }
}

/// Whether the end of the answer has not cut these arguments of a call.
fn is_whole(arguments: &str) -> bool {
    arguments.trim().is_empty() || serde_json::from_str::<IgnoredAny>(arguments).is_ok()
}

impl FrameWriter for EventWriter {
    fn start(&mut self, frames: &mut Frames) {
        self.put_in_progress(frames, "response.created");
        self.put_in_progress(frames, "response.in_progress");
    }

    fn event(&mut self, event: &Event, frames: &mut Frames) {
        match event {
            Event::Text(more) => self.text(more, frames),
            Event::Citation(citation) => self.citation(citation, frames),
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) => self.reasoning(event, frames),
            Event::ToolCall { index: _, id, name } => {
                let tool = self.options.names.client_tool(name);
                let prefix = call_prefix(tool.kind);
                let content = Content::Call { tool, call_id: id.clone(), arguments: String::new() };
                self.open = Some(self.begin(prefix, content, frames));
            }
            Event::Arguments { index: _, json } => self.arguments(json, frames),
            // A message goes on: further text belongs to it.
            Event::BlockEnd if matches!(&self.open, Some(OpenItem { content: Content::Message(_), .. })) => {}
            Event::BlockEnd => self.close(frames),
            Event::Stop(reason) => {
                self.stop = Some(reason.clone());
                self.close(frames);
            }
            Event::Usage(_) | Event::Native(_) => {}
        }
    }

    fn finish(&mut self, usage: Option<Usage>, cost: Option<NanoDollars>, frames: &mut Frames) {
        self.close(frames);
        let has_output = self.output.iter().any(|item| item["type"] != "reasoning");
        let status = Status::of_stream(self.stop.as_ref().unwrap_or(&StopReason::EndTurn), has_output);
        self.end(frames, status, usage_object(usage, cost));
    }

    fn fail(&mut self, error: &Error, frames: &mut Frames) {
        let status = Status::Failed(response_error(error, self.has_output()));
        self.end(frames, status, Value::Null);
    }

    /// Codex waits for events, not for comments.
    fn keep_alive(&mut self, frames: &mut Frames) {
        self.put_in_progress(frames, "response.in_progress");
    }
}

#[cfg(test)]
mod tests;
