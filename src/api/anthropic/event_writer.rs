//! A streamed answer (<https://platform.claude.com/docs/en/build-with-claude/streaming>):
//!
//! ```text
//! answer = message_start, { block }, message_delta, message_stop
//! block  = content_block_start, { content_block_delta }, content_block_stop
//! ```
//!
//! Blocks are numbered from 0 without gaps, and only one is open at a time. A `ping` may stand anywhere. A failure is an
//! `error` event, after which nothing comes; a connection that just breaks makes Claude Code send the whole request up to
//! ten times again (docs/anthropic.md §6).

use super::answer::{stop_reason, usage_object};
use super::citation::citation_object;
use super::error::envelope;
use super::native_events::NativeEvents;
use crate::api::dialect::{AnswerHead, FrameWriter};
use crate::api::frames::Frames;
use crate::catalog::NanoDollars;
use crate::conversation::{Event, StopReason, Usage};
use crate::error::{Error, Kind};
use serde_json::{Value, json};

/// Writes the events of one answer.
#[derive(Debug)]
pub(super) struct EventWriter {
    head: AnswerHead,
    source: Source,
    /// The number of blocks that have begun.
    blocks: usize,
    open: Option<OpenBlock>,
    stop: Option<StopReason>,
}

/// What the answer is written from. The first event tells.
#[derive(Debug)]
enum Source {
    Unknown,
    Neutral,
    Native(NativeEvents),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenBlock {
    Text,
    Thinking,
    /// The thinking is signed, so that any more would be another block.
    SignedThinking,
    Redacted,
    ToolUse(usize),
}

impl EventWriter {
    pub(super) fn new(head: AnswerHead) -> Self {
        Self { head, source: Source::Unknown, blocks: 0, open: None, stop: None }
    }

    /// The usage while nobody knows the true one. Claude Code shows how full the context is by it, and compacts the
    /// conversation by it, so it is never 0.
    fn expected_usage(&self) -> Usage {
        Usage { input: self.head.expected_input.max(1), ..Usage::default() }
    }

    fn begin_message(&mut self, frames: &mut Frames) {
        self.source = Source::Neutral;
        let message = json!({
            "id": self.head.id, "type": "message", "role": "assistant", "model": self.head.model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": usage_object(&self.expected_usage(), None),
        });
        frames.event(Some("message_start"), |data| data.json(&json!({"type": "message_start", "message": message})));
        ping(frames);
    }

    /// Opens a block of this kind, unless one is open.
    fn in_block(&mut self, kind: OpenBlock, block: impl FnOnce() -> Value, frames: &mut Frames) {
        if self.open == Some(kind) {
            return;
        }
        self.close_block(frames);
        let start = json!({"type": "content_block_start", "index": self.blocks, "content_block": block()});
        frames.event(Some("content_block_start"), |data| data.json(&start));
        self.blocks += 1;
        self.open = Some(kind);
    }

    fn close_block(&mut self, frames: &mut Frames) {
        if self.open.take().is_some() {
            let stop = json!({"type": "content_block_stop", "index": self.blocks - 1});
            frames.event(Some("content_block_stop"), |data| data.json(&stop));
        }
    }

    /// Adds a delta of the open block, whose one member has this name. Most events are deltas, so they are written without
    /// anything between.
    fn delta(
        &self,
        kind: &'static str,
        member: &'static str,
        value: &(impl serde::Serialize + ?Sized),
        frames: &mut Frames,
    ) {
        let index = self.blocks.saturating_sub(1);
        frames.event(Some("content_block_delta"), |data| {
            data.text("{\"type\":\"content_block_delta\",\"index\":");
            data.json(&index);
            for text in [",\"delta\":{\"type\":\"", kind, "\",\"", member, "\":"] {
                data.text(text);
            }
            data.json(value);
            data.text("}}");
        });
    }

