//! How many input tokens a request can be at most. Never below the truth: a reservation is made with it.

use crate::conversation::{Format, Part, Reasoning, Request};

/// An upper bound of a request's input tokens: no tokenizer makes more tokens than there are UTF-8 bytes,
/// and the frame around turns, system prompt and request is a few tokens each.
pub fn input_tokens(request: &Request) -> u64 {
    const PER_TURN: usize = 16;
    const PER_REQUEST: usize = 512; // the longest hidden system text we know of is 346 tokens (bedrock.md §2.2)
    let turns = request.messages.iter().map(|message| bytes(&message.parts) + PER_TURN);
    let tools = request.tools.iter().map(|tool| {
        let description = tool.description.as_ref().map_or(0, String::len);
        tool.name.len() + description + tool.schema.to_string().len() + PER_TURN
    });
    let format = match &request.format {
        Format::JsonSchema { schema, .. } => 2 * schema.to_string().len(),
        Format::Text | Format::JsonObject => 0,
    };
    let overhead = if request.tools.is_empty() { PER_REQUEST } else { 2 * PER_REQUEST };
    let sum = bytes(&request.system) + turns.sum::<usize>() + tools.sum::<usize>() + format + overhead;
    u64::try_from(sum).unwrap_or(u64::MAX)
}

fn bytes(parts: &[Part]) -> usize {
    const PER_PART: usize = 16;
    // 8,000 × 8,000 pixels are scaled down by every model; the dearest documented maximum is below this.
    const IMAGE: usize = 8192;
    let parts = parts.iter().map(|part| {
        PER_PART
            + match part {
                Part::Text(text) => text.len(),
                Part::Image(_) => IMAGE,
                // A page is text and may be an image as well; base64 is longer than the bytes by a third.
                Part::Document(media, name) => media.base64.len() + name.len(),
                Part::Reasoning(Reasoning::Text { text, signature }) => {
                    text.len() + signature.as_ref().map_or(0, String::len)
                }
                Part::Reasoning(Reasoning::Redacted(data)) => data.len(),
                Part::ToolCall(call) => call.id.len() + call.name.len() + call.arguments.len(),
                Part::ToolResult(result) => result.id.len() + bytes(&result.parts),
                Part::CachePoint(_) => 0,
            }
    });
    parts.sum()
}
