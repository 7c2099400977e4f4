//! Parses the messages of a chat request. OpenAI allows system and developer messages anywhere, and tool results are
//! messages of their own. Clients send reasoning back in `reasoning_details`.
//!
//! Only the system and developer messages at the front become the system prompt. A later one keeps its place, as text of
//! a user turn that is marked as what it is: moved to the front it would lose its order, merge the turns around it, and
//! change the beginning of the prompt at every step, so that no prompt cache could keep it (docs/cases.md, M5).

use crate::api::image_urls::leave_out_oldest_urls;
use crate::api::json::{cache_control, flag, invalid, is_absent, missing, required_string, take_string, unsupported};
use crate::conversation::media::{Attachment, DocumentNames, MAX_DOCUMENT_BYTES, decode};
use crate::conversation::{ImageUrl, Media, Message, Part, Reasoning, Role, ToolCall, ToolResult, is_blank, json_text};
use crate::error::Result;
use serde_json::Value;
use std::borrow::Cow;
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
    let messages = match messages {
        Value::Null => return Err(missing("messages")),
        Value::Array(messages) if messages.is_empty() => {
            return Err(invalid("messages", "must contain at least one message"));
        }
        Value::Array(messages) => messages,
        _ => return Err(invalid("messages", "must be an array")),
    };
    let mut parser = Parser::default();
    for (index, message) in messages.iter_mut().enumerate() {
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
    /// The names of the documents so far, which must differ (docs/cases.md, D4).
    documents: DocumentNames,
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
                let mut parts = self.parts(content, &at("content"))?;
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
                let mut parts = self.parts(content, &at("content"))?;
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
        parts.extend(self.parts(content, &at("content"))?);
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
        let parts = self.parts(content, at)?;
        let result = Part::ToolResult(ToolResult { id, parts, error });
        match self.conversation.messages.last_mut() {
            Some(turn) if turn.role == Role::User && matches!(turn.parts.last(), Some(Part::ToolResult(_))) => {
                turn.parts.push(result);
            }
            _ => self.conversation.messages.push(Message { role: Role::User, parts: vec![result] }),
        }
        Ok(())
    }

    fn parts(&mut self, content: &mut Value, at: &str) -> Result<Vec<Part>> {
        let parts = match content {
            Value::Null => return Ok(Vec::new()),
            Value::String(text) => return Ok(vec![Part::Text(std::mem::take(text))]),
            Value::Array(parts) => parts,
            _ => return Err(invalid(at, "must be a string or an array of parts")),
        };
        let mut read = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter_mut().enumerate() {
            let at = format!("{at}[{index}]");
            let cache_point = cache_control(part).map(Part::CachePoint);
            read.push(self.part(part, &at)?);
            read.extend(cache_point);
        }
        Ok(read)
    }

    fn part(&mut self, part: &mut Value, at: &str) -> Result<Part> {
        let member = |name: &str| format!("{at}.{name}");
        match part["type"].as_str() {
            Some("text" | "input_text" | "output_text") => Ok(Part::Text(take_string(part, "text", &member("text"))?)),
            Some("refusal") => Ok(Part::Text(take_string(part, "refusal", &member("refusal"))?)),
            Some("image_url" | "input_image") => self.image(part, member("image_url.url")),
            Some("file" | "input_file") => {
                let file = if part["file"].is_object() { &mut part["file"] } else { part };
                if file["file_data"].is_null() && !file["file_id"].is_null() {
                    return Err(unsupported(&member("file.file_id"), "files are not stored here; send file_data"));
                }
                self.file(file, &member("file.file_data"))
            }
            Some(kind @ ("input_audio" | "audio" | "video_url" | "input_video")) => {
                Err(unsupported(&member("type"), &format!("no model here accepts {kind} parts")))
            }
            Some(other) => Err(unsupported(&member("type"), &format!("parts of type {other:?} are not supported"))),
            None => Err(missing(&member("type"))),
        }
    }

    fn image(&mut self, part: &mut Value, at: String) -> Result<Part> {
        let url = match &mut part["image_url"] {
            image @ Value::Object(_) => take_string(image, "url", &at)?,
            _ => take_string(part, "image_url", &at)?,
        };
        if is_web_address(&url) {
            return Ok(Part::ImageUrl(ImageUrl { url, path: at }));
        }
        let (media_type, bytes) = data_uri(&url, &at)?;
        // Some clients send every file as an image.
        match Attachment::recognize(&bytes, "", media_type) {
            Ok(Attachment::Text(..)) if !media_type.starts_with("text/") => Media::image(&bytes).map(Part::Image),
            Err(_) if media_type.is_empty() || media_type.starts_with("image/") => {
                Media::image(&bytes).map(Part::Image)
            }
            attachment => attachment.map(|attachment| self.attached(attachment, "")),
        }
        .map_err(|error| error.at_path(at))
    }

    fn file(&mut self, file: &mut Value, at: &str) -> Result<Part> {
        let data = take_string(file, "file_data", at)?;
        let (media_type, bytes) = data_uri(&data, at)?;
        let filename = file["filename"].as_str().unwrap_or_default();
        let attachment = Attachment::recognize(&bytes, filename, media_type).map_err(|error| error.at_path(at))?;
        Ok(self.attached(attachment, filename))
    }

    fn attached(&mut self, attachment: Attachment, filename: &str) -> Part {
        match attachment {
            Attachment::Image(image) => Part::Image(image),
            Attachment::Document(document) => Part::Document(document, self.documents.unique(filename)),
            Attachment::Text(format, text) => {
                Part::Document(Media::text(format, &text), self.documents.unique(filename))
            }
        }
    }
}

