//! What Bedrock answers, as events. Pure. Written for what was recorded: usage after the stop, no block starts for
//! text, empty deltas, citations instead of text, tools run by the service itself (`recordings/README.md`).
//!
//! Complete answers are read from their bytes, not from the SDK's types: those keep a tool's arguments in a hash map,
//! in an order the model never wrote (`bedrock.md` trap 7).

mod body;
mod code_fence;
mod reasoning_tags;

use super::request::ResponseOptions;
use super::request::structured_output::ANSWER_TOOL;
use crate::conversation::{Citation, Event, StopReason, Usage};
use crate::error::{Error, Kind, Result};
use aws_sdk_bedrockruntime::types::{
    CacheTtl, CitationLocation, CitationsDelta, ContentBlockDelta, ContentBlockStart, ConverseStreamOutput,
    ReasoningContentBlockDelta, TokenUsage, ToolUseType,
};
use body::{Complete, CompleteBlock, Thought};
use code_fence::CodeFence;
use reasoning_tags::{Piece, ReasoningTags};
use std::collections::HashMap;

/// Reads one answer, complete or frame by frame.
#[derive(Debug)]
pub struct Decoder {
    reading: ResponseOptions,
    /// What each open block is, by Bedrock's index. Text and thoughts are never announced and stay out.
    blocks: HashMap<i32, Block>,
    /// How many tool calls there are so far.
    calls: usize,
    fence: CodeFence,
    tags: Option<ReasoningTags>,
    /// Text before the answer tool is called: dropped if it is, the answer if it is not.
    held: String,
    answered: bool,
}

#[derive(Debug)]
enum Block {
    Call {
        index: usize,
        empty: bool,
    },
    Answer,
    /// A tool that the service runs itself: not the client's (`recordings/README.md` 7).
    Foreign,
}

impl Decoder {
    /// For the answer of one request.
    pub fn new(reading: ResponseOptions) -> Self {
        let fence = if reading.bare_json { CodeFence::Start(String::new()) } else { CodeFence::Off };
        let tags = reading.inline_reasoning.then(ReasoningTags::default);
        Self { reading, tags, blocks: HashMap::new(), calls: 0, fence, held: String::new(), answered: false }
    }

    /// The events of a complete answer.
    ///
    /// # Errors
    /// `InvalidUpstreamResponse` when it is not one.
    pub fn complete(mut self, body: &[u8]) -> Result<Vec<Event>> {
        let answer: Complete = serde_json::from_slice(body).map_err(|error| {
            Error::new(Kind::InvalidUpstreamResponse, format!("Bedrock's answer cannot be read: {error}"))
        })?;
        let mut events = Vec::new();
        for block in answer.output.message.content {
            self.block(block, &mut events);
        }
        self.stop(stop(&answer.stop_reason), &mut events);
        events.extend(answer.usage.map(|tokens| Event::Usage(tokens.into())));
        Ok(events)
    }

