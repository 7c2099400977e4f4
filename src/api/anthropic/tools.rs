//! Parses the tools and the tool choice (docs/anthropic.md §2).

use super::ignored::Ignored;
use crate::api::json::{cache_control, flag, invalid, is_absent, required_string, unsupported};
use crate::conversation::{Tool, ToolChoice};
use crate::error::Result;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// What the types of the tools begin with that Anthropic runs itself. Bedrock runs none of them.
const RUN_BY_ANTHROPIC: [&str; 6] =
    ["web_search", "web_fetch", "code_execution", "mcp_toolset", "advisor", "tool_search_tool"];
/// The tool that Claude Code adds so that its list of tools is never without one to load later. It cannot be called.
const PLACEHOLDER: &str = "DeferredToolPlaceholder";

#[derive(Debug, Default, PartialEq)]
pub(super) struct Tools {
    pub(super) offered: Vec<Tool>,
    /// The index of each tool in the client's list.
    pub(super) positions: Vec<usize>,
    pub(super) choice: ToolChoice,
    pub(super) parallel: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The client describes the tool.
    Described,
    /// Claude knows the tool by its type; no other model does.
    KnownToClaude,
    RunByAnthropic,
}

/// Parses `tools` and `tool_choice`. `known` are the names of the tools that the conversation has called or made
/// available: a tool that is to be loaded later is offered from then on.
///
/// # Errors
/// `Unsupported` for a tool that Bedrock does not run and that is the only one, or the chosen one; `InvalidRequest` or
/// `MissingParameter`, naming the member.
pub(super) fn parse(tools: &Value, choice: &Value, mut known: HashSet<String>, ignored: &mut Ignored) -> Result<Tools> {
    let tools = match tools {
        Value::Null => &[][..],
        Value::Array(tools) => tools,
        _ => return Err(invalid("tools", "must be an array")),
    };
    known.extend(choice["name"].as_str().map(ToOwned::to_owned));
    let mut kinds: HashMap<&str, Kind> = HashMap::new();
    let mut parsed = Tools::default();
    for (index, tool) in tools.iter().enumerate() {
        let at = format!("tools.{index}");
        if !tool.is_object() {
            return Err(invalid(&at, "must be an object"));
        }
        let kind = kind(tool, &at)?;
        kinds.insert(tool["name"].as_str().unwrap_or_default(), kind);
        match kind {
            Kind::Described if is_offered(tool, &known) => {
                parsed.offered.push(described(tool, &at)?);
                parsed.positions.push(index);
            }
            Kind::Described => {}
            Kind::KnownToClaude | Kind::RunByAnthropic => ignored.add(tool["type"].as_str().unwrap_or_default()),
        }
    }
    let alone = kinds.values().all(|kind| *kind == Kind::RunByAnthropic);
    if let Some(tool) = tools.first().filter(|_| alone) {
        return Err(not_at_bedrock(tool["name"].as_str().or(tool["type"].as_str()).unwrap_or_default(), "tools"));
    }
    parsed.choice = parse_choice(choice, &parsed.offered, &kinds)?;
    let disabled = flag(&choice["disable_parallel_tool_use"], "tool_choice.disable_parallel_tool_use")?;
    parsed.parallel = disabled.filter(|disabled| *disabled).map(|_| false);
    Ok(parsed)
}

fn kind(tool: &Value, at: &str) -> Result<Kind> {
    Ok(match &tool["type"] {
        Value::Null => Kind::Described,
        kind => match required_string(kind, &format!("{at}.type"))? {
            "custom" => Kind::Described,
            kind if RUN_BY_ANTHROPIC.iter().any(|beginning| kind.starts_with(beginning)) => Kind::RunByAnthropic,
            _ => Kind::KnownToClaude,
        },
    })
}

/// Whether the model sees a tool from the beginning, or has found it since.
fn is_offered(tool: &Value, known: &HashSet<String>) -> bool {
    let name = tool["name"].as_str().unwrap_or_default();
    name != PLACEHOLDER && (tool["defer_loading"] != true || known.contains(name))
}

fn described(tool: &Value, at: &str) -> Result<Tool> {
    let mut description = tool["description"].as_str().map(ToOwned::to_owned);
    if let Some(examples) = tool["input_examples"].as_array().filter(|examples| !examples.is_empty()) {
        let examples: String = examples.iter().map(|example| format!("\n{example}")).collect();
        let before = description.map_or_else(String::new, |text| text + "\n\n");
        description = Some(format!("{before}Examples of its input:{examples}"));
    }
    Ok(Tool {
        name: required_string(&tool["name"], &format!("{at}.name"))?.to_owned(),
        description,
        schema: tool["input_schema"].clone(),
        strict: flag(&tool["strict"], &format!("{at}.strict"))?,
        cache: cache_control(tool),
    })
}

fn parse_choice(choice: &Value, tools: &[Tool], kinds: &HashMap<&str, Kind>) -> Result<ToolChoice> {
    if is_absent(choice) {
        return Ok(ToolChoice::Auto);
    }
    match required_string(&choice["type"], "tool_choice.type")? {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "any" if !tools.is_empty() => Ok(ToolChoice::Required),
        // Claude may call one of the tools that only it knows.
        "any" if !kinds.is_empty() => Ok(ToolChoice::Auto),
        "any" => Err(invalid("tool_choice", "requires a tool, but the request has none")),
        "tool" => {
            let name = required_string(&choice["name"], "tool_choice.name")?;
            match kinds.get(name) {
                Some(Kind::RunByAnthropic) => Err(not_at_bedrock(name, "tool_choice")),
                Some(Kind::KnownToClaude) => Ok(ToolChoice::Auto),
                Some(Kind::Described) if tools.iter().any(|tool| tool.name == name) => {
                    Ok(ToolChoice::Named(name.to_owned()))
                }
                _ => Err(invalid("tool_choice", &format!("names the tool {name:?}, which is not among the tools"))),
            }
        }
        other => Err(invalid("tool_choice.type", &format!("is {other:?}; use auto, any, tool or none"))),
    }
}

fn not_at_bedrock(name: &str, at: &str) -> crate::error::Error {
    unsupported(at, &format!("{name} is not available through Bedrock"))
}
