//! A made-up service and made-up conversations, for properties that must hold for any of them.

use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a service makes of prompts: how dense its tokens are, and which reasoning it leaves out.
#[derive(Clone, Copy)]
pub struct Service {
    pub seed: u64,
    /// Whether the reasoning of earlier turns is left out.
    pub drops_reasoning: bool,
    /// Whether content beside the results of tools ends the loop in which reasoning is kept.
    pub mixed_ends_loop: bool,
}

impl Service {
    /// A number of tokens of a piece: the same wherever it stands, and at most `most`.
    fn tokens(self, piece: &str, most: usize) -> usize {
        let mut hash = DefaultHasher::new();
        (self.seed, piece).hash(&mut hash);
        match hash.finish() % 4 {
            0 => most / 5,
            1 => most / 2,
            _ => most,
        }
    }

    /// The tokens of the prompt of a call, in either form.
    pub fn prompt(self, body: &Value) -> usize {
        let mut setting = body.clone();
        let members = setting.as_object_mut().unwrap();
        for name in ["messages", "inferenceConfig", "max_tokens", "temperature", "top_p", "requestMetadata"] {
            members.remove(name);
        }
        let setting = without_cache_points(&setting).to_string();
        let messages = body["messages"].as_array().unwrap();
        let is_result = |block: &Value| block["type"] == "tool_result" || block.get("toolResult").is_some();
        let ends_loop = |message: &Value| {
            let blocks = blocks(message);
            let any_result = blocks.iter().any(is_result);
            let mixed = any_result && !blocks.iter().all(is_result);
            message["role"] != "assistant" && (!any_result || (mixed && self.mixed_ends_loop))
        };
        let loop_start = messages.iter().rposition(ends_loop).unwrap_or(0);
        let mut sum = self.tokens(&setting, setting.len()) + self.tokens(&setting, 346);
        let mut role = "";
        for (index, message) in messages.iter().enumerate() {
            let own = message["role"].as_str().unwrap();
            sum += if own == role { 0 } else { 6 };
            role = own;
            let keeps = !self.drops_reasoning || index > loop_start;
            sum += blocks(message).iter().map(|block| self.block(block, keeps)).sum::<usize>();
        }
        sum + 3
    }

    fn block(self, block: &Value, keeps_reasoning: bool) -> usize {
        let block = without_cache_points(block);
        let piece = block.to_string();
        let text = |pointer: &str| block.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let is = |kind: &str, member: &str| block["type"] == kind || block.get(member).is_some();
        if is("thinking", "reasoningContent") || block["type"] == "redacted_thinking" {
            // The encrypted reasoning, without its frame.
            return if keeps_reasoning { self.tokens(&piece, piece.len() - 40) } else { 0 };
        }
        if is("tool_use", "toolUse") {
            let input = if block["input"].is_object() { &block["input"] } else { &block["toolUse"]["input"] };
            let members = input.as_object().map_or(0, serde_json::Map::len);
            return self.tokens(&piece, input.to_string().len() + 12 * members + 30);
        }
        if is("tool_result", "toolResult") {
            let inner = if block["content"].is_null() { &block["toolResult"] } else { &block };
            return blocks(inner).iter().map(|block| self.block(block, true)).sum::<usize>() + 8;
        }
        if is("image", "image") {
            return self.tokens(&piece, 1600);
        }
        let text = text("/text");
        self.tokens(&text, text.len()) + 4
    }
}

/// The blocks of a message. Its content may be a string, which is one block.
fn blocks(message: &Value) -> Vec<Value> {
    match &message["content"] {
        Value::Array(blocks) => {
            let is_point = |block: &Value| block.get("cachePoint").is_some();
            blocks.iter().filter(|block| !is_point(block)).cloned().collect()
        }
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        _ => Vec::new(),
    }
}

/// A value without the cache points of its blocks. The arguments of calls in these tests have no member of that name.
fn without_cache_points(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| *name != "cache_control");
            Value::Object(kept.map(|(name, value)| (name.clone(), without_cache_points(value))).collect())
        }
        Value::Array(items) => {
            items.iter().filter(|item| item.get("cachePoint").is_none()).map(without_cache_points).collect()
        }
        other => other.clone(),
    }
}

