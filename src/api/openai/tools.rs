//! Tools, tool choice and the answer's format, as OpenAI writes them; legacy `functions` among them.

use crate::api::json::{cache_control, flag, invalid, is_nothing, missing, text, unsupported};
use crate::conversation::{Format, Tool, ToolChoice};
use crate::error::Result;
use serde_json::Value;
use std::collections::HashSet;

/// A tool, and where its schema stands in the request.
pub(super) struct LocatedTool {
    pub(super) tool: Tool,
    pub(super) schema_path: String,
}

/// The tools of a request.
///
/// # Errors
/// `Unsupported` for tools that are no functions; `InvalidRequest` and `MissingParameter` by name.
pub(super) fn tools(tools: &Value, functions: &Value) -> Result<Vec<LocatedTool>> {
    let mut all = Vec::new();
    for (index, tool) in array(tools, "tools")?.iter().enumerate() {
        let at = format!("tools[{index}]");
        match tool["type"].as_str() {
            // Some clients leave the type away.
            Some("function") | None => all.push(function(&tool["function"], &format!("{at}.function"), tool)?),
            Some(other) => {
                return Err(unsupported(
                    &format!("{at}.type"),
                    &format!("tools of type {other:?} are OpenAI's own; only functions work"),
                ));
            }
        }
    }
    for (index, definition) in array(functions, "functions")?.iter().enumerate() {
        all.push(function(definition, &format!("functions[{index}]"), definition)?);
    }
    Ok(all)
}

fn function(definition: &Value, at: &str, holder: &Value) -> Result<LocatedTool> {
    if !definition.is_object() {
        return Err(missing(at));
    }
    let tool = Tool {
        name: text(&definition["name"], &format!("{at}.name"))?.to_owned(),
        description: definition["description"].as_str().map(ToOwned::to_owned),
        schema: definition["parameters"].clone(),
        strict: flag(&definition["strict"], &format!("{at}.strict"))?,
        cache: cache_control(holder).or_else(|| cache_control(definition)),
    };
    Ok(LocatedTool { tool, schema_path: format!("{at}.parameters") })
}

/// The choice of a request. `allowed_tools` narrows the tools as well.
///
/// # Errors
/// `InvalidRequest` for a choice that is none, or that names a tool which is not there.
pub(super) fn choice(choice: &Value, function_call: &Value, tools: &mut Vec<LocatedTool>) -> Result<ToolChoice> {
    let (value, at) = if is_nothing(choice) { (function_call, "function_call") } else { (choice, "tool_choice") };
    let chosen = match value {
        value if is_nothing(value) => ToolChoice::Auto,
        Value::String(word) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" | "any" => ToolChoice::Required,
            other => return Err(invalid(at, &format!("is {other:?}; use auto, none, required or a tool"))),
        },
        Value::Object(object) if object.get("type").is_some_and(|kind| kind == "allowed_tools") => {
            let allowed = &value["allowed_tools"];
            let allowed_tools = array(&allowed["tools"], "tool_choice.allowed_tools.tools")?;
            let names: HashSet<&str> =
                allowed_tools.iter().filter_map(|tool| tool["function"]["name"].as_str()).collect();
            tools.retain(|located| names.contains(located.tool.name.as_str()));
            if allowed["mode"] == "required" { ToolChoice::Required } else { ToolChoice::Auto }
        }
        Value::Object(object) => {
            let name = object.get("name").unwrap_or(&value["function"]["name"]);
            let name = text(name, &format!("{at}.function.name"))?;
            if !tools.iter().any(|located| located.tool.name == name) {
                return Err(invalid(at, &format!("names the tool {name:?}, which is not among the tools")));
            }
            ToolChoice::Named(name.to_owned())
        }
        _ => return Err(invalid(at, "must be a string or an object")),
    };
    match chosen {
        ToolChoice::Required if tools.is_empty() => Err(invalid(at, "needs tools")),
        chosen => Ok(chosen),
    }
}

/// The format of the answer.
///
/// # Errors
/// `InvalidRequest` and `MissingParameter` by name.
pub(super) fn format(format: &Value) -> Result<Format> {
    if is_nothing(format) {
        return Ok(Format::Text);
    }
    match format["type"].as_str() {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::JsonObject),
        Some("json_schema") => {
            let bound = &format["json_schema"];
            let schema = &bound["schema"];
            if !schema.is_object() {
                return Err(missing("response_format.json_schema.schema"));
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
        _ => Err(invalid("response_format.type", "must be text, json_object or json_schema")),
    }
}

fn array<'a>(value: &'a Value, at: &str) -> Result<&'a [Value]> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        _ => Err(invalid(at, "must be an array")),
    }
}
