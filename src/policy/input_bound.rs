//! An upper bound of the input tokens of a request. It is never below the real number, because the reservation depends
//! on it.

use crate::catalog::Model;
use crate::conversation::{Format, Part, Reasoning, Request};

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
        tool.name.len() + description + tool.schema.to_string().len() + PER_TOOL
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