    fn neutral(&mut self, event: &Event, frames: &mut Frames) {
        match event {
            Event::Text(text) => {
                self.in_block(OpenBlock::Text, || json!({"type": "text", "text": ""}), frames);
                self.delta("text_delta", "text", text, frames);
            }
            Event::Citation(citation) => {
                if let Some(citation) = citation_object(citation) {
                    self.in_block(OpenBlock::Text, || json!({"type": "text", "text": ""}), frames);
                    self.delta("citations_delta", "citation", &citation, frames);
                }
            }
            Event::Reasoning(text) => {
                self.in_block(OpenBlock::Thinking, empty_thinking, frames);
                self.delta("thinking_delta", "thinking", text, frames);
            }
            Event::Signature(signature) => {
                self.in_block(OpenBlock::Thinking, empty_thinking, frames);
                self.delta("signature_delta", "signature", signature, frames);
                self.open = Some(OpenBlock::SignedThinking);
            }
            Event::Redacted(data) => {
                self.close_block(frames);
                self.in_block(OpenBlock::Redacted, || json!({"type": "redacted_thinking", "data": data}), frames);
            }
            Event::ToolCall { index, id, name } => {
                let block = || json!({"type": "tool_use", "id": id, "name": name, "input": {}});
                self.in_block(OpenBlock::ToolUse(*index), block, frames);
            }
            Event::Arguments { index, json } if self.open == Some(OpenBlock::ToolUse(*index)) => {
                self.delta("input_json_delta", "partial_json", json, frames);
            }
            Event::BlockEnd | Event::Stop(_) => self.close_block(frames),
            Event::Arguments { .. } | Event::Usage(_) | Event::Native(_) => {}
        }
    }
}

fn empty_thinking() -> Value {
    json!({"type": "thinking", "thinking": "", "signature": ""})
}

fn ping(frames: &mut Frames) {
    frames.event(Some("ping"), |data| data.text("{\"type\":\"ping\"}"));
}

impl FrameWriter for EventWriter {
    /// Nothing comes before the first event, which tells whose words the answer is in.
    fn start(&mut self, _frames: &mut Frames) {}

    fn event(&mut self, event: &Event, frames: &mut Frames) {
        if let Event::Stop(reason) = event {
            self.stop = Some(reason.clone());
        }
        match (&mut self.source, event) {
            (Source::Native(native), Event::Native(event)) => {
                native.event(event, frames);
            }
            (Source::Native(_), _) => {}
            (Source::Unknown, Event::Native(event)) => {
                let mut native = NativeEvents::new(self.head.model.clone());
                if native.event(event, frames) {
                    ping(frames);
                }
                self.source = Source::Native(native);
            }
            (Source::Unknown, _) => {
                self.begin_message(frames);
                self.neutral(event, frames);
            }
            (Source::Neutral, _) => self.neutral(event, frames),
        }
    }

    fn finish(&mut self, usage: Option<Usage>, cost: Option<NanoDollars>, frames: &mut Frames) {
        let stop = self.stop.take();
        if let Source::Native(native) = &mut self.source {
            return native.finish(stop.as_ref(), usage.as_ref(), cost, frames);
        }
        let usage = usage.unwrap_or_else(|| self.expected_usage());
        let stop = stop.unwrap_or(StopReason::EndTurn);
        if let StopReason::Malformed(word) = &stop {
            let message = format!("the model produced no valid answer ({word})");
            return self.fail(&Error::new(Kind::IncompleteAnswer, message).advise("try again"), frames);
        }
        if matches!(self.source, Source::Unknown) {
            self.begin_message(frames);
        }
        self.close_block(frames);
        let (reason, sequence) = stop_reason(&stop);
        let delta = json!({
            "type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": sequence},
            "usage": usage_object(&usage, cost),
        });
        frames.event(Some("message_delta"), |data| data.json(&delta));
        frames.event(Some("message_stop"), |data| data.text("{\"type\":\"message_stop\"}"));
    }

    fn fail(&mut self, error: &Error, frames: &mut Frames) {
        let envelope = envelope(error);
        frames.event(Some("error"), |data| data.json(&envelope));
    }

    fn keep_alive(&mut self, frames: &mut Frames) {
        ping(frames);
    }
}

#[cfg(test)]
mod tests;
