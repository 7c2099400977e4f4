//! Reads the content of messages and tool results, the same in Chat Completions and in Responses: text, images and
//! files.

use crate::api::json::{cache_control, invalid, missing, take_string, unsupported};
use crate::conversation::media::{Attachment, DocumentNames, MAX_DOCUMENT_BYTES, decode};
use crate::conversation::{CacheTtl, ImageUrl, Media, Part, is_blank, json_text};
use crate::error::Result;
use serde_json::Value;
use std::borrow::Cow;

/// Reads the content of one request.
#[derive(Default)]
pub(super) struct ContentReader {
    /// The names of the documents so far, which must differ (docs/cases.md, D4).
    documents: DocumentNames,
}

impl ContentReader {
    /// The parts of a content, which are taken out of it. It is a string or an array.
    ///
    /// # Errors
    /// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member below `at`.
    pub(super) fn parts(&mut self, content: &mut Value, at: &str) -> Result<Vec<Part>> {
        let parts = match content {
            Value::Null => return Ok(Vec::new()),
            Value::String(text) => return Ok(vec![Part::Text(std::mem::take(text))]),
            Value::Array(parts) => parts,
            _ => return Err(invalid(at, "must be a string or an array of parts")),
        };
        let mut read = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter_mut().enumerate() {
            let at = format!("{at}[{index}]");
            let cache_point = cache_point(part).map(Part::CachePoint);
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
            Some("image_url" | "input_image") => self.image(part, at),
            Some("file" | "input_file") => {
                let (file, at) = match part.get("file") {
                    Some(Value::Object(_)) => (&mut part["file"], member("file")),
                    _ => (part, at.to_owned()),
                };
                self.file(file, &at)
            }
            Some(kind @ ("input_audio" | "audio" | "video_url" | "input_video")) => {
                Err(unsupported(&member("type"), &format!("no model here accepts {kind} parts")))
            }
            Some(other) => Err(unsupported(&member("type"), &format!("parts of type {other:?} are not supported"))),
            None => Err(missing(&member("type"))),
        }
    }

    fn image(&mut self, part: &mut Value, at: &str) -> Result<Part> {
        if part["image_url"].is_null() && !part["file_id"].is_null() {
            return Err(unsupported(&format!("{at}.file_id"), "files are not stored here; send the image itself"));
        }
        let (holder, name, at) = if part["image_url"].is_object() {
            (&mut part["image_url"], "url", format!("{at}.image_url.url"))
        } else {
            (part, "image_url", format!("{at}.image_url"))
        };
        let url = take_string(holder, name, &at)?;
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
        for (name, why) in [
            ("file_id", "files are not stored here; send file_data"),
            ("file_url", "files are not fetched from a URL; send file_data"),
        ] {
            if file["file_data"].is_null() && !file[name].is_null() {
                return Err(unsupported(&format!("{at}.{name}"), why));
            }
        }
        let at = &format!("{at}.file_data");
        let data = take_string(file, "file_data", at)?;
        // Some clients send the base64 alone.
        let is_bare = !data.starts_with("data:") && !is_web_address(&data);
        let (media_type, bytes) = if is_bare { ("", decode_file(&data, at)?) } else { data_uri(&data, at)? };
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

/// The cache point that a part ends with: Anthropic's `cache_control` or OpenAI's `prompt_cache_breakpoint`.
fn cache_point(part: &Value) -> Option<CacheTtl> {
    let breakpoint = part.get("prompt_cache_breakpoint").is_some_and(Value::is_object);
    cache_control(part).or(breakpoint.then_some(CacheTtl::FiveMinutes))
}

/// A part of a system message that stands between the turns. The marks are the only ones in it: those that the text has
/// itself are written so that they cannot end it.
pub(super) fn marked(part: Part) -> Part {
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

/// The arguments of a call are a string of JSON, but some clients send the object itself.
pub(super) fn arguments_json(value: &Value, at: &str) -> Result<String> {
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
    let mime = head.split(';').next().unwrap_or_default();
    let bytes = if head.ends_with(";base64") {
        decode_file(data, at)?
    } else {
        percent_encoding::percent_decode_str(data).collect()
    };
    Ok((mime, bytes))
}

/// The bytes of a file in base64.
fn decode_file(data: &str, at: &str) -> Result<Vec<u8>> {
    // Base64 makes four bytes of three. What cannot be accepted is not decoded.
    if data.len() / 4 > MAX_DOCUMENT_BYTES / 3 + 1024 {
        let message = format!("has about {} bytes; Bedrock accepts at most {MAX_DOCUMENT_BYTES}", data.len() / 4 * 3);
        return Err(invalid(at, &message));
    }
    decode(data).map_err(|error| error.at_path(at))
}
