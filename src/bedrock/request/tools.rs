//! The tools and the tool choice of a request, in Converse's form.

use super::body::{InputSchema, ToolEntry, ToolSpec};
use super::cache_points::cache_point;
use super::schema::{self, ToolSchema};
use super::structured_output::{ANSWER_TOOL, Binding};
use super::tool_names::ToolNames;
use crate::catalog::{Family, FamilyRules, Features};
use crate::conversation::{Message, Part, Request, Tool, ToolChoice};
use crate::error::{Error, Field, Kind, Result};
use crate::policy::{Admitted, ReasoningGrant};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// The most strict tools that one request may have (docs/bedrock.md §2.5).
const MAX_STRICT_TOOLS: usize = 20;

/// Whether a conversation contains tool calls or their results.
pub(super) fn has_tool_parts(messages: &[Message]) -> bool {
    let mut parts = messages.iter().flat_map(|message| &message.parts);
    parts.any(|part| matches!(part, Part::ToolCall(_) | Part::ToolResult(_)))
}

/// The names of the tools that were called in a conversation.
pub(super) fn called_names(messages: &[Message]) -> impl Iterator<Item = &str> {
    messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
        Part::ToolCall(call) => Some(call.name.as_str()),
        _ => None,
    })
}

/// The schemas of the request's tools, in their order.
///
/// # Errors
/// `InvalidRequest`, naming the tool whose schema no model takes.
pub(super) fn schemas(tools: &[Tool], family: FamilyRules) -> Result<Vec<ToolSchema>> {
    let schemas = tools.iter().enumerate().map(|(index, tool)| {
        schema::tool_schema(&tool.schema, family).map_err(|what| {
            let message = format!("the schema of tool {:?} {what}", tool.name);
            Error::new(Kind::InvalidRequest, message).at(Field::ToolSchema(index))
        })
    });
    schemas.collect()
}

/// The specifications of the request's tools, and of the tools that only its history calls (docs/cases.md, T1).
///
/// # Errors
/// `InvalidRequest` for two tools of the same name.
pub(super) fn specifications<'a>(
    request: &'a Request,
    schemas: &[ToolSchema],
    names: &ToolNames,
    features: Features,
) -> Result<Vec<ToolEntry<'a>>> {
    let mut entries = Vec::new();
    let mut known: HashSet<&str> = HashSet::new();
    for (index, (tool, schema)) in request.tools.iter().zip(schemas).enumerate() {
        let Tool { name, description, schema: _, strict, cache } = tool;
        if !known.insert(name) {
            return Err(Error::new(Kind::InvalidRequest, format!("two tools have the name {name:?}")).at(Field::Tools));
        }
        let strict = (features.json_schema && *strict == Some(true) && index < MAX_STRICT_TOOLS)
            .then(|| schema.strict())
            .flatten();
        entries.push(ToolEntry::ToolSpec(ToolSpec {
            name: Cow::Owned(names.legal_name(name).into_owned()),
            description: description.as_deref().filter(|text| !text.trim().is_empty()).map(Cow::Borrowed),
            strict: strict.is_some().then_some(true),
            input_schema: InputSchema { json: strict.unwrap_or_else(|| schema.json.clone()) },
        }));
        if let Some(ttl) = *cache
            && features.cache
        {
            entries.push(ToolEntry::CachePoint(cache_point(ttl)));
        }
    }
    // Sorted, so that the same request gives the same bytes.
    let rebuilt: BTreeSet<&str> = called_names(&request.messages).filter(|name| !known.contains(name)).collect();
    for name in rebuilt {
        entries.push(ToolEntry::ToolSpec(ToolSpec {
            name: Cow::Owned(names.legal_name(name).into_owned()),
            description: None,
            input_schema: InputSchema { json: json!({"type": "object", "properties": {}}) },
            strict: None,
        }));
    }
    Ok(entries)
}

/// The specification of the tool whose arguments are the answer.
pub(super) fn answer_tool(schema: &ToolSchema) -> ToolEntry<'static> {
    ToolEntry::ToolSpec(ToolSpec {
        name: Cow::Borrowed(ANSWER_TOOL),
        description: Some(Cow::Borrowed("Gives the final answer.")),
        input_schema: InputSchema { json: schema.json.clone() },
        strict: None,
    })
}

/// The value of `toolChoice`. The policy has already checked whether the model accepts the client's choice; for the
/// answer tool this is checked here. `alone` means that the answer tool is the only one.
pub(super) fn tool_choice(admitted: &Admitted, names: &ToolNames, binding: &Binding, alone: bool) -> Option<Value> {
    let features = admitted.model().capabilities.features;
    let can_be_forced = features.forced_tool_choice && !matches!(admitted.reasoning(), ReasoningGrant::Budget(_));
    let parallel = admitted.request().parallel_tool_calls;
    // Claude's own `tool_choice` holds it then, and `toolChoice` must be absent (docs/bedrock.md §2.5).
    let in_claude_field = admitted.model().capabilities.family == Family::Claude
        && !matches!(binding, Binding::Tool(_))
        && (*admitted.tool_choice() == ToolChoice::None || parallel == Some(false));
    match (admitted.tool_choice(), binding) {
        (ToolChoice::Named(name), _) if !in_claude_field => Some(json!({"tool": {"name": names.legal_name(name)}})),
        (_, Binding::Tool(_)) if can_be_forced && alone => Some(json!({"tool": {"name": ANSWER_TOOL}})),
        (_, Binding::Tool(_)) if can_be_forced || features.any_tool_choice => Some(json!({"any": {}})),
        _ if in_claude_field => None,
        (ToolChoice::Required, _) => Some(json!({"any": {}})),
        _ => None,
    }
}
