//! An upper bound of the input tokens of a request. It is never below the real number, because the reservation depends
//! on it.

use crate::catalog::Model;
use crate::conversation::{Format, Part, Reasoning, Request};
use serde_json::Value;

/// An upper bound of a request's input tokens. No tokenizer makes more tokens than there are UTF-8 bytes, and the
/// format of the model adds a few tokens to each message, to the system prompt and to the request.
pub(super) fn input_tokens(request: &Request, model: &Model) -> u64 {
    const PER_MESSAGE: usize = 16;
    const PER_TOOL: usize = 16;
    // Some models add a hidden system prompt. The longest that was measured had 346 tokens.
    const PER_REQUEST: usize = 512;
    // A document fills at most the context window.
    let document_bound = model.context_window.and_then(|window| usize::try_from(window).ok()).unwrap_or(1_000_000);
    let messages = request.messages.iter().map(|message| parts_bound(&message.parts, document_bound) + PER_MESSAGE);
    let tools = request.tools.iter().map(|tool| {
        let description = tool.description.as_ref().map_or(0, String::len);
        tool.name.len() + description + schema_bound(&tool.schema) + PER_TOOL
    });
    let format = match &request.format {
        Format::JsonSchema { schema, description, .. } => {
            2 * schema.to_string().len() + description.as_ref().map_or(0, String::len)
        }
        Format::Text | Format::JsonObject => 0,
    };
    let overhead = if request.tools.is_empty() { PER_REQUEST } else { 2 * PER_REQUEST };
    let system = parts_bound(&request.system, document_bound);
    let sum = system + messages.sum::<usize>() + tools.sum::<usize>() + format + overhead;
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// An upper bound of the tokens of a tool's schema as it is sent (docs/bedrock.md §2.8). The repair writes keywords in
/// place of others, whose few tokens are fewer than the bytes they replace; but it moves a name from `required: true` into
/// a list, and copies what a reference or a combination at the root refers to.
fn schema_bound(schema: &Value) -> usize {
    let bytes = schema.to_string().len();
    let is_merged = ["$ref", "allOf", "anyOf", "oneOf"].iter().any(|keyword| schema.get(keyword).is_some());
    bytes + moved_names(schema) + if is_merged { bytes } else { 0 }
}

fn moved_names(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.iter().map(moved_names).sum(),
        Value::Object(members) => {
            let moved = |value: &Value| value.get("required") == Some(&Value::Bool(true));
            let members = members.iter();
            members.map(|(name, value)| moved_names(value) + if moved(value) { name.len() } else { 0 }).sum()
        }
        _ => 0,
    }
}

/// An upper bound of the tokens of some parts. `document_bound` is that of one document whose bytes say nothing about
/// its tokens, because they are compressed or because its pages may be read as images.
fn parts_bound(parts: &[Part], document_bound: usize) -> usize {
    const PER_PART: usize = 16;
    // Every model scales large images down, and the highest documented number of tokens is below this.
    const PER_IMAGE: usize = 8192;
    let parts = parts.iter().map(|part| {
        PER_PART
            + match part {
                Part::Text(text) => text.len(),
                Part::Image(_) | Part::ImageUrl(_) => PER_IMAGE,
                Part::Document(media, name) if ["txt", "md", "csv", "html"].contains(&media.format) => {
                    media.base64.len() + name.len()
                }
                Part::Document(..) => document_bound,
                Part::Reasoning(Reasoning::Text { text, signature }) => {
                    text.len() + signature.as_ref().map_or(0, String::len)
                }
                Part::Reasoning(Reasoning::Redacted(data)) => data.len(),
                // A tool specification may be rebuilt from the call, and each control character is written as six
                // bytes.
                Part::ToolCall(call) => 64 + call.id.len() + 2 * call.name.len() + 6 * call.arguments.len(),
                Part::ToolResult(result) => result.id.len() + parts_bound(&result.parts, document_bound),
                Part::CachePoint(_) => 0,
            }
    });
    parts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_bound_covers_what_the_repair_of_a_schema_adds() {
        let long = "ñ".repeat(100);
        let plain = json!({"type": "object", "properties": {long.clone(): {"type": "string"}}});
        assert_eq!(schema_bound(&plain), plain.to_string().len());
        let moved = json!({"type": "object", "properties": {long: {"type": "string", "required": true}}});
        assert_eq!(schema_bound(&moved), moved.to_string().len() + 200);
        let copied = json!({"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": {"description": "long"}}}}});
        assert_eq!(schema_bound(&copied), 2 * copied.to_string().len());
    }
}
