//! Parses blocks of content (docs/anthropic.md §2). Kinds that the neutral form has no words for are left out and listed.

use super::ignored::Ignored;
use crate::api::json::{cache_control, flag, invalid, missing, required_string, unsupported};
use crate::conversation::media::{Attachment, DocumentNames, decode};
use crate::conversation::{CacheTtl, ImageUrl, Media, Part, Reasoning, ToolCall, ToolResult};
use crate::error::Result;
use serde_json::Value;
use std::collections::HashSet;

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    System,
    User,
    Assistant,
    ToolResult,
}

/// Parses the content of one request, block by block.
pub(super) struct ContentParser<'a> {
    ignored: &'a mut Ignored,
    /// The names of the documents so far, which must differ (docs/cases.md, D4).
    documents: DocumentNames,
    cites_documents: bool,
    /// The names of the tools that the conversation has called or made available.
    tool_names: HashSet<String>,
}

impl<'a> ContentParser<'a> {
    pub(super) fn new(ignored: &'a mut Ignored) -> Self {
        Self { ignored, documents: DocumentNames::default(), cites_documents: false, tool_names: HashSet::new() }
    }

    /// Whether documents are to be cited, and the names of the tools that the conversation has called or made available.
    pub(super) fn finish(self) -> (bool, HashSet<String>) {
        (self.cites_documents, self.tool_names)
    }

    /// The parts of a text or of an array of blocks.
    ///
    /// # Errors
    /// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member.
    pub(super) fn parts(&mut self, content: &Value, at: &str, place: Place) -> Result<Vec<Part>> {
        let blocks = match content {
            Value::Null => return Err(missing(at)),
            Value::String(text) => return Ok(vec![Part::Text(text.clone())]),
            Value::Array(blocks) => blocks,
            _ => return Err(invalid(at, "must be a string or an array of blocks")),
        };
        let mut parts = Vec::with_capacity(blocks.len());
        for (index, block) in blocks.iter().enumerate() {
            let inside = self.block(block, &format!("{at}.{index}"), place, &mut parts)?;
            parts.extend(cache_control(block).or(inside).map(Part::CachePoint));
        }
        Ok(parts)
    }

    /// Adds the parts of one block. Returns the lifetime of a cache point inside it, which belongs after it.
    fn block(&mut self, block: &Value, at: &str, place: Place, parts: &mut Vec<Part>) -> Result<Option<CacheTtl>> {
        let member = |name: &str| format!("{at}.{name}");
        let string = |name: &str| required_string(&block[name], &member(name));
        match (required_string(&block["type"], &member("type"))?, place) {
            ("text", _) => parts.push(Part::Text(string("text")?.to_owned())),
            (_, Place::System) => self.ignored.add(block["type"].as_str().unwrap_or_default()),
            ("image", _) => parts.push(image(&block["source"], &member("source"))?),
            ("document", _) => self.document(block, at, parts)?,
            ("search_result", _) => parts.push(Part::Text(search_result(block))),
            ("thinking", Place::Assistant) => parts.extend(signed_reasoning(block)),
            ("redacted_thinking", Place::Assistant) => {
                parts.push(Part::Reasoning(Reasoning::Redacted(string("data")?.to_owned())));
            }
            ("tool_use", Place::Assistant) => {
                let (id, name) = (string("id")?.to_owned(), string("name")?.to_owned());
                self.tool_names.insert(name.clone());
                let input = &block["input"];
                let arguments = if input.is_null() { String::new() } else { input.to_string() };
                parts.push(Part::ToolCall(ToolCall { id, name, arguments }));
            }
            ("tool_use", _) => return Err(invalid(at, "is a tool_use block, which only the assistant's turns have")),
            ("tool_result", Place::User) => return self.tool_result(block, at, parts),
            ("tool_result", _) => return Err(invalid(at, "is a tool_result block, which only the user's turns have")),
            // Claude Code answers its own search for tools with these.
            ("tool_reference", _) => {
                let name = string("tool_name")?;
                self.tool_names.insert(name.to_owned());
                parts.push(Part::Text(format!("The tool {name} is now available.")));
            }
            (other, _) => self.ignored.add(other),
        }
        Ok(None)
    }

