//! The two forms in which Bedrock answers: Converse's own, and Anthropic's through `InvokeModel`. A script is written once
//! and is answered in the form of the call.

use bytes::Bytes;
use chatrix::offline::wire;
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Converse,
    /// A Claude model's own dialect: `invoke` and `invoke-with-response-stream`.
    Anthropic,
}

/// A block of a scripted answer.
pub enum Block {
    /// The pieces of a text, each of which is an event of its own.
    Text(Vec<String>),
    /// A thought and its signature.
    Thinking(String, String),
    /// Base64.
    Redacted(String),
    /// The id, the name and the arguments of a call. The arguments are JSON text, which may be cut.
    ToolUse(String, String, String),
}

impl Block {
    /// Reads a content block in Anthropic's form. A string as the input of a `tool_use` block is taken as its raw JSON.
    fn read(block: &Value) -> Self {
        let text = |name: &str| block[name].as_str().unwrap().to_owned();
        match block["type"].as_str().unwrap() {
            "text" => Self::Text(text("text").split_inclusive(' ').map(ToOwned::to_owned).collect()),
            "thinking" => Self::Thinking(text("thinking"), text("signature")),
            "redacted_thinking" => Self::Redacted(text("data")),
            "tool_use" => {
                let input = &block["input"];
                let input = input.as_str().map_or_else(|| input.to_string(), ToOwned::to_owned);
                Self::ToolUse(text("id"), text("name"), input)
            }
            other => panic!("no block of the scripted Bedrock has the type {other}"),
        }
    }

    pub fn read_all(blocks: &Value) -> Vec<Self> {
        blocks.as_array().unwrap().iter().map(Self::read).collect()
    }

    fn complete(&self, form: Form) -> Value {
        let parsed = |input: &str| serde_json::from_str::<Value>(input).unwrap_or_else(|_| json!({}));
        match (self, form) {
            (Self::Text(pieces), Form::Converse) => json!({"text": pieces.concat()}),
            (Self::Text(pieces), Form::Anthropic) => json!({"type": "text", "text": pieces.concat()}),
            (Self::Thinking(text, signature), Form::Converse) => {
                json!({"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}})
            }
            (Self::Thinking(text, signature), Form::Anthropic) => {
                json!({"type": "thinking", "thinking": text, "signature": signature})
            }
            (Self::Redacted(data), Form::Converse) => json!({"reasoningContent": {"redactedContent": data}}),
            (Self::Redacted(data), Form::Anthropic) => json!({"type": "redacted_thinking", "data": data}),
            (Self::ToolUse(id, name, input), Form::Converse) => {
                json!({"toolUse": {"toolUseId": id, "name": name, "input": parsed(input)}})
            }
            (Self::ToolUse(id, name, input), Form::Anthropic) => {
                json!({"type": "tool_use", "id": id, "name": name, "input": parsed(input)})
            }
        }
    }
}

impl Form {
    /// The first frame of a streamed answer. Only Anthropic's says how long the input is (tokens).
    fn start(self, input: u64) -> Bytes {
        match self {
            Self::Converse => wire::event("messageStart", json!({"role": "assistant"})),
            Self::Anthropic => wire::chunk(&json!({"type": "message_start", "message": {
                "id": "msg_bdrk_scripted", "type": "message", "role": "assistant", "model": "claude-scripted",
                "content": [], "stop_reason": null, "stop_sequence": null,
                "usage": {"input_tokens": input, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1},
            }})),
        }
    }

    /// The frames before the first text of an answer.
    pub fn before_text(self, input: u64) -> Bytes {
        let start = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
        match self {
            Self::Converse => self.start(input),
            Self::Anthropic => [self.start(input), wire::chunk(&start)].concat().into(),
        }
    }

    /// A frame of text in the first block.
    pub fn text(self, text: &str) -> Bytes {
        match self {
            Self::Converse => super::delta(text),
            Self::Anthropic => native_delta(0, &json!({"type": "text_delta", "text": text})),
        }
    }

    /// The frames of a whole streamed answer. `tokens` are those of the input and of the output.
    pub fn frames(self, blocks: &[Block], stop: &str, tokens: (u64, u64)) -> Vec<Bytes> {
        let mut frames = vec![self.start(tokens.0)];
        for (index, block) in blocks.iter().enumerate() {
            match self {
                Self::Converse => converse_frames(&mut frames, index, block),
                Self::Anthropic => native_frames(&mut frames, index, block),
            }
        }
        match self {
            Self::Converse => {
                frames.push(wire::event("messageStop", json!({"stopReason": stop})));
                let metadata = json!({"usage": converse_usage(tokens), "metrics": {"latencyMs": 1}});
                frames.push(wire::event("metadata", metadata));
            }
            Self::Anthropic => {
                let delta = json!({"stop_reason": stop, "stop_sequence": null});
                let usage = json!({"output_tokens": tokens.1});
                frames.push(wire::chunk(&json!({"type": "message_delta", "delta": delta, "usage": usage})));
                frames.push(wire::chunk(&json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": {
                    "inputTokenCount": tokens.0, "outputTokenCount": tokens.1, "invocationLatency": 1, "firstByteLatency": 1,
                }})));
            }
        }
        frames
    }

    /// The body of a complete answer.
    pub fn complete(self, blocks: &[Block], stop: &str, tokens: (u64, u64)) -> Value {
        let blocks: Vec<Value> = blocks.iter().map(|block| block.complete(self)).collect();
        match self {
            Self::Converse => json!({
                "output": {"message": {"role": "assistant", "content": blocks}},
                "stopReason": stop, "usage": converse_usage(tokens), "metrics": {"latencyMs": 1},
            }),
            Self::Anthropic => json!({
                "id": "msg_bdrk_scripted", "type": "message", "role": "assistant", "model": "claude-scripted",
                "content": blocks, "stop_reason": stop, "stop_sequence": null,
                "usage": {"input_tokens": tokens.0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": tokens.1},
            }),
        }
    }
}

