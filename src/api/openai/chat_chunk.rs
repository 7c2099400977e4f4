//! `chat.completion.chunk`: a streamed answer (docs/openai.md §4.3). The role comes first, then the content, then
//! `finish_reason` exactly once, and then the usage if the client asked for it.

use super::answer::{FINGERPRINT, annotation, finish_reason, reasoning_detail, usage_object};
use super::chat_request::{AnswerOptions, Positions};
use super::error::{envelope, field_path};
use crate::api::dialect::{AnswerHead, FrameWriter};
use crate::api::frames::{Data, Frames};
use crate::catalog::NanoDollars;
use crate::conversation::{Event, Reasoning, Usage};
use crate::error::Error;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_details: Option<[Value; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[Value; 1]>,
    /// `Some(())` is written as null.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<()>,
}

/// Each chunk has at most one call, because versions of Jan from 2025 read only the first (docs/openai.md §1.5).
#[derive(Serialize)]
struct ToolCall<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

/// The data of the last event of every stream.
pub(super) const DONE: &str = "[DONE]";
pub(super) const KEEP_ALIVE: &str = "keep-alive";

/// Writes the chunks of one answer.
#[derive(Debug)]
pub(super) struct ChunkWriter {
    options: AnswerOptions,
    positions: Positions,
    /// What all chunks begin with, up to the list of choices.
    beginning: String,
    /// The index of the current reasoning block, or of the next one.
    reasoning_index: usize,
    in_reasoning: bool,
    /// The length of the text so far (characters).
    text_length: usize,
}

impl ChunkWriter {
    pub(super) fn new(head: &AnswerHead, options: AnswerOptions, positions: Positions) -> Self {
        let common = json!({
            "id": head.id, "object": "chat.completion.chunk", "created": head.created, "model": head.model,
            "system_fingerprint": FINGERPRINT,
        });
        let mut beginning = common.to_string();
        // Further members follow.
        beginning.truncate(beginning.len() - "}".len());
        beginning.push_str(",\"choices\":[");
        Self { options, positions, beginning, reasoning_index: 0, in_reasoning: false, text_length: 0 }
    }

