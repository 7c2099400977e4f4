//! The items of an answer: messages, reasoning and tool calls, each with an id of its own that stays the same in all events
//! of a stream.

use super::carrier::carrier;
use super::echo::Echo;
use super::names::{ClientTool, ToolKind, ToolNames};
use super::tools::CUSTOM_INPUT;
use crate::api::dialect::AnswerHead;
use crate::api::openai::answer::citation_url;
use crate::conversation::{Answer, Block, Citation, Reasoning, StopReason, ToolCall};
use serde_json::{Value, json};

/// What the answer to a request depends on.
#[derive(Debug, Default)]
pub(super) struct AnswerOptions {
    /// Whether the text of the reasoning is shown.
    pub(super) show_reasoning: bool,
    pub(super) names: ToolNames,
    pub(super) echo: Echo,
}

/// The id of an item, made from that of its response and its place in the output.
pub(super) fn item_id(prefix: &str, head: &AnswerHead, output_index: usize) -> String {
    let digits = head.id.strip_prefix("resp_").unwrap_or(&head.id);
    format!("{prefix}_{digits}{output_index:02x}")
}

/// The text of a message, and its sources.
#[derive(Debug, Default)]
pub(super) struct MessageText {
    pub(super) text: String,
    annotations: Vec<Value>,
    /// The length of the text so far (characters).
    length: usize,
    /// Where the passage of the next source begins, and whether a source has ended it.
    passage: (usize, bool),
}

impl MessageText {
    pub(super) fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if std::mem::take(&mut self.passage.1) {
            self.passage.0 = self.length;
        }
        self.text.push_str(text);
        self.length += text.chars().count();
    }

    /// Adds a source of the text since the last one. Several sources of the same passage have the same range. Returns its
    /// index, and how it is written.
    pub(super) fn cite(&mut self, citation: &Citation) -> (usize, &Value) {
        self.passage.1 = true;
        let index = self.annotations.len();
        let annotation = json!({
            "type": "url_citation", "start_index": self.passage.0, "end_index": self.length,
            "url": citation_url(citation), "title": citation.title,
        });
        self.annotations.push(annotation);
        (index, &self.annotations[index])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.annotations.is_empty()
    }

    /// The content part.
    pub(super) fn part(&self) -> Value {
        json!({"type": "output_text", "text": self.text, "annotations": self.annotations, "logprobs": []})
    }
}

/// A message, with its content part.
pub(super) fn message(id: &str, status: &str, content: &[Value]) -> Value {
    json!({"id": id, "type": "message", "status": status, "role": "assistant", "content": content})
}

/// The status of the last message of an answer.
pub(super) fn message_status(stop: Option<&StopReason>) -> &'static str {
    match stop {
        Some(StopReason::MaxTokens | StopReason::ContextWindow) => "incomplete",
        _ => "completed",
    }
}

/// An item of reasoning. The summary holds the text that is shown, and the carrier what the model takes back.
pub(super) fn reasoning(id: &str, head: &AnswerHead, options: &AnswerOptions, reasoning: &Reasoning) -> Value {
    let summary: Vec<Value> = match reasoning {
        Reasoning::Text { text, .. } if options.show_reasoning && !text.is_empty() => vec![summary_part(text)],
        Reasoning::Text { .. } | Reasoning::Redacted(_) => Vec::new(),
    };
    json!({"id": id, "type": "reasoning", "summary": summary, "encrypted_content": carrier(&head.model, reasoning)})
}

pub(super) fn summary_part(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

/// What an id of a call of this kind begins with.
pub(super) fn call_prefix(kind: ToolKind) -> &'static str {
    match kind {
        ToolKind::Function => "fc",
        ToolKind::Custom => "ctc",
        ToolKind::Search => "tsc",
    }
}

/// A tool call as the client knows the tool. `input` is what [`call_input`] gives.
pub(super) fn call(id: &str, tool: &ClientTool, call_id: &str, input: &str, status: &str) -> Value {
    let (r#type, member) = match tool.kind {
        ToolKind::Function => ("function_call", "arguments"),
        ToolKind::Custom => ("custom_tool_call", "input"),
        ToolKind::Search => {
            let arguments: Value = serde_json::from_str(input).unwrap_or_else(|_| json!({}));
            return json!({
                "id": id, "type": "tool_search_call", "call_id": call_id, "execution": "client", "arguments": arguments,
                "status": status,
            });
        }
    };
    let mut item = json!({"id": id, "type": r#type, "call_id": call_id, "name": tool.name});
    if let Some(namespace) = &tool.namespace {
        item["namespace"] = namespace.as_str().into();
    }
    item[member] = input.into();
    item["status"] = status.into();
    item
}

/// What a call passes to its tool: JSON, or the text of a custom tool.
pub(super) fn call_input(kind: ToolKind, arguments: String) -> String {
    if kind == ToolKind::Custom {
        return custom_input(arguments);
    }
    if arguments.trim().is_empty() { "{}".to_owned() } else { arguments }
}

/// The text for a custom tool. A model may name the only argument otherwise, or write the text alone.
fn custom_input(arguments: String) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(&arguments) else { return arguments };
    if let Some(Value::String(text)) = members.get_mut(CUSTOM_INPUT) {
        return std::mem::take(text);
    }
    let is_alone = members.len() <= 1;
    match members.values_mut().next() {
        None => String::new(),
        Some(Value::String(text)) if is_alone => std::mem::take(text),
        Some(_) => arguments,
    }
}

/// The items of a complete answer. Blocks of text that follow each other are one message.
pub(super) fn items(head: &AnswerHead, options: &AnswerOptions, answer: &Answer) -> Vec<Value> {
    let mut output = Vec::new();
    let mut open = MessageText::default();
    let end_message = |output: &mut Vec<Value>, open: &mut MessageText, status: &str| {
        if !open.is_empty() {
            let id = item_id("msg", head, output.len());
            output.push(message(&id, status, &[open.part()]));
        }
        *open = MessageText::default();
    };
    for block in &answer.blocks {
        match block {
            Block::Text { text, citations } => {
                let mut counted = 0;
                for cited in citations {
                    open.push(text.get(counted..cited.end).unwrap_or_default());
                    counted = cited.end;
                    open.cite(&cited.citation);
                }
                open.push(text.get(counted..).unwrap_or_default());
            }
            Block::Reasoning(block) => {
                end_message(&mut output, &mut open, "completed");
                let id = item_id("rs", head, output.len());
                output.push(reasoning(&id, head, options, block));
            }
            Block::ToolCall(ToolCall { id: call_id, name, arguments }) => {
                end_message(&mut output, &mut open, "completed");
                let tool = options.names.client_tool(name);
                let id = item_id(call_prefix(tool.kind), head, output.len());
                output.push(call(&id, &tool, call_id, &call_input(tool.kind, arguments.clone()), "completed"));
            }
        }
    }
    end_message(&mut output, &mut open, message_status(Some(&answer.stop)));
    output
}
