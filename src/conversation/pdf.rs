//! How many tokens a PDF can have at most. Models read the text of each page, and some an image of it too, so the bound
//! depends on the number of pages and on the length of the text before compression
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-request-response.html>, "PDF support").
//! This is no PDF reader: it looks only at the streams and at the words that count pages (ISO 32000-1, 7.3.8 and 7.7.3).

use super::request::Media;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// The most tokens of text that a page is documented to have, for what is drawn on several pages and stored once.
const TOKENS_PER_PAGE: u64 = 3_000;
/// More than any model makes of one image, into which a page may be turned.
const TOKENS_PER_PAGE_IMAGE: u64 = 8_192;
/// The most bytes that the streams of one document are unpacked to. A PDF with more has more tokens than any model reads.
const UNPACKED_LIMIT: usize = 16 << 20;
/// What even a small document may be unpacked to (bytes).
const UNPACKED_FLOOR: usize = 256 << 10;
/// How many times its own size a document may be unpacked to. Text is seldom compressed to less than a tenth.
const UNPACKED_TIMES: usize = 64;

/// How many bytes the documents of one request may still be unpacked to. A small document can unpack to a thousand times
/// its size, and a request can hold thousands of them.
#[derive(Debug)]
pub struct UnpackingRoom(usize);

impl Default for UnpackingRoom {
    fn default() -> Self {
        Self(4 * UNPACKED_LIMIT)
    }
}

impl Media {
    /// An upper bound of the tokens of a document. `None` when nothing shows one: its text is compressed in a way that is
    /// not read here, or unpacks to more than there is room for.
    #[must_use]
    pub fn document_tokens_at_most(&self, room: &mut UnpackingRoom) -> Option<u64> {
        match self.format {
            // No tokenizer makes more tokens than there are bytes, and base64 is longer than those.
            "txt" | "md" | "csv" | "html" => u64::try_from(self.base64.len()).ok(),
            "pdf" => {
                let pdf = STANDARD.decode(&self.base64).ok()?;
                let own = pdf.len().saturating_mul(UNPACKED_TIMES).clamp(UNPACKED_FLOOR, UNPACKED_LIMIT);
                let limit = own.min(room.0);
                let mut left = limit;
                let tokens = tokens_at_most(&pdf, &mut left);
                room.0 -= limit - left;
                tokens
            }
            _ => None,
        }
    }
}

/// An upper bound of the tokens of a PDF. `None` when its structure does not show one, or when its streams are longer than
/// `left` (bytes), which is what they may still be unpacked to.
fn tokens_at_most(pdf: &[u8], left: &mut usize) -> Option<u64> {
    if memmem::find(pdf, b"/Encrypt").is_some() {
        return None;
    }
    let mut unpacked = 0;
    let mut pages = Pages::default();
    let mut rest = pdf;
    while let Some((before, stream, after)) = next_stream(rest) {
        pages.count(before);
        let dictionary = dictionary_of(before);
        rest = after;
        if is_drawing(dictionary) {
            continue;
        }
        let Some(text) = unpack(dictionary, stream, *left) else {
            // How far it came is not known.
            *left = 0;
            return None;
        };
        *left -= text.len();
        unpacked += text.len();
        if memmem::find(dictionary, b"/ObjStm").is_some() {
            pages.count(&text);
        }
    }
    pages.count(rest);
    let pages = Some(pages.at_most()).filter(|pages| *pages > 0)?;
    let text = u64::try_from(unpacked).ok()?;
    pages.checked_mul(TOKENS_PER_PAGE + TOKENS_PER_PAGE_IMAGE)?.checked_add(text)
}

/// The pages that a PDF says it has: the page objects, and the counts of the page tree. The higher number counts,
/// because one page object may stand in several places.
#[derive(Default)]
struct Pages {
    objects: u64,
    counted: u64,
}

impl Pages {
    fn count(&mut self, structure: &[u8]) {
        for at in memmem::find_iter(structure, b"/Type") {
            let value = skip_blanks(&structure[at + 5..]);
            let is_page =
                value.strip_prefix(b"/Page").is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_alphanumeric));
            self.objects += u64::from(is_page);
        }
        for at in memmem::find_iter(structure, b"/Count") {
            let value = skip_blanks(&structure[at + 6..]);
            let digits: String =
                value.iter().take_while(|byte| byte.is_ascii_digit()).map(|byte| char::from(*byte)).collect();
            let count = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) };
            self.counted = self.counted.max(count);
        }
    }

    fn at_most(&self) -> u64 {
        self.objects.max(self.counted)
    }
}

/// What comes before the next stream, the stream, and what comes after it.
fn next_stream(pdf: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    // `endstream` ends in the same word.
    let start = memmem::find_iter(pdf, b"stream").find(|at| !pdf[..*at].ends_with(b"end"))?;
    let body = &pdf[start + 6..];
    let body = body.strip_prefix(b"\r\n").or_else(|| body.strip_prefix(b"\n")).unwrap_or(body);
    let end = memmem::find(body, b"endstream").unwrap_or(body.len());
    Some((&pdf[..start], &body[..end], body.get(end + 9..).unwrap_or_default()))
}

