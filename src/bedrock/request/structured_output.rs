//! How an answer is bound to JSON (docs/bedrock.md §2.5): by Converse's `outputConfig` where the model supports it,
//! otherwise by a tool whose arguments are the answer, otherwise by an instruction in the system prompt. A request for
//! any JSON object, without a schema, always gets the instruction.

use super::schema::{AnswerSchema, ToolSchema};
use crate::catalog::Capabilities;
use crate::conversation::{Format, Request};
use crate::error::{Error, Field, Kind, Result};
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

/// What binds the answer of a request.
///
/// # Errors
/// `InvalidRequest` for a schema that is larger than it may be.
pub(crate) fn choose_binding(request: &Request, capabilities: &Capabilities) -> Result<Binding> {
    let features = capabilities.features;
    let (name, description, wanted) = match &request.format {
        Format::Text => return Ok(Binding::None),
        Format::JsonObject => {
            let sentence = "Answer with one JSON object and nothing else: no prose, no code fence.";
            return Ok(Binding::Instruction(sentence.to_owned()));
        }
        Format::JsonSchema { name, description, schema } => (name, description, schema),
    };
    let refused = |what: String| {
        Error::new(Kind::InvalidRequest, format!("the schema of the answer {what}")).at(Field::ResponseFormat)
    };
    let schema = AnswerSchema::new(wanted).map_err(refused)?;
    if features.json_schema
        && let Some(strict) = schema.strict()
    {
        let mut bound = json!({"schema": strict.to_string(), "name": name});
        if let Some(description) = description.as_ref().filter(|text| !text.trim().is_empty()) {
            bound["description"] = description.as_str().into();
        }
        let config = json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": bound}}});
        return Ok(Binding::Native(config));
    }
    // Calls of a client's own tool of the same name would be mistaken for the answer.
    if features.tools
        && !request.tools.iter().any(|tool| tool.name == ANSWER_TOOL)
        && let Some(schema) = schema.of_tool(capabilities.rules).map_err(refused)?
    {
        return Ok(Binding::Tool(schema));
    }
    Ok(Binding::Instruction(format!(
        "Answer with JSON that follows this JSON schema and nothing else, no prose, no code fence:\n{wanted}"
    )))
}
