//! What kind of document some bytes are. The bytes decide where they can; where they cannot, the file's extension does,
//! and then its media type. So a workbook whose name has no extension is one, and so is a PDF behind a mail header.

use crate::conversation::text::{decode, decode_windows_1252};
use crate::error::{Error, Kind, Result};
use memchr::memmem;
use std::borrow::Cow;

/// The bytes of a document in the form in which they are sent, and Bedrock's name for the format.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Document<'a> {
    /// A file whose bytes are sent as they are.
    File(&'static str),
    /// Text, which is sent as UTF-8.
    Text(&'static str, Cow<'a, str>),
}

/// By extension and by media type.
const DECLARED: [(&str, &[&str], &[&str]); 9] = [
    ("pdf", &["pdf"], &["application/pdf", "application/x-pdf"]),
    ("docx", &["docx", "docm", "dotx"], &["application/vnd.openxmlformats-officedocument.wordprocessingml.document"]),
    ("doc", &["doc", "dot"], &["application/msword"]),
    ("xlsx", &["xlsx", "xlsm", "xltx"], &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"]),
    ("xls", &["xls", "xlt"], &["application/vnd.ms-excel"]),
    ("csv", &["csv"], &["text/csv", "application/csv", "text/x-csv"]),
    ("html", &["html", "htm", "xhtml"], &["text/html", "application/xhtml+xml"]),
    ("md", &["md", "markdown"], &["text/markdown", "text/x-markdown"]),
    (
        "txt",
        &["txt", "text", "log", "tsv", "json", "jsonl", "xml", "yaml", "yml", "toml", "ini", "rtf"],
        &["text/plain", "text/tab-separated-values", "application/json", "application/xml", "text/xml"],
    ),
];

/// The format that the name or the media type of a file promises.
fn declared(filename: &str, media_type: &str) -> Option<&'static str> {
    let extension = filename.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let media_type = media_type.trim().to_ascii_lowercase();
    let by_extension = DECLARED.iter().find(|(_, extensions, _)| {
        extension.as_ref().is_some_and(|extension| extensions.contains(&extension.as_str()))
    });
    let by_media_type = || DECLARED.iter().find(|(_, _, types)| types.contains(&media_type.as_str()));
    by_extension.or_else(by_media_type).map(|(format, _, _)| *format)
}

/// # Errors
/// `InvalidRequest` when Bedrock does not accept the format.
pub(super) fn recognize<'a>(bytes: &'a [u8], filename: &str, media_type: &str) -> Result<Document<'a>> {
    let declared = declared(filename, media_type);
    if is_pdf(bytes, declared) {
        return Ok(Document::File("pdf"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        let promised = declared.filter(|format| ["docx", "xlsx"].contains(format));
        let format = office_archive(bytes).or(promised);
        return format
            .map(Document::File)
            .ok_or_else(|| invalid("the document is a ZIP archive and neither a Word nor an Excel file"));
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        let promised = declared.filter(|format| ["doc", "xls"].contains(format));
        let format = compound_file(bytes).or(promised);
        return format
            .map(Document::File)
            .ok_or_else(|| invalid("the document is an Office file of a kind other than Word and Excel"));
    }
    let promised = declared.filter(|format| ["csv", "html", "md", "txt"].contains(format));
    if let Some(text) = decode(bytes) {
        return Ok(Document::Text(promised.unwrap_or_else(|| format_of_text(&text)), text));
    }
    // Only where a text is promised: any bytes at all could be taken for an old code page.
    match promised.and_then(|format| Some(Document::Text(format, Cow::Owned(decode_windows_1252(bytes)?)))) {
        Some(document) => Ok(document),
        None if promised.is_some() => Err(invalid("the text of the document is neither UTF-8 nor UTF-16")),
        None => Err(invalid("the document is not a PDF, an Office file or a text file")),
    }
}

fn invalid(message: &str) -> Error {
    Error::new(Kind::InvalidRequest, message)
}

fn format_of_text(text: &str) -> &'static str {
    let start: String = text.trim_start().chars().take(14).flat_map(char::to_lowercase).collect();
    if start.starts_with("<!doctype html") || start.starts_with("<html") { "html" } else { "txt" }
}

/// A PDF may have other bytes before its header, which stands within the first 1,024 bytes (ISO 32000-1, annex H). Text
/// that only mentions the header is none.
fn is_pdf(bytes: &[u8], declared: Option<&str>) -> bool {
    const HEADER: &[u8] = b"%PDF-";
    let head = &bytes[..bytes.len().min(1024 + HEADER.len())];
    let Some(at) = memmem::find(head, HEADER) else { return false };
    let before = head[..at].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head[..at]);
    before.iter().all(u8::is_ascii_whitespace)
        || declared == Some("pdf")
        || (declared.is_none() && (decode(bytes).is_none() || memmem::find(bytes, b"%%EOF").is_some()))
}

