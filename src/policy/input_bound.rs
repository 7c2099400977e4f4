//! An upper bound of the input tokens of a request. It is never below the real number, because the reservation depends
//! on it.

use super::native;
use crate::catalog::Model;
use crate::conversation::{Format, Media, Message, NativeRequest, Part, Reasoning, Request, UnpackingRoom};
use serde_json::Value;

/// An upper bound of a request's input tokens. No tokenizer makes more tokens than there are UTF-8 bytes, and the
/// format of the model adds a few tokens to each message, to the system prompt and to the request. `native` is the measure
/// of its native form.
pub(super) fn input_tokens(request: &Request, native: Option<native::Measure>, model: &Model) -> u64 {
    const PER_MESSAGE: usize = 16;
    const PER_TOOL: usize = 16;
    // Some models add a hidden system prompt. The longest that was measured had 346 tokens.
    const PER_REQUEST: usize = 512;
    // A document fills at most the context window.
    let document_bound = context_window(request, model);
    let mut room = UnpackingRoom::default();
    let mut parts_bound = |parts: &[Part]| parts_bound(parts, document_bound, &mut room);
    let system = parts_bound(&request.system);
    let messages: usize = request.messages.iter().map(|message| parts_bound(&message.parts) + PER_MESSAGE).sum();
    let sent_tools = if model.capabilities.features.tools { request.tools.as_slice() } else { &[] };
    let tools = sent_tools.iter().map(|tool| {
        let description = tool.description.as_ref().map_or(0, String::len);
        tool.name.len() + description + schema_bound(&tool.schema, tool.strict == Some(true)) + PER_TOOL
    });
    let format = match &request.format {
        Format::JsonSchema { schema, description, .. } => {
            2 * schema_bound(schema, true) + description.as_ref().map_or(0, String::len)
        }
        Format::Text | Format::JsonObject => 0,
    };
    let has_tools = !request.tools.is_empty() || native.is_some_and(|native| native.has_tools);
    let overhead = if has_tools { 2 * PER_REQUEST } else { PER_REQUEST };
    let sum = system + messages + tools.sum::<usize>() + format;
    let native_sum = native.map_or(0, |native| native_bound(request, native, document_bound));
    u64::try_from(sum.max(native_sum) + overhead).unwrap_or(u64::MAX)
}

/// The most tokens that a model reads. A client's own request may ask for the long context, whatever the catalog says.
fn context_window(request: &Request, model: &Model) -> usize {
    const LONG: usize = 1_000_000;
    let window = model.context_window.and_then(|window| usize::try_from(window).ok()).unwrap_or(LONG);
    let asks_for_long = request.native.as_ref().is_some_and(NativeRequest::asks_for_long_context);
    if asks_for_long { window.max(LONG) } else { window }
}

/// An upper bound of what the model reads of a request in the client's own words, which may hold more than the neutral
/// one. Each medium counts as in the neutral request; one that is only in the client's words may be anything.
fn native_bound(request: &Request, native: native::Measure, document_bound: usize) -> usize {
    let mut room = UnpackingRoom::default();
    let (mut known, mut bound) = (0, native.tokens);
    for part in request.messages.iter().flat_map(Message::parts_with_results) {
        if let Part::Image(_) | Part::Document(..) = part {
            known += 1;
            bound += parts_bound(std::slice::from_ref(part), document_bound, &mut room);
        }
    }
    bound + native.media.saturating_sub(known) * document_bound
}

/// An upper bound of the tokens of a tool's schema as it is sent (docs/bedrock.md §2.8). The repair writes keywords in
/// place of others, whose few tokens are fewer than the bytes they replace; but it moves a name from `required: true` into
/// a list, gives properties longer names, and copies what a reference or a combination at the root refers to, up to the
/// length of the schema. A strict schema gets a member for each of its objects.
fn schema_bound(schema: &Value, strict: bool) -> usize {
    let bytes = schema.to_string().len();
    let is_merged = ["$ref", "allOf", "anyOf", "oneOf"].iter().any(|keyword| schema.get(keyword).is_some());
    let mut added = Added { bytes: 0, strict, names_schemas: false };
    added.by_repair(schema);
    // The paths that take the place of names are together as long as the schema, and escaped up to three times as long.
    let once = bytes + added.bytes + if added.names_schemas { 3 * bytes } else { 0 };
    if is_merged { 2 * once } else { once }
}

/// What is added to a schema.
struct Added {
    /// To names, references and objects.
    bytes: usize,
    strict: bool,
    /// Whether schemas have names of their own (`$id`, `$anchor`), which become paths.
    names_schemas: bool,
}

impl Added {
    fn by_repair(&mut self, value: &Value) {
        // `,"additionalProperties":false`
        const CLOSED: usize = 32;
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.by_repair(value)),
            // A property's name also stands in lists, such as `required`.
            Value::String(text) => self.bytes += renamed(text),
            Value::Object(members) => {
                self.bytes += if self.strict { CLOSED } else { 0 };
                for (name, value) in members {
                    let is_moved = value.get("required") == Some(&Value::Bool(true));
                    self.bytes += renamed(name) + if is_moved { name.len() + renamed(name) } else { 0 };
                    match (name.as_str(), value) {
                        ("$ref" | "$recursiveRef" | "$dynamicRef", Value::String(path)) => {
                            // Its characters may be escaped, and each of its steps may be renamed.
                            self.bytes += 2 * path.len() + (path.matches('/').count() + 1) * HASH;
                        }
                        ("$id" | "id" | "$anchor", Value::String(_)) => self.names_schemas = true,
                        _ => {}
                    }
                    self.by_repair(value);
                }
            }
            _ => {}
        }
    }
}