    /// Adds a chunk with one choice. `delta` writes what is new in it.
    fn choice(&self, frames: &mut Frames, finish_reason: Option<&'static str>, delta: impl FnOnce(&mut Data<'_>)) {
        frames.event(None, |data| {
            data.text(&self.beginning);
            data.text("{\"index\":0,\"delta\":");
            delta(data);
            data.text(",\"logprobs\":null,\"finish_reason\":");
            data.json(&finish_reason);
            data.text("}]}");
        });
    }

    fn delta(&self, frames: &mut Frames, delta: &Delta<'_>) {
        self.choice(frames, None, |data| data.json(delta));
    }

    fn reasoning(&self, frames: &mut Frames, text: Option<&str>, reasoning: &Reasoning) {
        if !self.options.omit_reasoning {
            let details = Some([reasoning_detail(self.reasoning_index, reasoning)]);
            self.delta(frames, &Delta { reasoning_content: text, reasoning_details: details, ..Delta::default() });
        }
    }

    fn write(&mut self, event: &Event, frames: &mut Frames) {
        let delta = match event {
            Event::Text(text) => {
                self.text_length += text.chars().count();
                // Most events are text, so it is written without anything between.
                return self.choice(frames, None, |data| {
                    data.text("{\"content\":");
                    data.json(text);
                    data.text("}");
                });
            }
            Event::Reasoning(text) => {
                return self.reasoning(frames, Some(text), &Reasoning::Text { text: text.clone(), signature: None });
            }
            Event::Signature(signature) => {
                let end = Reasoning::Text { text: String::new(), signature: Some(signature.clone()) };
                return self.reasoning(frames, None, &end);
            }
            Event::Redacted(data) => return self.reasoning(frames, None, &Reasoning::Redacted(data.clone())),
            // The legacy form has room for one call.
            Event::ToolCall { index: 1.., .. } | Event::Arguments { index: 1.., .. }
                if self.options.legacy_functions =>
            {
                return;
            }
            Event::ToolCall { name, .. } if self.options.legacy_functions => {
                Delta { function_call: Some(Function { name: Some(name), arguments: "" }), ..Delta::default() }
            }
            Event::Arguments { json, .. } if self.options.legacy_functions => {
                Delta { function_call: Some(Function { name: None, arguments: json }), ..Delta::default() }
            }
            Event::ToolCall { index, id, name } => {
                let function = Function { name: Some(name), arguments: "" };
                tool_call(ToolCall { index: *index, id: Some(id), r#type: Some("function"), function })
            }
            Event::Arguments { index, json } => {
                let function = Function { name: None, arguments: json };
                tool_call(ToolCall { index: *index, id: None, r#type: None, function })
            }
            Event::Citation(citation) => Delta {
                annotations: Some([annotation(citation, self.text_length, self.text_length)]),
                ..Delta::default()
            },
            Event::Stop(reason) => {
                let reason = finish_reason(reason, self.options.legacy_functions);
                return self.choice(frames, Some(reason), |data| data.text("{}"));
            }
            Event::BlockEnd | Event::Usage(_) | Event::Native(_) => return,
        };
        self.delta(frames, &delta);
    }
}

fn tool_call(call: ToolCall<'_>) -> Delta<'_> {
    Delta { tool_calls: Some([call]), ..Delta::default() }
}

impl FrameWriter for ChunkWriter {
    fn start(&mut self, frames: &mut Frames) {
        let start = Delta { role: Some("assistant"), content: Some(""), refusal: Some(()), ..Delta::default() };
        self.delta(frames, &start);
    }

    fn event(&mut self, event: &Event, frames: &mut Frames) {
        self.write(event, frames);
        match event {
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) => self.in_reasoning = true,
            Event::BlockEnd => self.reasoning_index += usize::from(std::mem::take(&mut self.in_reasoning)),
            _ => {}
        }
    }

    fn finish(&mut self, usage: Option<Usage>, cost: Option<NanoDollars>, frames: &mut Frames) {
        if let Some(usage) = usage
            && self.options.include_usage
        {
            frames.event(None, |data| {
                data.text(&self.beginning);
                data.text("],\"usage\":");
                data.json(&usage_object(&usage, cost));
                data.text("}");
            });
        }
        frames.event(None, |data| data.text(DONE));
    }

    /// The error has no `choices` beside it, or AI SDK 5, which Jan uses, would ignore it (docs/openai.md §0.7).
    fn fail(&mut self, error: &Error, frames: &mut Frames) {
        let envelope = envelope(error, |field| field_path(field, &self.positions));
        frames.event(None, |data| data.json(&envelope));
        frames.event(None, |data| data.text(DONE));
    }

    fn keep_alive(&mut self, frames: &mut Frames) {
        frames.comment(KEEP_ALIVE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::StopReason;

    fn writer(options: AnswerOptions) -> ChunkWriter {
        let head = AnswerHead { id: "chatcmpl-1".into(), created: 7, model: "m".into(), expected_input: 0 };
        ChunkWriter::new(&head, options, Positions::default())
    }

    /// The data of the events that are written.
    fn written(write: impl FnOnce(&mut Frames)) -> Vec<String> {
        let mut frames = Frames::default();
        write(&mut frames);
        let text = String::from_utf8_lossy(&frames.take()).into_owned();
        let events = text.split_terminator("\n\n");
        events.map(|event| event.strip_prefix("data: ").unwrap_or("not an event").to_owned()).collect()
    }

    #[test]
    fn chunks_read_as_openai_writes_them() {
        let mut chunks = writer(AnswerOptions { include_usage: true, ..AnswerOptions::default() });
        let head = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","system_fingerprint":"fp_chatrix","choices":["#;
        let choice = |delta: &str, reason: &str| {
            vec![format!(r#"{head}{{"index":0,"delta":{{{delta}}},"logprobs":null,"finish_reason":{reason}}}]}}"#)]
        };
        assert_eq!(
            written(|frames| chunks.start(frames)),
            choice(r#""role":"assistant","content":"","refusal":null"#, "null")
        );
        assert_eq!(
            written(|frames| chunks.event(&Event::Text("Hel".into()), frames)),
            choice(r#""content":"Hel""#, "null")
        );
        assert!(written(|frames| chunks.event(&Event::BlockEnd, frames)).is_empty());
        assert_eq!(
            written(|frames| chunks.event(&Event::Stop(StopReason::MaxTokens), frames)),
            choice("", r#""length""#)
        );
        let usage = Usage { input: 3, output: 4, cache_read: 5, ..Usage::default() };
        let end = written(|frames| chunks.finish(Some(usage), None, frames));
        assert!(end[0].starts_with(&format!(r#"{head}],"usage":{{"prompt_tokens":8,"#)), "{end:?}");
        assert_eq!(end[1..], ["[DONE]"]);
        let mut silent = writer(AnswerOptions::default());
        assert_eq!(written(|frames| silent.finish(Some(usage), None, frames)), ["[DONE]"]);
    }

    #[test]
    fn an_event_of_text_takes_no_memory_of_its_own() {
        let (mut chunks, mut frames) = (writer(AnswerOptions::default()), Frames::default());
        let event = Event::Text("a \"word\"\n".into());
        let mut write = || {
            (0..100).for_each(|_| chunks.event(&event, &mut frames));
            drop(frames.take());
        };
        // The bytes grow to their size.
        write();
        let counted = allocation_counter::measure(write);
        assert!(counted.count_total <= 5, "100 events take memory {} times", counted.count_total);
    }

    #[test]
    fn reasoning_blocks_are_numbered_and_can_be_left_out() {
        let events = [
            Event::Reasoning("a".into()),
            Event::Reasoning("b".into()),
            Event::Signature("s".into()),
            Event::BlockEnd,
            Event::Redacted("x".into()),
            Event::BlockEnd,
        ];
        let all =
            |mut writer: ChunkWriter| written(|frames| events.iter().for_each(|event| writer.event(event, frames)));
        let shown = all(writer(AnswerOptions::default()));
        for (chunk, index) in shown.iter().zip([0, 0, 0, 1]) {
            assert!(chunk.contains(&format!(r#""index":{index}}}]"#)), "{chunk}");
        }
        assert_eq!(shown.len(), 4);
        let omit_reasoning = true;
        assert!(all(writer(AnswerOptions { omit_reasoning, ..AnswerOptions::default() })).is_empty());
    }
}
