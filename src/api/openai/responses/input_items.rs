//! Parses the items of the input. A message, a tool call, its result and a piece of reasoning are items of their own;
//! those of one answer become one message (docs/openai.md §5.2).

use super::carrier::carried;
use super::ignored::Ignored;
use super::names::{ClientTool, TOOL_SEARCH, ToolKind, ToolNames};
use super::tools::{CUSTOM_INPUT, Source, ToolList};
use crate::api::image_urls::leave_out_oldest_urls;
use crate::api::json::{invalid, missing, required_string, take_string, unsupported};
use crate::api::openai::content::{ContentReader, arguments_json, marked};
use crate::conversation::{Message, Part, Role, ToolCall, ToolResult};
use crate::error::Result;
use serde_json::{Value, json};

/// The items of tools that ran at OpenAI. They are left out of a history.
const HOSTED: [&str; 12] = [
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "computer_call",
    "computer_call_output",
    "image_generation_call",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "program",
    "program_output",
];

/// The system prompt and the messages of a request.
#[derive(Default)]
pub(super) struct Input {
    pub(super) system: Vec<Part>,
    pub(super) messages: Vec<Message>,
    /// The index of each message's first item, and the member that holds its content.
    pub(super) places: Vec<(usize, &'static str)>,
}

/// Adds the tools that items of the input offer.
///
/// # Errors
/// `InvalidRequest` or `MissingParameter`, naming the member.
pub(super) fn add_tools(input: &mut Value, list: &mut ToolList, ignored: &mut Ignored) -> Result<()> {
    for (index, item) in input.as_array_mut().into_iter().flatten().enumerate() {
        if matches!(item["type"].as_str(), Some("additional_tools" | "tool_search_output"))
            && let Some(tools) = item.get_mut("tools")
        {
            list.add(tools, &format!("input[{index}].tools"), Source::Item, ignored)?;
        }
    }
    Ok(())
}

/// Parses the instructions and the input.
///
/// # Errors
/// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member.
pub(super) fn parse_input(
    instructions: Value,
    input: &mut Value,
    names: &mut ToolNames,
    ignored: &mut Ignored,
) -> Result<Input> {
    let mut reader = Reader { content: ContentReader::default(), read: Input::default(), names, ignored };
    match instructions {
        Value::Null => {}
        Value::String(text) => reader.read.system.push(Part::Text(text)),
        _ => return Err(invalid("instructions", "must be a string")),
    }
    match input {
        Value::Null => return Err(missing("input")),
        Value::String(text) => reader.read.messages.push(Message::user(std::mem::take(text))),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                reader.item(item, index)?;
            }
        }
        _ => return Err(invalid("input", "must be a string or an array of items")),
    }
    leave_out_oldest_urls(&mut reader.read.messages);
    Ok(reader.read)
}

struct Reader<'a> {
    content: ContentReader,
    read: Input,
    names: &'a mut ToolNames,
    ignored: &'a mut Ignored,
}

