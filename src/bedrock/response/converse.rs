//! Decodes the answers of Converse into events. One decoder serves complete and streamed answers: a complete answer goes
//! through the same steps as the frames of a stream. The decoder handles what recorded answers contain: usage after the
//! stop reason, text blocks without a start, empty deltas, citations instead of text, and tools that the service runs
//! itself (docs/bedrock.md, recorded 1 to 10).
//!
//! Answers are decoded from their bytes, not from the SDK's types, which keep a tool's arguments in a hash map and so
//! lose the order in which the model wrote them (docs/bedrock.md, trap 7).

use super::body::{
    BlockDelta, BlockStart, BlockStop, CitationBody, Complete, CompleteBlock, CompleteToolUse, Delta, MessageStop,
    Metadata, ReasoningDelta, ToolUseStart,
};
use super::code_fence::CodeFence;
use super::reasoning_tags::{InlineReasoning, Piece};
use super::stop_reason::stop_reason;
use crate::bedrock::request::structured_output::ANSWER_TOOL;
use crate::bedrock::request::{PropertyNames, ResponseOptions};
use crate::conversation::{Event, StopReason, json_text};
use crate::error::{Error, Kind, Result};
use serde::de::DeserializeOwned;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Decodes one answer.
#[derive(Debug)]
pub(in crate::bedrock) struct Decoder {
    options: ResponseOptions,
    /// The kind of each tool block, by Bedrock's block index. Text and reasoning blocks are not listed.
    tools: HashMap<i64, ToolBlock>,
    /// The number of tool calls so far.
    calls: usize,
    fence: CodeFence,
    inline_reasoning: Option<InlineReasoning>,
    /// With an answer tool, the text so far. It is dropped when the tool is called, and is the answer when it never is.
    held_text: String,
    answer_tool_called: bool,
    /// The kind of the block for which no [`Event::BlockEnd`] was emitted yet.
    open_block: Option<BlockKind>,
}

#[derive(Debug)]
enum ToolBlock {
    /// A call of the client's own tool.
    Call { index: usize, empty: bool, held: Option<HeldArguments> },
    /// The answer tool.
    Answer { held: Option<HeldArguments> },
    /// A block that the client does not see: a tool that the service runs itself (docs/bedrock.md, recorded 7), or a
    /// further call of the answer tool.
    Ignored,
}

/// The arguments of a tool with renamed properties, which are needed whole.
#[derive(Debug)]
struct HeldArguments {
    json: String,
    names: Arc<PropertyNames>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockKind {
    Text,
    Reasoning,
    ToolCall,
}

impl Decoder {
    pub(super) fn new(options: ResponseOptions) -> Self {
        let fence = if options.bare_json { CodeFence::new() } else { CodeFence::Off };
        let inline_reasoning = options.reasoning_tags.map(InlineReasoning::new);
        Self {
            options,
            inline_reasoning,
            fence,
            tools: HashMap::new(),
            calls: 0,
            held_text: String::new(),
            answer_tool_called: false,
            open_block: None,
        }
    }

    /// Adds the events of a complete answer.
    ///
    /// # Errors
    /// `InvalidUpstreamResponse` when the body is not the JSON that is expected.
    pub(super) fn complete(&mut self, body: &[u8], events: &mut VecDeque<Event>) -> Result<()> {
        let Complete { output, stop_reason, additional_model_response_fields, usage } = parse_payload(body)?;
        for (place, block) in (0..).zip(output.message.content) {
            self.block(place, block, events);
            self.end_block(place, events);
        }
        self.stop(MessageStop { stop_reason, additional_model_response_fields }, events);
        events.extend(usage.map(|tokens| Event::Usage(tokens.into())));
        Ok(())
    }

    /// Adds the events of one frame of a stream. `kind` is the frame's `:event-type`. Returns whether the frame holds a part
    /// of the answer. Frames that hold none keep no stream alive: empty deltas, the ends of blocks, and whatever the
    /// service adds.
    ///
    /// # Errors
    /// `InvalidUpstreamResponse` when the payload is not the JSON that is expected.
    pub(super) fn event(&mut self, kind: &str, payload: &[u8], events: &mut VecDeque<Event>) -> Result<bool> {
        Ok(match kind {
            "contentBlockStart" => {
                let BlockStart { content_block_index, start } = parse_payload(payload)?;
                let tool = start.and_then(|start| start.tool_use);
                let has_content = tool.is_some();
                if let Some(tool) = tool {
                    self.start_tool(content_block_index, tool, events);
                }
                has_content
            }
            "contentBlockDelta" => {
                let BlockDelta { content_block_index, delta } = parse_payload(payload)?;
                let has_content = delta.has_content();
                self.delta(content_block_index, delta, events);
                has_content
            }
            "contentBlockStop" => {
                let BlockStop { content_block_index } = parse_payload(payload)?;
                self.end_block(content_block_index, events);
                false
            }
            "messageStop" => {
                self.stop(parse_payload(payload)?, events);
                true
            }
            "metadata" => {
                let Metadata { usage } = parse_payload(payload)?;
                events.extend(usage.map(|tokens| Event::Usage(tokens.into())));
                true
            }
            // `messageStart` holds only the role. The service may also add events that this build does not know.
            _ => false,
        })
    }

