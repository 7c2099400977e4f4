//! The options for decoding the answer of a request.

use super::tool_names::ToolNames;

/// What the decoder must know about the request to read its answer.
#[derive(Debug, Clone, Default)]
pub(in crate::bedrock) struct ResponseOptions {
    /// Restores the client's tool names.
    pub(in crate::bedrock) tool_names: ToolNames,
    /// Whether the arguments of the answer tool are the answer's text.
    pub(in crate::bedrock) answer_tool: bool,
    /// Whether the text is JSON that a model may have put into a code fence.
    pub(in crate::bedrock) bare_json: bool,
    /// Whether the text may contain reasoning between tags.
    pub(in crate::bedrock) inline_reasoning: bool,
}
