//! Parses the messages of a chat request. OpenAI allows system and developer messages anywhere, and tool results are
//! messages of their own. Clients send reasoning back in `reasoning_details`.
//!
//! Only the system and developer messages at the front become the system prompt. A later one keeps its place, as text of
//! a user turn that is marked as what it is: moved to the front it would lose its order, merge the turns around it, and
//! change the beginning of the prompt at every step, so that no prompt cache could keep it (docs/cases.md, M5).

use super::content::{ContentReader, arguments_json, marked};
use crate::api::image_urls::leave_out_oldest_urls;
use crate::api::json::{
    cache_control, check_messages, flag, invalid, is_absent, missing, required_string, unsupported,
};
use crate::conversation::{Message, Part, Reasoning, Role, ToolCall, ToolResult};
use crate::error::Result;
use serde_json::Value;
use std::collections::HashMap;

/// The system prompt and the messages of a request.
#[derive(Default)]
pub(super) struct Conversation {
    pub(super) system: Vec<Part>,
    pub(super) messages: Vec<Message>,
    /// The index of each message in the client's list.
    pub(super) positions: Vec<usize>,
}

/// Parses the messages of a request.
///
/// # Errors
/// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member.
pub(super) fn parse_messages(messages: &mut Value) -> Result<Conversation> {
    check_messages(messages)?;
    let mut parser = Parser::default();
    for (index, message) in messages.as_array_mut().into_iter().flatten().enumerate() {
        parser.message(message, index)?;
        // A client's message becomes a message of the conversation, or part of the system prompt or of the last
        // message.
        parser.conversation.positions.resize(parser.conversation.messages.len(), index);
    }
    leave_out_oldest_urls(&mut parser.conversation.messages);
    Ok(parser.conversation)
}

#[derive(Default)]
struct Parser {
    conversation: Conversation,
    content: ContentReader,
    /// The made-up id of the last legacy call of each function. A result gives only the name, and belongs to that call.
    functions: HashMap<String, String>,
}

impl Parser {
    /// Parses a message. Its content is taken out of it.
    fn message(&mut self, message: &mut Value, index: usize) -> Result<()> {
        let at = |member: &str| format!("messages[{index}].{member}");
        let content = &mut message.get_mut("content").map(Value::take).unwrap_or_default();
        match message["role"].as_str() {
            Some("system" | "developer") => {
                let mut parts = self.content.parts(content, &at("content"))?;
                if !parts.iter().all(|part| matches!(part, Part::Text(_) | Part::CachePoint(_))) {
                    return Err(unsupported(&at("content"), "a system message may contain only text"));
                }
                parts.extend(cache_control(message).map(Part::CachePoint));
                if self.conversation.messages.is_empty() {
                    self.conversation.system.extend(parts);
                } else {
                    let parts = parts.into_iter().map(marked).collect();
                    self.conversation.messages.push(Message { role: Role::User, parts });
                }
            }
            Some("user") => {
                let mut parts = self.content.parts(content, &at("content"))?;
                parts.extend(cache_control(message).map(Part::CachePoint));
                self.conversation.messages.push(Message { role: Role::User, parts });
            }
            Some("assistant") => self.assistant(message, content, index)?,
            Some("tool") => {
                let id = required_string(&message["tool_call_id"], &at("tool_call_id"))?.to_owned();
                let error = flag(&message["is_error"], &at("is_error"))? == Some(true);
                self.push_result(id, content, error, &at("content"))?;
                if let (Some(ttl), Some(turn)) = (cache_control(message), self.conversation.messages.last_mut()) {
                    turn.parts.push(Part::CachePoint(ttl));
                }
            }
            Some("function") => {
                let name = required_string(&message["name"], &at("name"))?;
                let id = self.functions.get(name).cloned();
                let id = id.ok_or_else(|| invalid(&at("name"), &format!("is {name:?}, which was not called")))?;
                self.push_result(id, content, false, &at("content"))?;
            }
            Some(other) => {
                return Err(invalid(&at("role"), &format!("is {other:?}; use system, user, assistant or tool")));
            }
            None if message["role"].is_null() => return Err(missing(&at("role"))),
            None => return Err(invalid(&at("role"), "must be a string")),
        }
        Ok(())
    }

