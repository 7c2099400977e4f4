//! An upper bound of the input tokens of a request. It is never below the real number, because the reservation depends
//! on it.

use crate::catalog::Model;
use crate::conversation::{Format, Media, Message, Part, Reasoning, Request};
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
    let sent_tools = if model.capabilities.features.tools { request.tools.as_slice() } else { &[] };
    let tools = sent_tools.iter().map(|tool| {
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
/// a list, gives properties longer names, and copies what a reference or a combination at the root refers to.
fn schema_bound(schema: &Value) -> usize {
    let bytes = schema.to_string().len();
    let is_merged = ["$ref", "allOf", "anyOf", "oneOf"].iter().any(|keyword| schema.get(keyword).is_some());
    let once = bytes + added_by_repair(schema);
    if is_merged { 2 * once } else { once }
}

/// What the repair adds to names (bytes).
fn added_by_repair(value: &Value) -> usize {
    // A name in other characters becomes a word that ends in a hash.
    const HASH: usize = 20;
    let renamed = |name: &str| {
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        if is_word && !name.is_empty() { 0 } else { HASH }
    };
    match value {
        Value::Array(values) => values.iter().map(added_by_repair).sum(),
        // A property's name also stands in lists, such as `required`.
        Value::String(text) => renamed(text),
        Value::Object(members) => {
            let moved = |value: &Value| value.get("required") == Some(&Value::Bool(true));
            let added = members.iter().map(|(name, value)| {
                let moved = if moved(value) { name.len() + renamed(name) } else { 0 };
                added_by_repair(value) + renamed(name) + moved
            });
            added.sum()
        }
        _ => 0,
    }
}

/// Whether the bound of a request's input comes from documents whose tokens nothing shows, which count as a full context
/// window.
pub(super) fn comes_from_documents(request: &Request) -> bool {
    let mut parts = request.messages.iter().flat_map(Message::parts_with_results);
    parts.any(|part| matches!(part, Part::Document(media, _) if media.document_tokens_at_most().is_none()))
}

/// A document has at most as many tokens as fit the context window.
fn document_tokens(media: &Media, context_window: usize) -> usize {
    let tokens = media.document_tokens_at_most().and_then(|tokens| usize::try_from(tokens).ok());
    tokens.map_or(context_window, |tokens| tokens.min(context_window))
}

/// An upper bound of the tokens of some parts. `document_bound` is that of one document about which nothing is known.
fn parts_bound(parts: &[Part], document_bound: usize) -> usize {
    const PER_PART: usize = 16;
    // Every model scales large images down, and the highest documented number of tokens is below this.
    const PER_IMAGE: usize = 8192;
    let parts = parts.iter().map(|part| {
        PER_PART
            + match part {
                Part::Text(text) => text.len(),
                Part::Image(_) | Part::ImageUrl(_) => PER_IMAGE,
                Part::Document(media, name) => document_tokens(media, document_bound) + name.len(),
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
        let plain = json!({"type": "object", "properties": {"a.b-c_1": {"type": "string"}}});
        assert_eq!(schema_bound(&plain), plain.to_string().len());
        let renamed = json!({"type": "object", "properties": {"é": {"type": "string"}}, "required": ["é"]});
        assert_eq!(schema_bound(&renamed), renamed.to_string().len() + 2 * 20);
        let moved = json!({"type": "object", "properties": {long: {"type": "string", "required": true}}});
        assert_eq!(schema_bound(&moved), moved.to_string().len() + 200 + 2 * 20);
        let copied = json!({"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": {"description": "long"}}}}});
        assert_eq!(schema_bound(&copied), 2 * (copied.to_string().len() + 3 * 20));
    }
}