    /// One block of a complete answer.
    fn block(&mut self, place: i64, block: CompleteBlock, events: &mut VecDeque<Event>) {
        let CompleteBlock { text, reasoning_content, tool_use, citations_content } = block;
        if let Some(text) = text {
            self.push_text(text, events);
        }
        if let Some(block) = reasoning_content {
            let (text, signature) = block.reasoning_text.map(|reasoning| (reasoning.text, reasoning.signature)).unzip();
            let signature = signature.flatten();
            self.push_reasoning(ReasoningDelta { text, signature, redacted_content: block.redacted_content }, events);
        }
        if let Some(cited) = citations_content {
            for text in cited.content.into_iter().filter_map(|content| content.text) {
                self.push_text(text, events);
            }
            for citation in cited.citations {
                self.push_citation(citation, events);
            }
        }
        if let Some(call) = tool_use {
            let CompleteToolUse { tool_use_id, name, r#type, input } = call;
            self.start_tool(place, ToolUseStart { tool_use_id, name, r#type }, events);
            let input = input.map_or_else(String::new, |input| input.get().to_owned());
            self.tool_input(place, input, events);
        }
    }

    fn delta(&mut self, place: i64, delta: Delta, events: &mut VecDeque<Event>) {
        let Delta { text, reasoning_content, tool_use, citation, tool_result: _, image: _ } = delta;
        if let Some(text) = text {
            self.push_text(text, events);
        }
        if let Some(reasoning) = reasoning_content {
            self.push_reasoning(reasoning, events);
        }
        if let Some(tool) = tool_use {
            self.tool_input(place, tool.input, events);
        }
        if let Some(citation) = citation {
            self.push_citation(citation, events);
        }
    }

    fn start_tool(&mut self, place: i64, tool: ToolUseStart, events: &mut VecDeque<Event>) {
        let renamed = self.options.properties.get(&tool.name);
        let held = renamed.map(|names| HeldArguments { json: String::new(), names: Arc::clone(names) });
        let is_answer = self.options.answer_tool && tool.name == ANSWER_TOOL;
        let block = if tool.r#type.as_deref() == Some("server_tool_use") {
            ToolBlock::Ignored
        } else if is_answer && self.answer_tool_called {
            // Only the first call is the answer.
            ToolBlock::Ignored
        } else if is_answer {
            self.answer_tool_called = true;
            self.held_text.clear();
            ToolBlock::Answer { held }
        } else {
            let index = self.calls;
            self.calls += 1;
            let name = self.options.tool_names.original_name(&tool.name);
            self.emit(Event::ToolCall { index, id: tool.tool_use_id, name }, events);
            ToolBlock::Call { index, empty: true, held }
        };
        self.tools.insert(place, block);
    }

    fn tool_input(&mut self, place: i64, json: String, events: &mut VecDeque<Event>) {
        if json.is_empty() {
            return;
        }
        match self.tools.get_mut(&place) {
            Some(ToolBlock::Call { held: Some(held), .. } | ToolBlock::Answer { held: Some(held) }) => {
                held.json.push_str(&json);
            }
            Some(ToolBlock::Call { index, empty, held: None }) => {
                *empty = false;
                let index = *index;
                self.emit(Event::Arguments { index, json }, events);
            }
            Some(ToolBlock::Answer { held: None }) => self.emit(Event::Text(json), events),
            Some(ToolBlock::Ignored) | None => {}
        }
    }

    fn end_block(&mut self, place: i64, events: &mut VecDeque<Event>) {
        match self.tools.remove(&place) {
            Some(ToolBlock::Call { index, held: Some(HeldArguments { json, names }), .. }) if !json.is_empty() => {
                self.emit(Event::Arguments { index, json: names.to_client(&json) }, events);
            }
            // A call without arguments streams no input, and an empty string is not JSON (docs/cases.md, T9).
            Some(ToolBlock::Call { index, empty: true, .. }) => {
                self.emit(Event::Arguments { index, json: "{}".to_owned() }, events);
            }
            Some(ToolBlock::Answer { held: Some(HeldArguments { json, names }) }) if !json.is_empty() => {
                self.emit(Event::Text(names.to_client(&json)), events);
            }
            // A text block ends.
            None => self.end_text(events),
            Some(_) => {}
        }
        self.end_open_block(events);
    }

    fn push_reasoning(&mut self, delta: ReasoningDelta, events: &mut VecDeque<Event>) {
        let ReasoningDelta { text, signature, redacted_content } = delta;
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.emit(Event::Reasoning(text), events);
        }
        if let Some(signature) = signature {
            self.emit(Event::Signature(signature), events);
        }
        if let Some(data) = redacted_content {
            self.emit(Event::Redacted(data), events);
        }
    }

    fn push_citation(&mut self, citation: CitationBody, events: &mut VecDeque<Event>) {
        self.emit(Event::Citation(citation.into()), events);
    }

    fn push_text(&mut self, text: String, events: &mut VecDeque<Event>) {
        if self.options.answer_tool {
            self.held_text.push_str(&text);
        } else {
            self.emit_text(text, events);
        }
    }

    /// Emits text, without the reasoning that may be in it.
    fn emit_text(&mut self, text: String, events: &mut VecDeque<Event>) {
        match &mut self.inline_reasoning {
            Some(inline) => {
                let pieces = inline.split(&text);
                self.emit_pieces(pieces, events);
            }
            None => self.emit_unfenced(text, events),
        }
    }

    /// Emits what was held back at the end of a text block.
    fn end_text(&mut self, events: &mut VecDeque<Event>) {
        let last = self.inline_reasoning.as_mut().and_then(InlineReasoning::finish);
        self.emit_pieces(last.into_iter().collect(), events);
    }

    /// Emits text without its code fence. Most answers have none, and are emitted without being copied.
    fn emit_unfenced(&mut self, text: String, events: &mut VecDeque<Event>) {
        let text = if matches!(self.fence, CodeFence::Off) { text } else { self.fence.strip(&text) };
        if !text.is_empty() {
            self.emit(Event::Text(text), events);
        }
    }

    fn emit_pieces(&mut self, pieces: Vec<Piece>, events: &mut VecDeque<Event>) {
        for piece in pieces {
            match piece {
                Piece::Reasoning(reasoning) => self.emit(Event::Reasoning(reasoning), events),
                Piece::Text(text) => self.emit_unfenced(text, events),
            }
        }
    }

    fn stop(&mut self, stop: MessageStop, events: &mut VecDeque<Event>) {
        if !self.answer_tool_called && !self.held_text.is_empty() {
            let held = std::mem::take(&mut self.held_text);
            self.emit_text(held, events);
        }
        self.end_text(events);
        let rest = self.fence.finish();
        if !rest.is_empty() {
            self.emit(Event::Text(rest), events);
        }
        self.end_open_block(events);
        let MessageStop { stop_reason: reason, additional_model_response_fields: fields } = stop;
        let reason = match stop_reason(&reason, &fields) {
            // The client sees no tool call when only the answer tool or the service's own tools were called.
            StopReason::ToolUse if self.calls == 0 => StopReason::EndTurn,
            reason => reason,
        };
        events.push_back(Event::Stop(reason));
    }

    /// Adds an event of a block. When it belongs to a new block, the end of the previous block is added first.
    fn emit(&mut self, event: Event, events: &mut VecDeque<Event>) {
        let (kind, begins) = match event {
            Event::Text(_) | Event::Citation(_) => (BlockKind::Text, false),
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) => (BlockKind::Reasoning, false),
            Event::ToolCall { .. } => (BlockKind::ToolCall, true),
            Event::Arguments { .. } => (BlockKind::ToolCall, false),
            Event::BlockEnd | Event::Stop(_) | Event::Usage(_) | Event::Native(_) => return events.push_back(event),
        };
        if begins || self.open_block != Some(kind) {
            self.end_open_block(events);
        }
        self.open_block = Some(kind);
        events.push_back(event);
    }

    fn end_open_block(&mut self, events: &mut VecDeque<Event>) {
        if self.open_block.take().is_some() {
            events.push_back(Event::BlockEnd);
        }
    }
}

fn parse_payload<T: DeserializeOwned>(payload: &[u8]) -> Result<T> {
    json_text::from_slice(payload)
        .map_err(|error| Error::new(Kind::InvalidUpstreamResponse, format!("Bedrock's answer cannot be read: {error}")))
}