    fn block(&mut self, block: CompleteBlock, events: &mut Vec<Event>) {
        let CompleteBlock { text, reasoning_content, tool_use, citations_content } = block;
        if let Some(text) = text {
            self.text(text, events);
        }
        match reasoning_content {
            Some(Thought { reasoning_text: Some(thought), .. }) => {
                events.extend((!thought.text.is_empty()).then_some(Event::Reasoning(thought.text)));
                events.extend(thought.signature.map(Event::Signature));
            }
            Some(Thought { redacted_content: Some(data), .. }) => events.push(Event::Redacted(data)),
            _ => {}
        }
        if let Some(cited) = citations_content {
            for text in cited.content.into_iter().filter_map(|content| content.text) {
                self.text(text, events);
            }
            events.extend(cited.citations.into_iter().map(|citation| Event::Citation(citation.into())));
        }
        if let Some(call) = tool_use {
            if call.r#type.as_deref() == Some("server_tool_use") {
                return;
            }
            let json = if call.input.is_null() { "{}".to_owned() } else { call.input.to_string() };
            if self.is_answer(&call.name) {
                // The first answer is the answer.
                if !std::mem::replace(&mut self.answered, true) {
                    events.push(Event::Text(json));
                }
            } else {
                let (index, name) = (self.calls, self.reading.names.restore(&call.name));
                self.calls += 1;
                events.push(Event::ToolCall { index, id: call.tool_use_id, name });
                events.push(Event::Arguments { index, json });
            }
        }
    }

    /// The events of one frame of a stream.
    pub fn frame(&mut self, frame: ConverseStreamOutput) -> Vec<Event> {
        let mut events = Vec::new();
        match frame {
            ConverseStreamOutput::ContentBlockStart(start) => {
                self.start(start.content_block_index, start.start, &mut events);
            }
            ConverseStreamOutput::ContentBlockDelta(delta) => {
                if let Some(piece) = delta.delta {
                    self.delta(delta.content_block_index, piece, &mut events);
                }
            }
            ConverseStreamOutput::ContentBlockStop(stop) => {
                // A call without arguments sends none; "" is not JSON (cases.md T9).
                if let Some(Block::Call { index, empty: true }) = self.blocks.remove(&stop.content_block_index) {
                    events.push(Event::Arguments { index, json: "{}".to_owned() });
                }
            }
            ConverseStreamOutput::MessageStop(end) => self.stop(stop(end.stop_reason.as_str()), &mut events),
            ConverseStreamOutput::Metadata(end) => {
                events.extend(end.usage.as_ref().map(|tokens| Event::Usage(usage(tokens))));
            }
            // messageStart says only that the assistant speaks; an event newer than this build is not ours to judge.
            _ => {}
        }
        events
    }

    fn start(&mut self, place: i32, start: Option<ContentBlockStart>, events: &mut Vec<Event>) {
        let block = match start {
            Some(ContentBlockStart::ToolUse(call)) if call.r#type == Some(ToolUseType::ServerToolUse) => Block::Foreign,
            // The first answer is the answer.
            Some(ContentBlockStart::ToolUse(call)) if self.is_answer(&call.name) && self.answered => Block::Foreign,
            Some(ContentBlockStart::ToolUse(call)) if self.is_answer(&call.name) => {
                self.answered = true;
                self.held.clear();
                Block::Answer
            }
            Some(ContentBlockStart::ToolUse(call)) => {
                let index = self.calls;
                self.calls += 1;
                let name = self.reading.names.restore(&call.name);
                events.push(Event::ToolCall { index, id: call.tool_use_id, name });
                Block::Call { index, empty: true }
            }
            _ => Block::Foreign,
        };
        self.blocks.insert(place, block);
    }

    fn delta(&mut self, place: i32, delta: ContentBlockDelta, events: &mut Vec<Event>) {
        match delta {
            ContentBlockDelta::Text(text) => self.text(text, events),
            ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text)) if !text.is_empty() => {
                events.push(Event::Reasoning(text));
            }
            ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Signature(signature)) => {
                events.push(Event::Signature(signature));
            }
            ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::RedactedContent(data)) => {
                events.push(Event::Redacted(aws_smithy_types::base64::encode(data)));
            }
            ContentBlockDelta::ToolUse(piece) if !piece.input.is_empty() => match self.blocks.get_mut(&place) {
                Some(Block::Call { index, empty }) => {
                    *empty = false;
                    events.push(Event::Arguments { index: *index, json: piece.input });
                }
                Some(Block::Answer) => events.push(Event::Text(piece.input)),
                Some(Block::Foreign) | None => {}
            },
            ContentBlockDelta::Citation(citation) => events.push(Event::Citation(cited(&citation))),
            // Results of the service's own tools, images we cannot hand on, and what is newer than this build.
            _ => {}
        }
    }

    fn text(&mut self, text: String, events: &mut Vec<Event>) {
        if self.reading.answer_tool {
            self.held.push_str(&text);
            return;
        }
        match &mut self.tags {
            Some(tags) => {
                let pieces = tags.pass(&text);
                self.pieces(pieces, events);
            }
            None => self.unfenced(text, events),
        }
    }

    /// Text out of its fence. Most answers have none, and go by without being copied.
    fn unfenced(&mut self, text: String, events: &mut Vec<Event>) {
        let text = if matches!(self.fence, CodeFence::Off) { text } else { self.fence.pass(&text) };
        events.extend((!text.is_empty()).then_some(Event::Text(text)));
    }

    /// Thoughts go by; the rest comes out of its fence.
    fn pieces(&mut self, pieces: Vec<Piece>, events: &mut Vec<Event>) {
        for piece in pieces {
            match piece {
                Piece::Reasoning(thought) => events.push(Event::Reasoning(thought)),
                Piece::Text(text) => self.unfenced(text, events),
            }
        }
    }

    fn stop(&mut self, reason: StopReason, events: &mut Vec<Event>) {
        if !self.answered && !self.held.is_empty() {
            events.push(Event::Text(std::mem::take(&mut self.held)));
        }
        let last = self.tags.as_mut().and_then(ReasoningTags::rest);
        self.pieces(last.into_iter().collect(), events);
        let rest = self.fence.rest();
        events.extend((!rest.is_empty()).then_some(Event::Text(rest)));
        // Calling the answer tool is how the answer is given, and the service's own tools are not the client's to call.
        let reason = if self.calls == 0 && reason == StopReason::ToolUse { StopReason::EndTurn } else { reason };
        events.push(Event::Stop(reason));
    }

    fn is_answer(&self, name: &str) -> bool {
        self.reading.answer_tool && name == ANSWER_TOOL
    }
}

