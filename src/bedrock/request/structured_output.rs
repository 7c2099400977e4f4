//! How an answer is bound to JSON (docs/bedrock.md §2.5): by Converse's `outputConfig` where the model supports it,
//! otherwise by a tool whose arguments are the answer, otherwise by an instruction in the system prompt. A request for
//! any JSON object, without a schema, always gets the instruction.

use super::schema::{self, ToolSchema};
use crate::catalog::Capabilities;
use crate::conversation::{Format, Request};
use serde_json::{Value, json};

/// The name of the tool whose arguments are the answer.
pub(crate) const ANSWER_TOOL: &str = "json_answer";

/// What binds the answer to JSON.
pub(crate) enum Binding {
    /// Nothing: the answer is text.
    None,
    /// This value of Converse's `outputConfig`.
    Native(Value),
    /// The answer tool, with this schema.
    Tool(ToolSchema),
    /// This sentence in the system prompt.
    Instruction(String),
}

pub(crate) fn choose_binding(request: &Request, capabilities: &Capabilities) -> Binding {
    let features = capabilities.features;
    let (name, description, wanted) = match &request.format {
        Format::Text => return Binding::None,
        Format::JsonObject => {
            return Binding::Instruction(
                "Answer with one JSON object and nothing else: no prose, no code fence.".into(),
            );
        }
        Format::JsonSchema { name, description, schema } => (name, description, schema),
    };
    if features.json_schema
        && let Some(strict) = schema::strict_schema(wanted)
    {
        let mut bound = json!({"schema": strict.to_string(), "name": name});
        if let Some(description) = description.as_ref().filter(|text| !text.trim().is_empty()) {
            bound["description"] = description.as_str().into();
        }
        return Binding::Native(json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": bound}}}));
    }
    match schema::tool_schema(wanted, capabilities.rules) {
        // Calls of a client's own tool of the same name would be mistaken for the answer.
        Ok(schema) if features.tools && !request.tools.iter().any(|tool| tool.name == ANSWER_TOOL) => {
            Binding::Tool(schema)
        }
        _ => Binding::Instruction(format!(
            "Answer with JSON that follows this JSON schema and nothing else, no prose, no code fence:\n{wanted}"
        )),
    }
}
