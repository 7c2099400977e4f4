//! Parses the choice of a tool.

use super::ignored::Ignored;
use super::tools::{ToolList, only_at_openai};
use crate::api::json::{invalid, is_absent, required_string, unsupported};
use crate::conversation::ToolChoice;
use crate::error::Result;
use serde_json::Value;
use std::collections::HashSet;

/// The types of a choice that name a tool which runs at OpenAI
/// (<https://platform.openai.com/docs/api-reference/responses/create#responses-create-tool_choice>).
const HOSTED: [&str; 9] = [
    "file_search",
    "web_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "computer",
    "computer_use",
    "computer_use_preview",
    "image_generation",
    "code_interpreter",
];

/// Parses `tool_choice`. A choice of `allowed_tools` also removes all other tools.
///
/// # Errors
/// `InvalidRequest` for a choice that names a tool which the request does not have; `Unsupported` for one that runs at
/// OpenAI.
pub(super) fn parse_tool_choice(choice: &Value, list: &mut ToolList, ignored: &mut Ignored) -> Result<ToolChoice> {
    const AT: &str = "tool_choice";
    let chosen = match choice {
        choice if is_absent(choice) => ToolChoice::Auto,
        Value::String(word) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" | "any" => ToolChoice::Required,
            other => return Err(invalid(AT, &format!("is {other:?}; use auto, none, required or a tool"))),
        },
        Value::Object(_) => match choice["type"].as_str().unwrap_or_default() {
            "function" | "custom" => {
                let name = required_string(&choice["name"], "tool_choice.name")?;
                let sent = list.names.offered(choice["namespace"].as_str(), name);
                let absent = || invalid(AT, &format!("names the tool {name:?}, which is not among the tools"));
                ToolChoice::Named(sent.ok_or_else(absent)?.to_owned())
            }
            "allowed_tools" => {
                keep_only(choice["tools"].as_array().map(Vec::as_slice).unwrap_or_default(), list);
                if choice["mode"] == "required" { ToolChoice::Required } else { ToolChoice::Auto }
            }
            kind if HOSTED.contains(&kind) => return Err(unsupported(AT, &only_at_openai(kind))),
            kind => {
                ignored.add(AT, kind);
                ToolChoice::Auto
            }
        },
        _ => return Err(invalid(AT, "must be a string or an object")),
    };
    match chosen {
        ToolChoice::Required if list.tools.is_empty() => Err(invalid(AT, "requires a tool, but the request has none")),
        chosen => Ok(chosen),
    }
}

/// Removes all tools but those that are allowed. A namespace stands for all of its tools.
fn keep_only(allowed: &[Value], list: &mut ToolList) {
    let mut names = HashSet::new();
    let mut namespaces = HashSet::new();
    for tool in allowed {
        let name = tool["name"].as_str().unwrap_or_default();
        if tool["type"] == "namespace" {
            namespaces.insert(name);
        } else if let Some(sent) = list.names.offered(tool["namespace"].as_str(), name) {
            names.insert(sent.to_owned());
        }
    }
    let is_allowed = |name: &str| {
        names.contains(name)
            || list.names.client_tool(name).namespace.is_some_and(|namespace| namespaces.contains(&*namespace))
    };
    let kept: Vec<bool> = list.tools.iter().map(|tool| is_allowed(&tool.name)).collect();
    let mut keep = kept.iter();
    list.tools.retain(|_| *keep.next().unwrap_or(&false));
    let mut keep = kept.iter();
    list.schema_paths.retain(|_| *keep.next().unwrap_or(&false));
}
