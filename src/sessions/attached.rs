//! The files that were attached to a question, as they are kept in a session.

use crate::conversation::media::{self, Attachment};
use crate::conversation::{Media, Part};
use serde::{Deserialize, Serialize};

/// A file that was attached to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Line", into = "Line")]
pub(crate) struct Attached {
    /// The name of the file.
    pub(crate) file: String,
    /// Its size (bytes).
    pub(crate) size: u64,
    /// What is sent of it: an image, a document, or text.
    pub(crate) part: Part,
}

/// How it is written.
#[derive(Serialize, Deserialize)]
struct Line {
    file: String,
    size: u64,
    #[serde(flatten)]
    content: Content,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    /// Base64.
    Image(String),
    /// Base64, and the name that the model sees.
    Document {
        base64: String,
        name: String,
    },
    Text(String),
    /// A kind that no file makes. It keeps its place, with nothing in it.
    Nothing,
}

impl From<Attached> for Line {
    fn from(Attached { file, size, part }: Attached) -> Self {
        let content = match part {
            Part::Image(image) => Content::Image(image.base64),
            Part::Document(document, name) => Content::Document { base64: document.base64, name },
            Part::Text(text) => Content::Text(text),
            Part::ImageUrl(_) | Part::Reasoning(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::CachePoint(_) => {
                Content::Nothing
            }
        };
        Self { file, size, content }
    }
}

impl TryFrom<Line> for Attached {
    type Error = String;

    /// A session file may have been changed by anybody, so the bytes are checked as those of a new file are.
    fn try_from(Line { file, size, content }: Line) -> Result<Self, String> {
        let part = match content {
            Content::Image(base64) => {
                let bytes = media::decode(&base64).map_err(|error| error.message)?;
                Part::Image(Media::image(&bytes).map_err(|error| error.message)?)
            }
            Content::Document { base64, name } => {
                let bytes = media::decode(&base64).map_err(|error| error.message)?;
                match Attachment::recognize(&bytes, &file, "").map_err(|error| error.message)? {
                    Attachment::Document(document) => Part::Document(document, media::document_name(&name)),
                    Attachment::Image(_) | Attachment::Text(..) => return Err("it is no document".to_owned()),
                }
            }
            Content::Text(text) => Part::Text(text),
            Content::Nothing => return Err("it holds nothing".to_owned()),
        };
        Ok(Self { file, size, part })
    }
}