pub fn converse_usage((input, output): (u64, u64)) -> Value {
    json!({"inputTokens": input, "outputTokens": output, "totalTokens": input + output, "serverToolUsage": {}})
}

/// Arguments of a call in pieces of a few letters, as Claude sends them.
fn pieces(input: &str) -> Vec<String> {
    let input = if input == "{}" { "" } else { input };
    input.chars().collect::<Vec<_>>().chunks(9).map(String::from_iter).collect()
}

fn converse_frames(frames: &mut Vec<Bytes>, index: usize, block: &Block) {
    let mut delta = |delta: Value| {
        frames.push(wire::event("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta})));
    };
    match block {
        Block::Text(pieces) => pieces.iter().for_each(|piece| delta(json!({"text": piece}))),
        Block::Thinking(text, signature) => {
            delta(json!({"reasoningContent": {"text": text}}));
            delta(json!({"reasoningContent": {"signature": signature}}));
        }
        Block::Redacted(data) => delta(json!({"reasoningContent": {"redactedContent": data}})),
        Block::ToolUse(id, name, input) => {
            let start = json!({"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": id, "name": name}}});
            frames.push(wire::event("contentBlockStart", start));
            for piece in pieces(input) {
                let delta = json!({"toolUse": {"input": piece}});
                frames.push(wire::event("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta})));
            }
        }
    }
    frames.push(wire::event("contentBlockStop", json!({"contentBlockIndex": index})));
}

fn native_frames(frames: &mut Vec<Bytes>, index: usize, block: &Block) {
    let (start, deltas): (Value, Vec<Value>) = match block {
        Block::Text(pieces) => (
            json!({"type": "text", "text": ""}),
            pieces.iter().map(|piece| json!({"type": "text_delta", "text": piece})).collect(),
        ),
        Block::Thinking(text, signature) => (
            json!({"type": "thinking", "thinking": "", "signature": ""}),
            vec![
                json!({"type": "thinking_delta", "thinking": text}),
                json!({"type": "signature_delta", "signature": signature}),
            ],
        ),
        Block::Redacted(data) => (json!({"type": "redacted_thinking", "data": data}), vec![]),
        Block::ToolUse(id, name, input) => {
            let start = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
            let pieces = [String::new()].into_iter().chain(pieces(input));
            (start, pieces.map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).collect())
        }
    };
    frames.push(wire::chunk(&json!({"type": "content_block_start", "index": index, "content_block": start})));
    frames.extend(deltas.iter().map(|delta| native_delta(index, delta)));
    frames.push(wire::chunk(&json!({"type": "content_block_stop", "index": index})));
}

fn native_delta(index: usize, delta: &Value) -> Bytes {
    wire::chunk(&json!({"type": "content_block_delta", "index": index, "delta": delta}))
}

#[test]
fn an_answer_of_claude_is_the_same_streamed_and_complete() {
    use aws_smithy_eventstream::frame::read_message_from;
    use base64::Engine;
    let content = json!([
        {"type": "thinking", "thinking": "Well.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "cmVk"},
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"city": "Zürich"}},
    ]);
    let blocks = Block::read_all(&content);
    assert_eq!(Form::Anthropic.complete(&blocks, "tool_use", (9, 4))["content"], content);
    let events: Vec<Value> = Form::Anthropic
        .frames(&blocks, "tool_use", (9, 4))
        .into_iter()
        .map(|mut frame| {
            let payload: Value = serde_json::from_slice(read_message_from(&mut frame).unwrap().payload()).unwrap();
            let native = base64::engine::general_purpose::STANDARD.decode(payload["bytes"].as_str().unwrap()).unwrap();
            serde_json::from_slice(&native).unwrap()
        })
        .collect();
    let joined = |name: &str| events.iter().filter_map(|event| event["delta"][name].as_str()).collect::<String>();
    assert_eq!((events[0]["type"].as_str(), joined("text")), (Some("message_start"), "I will look.".to_owned()));
    assert_eq!((joined("thinking"), joined("signature")), ("Well.".to_owned(), "c2ln".to_owned()));
    assert_eq!(serde_json::from_str::<Value>(&joined("partial_json")).unwrap(), content[3]["input"]);
    let stop = &events[events.len() - 2];
    assert_eq!((&stop["delta"]["stop_reason"], &stop["usage"]["output_tokens"]), (&json!("tool_use"), &json!(4)));
}
