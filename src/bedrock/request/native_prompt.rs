//! The prompt of a Messages request, as it is sent to `InvokeModel` (see [`prompt`](super::prompt)).

use super::native_messages;
use super::prompt::{FRAME, Hasher, Measure, Prompt, PromptWriter};
use crate::conversation::NativeRequest;
use crate::policy::Admitted;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

/// Members that are no part of the prompt: the sampling and the length of the answer.
const BESIDE_THE_PROMPT: [&str; 5] = ["max_tokens", "temperature", "top_p", "stop_sequences", "messages"];
/// How a block of the system prompt begins that names the client's version. It may differ from request to request.
const BILLING_NOTE: &str = "x-anthropic-billing-header:";

/// The prompt of a request. `None` where an earlier prompt may have fewer tokens in what both have in common: the service
/// clears a part of the context.
pub(super) fn of_request(admitted: &Admitted, native: &NativeRequest) -> Option<Prompt> {
    let members = native_messages::members(admitted, native).ok()?;
    let mut hash = Hasher::default();
    hash.add(&admitted.model().id)?;
    let mut unhashed = 0;
    for (name, value) in &members {
        if BESIDE_THE_PROMPT.contains(name) {
            continue;
        }
        if *name == "context_management" {
            return None;
        }
        hash.add(name)?;
        match value.as_ref() {
            Value::Array(blocks) => {
                for block in blocks {
                    match block["text"].as_str() {
                        Some(text) if *name == "system" && text.starts_with(BILLING_NOTE) => {
                            unhashed += text.len() + FRAME;
                        }
                        _ => hash.add(&WithoutCachePoints(block))?,
                    }
                }
            }
            value => hash.add(value)?,
        }
    }
    let mut writer = PromptWriter::new(hash.finish(), unhashed);
    let messages = members.iter().find(|(name, _)| *name == "messages").map(|(_, messages)| messages)?;
    for message in messages.as_array()? {
        writer.begin_turn(message["role"].as_str()?)?;
        match &message["content"] {
            // The same as one block of text.
            Value::String(text) => writer.add(&json!({"type": "text", "text": text}), Measure::Content(text.len()))?,
            Value::Array(blocks) => {
                blocks.iter().try_for_each(|block| writer.add(&WithoutCachePoints(block), measure(block)))?;
            }
            _ => return None,
        }
    }
    Some(writer.finish())
}

/// The most tokens of a block. A kind that is not known here may be anything, and a reference to a tool loads the tool.
fn measure(block: &Value) -> Measure {
    let text = |name: &str| block[name].as_str().unwrap_or_default();
    match text("type") {
        // Citations refer to documents.
        "text" if block.get("citations").is_none_or(Value::is_null) => Measure::Content(text("text").len()),
        "tool_use" => Measure::of_call(text("id"), text("name"), &block["input"].to_string()),
        "tool_result" => match &block["content"] {
            Value::Null => Measure::of_result(text("tool_use_id"), []),
            Value::String(result) => Measure::of_result(text("tool_use_id"), [Measure::Content(result.len())]),
            Value::Array(parts) => Measure::of_result(text("tool_use_id"), parts.iter().map(measure)),
            _ => Measure::Dependent,
        },
        "thinking" => Measure::Reasoning(text("thinking").len() + text("signature").len()),
        "redacted_thinking" => Measure::Reasoning(text("data").len()),
        _ => Measure::Dependent,
    }
}

/// A block or a tool without its cache points: its own, and those of the content of a result. A member of the same name
/// elsewhere, such as in the arguments of a call, is part of the prompt.
struct WithoutCachePoints<'a>(&'a Value);

impl Serialize for WithoutCachePoints<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(members) = self.0 else { return self.0.serialize(serializer) };
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in members.iter().filter(|(name, _)| *name != "cache_control") {
            match value {
                Value::Array(parts) if name == "content" => {
                    map.serialize_entry(name, &parts.iter().map(WithoutCachePoints).collect::<Vec<_>>())?;
                }
                value => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}