/// A part of a system message that stands between the turns. The marks are the only ones in it: those that the text has
/// itself are written so that they cannot end it.
fn marked(part: Part) -> Part {
    match part {
        Part::Text(text) if !is_blank(&text) => Part::Text(format!("<system>{}</system>", without_marks(&text))),
        other => other,
    }
}

/// The text with `&lt;` for the first character of each `<system` and `</system`, in any case and spacing.
fn without_marks(text: &str) -> Cow<'_, str> {
    let is_mark = |rest: &str| {
        let rest = rest.trim_start();
        let name = rest.strip_prefix('/').unwrap_or(rest).trim_start();
        name.get(.."system".len()).is_some_and(|name| name.eq_ignore_ascii_case("system"))
    };
    let marks: Vec<usize> = text.match_indices('<').map(|(at, _)| at).filter(|at| is_mark(&text[at + 1..])).collect();
    if marks.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 3 * marks.len());
    let mut from = 0;
    for at in marks {
        escaped.push_str(&text[from..at]);
        escaped.push_str("&lt;");
        from = at + 1;
    }
    escaped.push_str(&text[from..]);
    Cow::Owned(escaped)
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

/// The arguments of a call are a string of JSON, but some clients send the object itself.
fn arguments_json(value: &Value, at: &str) -> Result<String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(json) => Ok(json_text::repaired(json).into_owned()),
        Value::Object(_) => Ok(value.to_string()),
        _ => Err(invalid(at, "must be a string of JSON")),
    }
}

fn is_web_address(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// The media type and the bytes of a data URI.
fn data_uri<'a>(uri: &'a str, at: &str) -> Result<(&'a str, Vec<u8>)> {
    let Some((head, data)) = uri.strip_prefix("data:").and_then(|rest| rest.split_once(',')) else {
        if is_web_address(uri) {
            return Err(unsupported(at, "files are not fetched from a URL; send the file itself as a data: URI"));
        }
        return Err(invalid(at, "must be a data: URI"));
    };
    // Base64 makes four bytes of three. What cannot be accepted is not decoded.
    if data.len() / 4 > MAX_DOCUMENT_BYTES / 3 + 1024 && head.ends_with(";base64") {
        let message = format!("has about {} bytes; Bedrock accepts at most {MAX_DOCUMENT_BYTES}", data.len() / 4 * 3);
        return Err(invalid(at, &message));
    }
    let mime = head.split(';').next().unwrap_or_default();
    let bytes = if head.ends_with(";base64") {
        decode(data).map_err(|error| error.at_path(at))?
    } else {
        percent_encoding::percent_decode_str(data).collect()
    };
    Ok((mime, bytes))
}
