//! How many input tokens a request can be at most. Never below the truth: a reservation is made with it.

use crate::catalog::Model;
use crate::conversation::{Format, Part, Reasoning, Request};

/// An upper bound of a request's input tokens: no tokenizer makes more tokens than there are UTF-8 bytes,
/// and the frame around turns, system prompt and request is a few tokens each.
pub(super) fn input_tokens(request: &Request, model: &Model) -> u64 {
    const PER_TURN: usize = 16;
    const PER_REQUEST: usize = 512; // hidden system texts that models add; the longest seen was 346 tokens
    let most = model.context_window.and_then(|window| usize::try_from(window).ok()).unwrap_or(1_000_000);
    let bytes = |parts: &[Part]| bytes(parts, most);
    let turns = request.messages.iter().map(|message| bytes(&message.parts) + PER_TURN);
    let tools = request.tools.iter().map(|tool| {
        let description = tool.description.as_ref().map_or(0, String::len);
        tool.name.len() + description + tool.schema.to_string().len() + PER_TURN
    });
    let format = match &request.format {
        Format::JsonSchema { schema, description, .. } => {
            2 * schema.to_string().len() + description.as_ref().map_or(0, String::len)
        }
        Format::Text | Format::JsonObject => 0,
    };
    let overhead = if request.tools.is_empty() { PER_REQUEST } else { 2 * PER_REQUEST };
    let sum = bytes(&request.system) + turns.sum::<usize>() + tools.sum::<usize>() + format + overhead;
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// `most`: what a document can fill, which is all there is. Its bytes are compressed, and its pages may be read as images.
fn bytes(parts: &[Part], most: usize) -> usize {
    const PER_PART: usize = 16;
    // 8,000 × 8,000 pixels are scaled down by every model; the dearest documented maximum is below this.
    const IMAGE: usize = 8192;
    let parts = parts.iter().map(|part| {
        PER_PART
            + match part {
                Part::Text(text) => text.len(),
                Part::Image(_) | Part::ImageUrl(_) => IMAGE,
                Part::Document(media, name) if ["txt", "md", "csv", "html"].contains(&media.format) => {
                    media.base64.len() + name.len()
                }
                Part::Document(..) => most,
                Part::Reasoning(Reasoning::Text { text, signature }) => {
                    text.len() + signature.as_ref().map_or(0, String::len)
                }
                Part::Reasoning(Reasoning::Redacted(data)) => data.len(),
                // The frame of a spec rebuilt from it, and control characters as six bytes each.
                Part::ToolCall(call) => 64 + call.id.len() + 2 * call.name.len() + 6 * call.arguments.len(),
                Part::ToolResult(result) => result.id.len() + bytes(&result.parts, most),
                Part::CachePoint(_) => 0,
            }
    });
    parts.sum()
}