/// A name in other characters becomes a word with this much behind it (bytes).
const HASH: usize = 20;

/// What is added to a name that the model may not take (bytes).
fn renamed(name: &str) -> usize {
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if is_word && !name.is_empty() { 0 } else { HASH }
}

/// Whether the bound of a request's input comes from documents whose tokens nothing shows, which count as a full context
/// window.
pub(super) fn comes_from_documents(request: &Request) -> bool {
    let mut room = UnpackingRoom::default();
    let mut parts = request.messages.iter().flat_map(Message::parts_with_results);
    parts.any(|part| matches!(part, Part::Document(media, _) if media.document_tokens_at_most(&mut room).is_none()))
}

/// A document has at most as many tokens as fit the context window.
fn document_tokens(media: &Media, context_window: usize, room: &mut UnpackingRoom) -> usize {
    let tokens = media.document_tokens_at_most(room).and_then(|tokens| usize::try_from(tokens).ok());
    tokens.map_or(context_window, |tokens| tokens.min(context_window))
}

/// An upper bound of the tokens of some parts. `document_bound` is that of one document about which nothing is known.
fn parts_bound(parts: &[Part], document_bound: usize, room: &mut UnpackingRoom) -> usize {
    const PER_PART: usize = 16;
    // Every model scales large images down, and the highest documented number of tokens is below this.
    const PER_IMAGE: usize = 8192;
    let parts = parts.iter().map(|part| {
        PER_PART
            + match part {
                Part::Text(text) => text.len(),
                Part::Image(_) | Part::ImageUrl(_) => PER_IMAGE,
                Part::Document(media, name) => document_tokens(media, document_bound, room) + name.len(),
                Part::Reasoning(Reasoning::Text { text, signature }) => {
                    text.len() + signature.as_ref().map_or(0, String::len)
                }
                Part::Reasoning(Reasoning::Redacted(data)) => data.len(),
                // A tool specification may be rebuilt from the call, and each control character is written as six
                // bytes.
                Part::ToolCall(call) => 64 + call.id.len() + 2 * call.name.len() + 6 * call.arguments.len(),
                Part::ToolResult(result) => result.id.len() + parts_bound(&result.parts, document_bound, room),
                Part::CachePoint(_) => 0,
            }
    });
    parts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A request in the client's own words, with a neutral one that has only a short text.
    fn with_native(body: &Value, betas: &[&str]) -> Request {
        let body = body.as_object().cloned().unwrap_or_default();
        let betas = betas.iter().map(ToString::to_string).collect();
        let native = NativeRequest { api: crate::conversation::NativeApi::Messages, body, betas };
        Request { messages: vec![Message::user("hi")], native: Some(native), ..Request::default() }
    }

    #[test]
    fn what_only_the_clients_words_have_is_bounded_too() {
        let catalog = crate::catalog::Catalog::load(&[]);
        let model = catalog.and_then(|catalog| catalog.resolve("claude-sonnet-4-5"));
        let Ok(model) = model else { panic!("the model is in the catalog") };
        let pdf =
            json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}});
        let hidden = json!({"messages": [{"role": "system", "content": [pdf]}]});
        let long = ["context-1m-2025-08-07"];
        for (body, betas, at_least) in [
            (json!({}), &[][..], 512),
            (hidden.clone(), &[][..], 200_000),
            (hidden, &long[..], 1_000_000),
            // The hidden prompts of tools that Claude knows by their types.
            (json!({"tools": [{"type": "computer_20250124"}, {"type": "bash_20250124"}]}), &[][..], 1024 + 2 * 1234),
            (json!({"tools": [{"name": "later", "defer_loading": true}]}), &[][..], 1024),
        ] {
            let request = with_native(&body, betas);
            let native = request.native.as_ref().map(|native| native::measure(&native.body));
            let bound = input_tokens(&request, native, &model);
            assert!((at_least..2 * at_least + 2000).contains(&bound), "{bound} {body}");
        }
    }

    #[test]
    fn the_bound_covers_what_the_repair_of_a_schema_adds() {
        let long = "ñ".repeat(100);
        let plain = json!({"type": "object", "properties": {"a.b-c_1": {"type": "string"}}});
        assert_eq!(schema_bound(&plain, false), plain.to_string().len());
        let renamed = json!({"type": "object", "properties": {"é": {"type": "string"}}, "required": ["é"]});
        assert_eq!(schema_bound(&renamed, false), renamed.to_string().len() + 2 * 20);
        let moved = json!({"type": "object", "properties": {long: {"type": "string", "required": true}}});
        assert_eq!(schema_bound(&moved, false), moved.to_string().len() + 200 + 2 * 20);
        let copied = json!({"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": {"description": "long"}}}}});
        // The reference is no word, and has three steps and eight characters or more.
        let reference = 20 + 2 * "#/$defs/A".len() + 3 * 20;
        assert_eq!(schema_bound(&copied, false), 2 * (copied.to_string().len() + 2 * 20 + reference));
        assert_eq!(schema_bound(&plain, true), plain.to_string().len() + 3 * 32);
    }
}
