//! Where the parts of a parsed request stood in the client's own, for errors.

use crate::error::Field;

/// The place of each message and tool. Items are merged into messages, and tools come from several lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Places {
    /// The index of each message's first item, and the member of it that holds the content. Empty when the input is a
    /// string.
    pub(super) messages: Vec<(usize, &'static str)>,
    /// The path of each tool's schema.
    pub(super) tool_schemas: Vec<String>,
}

impl Places {
    /// The path of a part of the request.
    pub(super) fn path(&self, field: &Field) -> String {
        match field {
            Field::Model => "model".to_owned(),
            Field::MaxTokens => "max_output_tokens".to_owned(),
            Field::Messages => "input".to_owned(),
            Field::Message(index) => match self.messages.get(*index) {
                Some((item, "")) => format!("input[{item}]"),
                Some((item, member)) => format!("input[{item}].{member}"),
                None => "input".to_owned(),
            },
            Field::Tools => "tools".to_owned(),
            Field::ToolSchema(index) => match self.tool_schemas.get(*index) {
                Some(path) => path.clone(),
                None => format!("tools[{index}].parameters"),
            },
            Field::ResponseFormat => "text.format".to_owned(),
            Field::Stop => "stop".to_owned(),
            Field::EmbeddingInput => "input".to_owned(),
            Field::EmbeddingText(index) => format!("input[{index}]"),
            Field::EmbeddingDimensions => "dimensions".to_owned(),
            Field::Path(path) => path.clone(),
        }
    }
}
