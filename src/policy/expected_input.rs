//! How many input tokens a request is likely to have, where they cannot be counted: what is told to clients that ask, such
//! as an agent that watches how full its context is. What is reserved depends on the [bound](super::input_bound) instead.

use crate::catalog::Model;
use crate::conversation::{Format, Media, Part, Reasoning, Request};

/// The frame of a message, of a part of one that is not text, and of a tool (tokens).
const FRAME: u64 = 4;
/// The hidden prompt that Claude gets with tools
/// (<https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing>).
const TOOLS_PROMPT: u64 = 346;
/// An image of the largest size that Claude does not scale down
/// (<https://docs.claude.com/en/docs/build-with-claude/vision>).
const IMAGE: u64 = 1600;
/// The bytes of a PDF or an Office file for each of its tokens, roughly: most of them are fonts and images.
const FILE_BYTES_PER_TOKEN: usize = 16;

/// The input tokens that are likely for a request.
pub(super) fn tokens(request: &Request, model: &Model) -> u64 {
    let system = parts(&request.system);
    let messages: u64 = request.messages.iter().map(|message| FRAME + parts(&message.parts)).sum();
    let sent_tools = if model.capabilities.features.tools { request.tools.as_slice() } else { &[] };
    let tools = sent_tools.iter().map(|tool| {
        let description = tool.description.as_ref().map_or(0, String::len);
        FRAME + of_text(tool.name.len() + description + tool.schema.to_string().len())
    });
    let tools_prompt = if sent_tools.is_empty() { 0 } else { TOOLS_PROMPT };
    let format = match &request.format {
        Format::JsonSchema { schema, description, .. } => {
            of_text(schema.to_string().len() + description.as_ref().map_or(0, String::len))
        }
        Format::Text | Format::JsonObject => 0,
    };
    let sum = system + messages + tools.sum::<u64>() + tools_prompt + format;
    sum.min(model.context_window.unwrap_or(u64::MAX))
}

/// The tokens of a text of so many bytes. Code, prose and JSON have about three and a half bytes per token.
fn of_text(bytes: usize) -> u64 {
    u64::try_from(bytes.saturating_mul(2).div_ceil(7)).unwrap_or(u64::MAX)
}

fn parts(parts: &[Part]) -> u64 {
    let parts = parts.iter().map(|part| match part {
        Part::Text(text) => of_text(text.len()),
        Part::Image(_) | Part::ImageUrl(_) => IMAGE,
        Part::Document(media, name) => FRAME + of_text(name.len()) + document(media),
        // The signature is no part of the prompt.
        Part::Reasoning(Reasoning::Text { text, .. }) => of_text(text.len()),
        Part::Reasoning(Reasoning::Redacted(data)) => of_text(data.len()),
        Part::ToolCall(call) => FRAME + of_text(call.name.len() + call.arguments.len()),
        Part::ToolResult(result) => FRAME + self::parts(&result.parts),
        Part::CachePoint(_) => 0,
    });
    parts.sum()
}

fn document(media: &Media) -> u64 {
    let bytes = media.base64.len() / 4 * 3;
    match media.format {
        "txt" | "md" | "csv" | "html" => of_text(bytes),
        _ => u64::try_from(bytes / FILE_BYTES_PER_TOKEN).unwrap_or(u64::MAX),
    }
}