/// A random text. The longest characters and those that JSON escapes are among them.
fn text(random: &mut fastrand::Rng) -> String {
    let pieces = ["word ", "ü", "{\"a\": 1}", "\u{1}", "日本", "\n", "x"];
    (0..random.usize(1..60)).map(|_| pieces[random.usize(..pieces.len())]).collect()
}

fn user_turn(random: &mut fastrand::Rng, calls: &[String]) -> Value {
    let mut content: Vec<Value> =
        calls.iter().map(|id| json!({"type": "tool_result", "tool_use_id": id, "content": text(random)})).collect();
    if content.is_empty() || random.u32(..4) == 0 {
        content.push(json!({"type": "text", "text": text(random)}));
    }
    if random.u32(..12) == 0 {
        content.push(
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}),
        );
    }
    json!({"role": "user", "content": content})
}

/// An assistant's turn, and the ids of its calls.
fn assistant_turn(random: &mut fastrand::Rng) -> (Value, Vec<String>) {
    let mut content = Vec::new();
    if random.bool() {
        // What is encrypted is as long as what it holds.
        let (thought, signature) = (text(random), "c2ln".repeat(random.usize(20..200)));
        content.push(json!({"type": "thinking", "thinking": thought, "signature": signature}));
    }
    content.push(json!({"type": "text", "text": text(random)}));
    let calls: Vec<String> = (0..random.usize(..3)).map(|_| format!("toolu_{}", random.u64(..))).collect();
    for id in &calls {
        let input = json!({"path": text(random), "n": random.u32(..)});
        content.push(json!({"type": "tool_use", "id": id, "name": "read", "input": input}));
    }
    (json!({"role": "assistant", "content": content}), calls)
}

/// A conversation that a client changes from request to request.
pub struct Conversation {
    pub body: Value,
    calls: Vec<String>,
}

impl Conversation {
    pub fn new(random: &mut fastrand::Rng) -> Self {
        let tool = |name: &str| json!({"name": name, "input_schema": {"type": "object"}});
        // Few settings and first turns, so that conversations begin alike.
        let tools: Vec<Value> = ["read", "write"].iter().take(random.usize(1..3)).map(|name| tool(name)).collect();
        let mut body = json!({
            "model": "claude-sonnet-4-6", "max_tokens": 8000, "tools": tools,
            "system": [{"type": "text", "text": format!("You are agent {}.", random.u32(..2))}],
            "messages": [{"role": "user", "content": format!("Task {}", random.u32(..2))}],
        });
        match random.u32(..3) {
            0 => body["thinking"] = json!({"type": "adaptive"}),
            1 => body["thinking"] = json!({"type": "enabled", "budget_tokens": 2000}),
            _ => {}
        }
        Self { body, calls: Vec::new() }
    }

    pub fn change(&mut self, random: &mut fastrand::Rng) {
        let messages = self.body["messages"].as_array_mut().unwrap();
        match random.u32(..10) {
            0 => self.body["max_tokens"] = random.u32(3000..9000).into(),
            1 => self.body["tool_choice"] = json!({"type": (["auto", "any", "none"][random.usize(..3)])}),
            2 if messages.len() > 2 => {
                messages.truncate(messages.len() - 2);
                self.calls = blocks(messages.last().unwrap())
                    .iter()
                    .filter_map(|block| block["tool_use_id"].as_str().map(ToOwned::to_owned))
                    .collect();
            }
            3 => {
                let last = messages.last_mut().unwrap();
                let mut content = blocks(last);
                content.push(json!({"type": "text", "text": "<system-reminder>Go on.</system-reminder>"}));
                last["content"] = content.into();
            }
            4 => {
                for message in messages.iter_mut() {
                    let mut content = blocks(message);
                    for block in &mut content {
                        block.as_object_mut().unwrap().remove("cache_control");
                    }
                    message["content"] = content.into();
                }
                let content = messages.last_mut().unwrap()["content"].as_array_mut().unwrap();
                content.last_mut().unwrap()["cache_control"] = json!({"type": "ephemeral"});
            }
            _ => {
                let (answer, calls) = assistant_turn(random);
                messages.extend([answer, user_turn(random, &calls)]);
                self.calls = calls;
            }
        }
    }
}