/// The dictionary of the stream that follows.
fn dictionary_of(before: &[u8]) -> &[u8] {
    let start = memmem::rfind(before, b"obj").unwrap_or(0);
    &before[start..]
}

/// Whether a stream holds an image, a font or data about the file, which are no text.
fn is_drawing(dictionary: &[u8]) -> bool {
    let words: [&[u8]; 7] =
        [b"/Image", b"/Length1", b"/Type1C", b"/CIDFontType0C", b"/OpenType", b"/Metadata", b"/XRef"];
    words.iter().any(|word| memmem::find(dictionary, word).is_some())
}

/// The stream before compression; `None` when it cannot be unpacked, or is longer than `limit` (bytes).
fn unpack(dictionary: &[u8], stream: &[u8], limit: usize) -> Option<Vec<u8>> {
    if memmem::find(dictionary, b"/LZWDecode").is_some() || memmem::find(dictionary, b"/RunLengthDecode").is_some() {
        return None;
    }
    if memmem::find(dictionary, b"/FlateDecode").is_some() {
        return decompress_to_vec_zlib_with_limit(stream, limit).ok();
    }
    (stream.len() <= limit).then(|| stream.to_vec())
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    &text[blanks..]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;

    const PER_PAGE: u64 = TOKENS_PER_PAGE + TOKENS_PER_PAGE_IMAGE;

    fn bound(pdf: &[u8]) -> Option<u64> {
        tokens_at_most(pdf, &mut { UNPACKED_LIMIT })
    }

    fn stream(dictionary: &str, body: &[u8]) -> Vec<u8> {
        let mut bytes = format!("4 0 obj << {dictionary} >>\nstream\r\n").into_bytes();
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(b"\nendstream endobj\n");
        bytes
    }

    fn pdf(parts: &[Vec<u8>]) -> Vec<u8> {
        [b"%PDF-1.4\n".to_vec(), parts.concat(), b"trailer << /Root 1 0 R >>\n%%EOF".to_vec()].concat()
    }

    #[test]
    fn a_pdf_is_bounded_by_its_pages_and_its_text() {
        let page = b"3 0 obj << /Type /Page /Parent 2 0 R >> endobj\n".to_vec();
        let tree = b"2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj\n".to_vec();
        let small = pdf(&[page.clone(), tree.clone()]);
        assert_eq!(bound(&small), Some(PER_PAGE));
        let text = "(words) Tj ".repeat(10_000);
        let packed = compress_to_vec_zlib(text.as_bytes(), 6);
        assert!(packed.len() < text.len() / 100, "compression hides the text");
        let long = pdf(&[page.clone(), tree.clone(), stream("/Filter /FlateDecode", &packed)]);
        assert_eq!(bound(&long), Some(PER_PAGE + text.len() as u64));
        // An image of megabytes is still one page.
        let scan = pdf(&[page, tree, stream("/Subtype /Image /Filter /DCTDecode", &vec![7; 1_000_000])]);
        assert_eq!(bound(&scan), Some(PER_PAGE));
        // Pages in an object stream, and a tree that repeats a page.
        let hidden = compress_to_vec_zlib(b"<</Type/Page>> <</Type/Page>> <</Type/Pages/Count 40>>", 6);
        let hidden = pdf(&[stream("/Type /ObjStm /Filter /FlateDecode", &hidden)]);
        assert!(bound(&hidden).unwrap() >= 40 * PER_PAGE);
    }

    #[test]
    fn many_small_documents_that_unpack_to_much_are_not_all_unpacked() {
        let page = b"3 0 obj << /Type /Page >> endobj\n".to_vec();
        let packed = compress_to_vec_zlib(&vec![b' '; 200_000], 6);
        let bytes = pdf(&[page, stream("/Filter /FlateDecode", &packed)]);
        let media = Media { format: "pdf", base64: STANDARD.encode(&bytes) };
        let mut room = UnpackingRoom(500_000);
        let bounds: Vec<bool> = (0..4).map(|_| media.document_tokens_at_most(&mut room).is_some()).collect();
        assert_eq!(bounds, [true, true, false, false]);
        assert_eq!(room.0, 0);
    }

    #[test]
    fn what_cannot_be_bounded_is_not() {
        let page = b"3 0 obj << /Type /Page >> endobj\n".to_vec();
        let bomb = compress_to_vec_zlib(&vec![b' '; UNPACKED_LIMIT + 1], 6);
        for parts in [
            vec![b"no pages".to_vec()],
            vec![page.clone(), b"<< /Encrypt 9 0 R >>".to_vec()],
            vec![page.clone(), stream("/Filter /FlateDecode", &bomb)],
            vec![page.clone(), stream("/Filter /FlateDecode", b"not compressed")],
            vec![page.clone(), stream("/Filter /LZWDecode", b"x")],
            vec![b"<< /Type /Pages /Count 99999999999999999999 >>".to_vec()],
        ] {
            assert_eq!(bound(&pdf(&parts)), None, "{}", String::from_utf8_lossy(&parts[0]));
        }
        let mut cut = pdf(&[page, stream("/Filter /FlateDecode", &bomb)]);
        cut.truncate(80);
        let _ = bound(&cut);
    }
}