    fn assistant(&mut self, message: &Value, content: &mut Value, index: usize) -> Result<()> {
        let at = |member: &str| format!("messages[{index}].{member}");
        // `reasoning_content` is dropped, because no model accepts its reasoning back without the signature.
        let mut parts = reasoning_parts(&message["reasoning_details"]);
        parts.extend(self.content.parts(content, &at("content"))?);
        if let Some(refusal) = message["refusal"].as_str() {
            parts.push(Part::Text(refusal.to_owned()));
        }
        let calls = match &message["tool_calls"] {
            Value::Null => &[][..],
            Value::Array(calls) => calls,
            _ => return Err(invalid(&at("tool_calls"), "must be an array")),
        };
        for (place, call) in calls.iter().enumerate() {
            let at = |member: &str| at(&format!("tool_calls[{place}].{member}"));
            let function = &call["function"];
            parts.push(Part::ToolCall(ToolCall {
                id: required_string(&call["id"], &at("id"))?.to_owned(),
                name: required_string(&function["name"], &at("function.name"))?.to_owned(),
                arguments: arguments_json(&function["arguments"], &at("function.arguments"))?,
            }));
        }
        let legacy = &message["function_call"];
        if !is_absent(legacy) {
            let name = required_string(&legacy["name"], &at("function_call.name"))?.to_owned();
            let id = format!("call_{index}");
            self.functions.insert(name.clone(), id.clone());
            let arguments = arguments_json(&legacy["arguments"], &at("function_call.arguments"))?;
            parts.push(Part::ToolCall(ToolCall { id, name, arguments }));
        }
        parts.extend(cache_control(message).map(Part::CachePoint));
        self.conversation.messages.push(Message { role: Role::Assistant, parts });
        Ok(())
    }

    /// Adds a tool result. All results of one turn's calls go into one turn (docs/bedrock.md §2.6.7).
    fn push_result(&mut self, id: String, content: &mut Value, error: bool, at: &str) -> Result<()> {
        let parts = self.content.parts(content, at)?;
        let result = Part::ToolResult(ToolResult { id, parts, error });
        match self.conversation.messages.last_mut() {
            Some(turn) if turn.role == Role::User && matches!(turn.parts.last(), Some(Part::ToolResult(_))) => {
                turn.parts.push(result);
            }
            _ => self.conversation.messages.push(Message { role: Role::User, parts: vec![result] }),
        }
        Ok(())
    }
}

/// Parses OpenRouter's `reasoning_details`, the only convention that carries Claude's signatures (docs/openai.md §4.3).
/// A client may send the pieces of a stream unmerged; pieces of the same index belong together.
fn reasoning_parts(details: &Value) -> Vec<Part> {
    let mut blocks: Vec<(Value, Reasoning)> = Vec::new();
    for detail in details.as_array().map(Vec::as_slice).unwrap_or_default() {
        match detail["type"].as_str() {
            Some("reasoning.text") => {
                let more = detail["text"].as_str().unwrap_or_default();
                let signed = detail["signature"].as_str().filter(|signed| !signed.is_empty());
                match blocks.last_mut() {
                    Some((index, Reasoning::Text { text, signature: signature @ None }))
                        if !detail["index"].is_null() && *index == detail["index"] =>
                    {
                        text.push_str(more);
                        *signature = signed.map(ToOwned::to_owned);
                    }
                    _ => {
                        let signature = signed.map(ToOwned::to_owned);
                        blocks.push((detail["index"].clone(), Reasoning::Text { text: more.to_owned(), signature }));
                    }
                }
            }
            Some("reasoning.encrypted") => {
                if let Some(data) = detail["data"].as_str() {
                    blocks.push((detail["index"].clone(), Reasoning::Redacted(data.to_owned())));
                }
            }
            _ => {}
        }
    }
    blocks.into_iter().map(|(_, block)| Part::Reasoning(block)).collect()
}
