//! An answer bound to JSON. Natively where the model can; otherwise through a tool whose arguments are the answer;
//! otherwise, or for any JSON object, by asking for it (docs/bedrock.md §2.5). A forced tool choice is never sent to a
//! model that refuses one.

use super::schema;
use crate::catalog::Capabilities;
use crate::conversation::{Format, Request};
use serde_json::{Value, json};

/// The name of the tool whose arguments are the answer.
pub(crate) const ANSWER_TOOL: &str = "json_answer";

/// How the answer is bound.
pub(crate) enum Binding {
    /// It is not.
    None,
    /// By Converse's own `outputConfig`.
    Native(Value),
    /// By a tool with this schema.
    Tool(Value),
    /// By this sentence in the system prompt.
    Words(String),
}

/// Finds the way for a request and a model.
pub(crate) fn binding(request: &Request, capabilities: &Capabilities) -> Binding {
    let features = capabilities.features;
    let (name, description, wanted) = match &request.format {
        Format::Text => return Binding::None,
        Format::JsonObject => {
            return Binding::Words("Answer with one JSON object and nothing else: no prose, no code fence.".into());
        }
        Format::JsonSchema { name, description, schema } => (name, description, schema),
    };
    if features.json_schema
        && let Some(strict) = schema::strict(wanted)
    {
        let mut bound = json!({"schema": strict.to_string(), "name": name});
        if let Some(description) = description.as_ref().filter(|text| !text.trim().is_empty()) {
            bound["description"] = description.as_str().into();
        }
        return Binding::Native(json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": bound}}}));
    }
    match schema::of_tool(wanted) {
        // A client's own tool of that name could not be told from ours.
        Ok(schema) if features.tools && !request.tools.iter().any(|tool| tool.name == ANSWER_TOOL) => {
            Binding::Tool(schema)
        }
        _ => Binding::Words(format!(
            "Answer with JSON that follows this JSON schema and nothing else, no prose, no code fence:\n{wanted}"
        )),
    }
}