/// A Word or Excel file of today is a ZIP archive. The names of its entries tell which.
fn office_archive(bytes: &[u8]) -> Option<&'static str> {
    // A name stands 30 bytes after the signature of a local entry, and 46 after that of an entry of the directory.
    let names = bytes.windows(4).enumerate().filter_map(|(at, signature)| match signature {
        b"PK\x03\x04" => bytes.get(at + 30..),
        b"PK\x01\x02" => bytes.get(at + 46..),
        _ => None,
    });
    for name in names {
        if name.starts_with(b"word/") {
            return Some("docx");
        }
        if name.starts_with(b"xl/") {
            return Some("xlsx");
        }
    }
    None
}

/// A Word or Excel file of old is a compound file, whose streams have names in UTF-16.
fn compound_file(bytes: &[u8]) -> Option<&'static str> {
    let has = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memmem::find(bytes, &name).is_some()
    };
    if has("WordDocument") {
        Some("doc")
    } else if has("Workbook") || has("Book\0") {
        Some("xls")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The start of a ZIP archive with these entries.
    fn archive(names: &[&str]) -> Vec<u8> {
        let entries = names.iter().flat_map(|name| {
            let mut entry = b"PK\x03\x04".to_vec();
            entry.resize(30, 0);
            entry.extend(name.as_bytes());
            entry
        });
        entries.collect()
    }

    fn compound(name: &str) -> Vec<u8> {
        let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        bytes.extend([0, 0]);
        bytes
    }

    fn format(bytes: &[u8], filename: &str, media_type: &str) -> Option<&'static str> {
        match recognize(bytes, filename, media_type).ok()? {
            Document::File(format) | Document::Text(format, _) => Some(format),
        }
    }

    #[test]
    fn d1_documents_are_recognized_by_content_extension_or_media_type() {
        const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let word = archive(&["[Content_Types].xml", "word/document.xml"]);
        let excel = archive(&["[Content_Types].xml", "xl/workbook.xml"]);
        let slides = archive(&["[Content_Types].xml", "ppt/presentation.xml"]);
        let opaque = archive(&["a"]);
        for (bytes, filename, media_type, expected) in [
            (&b"%PDF-1.7"[..], "x.txt", "", Some("pdf")),
            (b"\r\n%PDF-1.4", "", "", Some("pdf")),
            (b"\xef\xbb\xbf%PDF-1.4", "", "", Some("pdf")),
            (b"Subject: x\n\n%PDF-1.4", "a.pdf", "", Some("pdf")),
            (b"Subject: x\n\n%PDF-1.4", "", "application/pdf", Some("pdf")),
            (b"Subject: x\n\n%PDF-1.4\xe2\xe3", "", "", Some("pdf")),
            (b"Subject: x\n\n%PDF-1.4 %%EOF", "", "", Some("pdf")),
            (b"A PDF begins with %PDF-1.4", "notes", "", Some("txt")),
            (b"A PDF begins with %PDF-1.4 and ends with %%EOF", "notes.md", "", Some("md")),
            (&word, "", "", Some("docx")),
            (&word, "a.xlsx", SHEET, Some("docx")),
            (&excel, "Q3 report", SHEET, Some("xlsx")),
            (&excel, "", "application/octet-stream", Some("xlsx")),
            (&opaque, "a.docx", "", Some("docx")),
            (&opaque, "", SHEET, Some("xlsx")),
            (&opaque, "a.zip", "application/zip", None),
            (&slides, "", "", None),
            (&compound("WordDocument"), "", "", Some("doc")),
            (&compound("Workbook"), "a", "", Some("xls")),
            (&compound("Book"), "a", "", Some("xls")),
            (&compound("?"), "a.xls", "", Some("xls")),
            (&compound("?"), "", "application/msword", Some("doc")),
            (&compound("PowerPoint Document"), "", "", None),
            (b"a,b\n1,2", "a.CSV", "", Some("csv")),
            (b"a,b\n1,2", "", "text/csv", Some("csv")),
            (b"a,b\n1,2", "a.csv", "text/plain", Some("csv")),
            (b"a,b\n1,2", "a", "Text/CSV", Some("csv")),
            (b"# hi", "README.md", "", Some("md")),
            (b"# hi", "", "text/markdown", Some("md")),
            (b"<p>", "", "text/html", Some("html")),
            (b" <!DOCTYPE html>", "", "", Some("html")),
            (b"RIFF is a container", "", "", Some("txt")),
            (b"GIF8 is not a version", "", "image/gif", Some("txt")),
            (b"plain", "noname", "", Some("txt")),
            (b"\xff\xfea\0", "", "", Some("txt")),
            (b"caf\xe9", "menu.txt", "", Some("txt")),
            (b"caf\xe9", "menu", "text/csv", Some("csv")),
            (b"caf\xe9", "menu", "", None),
            (b"caf\xe9\x01", "menu.txt", "", None),
            (b"\0\0\0\0", "zeros.txt", "", None),
            (b"RIFF\0\0\0\0WAVE\xff", "a.wav", "audio/wav", None),
        ] {
            let bytes_shown = String::from_utf8_lossy(bytes);
            assert_eq!(format(bytes, filename, media_type), expected, "{bytes_shown:?} {filename} {media_type}");
        }
        assert_eq!(recognize(b"caf\xe9", "a.csv", "").ok(), Some(Document::Text("csv", "café".into())));
        assert_eq!(recognize(b"\xef\xbb\xbfhi", "", "").ok(), Some(Document::Text("txt", "hi".into())));
    }
}
