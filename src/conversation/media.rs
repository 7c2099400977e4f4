//! Images and documents are checked when they are read. The format is detected from the bytes, because a client may
//! name a wrong one (docs/cases.md, D1); the limits are Bedrock's (docs/bedrock.md §1.2); document names are made legal
//! (D4).

mod document;

use super::request::Media;
use crate::error::{Error, Kind, Result};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, general_purpose};
use document::Document;
use std::collections::{HashMap, HashSet};

// Bedrock's limits: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html
/// The largest image that Bedrock accepts (bytes, before base64).
pub(crate) const MAX_IMAGE_BYTES: usize = 3_932_160;
/// The longest side of an image (pixels).
const MAX_IMAGE_SIDE: usize = 8000;
/// The largest document (bytes, before base64).
pub(crate) const MAX_DOCUMENT_BYTES: usize = 4_718_592;
/// The longest name of a document (characters).
const MAX_NAME_LENGTH: usize = 200;

/// Some clients leave out the padding.
const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Media {
    /// Bedrock's name for the format of an image, detected from its header. `None` for anything that Bedrock does not
    /// accept as an image.
    #[must_use]
    pub fn image_format(bytes: &[u8]) -> Option<&'static str> {
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => Some("png"),
            [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
            // All six characters are compared, because a text may begin with fewer of them.
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("gif"),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
            _ => None,
        }
    }

    /// The longer side of an image (pixels), given as base64; `None` when its header cannot be read.
    #[must_use]
    pub fn longest_side(base64: &str) -> Option<usize> {
        // Almost every header is in the first bytes. Those of base64 go in groups of four.
        const HEADER: usize = 64 * 1024;
        let start = base64.get(..HEADER).unwrap_or(base64);
        let size = |text: &str| imagesize::blob_size(&LENIENT_BASE64.decode(text).ok()?).ok();
        let size = size(start).or_else(|| size(base64))?;
        Some(size.width.max(size.height))
    }

    /// Checks the bytes of an image.
    ///
    /// # Errors
    /// `InvalidRequest` when Bedrock does not accept the format or the size.
    pub fn image(bytes: &[u8]) -> Result<Self> {
        let Some(format) = Self::image_format(bytes) else {
            return Err(invalid("the image is not a PNG, JPEG, GIF or WebP"));
        };
        if bytes.len() > MAX_IMAGE_BYTES {
            return Err(invalid(format!(
                "the image has {} bytes; Bedrock accepts at most {MAX_IMAGE_BYTES}",
                bytes.len()
            )));
        }
        // An image whose header cannot be read is left for Bedrock to judge.
        if let Ok(size) = imagesize::blob_size(bytes)
            && (size.width > MAX_IMAGE_SIDE || size.height > MAX_IMAGE_SIDE)
        {
            return Err(invalid(format!(
                "the image has {} × {} pixels; Bedrock accepts at most {MAX_IMAGE_SIDE} per side",
                size.width, size.height
            )));
        }
        Ok(Self { format, base64: STANDARD.encode(bytes) })
    }
}

/// A file that a client or a person attached.
#[derive(Debug, PartialEq, Eq)]
pub enum Attachment {
    Image(Media),
    /// A PDF or an Office file.
    Document(Media),
    /// Text, and Bedrock's name for its format.
    Text(&'static str, String),
}

impl Attachment {
    /// Recognizes a file by its bytes, and where they say too little, by its name and its media type. Both may be empty.
    ///
    /// # Errors
    /// `InvalidRequest` when Bedrock does not accept the format or the size.
    pub fn recognize(bytes: &[u8], filename: &str, media_type: &str) -> Result<Self> {
        if Media::image_format(bytes).is_some() {
            return Media::image(bytes).map(Self::Image);
        }
        if bytes.is_empty() {
            return Err(invalid("the document is empty"));
        }
        check_document_size(bytes.len())?;
        match document::recognize(bytes, filename, media_type)? {
            Document::File(format) => Ok(Self::Document(Media { format, base64: STANDARD.encode(bytes) })),
            Document::Text(format, text) => {
                check_document_size(text.len())?;
                Ok(Self::Text(format, text.into_owned()))
            }
        }
    }
}

impl Media {
    /// Text as a document.
    #[must_use]
    pub fn text(format: &'static str, text: &str) -> Self {
        Self { format, base64: STANDARD.encode(text) }
    }
}

fn check_document_size(bytes: usize) -> Result<()> {
    if bytes > MAX_DOCUMENT_BYTES {
        return Err(invalid(format!("the document has {bytes} bytes; Bedrock accepts at most {MAX_DOCUMENT_BYTES}")));
    }
    Ok(())
}

/// Decodes base64 text in the standard or the URL-safe alphabet, padded or not.
///
/// # Errors
/// `InvalidRequest` when the text is not base64.
pub fn decode(base64: &str) -> Result<Vec<u8>> {
    let text = base64.trim();
    LENIENT_BASE64.decode(text).or_else(|_| {
        let url_safe = general_purpose::URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        url_safe.map_err(|_| invalid("the data is not valid base64"))
    })
}

/// A file's name in the characters that Bedrock accepts: letters, digits, single spaces, hyphens, parentheses and
/// brackets. Eight characters are left free for a suffix that makes the name unique.
#[must_use]
pub fn document_name(filename: &str) -> String {
    let base = filename.rsplit(['/', '\\']).next().unwrap_or(filename);
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    let legal = stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-()[]".contains(c) { c } else { ' ' });
    let legal: String = legal.collect();
    let name: String =
        legal.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_NAME_LENGTH - 8).collect();
    let name = name.trim_end();
    if name.is_empty() { "document".to_owned() } else { name.to_owned() }
}

