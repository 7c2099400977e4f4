//! Parses the tools of a request. Beside functions there are custom tools, whose input is text, namespaces, which hold
//! further tools, and a search for tools that the client runs. Everything else runs at OpenAI and is left out
//! (docs/openai.md §5.3).

use super::ignored::Ignored;
use super::names::{ClientTool, TOOL_SEARCH, ToolKind, ToolNames};
use crate::api::json::{cache_control, flag, invalid, required_string, unsupported};
use crate::conversation::Tool;
use crate::error::Result;
use serde_json::{Value, json};

/// The member that holds the text for a custom tool.
pub(super) const CUSTOM_INPUT: &str = "input";

/// The tools of a request, wherever they stood in it.
#[derive(Debug, Default)]
pub(super) struct ToolList {
    pub(super) tools: Vec<Tool>,
    /// The path of each tool's schema in the client's request.
    pub(super) schema_paths: Vec<String>,
    pub(super) names: ToolNames,
    /// The path and the type of the first of the request's own tools that was left out.
    left_out: Option<(String, String)>,
}

/// Where a list of tools stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The member `tools`, where each tool is offered once.
    Request,
    /// An item of the input, which may repeat a tool.
    Item,
}

impl ToolList {
    /// Adds a list of tools, whose schemas are taken out of it.
    ///
    /// # Errors
    /// `InvalidRequest` or `MissingParameter`, naming the member.
    pub(super) fn add(&mut self, list: &mut Value, at: &str, source: Source, ignored: &mut Ignored) -> Result<()> {
        let tools = match list {
            Value::Null => return Ok(()),
            Value::Array(tools) => tools,
            _ => return Err(invalid(at, "must be an array")),
        };
        for (index, tool) in tools.iter_mut().enumerate() {
            self.tool(tool, &format!("{at}[{index}]"), source, ignored)?;
        }
        Ok(())
    }

    fn tool(&mut self, tool: &mut Value, at: &str, source: Source, ignored: &mut Ignored) -> Result<()> {
        match tool["type"].as_str() {
            Some("namespace") => self.namespace(tool, at, source, ignored),
            Some("tool_search") if tool["execution"] == "client" => {
                let own = ClientTool { kind: ToolKind::Search, namespace: None, name: TOOL_SEARCH.to_owned() };
                self.offer(own, tool, None, at, source)
            }
            _ => {
                if let Some(kind) = named_kind(tool) {
                    return self.named(kind, tool, None, (None, at), source);
                }
                self.leave_out(tool, at, source, ignored);
                Ok(())
            }
        }
    }

    /// Adds the tools of a namespace. Its description stands before that of the first.
    fn namespace(&mut self, namespace: &mut Value, at: &str, source: Source, ignored: &mut Ignored) -> Result<()> {
        let name = required_string(&namespace["name"], &format!("{at}.name"))?.to_owned();
        let mut introduction = namespace["description"].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let at = format!("{at}.tools");
        let members = match namespace.get_mut("tools") {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(members)) => members,
            Some(_) => return Err(invalid(&at, "must be an array")),
        };
        for (index, member) in members.iter_mut().enumerate() {
            let at = format!("{at}[{index}]");
            match named_kind(member) {
                Some(kind) => self.named(kind, member, Some(&name), (introduction.take(), &at), source)?,
                None => self.leave_out(member, &at, source, ignored),
            }
        }
        Ok(())
    }

    fn named(
        &mut self,
        kind: ToolKind,
        tool: &mut Value,
        namespace: Option<&str>,
        (introduction, at): (Option<String>, &str),
        source: Source,
    ) -> Result<()> {
        let name = required_string(&tool["name"], &format!("{at}.name"))?.to_owned();
        let own = ClientTool { kind, namespace: namespace.map(ToOwned::to_owned), name };
        self.offer(own, tool, introduction, at, source)
    }

    fn offer(
        &mut self,
        own: ClientTool,
        tool: &mut Value,
        introduction: Option<String>,
        at: &str,
        source: Source,
    ) -> Result<()> {
        let kind = own.kind;
        let own_name = own.name.clone();
        let Some(name) = self.names.offer(own) else {
            return match source {
                Source::Request => {
                    Err(invalid(&format!("{at}.name"), &format!("is {own_name:?}, the name of an earlier tool")))
                }
                Source::Item => Ok(()),
            };
        };
        let descriptions = [introduction, tool["description"].as_str().map(ToOwned::to_owned), grammar(tool)];
        let descriptions: Vec<String> = descriptions.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        self.tools.push(Tool {
            name,
            description: (!descriptions.is_empty()).then(|| descriptions.join("\n\n")),
            strict: flag(&tool["strict"], &format!("{at}.strict"))?,
            cache: cache_control(tool),
            schema: match kind {
                ToolKind::Custom => {
                    json!({"type": "object", "properties": {CUSTOM_INPUT: {"type": "string"}}, "required": [CUSTOM_INPUT]})
                }
                ToolKind::Function | ToolKind::Search => tool.get_mut("parameters").map(Value::take).unwrap_or_default(),
            },
        });
        self.schema_paths.push(format!("{at}.parameters"));
        Ok(())
    }

    fn leave_out(&mut self, tool: &Value, at: &str, source: Source, ignored: &mut Ignored) {
        let kind = tool["type"].as_str().unwrap_or("unknown");
        ignored.add("tools", kind);
        if source == Source::Request {
            self.left_out.get_or_insert_with(|| (format!("{at}.type"), kind.to_owned()));
        }
    }

    /// Refuses a request of whose own tools none is left.
    ///
    /// # Errors
    /// `Unsupported`, naming the first of them.
    pub(super) fn check(&self) -> Result<()> {
        match &self.left_out {
            Some((at, kind)) if self.tools.is_empty() => Err(unsupported(at, &only_at_openai(kind))),
            _ => Ok(()),
        }
    }
}

/// Why a tool of this type cannot be had.
pub(super) fn only_at_openai(kind: &str) -> String {
    format!("tools of type {kind:?} run only at OpenAI; functions and custom tools are supported")
}

/// The kind of a tool with a name of its own; `None` for any other.
fn named_kind(tool: &Value) -> Option<ToolKind> {
    match tool["type"].as_str() {
        Some("function") => Some(ToolKind::Function),
        Some("custom") => Some(ToolKind::Custom),
        _ => None,
    }
}

/// The grammar that the input of a custom tool must match, in words. No model here can be bound to it.
fn grammar(tool: &Value) -> Option<String> {
    let format = &tool["format"];
    let definition = format["definition"].as_str().filter(|_| format["type"] == "grammar")?;
    let syntax = format["syntax"].as_str().unwrap_or_default();
    Some(format!("The input is plain text and must match this {syntax} grammar:\n{definition}"))
}