fn cited(citation: &CitationsDelta) -> Citation {
    let url = match citation.location() {
        Some(CitationLocation::Web(web)) => web.url().unwrap_or_default(),
        _ => "",
    };
    let quote = citation.source_content().iter().filter_map(|content| content.text()).collect();
    Citation { title: citation.title().unwrap_or_default().to_owned(), url: url.to_owned(), quote }
}

fn usage(tokens: &TokenUsage) -> Usage {
    let count = |tokens: i32| u64::try_from(tokens).unwrap_or(0);
    let one_hour = tokens.cache_details().iter().filter(|detail| detail.ttl == CacheTtl::OneHour);
    let one_hour = one_hour.map(|detail| count(detail.input_tokens)).sum();
    let read = count(tokens.cache_read_input_tokens.unwrap_or(0));
    let written = count(tokens.cache_write_input_tokens.unwrap_or(0));
    split(count(tokens.input_tokens), count(tokens.output_tokens), read, written, one_hour)
}

/// Only the part written for an hour is dearer (cases.md C3); the details say how much that is.
fn split(input: u64, output: u64, cache_read: u64, written: u64, one_hour: u64) -> Usage {
    let cache_write_1h = one_hour.min(written);
    Usage { input, output, cache_read, cache_write_5m: written - cache_write_1h, cache_write_1h }
}

fn stop(reason: &str) -> StopReason {
    match reason {
        "end_turn" => StopReason::EndTurn,
        "stop_sequence" => StopReason::StopSequence,
        "max_tokens" => StopReason::MaxTokens,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        "tool_use" => StopReason::ToolUse,
        "guardrail_intervened" => StopReason::Guardrail,
        "content_filtered" | "refusal" => StopReason::ContentFiltered,
        "malformed_model_output" | "malformed_tool_use" => StopReason::Malformed(reason.to_owned()),
        other => StopReason::Unknown(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn the_answer_tool_is_the_answer() {
        let reading = ResponseOptions { answer_tool: true, ..ResponseOptions::default() };
        let body = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Sure."},
            {"toolUse":{"toolUseId":"t","name":"json_answer","input":{"z":1,"a":[2]}}}]}},"stopReason":"tool_use"}"#;
        let events = Decoder::new(reading.clone()).complete(body.as_bytes()).unwrap();
        assert_eq!(events, [Event::Text(r#"{"z":1,"a":[2]}"#.into()), Event::Stop(StopReason::EndTurn)]);
        let plain = r#"{"output":{"message":{"role":"assistant","content":[{"text":"{}"}]}},"stopReason":"end_turn"}"#;
        let events = Decoder::new(reading).complete(plain.as_bytes()).unwrap();
        assert_eq!(events, [Event::Text("{}".into()), Event::Stop(StopReason::EndTurn)]);
    }

    #[test]
    fn x5_every_stop_reason_has_a_meaning() {
        for (reason, expected) in [
            ("model_context_window_exceeded", StopReason::ContextWindow),
            ("malformed_tool_use", StopReason::Malformed("malformed_tool_use".into())),
            ("something_new", StopReason::Unknown("something_new".into())),
        ] {
            assert_eq!(stop(reason), expected);
        }
    }
}
