//! What a request means for its answer.

use super::tool_names::ToolNames;

/// How an answer must be read.
#[derive(Debug, Clone, Default)]
pub(in crate::bedrock) struct ResponseOptions {
    /// The tool names, to be restored.
    pub(in crate::bedrock) tool_names: ToolNames,
    /// Whether the arguments of the answer tool are the answer's text.
    pub(in crate::bedrock) answer_tool: bool,
    /// Whether the text is JSON that a model may have put into a code fence.
    pub(in crate::bedrock) bare_json: bool,
    /// Whether reasoning may stand in the text, between tags.
    pub(in crate::bedrock) inline_reasoning: bool,
}
