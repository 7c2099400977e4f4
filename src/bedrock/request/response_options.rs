//! The options for decoding the answer of a request.

use super::schema::PropertyNames;
use super::tool_names::ToolNames;
use crate::catalog::ReasoningTags;
use std::collections::HashMap;
use std::sync::Arc;

/// The properties of the tools that have renamed ones, by the name of the tool that is sent.
pub(in crate::bedrock) type RenamedProperties = HashMap<String, Arc<PropertyNames>>;

/// What the decoder must know about the request to read its answer.
#[derive(Debug, Clone, Default)]
pub(in crate::bedrock) struct ResponseOptions {
    /// Restores the client's tool names.
    pub(in crate::bedrock) tool_names: ToolNames,
    /// Restores the client's names of properties, in the arguments of the tools that have others.
    pub(in crate::bedrock) properties: RenamedProperties,
    /// Whether the arguments of the answer tool are the answer's text.
    pub(in crate::bedrock) answer_tool: bool,
    /// Whether the text is JSON that a model may have put into a code fence.
    pub(in crate::bedrock) bare_json: bool,
    /// The tags between which the text may contain reasoning.
    pub(in crate::bedrock) reasoning_tags: Option<ReasoningTags>,
}
