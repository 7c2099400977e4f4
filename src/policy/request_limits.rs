//! How large the parts of a request may be, the same in every API. Each limit is at or above OpenAI's, because agents send
//! more than OpenAI allows and Bedrock takes it. All work on a request grows no faster than its size, so the limits are
//! not what keeps the server alive: they turn what no model could use into an error that names the part.
//!
//! OpenAI's limits for schemas: <https://developers.openai.com/api/docs/guides/structured-outputs>. There, one
//! enum of more than 250 values has a limit of its own; here it is covered by that of all names.

use crate::conversation::Request;
use crate::error::{Error, Field, Kind, Result};

/// OpenAI has none. Anthropic's limit: <https://docs.anthropic.com/en/api/messages>.
const MAX_MESSAGES: usize = 100_000;
/// OpenAI: 128 (<https://platform.openai.com/docs/api-reference/chat/create>).
const MAX_TOOLS: usize = 2048;
/// OpenAI: 64 characters. Longer names are sent as shorter ones (docs/bedrock.md §2.6.10).
const MAX_TOOL_NAME_BYTES: usize = 1024;
/// OpenAI: 4. Bedrock's limit: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>.
const MAX_STOPS: usize = 2500;
/// OpenAI: 10 levels. A body that is nested more deeply than about this cannot be read at all.
pub(crate) const MAX_SCHEMA_DEPTH: usize = 100;
/// OpenAI: 5,000.
pub(crate) const MAX_SCHEMA_PROPERTIES: usize = 10_000;
/// OpenAI: 1,000.
pub(crate) const MAX_SCHEMA_ENUM_VALUES: usize = 10_000;
/// OpenAI: 120,000 characters.
pub(crate) const MAX_SCHEMA_NAME_BYTES: usize = 1_000_000;

/// Refuses a request with too many messages, tools or stop sequences. Schemas are measured when they are translated.
///
/// # Errors
/// `InvalidRequest`, naming the part and the limit.
pub(super) fn check(request: &Request) -> Result<()> {
    let counts = [
        (request.messages.len(), MAX_MESSAGES, "messages", Field::Messages),
        (request.tools.len(), MAX_TOOLS, "tools", Field::Tools),
        (request.stop.len(), MAX_STOPS, "stop sequences", Field::Stop),
    ];
    for (count, limit, what, field) in counts {
        if count > limit {
            let message = format!("the request has {count} {what}; at most {limit} are accepted");
            return Err(Error::new(Kind::InvalidRequest, message).at(field));
        }
    }
    let longest = request.tools.iter().map(|tool| tool.name.len()).max().unwrap_or(0);
    if longest > MAX_TOOL_NAME_BYTES {
        let message = format!("the name of a tool has {longest} bytes; at most {MAX_TOOL_NAME_BYTES} are accepted");
        return Err(Error::new(Kind::InvalidRequest, message).at(Field::Tools));
    }
    Ok(())
}