    /// A cache point inside a result belongs after it: Bedrock keeps only those between blocks (docs/anthropic.md §2).
    fn tool_result(&mut self, block: &Value, at: &str, parts: &mut Vec<Part>) -> Result<Option<CacheTtl>> {
        let id = required_string(&block["tool_use_id"], &format!("{at}.tool_use_id"))?.to_owned();
        let error = flag(&block["is_error"], &format!("{at}.is_error"))? == Some(true);
        let mut content = match &block["content"] {
            Value::Null => Vec::new(),
            content => self.parts(content, &format!("{at}.content"), Place::ToolResult)?,
        };
        let mut lifetime = None;
        content.retain(|part| match part {
            Part::CachePoint(ttl) => {
                lifetime = Some(*ttl);
                false
            }
            _ => true,
        });
        parts.push(Part::ToolResult(ToolResult { id, parts: content, error }));
        Ok(lifetime)
    }

    fn document(&mut self, block: &Value, at: &str, parts: &mut Vec<Part>) -> Result<()> {
        let title = block["title"].as_str().unwrap_or_default();
        let source = &block["source"];
        let member = |name: &str| format!("{at}.source.{name}");
        self.cites_documents |= block["citations"]["enabled"] == true;
        let mut images = Vec::new();
        let attachment = match required_string(&source["type"], &member("type"))? {
            "base64" => {
                let at = member("data");
                let bytes = decode(required_string(&source["data"], &at)?).map_err(|error| error.at_path(&at))?;
                let media_type = source["media_type"].as_str().unwrap_or_default();
                Attachment::recognize(&bytes, title, media_type).map_err(|error| error.at_path(at))?
            }
            "text" => text_document(required_string(&source["data"], &member("data"))?, &member("data"))?,
            "content" => {
                let pieces = self.parts(&source["content"], &member("content"), Place::ToolResult)?;
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Part::Text(piece) => text = text + &piece + "\n",
                        other => images.push(other),
                    }
                }
                text_document(&text, &member("content"))?
            }
            "url" => return Err(unsupported(&member("url"), "documents are not fetched; send the file itself")),
            "file" => return Err(unsupported(&member("file_id"), "no files are stored here; send the file itself")),
            other => return Err(invalid(&member("type"), &format!("is {other:?}; use base64, text or content"))),
        };
        let document = match attachment {
            Attachment::Image(image) => Part::Image(image),
            Attachment::Document(document) => Part::Document(document, self.documents.unique(title)),
            Attachment::Text(format, text) => Part::Document(Media::text(format, &text), self.documents.unique(title)),
        };
        if let (Some(context), Part::Document(_, name)) = (block["context"].as_str(), &document) {
            parts.push(Part::Text(format!("About the document {name:?}: {context}")));
        }
        parts.push(document);
        parts.extend(images.into_iter().filter(|part| matches!(part, Part::Image(_) | Part::ImageUrl(_))));
        Ok(())
    }
}

fn text_document(text: &str, at: &str) -> Result<Attachment> {
    Attachment::recognize(text.as_bytes(), "document.txt", "text/plain").map_err(|error| error.at_path(at))
}

fn image(source: &Value, at: &str) -> Result<Part> {
    let member = |name: &str| format!("{at}.{name}");
    match required_string(&source["type"], &member("type"))? {
        "base64" => {
            let data = required_string(&source["data"], &member("data"))?;
            let image = decode(data).and_then(|bytes| Media::image(&bytes));
            image.map(Part::Image).map_err(|error| error.at_path(member("data")))
        }
        "url" => {
            let (url, path) = (required_string(&source["url"], &member("url"))?.to_owned(), member("url"));
            if url.starts_with("http://") || url.starts_with("https://") {
                Ok(Part::ImageUrl(ImageUrl { url, path }))
            } else {
                Err(invalid(&path, "must begin with https:// or http://"))
            }
        }
        "file" => Err(unsupported(&member("file_id"), "no files are stored here; send the image itself")),
        other => Err(invalid(&member("type"), &format!("is {other:?}; use base64 or url"))),
    }
}

/// Claude takes its reasoning back only with its signature, byte for byte. Without one it is left out; Claude Code sends
/// it back all the same.
fn signed_reasoning(block: &Value) -> Option<Part> {
    let signature = block["signature"].as_str().filter(|signature| !signature.is_empty())?;
    let text = block["thinking"].as_str().unwrap_or_default().to_owned();
    Some(Part::Reasoning(Reasoning::Text { text, signature: Some(signature.to_owned()) }))
}

/// A result of the client's own search, as text: only Claude has a form of its own for it.
fn search_result(block: &Value) -> String {
    let word = |name: &str| block[name].as_str().unwrap_or_default();
    let texts = block["content"].as_array().into_iter().flatten().filter_map(|piece| piece["text"].as_str());
    let text = texts.collect::<Vec<_>>().join("\n");
    format!("Search result: {}\nSource: {}\n\n{text}", word("title"), word("source"))
}