/// The names of the documents of one request, which must differ (docs/cases.md, D4).
#[derive(Debug, Default)]
pub struct DocumentNames {
    taken: HashSet<String>,
    /// The number that the next document of a name gets.
    next: HashMap<String, usize>,
}

impl DocumentNames {
    /// A name that Bedrock accepts, which no other document of the request has.
    pub fn unique(&mut self, filename: &str) -> String {
        self.distinct(document_name(filename))
    }

    /// The name, with a number where it has been given before.
    pub fn distinct(&mut self, name: String) -> String {
        if self.taken.insert(name.clone()) {
            return name;
        }
        let next = self.next.entry(name.clone()).or_insert(2);
        loop {
            let numbered = format!("{name} {next}");
            *next += 1;
            if self.taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn d1_formats_are_detected_from_the_bytes() {
        for (bytes, format) in [
            (&b"\x89PNG\r\n\x1a\n"[..], "png"),
            (b"\xff\xd8\xff\xe0", "jpeg"),
            (b"GIF87a", "gif"),
            (b"GIF89a", "gif"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        ] {
            assert_eq!(Media::image(bytes).unwrap().format, format);
        }
        for text in
            [&b"RIFF is a container"[..], b"RIFF\0\0\0\0WAVEfmt ", b"GIF8 is not a version", b"PNG", b"<svg/>", b""]
        {
            assert_eq!(Media::image_format(text), None, "{}", String::from_utf8_lossy(text));
            assert!(Media::image(text).is_err());
        }
        let png = b"\x89PNG\r\n\x1a\n";
        assert!(matches!(Attachment::recognize(png, "a.pdf", "application/pdf"), Ok(Attachment::Image(_))));
        let pdf = Attachment::recognize(b"\r\n%PDF-1.7", "a.png", "image/png").unwrap();
        assert_eq!(pdf, Attachment::Document(Media { format: "pdf", base64: "DQolUERGLTEuNw==".into() }), "as given");
        assert!(Attachment::recognize(b"\xff\xfe\0", "x.bin", "").is_err());
        assert!(Attachment::recognize(b"", "x.txt", "").unwrap_err().message.contains("empty"));
    }

    #[test]
    fn d3_limits_are_checked_before_the_call() {
        let mut large = vec![0; MAX_IMAGE_BYTES + 1];
        large[..4].copy_from_slice(b"\x89PNG");
        assert!(Media::image(&large).unwrap_err().message.contains("3932160"));
        // The PNG header says 9000 × 10 pixels.
        let mut wide = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        wide.extend([0, 0, 0x23, 0x28, 0, 0, 0, 10, 8, 2, 0, 0, 0]);
        assert!(Media::image(&wide).unwrap_err().message.contains("9000 × 10"));
    }

    #[test]
    fn d4_names_become_legal() {
        for (name, legal) in [
            ("report.v2.pdf", "report v2"),
            ("a\u{3000}b__c.txt", "a b c"),
            ("../../etc/passwd", "passwd"),
            ("日本.pdf", "document"),
            ("x (1) [final].docx", "x (1) [final]"),
        ] {
            assert_eq!(document_name(name), legal);
        }
    }

    #[test]
    fn base64_is_decoded_in_several_spellings() {
        for text in ["aGk=", "aGk", " aGk=\n"] {
            assert_eq!(decode(text).unwrap(), b"hi");
        }
        assert_eq!(decode("_-8").unwrap(), [0xff, 0xef]);
        assert!(decode("a*b").is_err());
    }
}
