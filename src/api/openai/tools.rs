//! Parses the tools, the tool choice and the answer's format of a chat request, including the legacy `functions`.

use crate::api::json::{cache_control, flag, invalid, is_absent, missing, required_string, unsupported};
use crate::conversation::{Format, Tool, ToolChoice};
use crate::error::Result;
use serde_json::Value;
use std::collections::HashSet;

/// A tool, and the path of its schema in the request.
pub(super) struct LocatedTool {
    pub(super) tool: Tool,
    pub(super) schema_path: String,
}

/// Parses `tools` and `functions`.
///
/// # Errors
/// `Unsupported` for tools that are not functions; `InvalidRequest` or `MissingParameter`, naming the member.
pub(super) fn parse_tools(tools: &Value, functions: &Value) -> Result<Vec<LocatedTool>> {
    let mut all = Vec::new();
    for (index, tool) in array_or_empty(tools, "tools")?.iter().enumerate() {
        let at = format!("tools[{index}]");
        match tool["type"].as_str() {
            // Some clients leave out the type.
            Some("function") | None => all.push(parse_function(&tool["function"], &format!("{at}.function"), tool)?),
            Some(other) => {
                return Err(unsupported(
                    &format!("{at}.type"),
                    &format!("tools of type {other:?} exist only at OpenAI; only functions are supported"),
                ));
            }
        }
    }
    for (index, definition) in array_or_empty(functions, "functions")?.iter().enumerate() {
        all.push(parse_function(definition, &format!("functions[{index}]"), definition)?);
    }
    Ok(all)
}

fn parse_function(definition: &Value, at: &str, holder: &Value) -> Result<LocatedTool> {
    if !definition.is_object() {
        return Err(missing(at));
    }
    let tool = Tool {
        name: required_string(&definition["name"], &format!("{at}.name"))?.to_owned(),
        description: definition["description"].as_str().map(ToOwned::to_owned),
        schema: definition["parameters"].clone(),
        strict: flag(&definition["strict"], &format!("{at}.strict"))?,
        cache: cache_control(holder).or_else(|| cache_control(definition)),
    };
    Ok(LocatedTool { tool, schema_path: format!("{at}.parameters") })
}

/// Parses `tool_choice` and `function_call`. A choice of `allowed_tools` also removes all other tools.
///
/// # Errors
/// `InvalidRequest` for an unknown choice, or one that names a tool which the request does not have.
pub(super) fn parse_tool_choice(
    choice: &Value,
    function_call: &Value,
    tools: &mut Vec<LocatedTool>,
) -> Result<ToolChoice> {
    let (value, at) = if is_absent(choice) { (function_call, "function_call") } else { (choice, "tool_choice") };
    let chosen = match value {
        value if is_absent(value) => ToolChoice::Auto,
        Value::String(word) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" | "any" => ToolChoice::Required,
            other => return Err(invalid(at, &format!("is {other:?}; use auto, none, required or a tool"))),
        },
        Value::Object(object) if object.get("type").is_some_and(|kind| kind == "allowed_tools") => {
            let allowed = &value["allowed_tools"];
            let allowed_tools = array_or_empty(&allowed["tools"], "tool_choice.allowed_tools.tools")?;
            let names: HashSet<&str> =
                allowed_tools.iter().filter_map(|tool| tool["function"]["name"].as_str()).collect();
            tools.retain(|located| names.contains(located.tool.name.as_str()));
            if allowed["mode"] == "required" { ToolChoice::Required } else { ToolChoice::Auto }
        }
        Value::Object(object) => {
            let name = object.get("name").unwrap_or(&value["function"]["name"]);
            let name = required_string(name, &format!("{at}.function.name"))?;
            if !tools.iter().any(|located| located.tool.name == name) {
                return Err(invalid(at, &format!("names the tool {name:?}, which is not among the tools")));
            }
            ToolChoice::Named(name.to_owned())
        }
        _ => return Err(invalid(at, "must be a string or an object")),
    };
    match chosen {
        ToolChoice::Required if tools.is_empty() => Err(invalid(at, "requires a tool, but the request has none")),
        chosen => Ok(chosen),
    }
}

/// Parses `response_format`.
///
/// # Errors
/// `InvalidRequest` or `MissingParameter`, naming the member.
pub(super) fn parse_format(format: &Value) -> Result<Format> {
    format_of(format, &format["json_schema"], "response_format", "response_format.json_schema")
}

/// Parses the format of an answer, which stands at `at`. Its name, description and schema are in `bound`.
///
/// # Errors
/// As [`parse_format`].
pub(super) fn format_of(format: &Value, bound: &Value, at: &str, bound_at: &str) -> Result<Format> {
    if is_absent(format) {
        return Ok(Format::Text);
    }
    match format["type"].as_str() {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::JsonObject),
        Some("json_schema") => {
            let schema = &bound["schema"];
            if !schema.is_object() {
                return Err(missing(&format!("{bound_at}.schema")));
            }
            let name = bound["name"].as_str().filter(|name| !name.is_empty()).unwrap_or("answer");
            Ok(Format::JsonSchema {
                name: name
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' })
                    .take(64)
                    .collect(),
                description: bound["description"].as_str().map(ToOwned::to_owned),
                schema: schema.clone(),
            })
        }
        _ => Err(invalid(&format!("{at}.type"), "must be text, json_object or json_schema")),
    }
}

fn array_or_empty<'a>(value: &'a Value, at: &str) -> Result<&'a [Value]> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        _ => Err(invalid(at, "must be an array")),
    }
}