impl Reader<'_> {
    /// Parses an item. Its content is taken out of it.
    fn item(&mut self, item: &mut Value, index: usize) -> Result<()> {
        let at = |member: &str| format!("input[{index}].{member}");
        let kind = item["type"].as_str().map(ToOwned::to_owned);
        match kind.as_deref() {
            Some("message") => self.message(item, index),
            // The short form of a message, and of a reference.
            None if !item["role"].is_null() => self.message(item, index),
            None if item["id"].is_string() => self.reference(item, index),
            None => Err(missing(&at("type"))),
            Some("item_reference") => self.reference(item, index),
            Some("reasoning") => {
                match item["encrypted_content"].as_str().and_then(carried) {
                    Some(blocks) if blocks.is_empty() => {}
                    Some(blocks) => self.push_assistant(index, "", blocks.into_iter().map(Part::Reasoning)),
                    None => self.ignored.add("input", "reasoning"),
                }
                Ok(())
            }
            Some("function_call" | "custom_tool_call" | "tool_search_call") => self.call(item, index),
            Some("local_shell_call" | "shell_call" | "apply_patch_call") => self.built_in_call(item, index),
            Some("function_call_output" | "custom_tool_call_output") => {
                let id = take_string(item, "call_id", &at("call_id"))?;
                let parts = self.content.parts(&mut item["output"], &at("output"))?;
                self.push_result(index, ToolResult { id, parts, error: false });
                Ok(())
            }
            Some("tool_search_output") => {
                let found = found_tools(&item["tools"], self.names);
                let result = ToolResult { id: call_id(item, index)?, parts: vec![Part::Text(found)], error: false };
                self.push_result(index, result);
                Ok(())
            }
            Some("local_shell_call_output" | "shell_call_output" | "apply_patch_call_output") => {
                let text = match item["output"].take() {
                    Value::String(text) => text,
                    Value::Null => String::new(),
                    output => output.to_string(),
                };
                let error = item["status"] == "failed";
                self.push_result(index, ToolResult { id: call_id(item, index)?, parts: vec![Part::Text(text)], error });
                Ok(())
            }
            Some("additional_tools") => Ok(()),
            Some(hosted) if HOSTED.contains(&hosted) => {
                self.ignored.add("input", hosted);
                Ok(())
            }
            Some(kind @ ("compaction" | "compaction_trigger")) => Err(unsupported(
                &at("type"),
                &format!(
                    "items of type {kind:?} work only at OpenAI; send the conversation, or a summary as a message"
                ),
            )),
            Some(other) => Err(unsupported(&at("type"), &format!("items of type {other:?} are not supported"))),
        }
    }

    fn message(&mut self, item: &mut Value, index: usize) -> Result<()> {
        let at = |member: &str| format!("input[{index}].{member}");
        let parts = match item.get_mut("content") {
            Some(content) => self.content.parts(content, &at("content"))?,
            None => Vec::new(),
        };
        match item["role"].as_str() {
            Some("system" | "developer") => {
                if !parts.iter().all(|part| matches!(part, Part::Text(_) | Part::CachePoint(_))) {
                    return Err(unsupported(&at("content"), "a system message may contain only text"));
                }
                if self.read.messages.is_empty() {
                    self.read.system.extend(parts);
                } else {
                    self.push_user(index, "content", parts.into_iter().map(marked).collect());
                }
            }
            Some("user") => self.push_user(index, "content", parts),
            Some("assistant") => self.push_assistant(index, "content", parts),
            Some(other) => {
                return Err(invalid(&at("role"), &format!("is {other:?}; use system, developer, user or assistant")));
            }
            None if item["role"].is_null() => return Err(missing(&at("role"))),
            None => return Err(invalid(&at("role"), "must be a string")),
        }
        Ok(())
    }

    /// The AI SDK refers to reasoning by its id, unless it is told that nothing is stored. The conversation goes on without
    /// it, but not without anything else.
    fn reference(&mut self, item: &Value, index: usize) -> Result<()> {
        let at = format!("input[{index}].id");
        let id = required_string(&item["id"], &at)?;
        if id.starts_with("rs_") {
            self.ignored.add("input", "item_reference");
            return Ok(());
        }
        let message =
            format!("refers to the item {id:?}, which was not found: nothing is stored here, so send items in full");
        Err(invalid(&at, &message))
    }

    fn call(&mut self, item: &mut Value, index: usize) -> Result<()> {
        let at = |member: &str| format!("input[{index}].{member}");
        let (kind, arguments) = match item["type"].as_str() {
            Some("custom_tool_call") => {
                let input = take_string(item, "input", &at("input"))?;
                (ToolKind::Custom, json!({CUSTOM_INPUT: input}).to_string())
            }
            Some("tool_search_call") => (ToolKind::Search, arguments_json(&item["arguments"], &at("arguments"))?),
            _ => (ToolKind::Function, arguments_json(&item["arguments"], &at("arguments"))?),
        };
        let (namespace, name) = match kind {
            ToolKind::Search => (None, TOOL_SEARCH.to_owned()),
            ToolKind::Function | ToolKind::Custom => {
                let namespace = item["namespace"].as_str().map(ToOwned::to_owned);
                (namespace, required_string(&item["name"], &at("name"))?.to_owned())
            }
        };
        let name = self.names.called(ClientTool { kind, namespace, name });
        let call = ToolCall { id: call_id(item, index)?, name, arguments };
        self.push_assistant(index, "", [Part::ToolCall(call)]);
        Ok(())
    }

    /// A call of a tool that OpenAI's own models know, as a call of a function.
    fn built_in_call(&mut self, item: &mut Value, index: usize) -> Result<()> {
        let own = item["type"].as_str().unwrap_or_default().trim_end_matches("_call").to_owned();
        let action = if item["action"].is_null() { item["operation"].take() } else { item["action"].take() };
        let name = self.names.called(ClientTool { kind: ToolKind::Function, namespace: None, name: own });
        let call = ToolCall { id: call_id(item, index)?, name, arguments: action.to_string() };
        self.push_assistant(index, "", [Part::ToolCall(call)]);
        Ok(())
    }

    fn push_user(&mut self, index: usize, member: &'static str, parts: Vec<Part>) {
        self.read.messages.push(Message { role: Role::User, parts });
        self.read.places.push((index, member));
    }

    /// Adds a part of an answer to the message of that answer.
    fn push_assistant(&mut self, index: usize, member: &'static str, parts: impl IntoIterator<Item = Part>) {
        match self.read.messages.last_mut() {
            Some(answer) if answer.role == Role::Assistant => answer.parts.extend(parts),
            _ => {
                self.read.messages.push(Message { role: Role::Assistant, parts: parts.into_iter().collect() });
                self.read.places.push((index, member));
            }
        }
    }

    fn push_result(&mut self, index: usize, result: ToolResult) {
        self.push_user(index, "output", vec![Part::ToolResult(result)]);
    }
}

/// The id that a call and its result share. Some types of items have only an id of their own.
fn call_id(item: &Value, index: usize) -> Result<String> {
    let id = if item["call_id"].is_null() { &item["id"] } else { &item["call_id"] };
    required_string(id, &format!("input[{index}].call_id")).map(ToOwned::to_owned)
}

/// What a search for tools has found, by the names that the model knows.
fn found_tools(tools: &Value, names: &ToolNames) -> String {
    let mut found = Vec::new();
    let mut add = |namespace: Option<&str>, tool: &Value| {
        found.extend(tool["name"].as_str().and_then(|name| names.offered(namespace, name)).map(ToOwned::to_owned));
    };
    for tool in tools.as_array().into_iter().flatten() {
        match tool["type"].as_str() {
            Some("namespace") => {
                tool["tools"].as_array().into_iter().flatten().for_each(|member| add(tool["name"].as_str(), member));
            }
            _ => add(None, tool),
        }
    }
    if found.is_empty() { "No tools were found.".to_owned() } else { format!("Found tools: {}", found.join(", ")) }
}
