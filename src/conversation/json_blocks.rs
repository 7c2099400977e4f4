//! Parses a JSON text that lies in blocks of memory. Each block is freed as soon as it is read, and a long string is
//! built while it is read, so that a large request is not in memory twice. What is left without the long strings is
//! parsed as a whole.

use super::json_text;
use crate::error::{Error, Kind, Result};
use memchr::{memchr, memchr2};
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// The length from which a string is long (bytes), and that of the pieces in which it is read.
const LONG: usize = 64 * 1024;
/// The deepest nesting that `serde_json` reads (<https://docs.rs/serde_json/latest/serde_json/struct.Deserializer.html>).
const MAX_DEPTH: usize = 127;
/// The most values and names in one text. Each takes far more memory than the two bytes that it needs in the text.
const MAX_VALUES: usize = 250_000;

/// A JSON text in blocks.
#[derive(Debug, Default)]
pub struct JsonBlocks(VecDeque<Vec<u8>>);

impl From<VecDeque<Vec<u8>>> for JsonBlocks {
    fn from(blocks: VecDeque<Vec<u8>>) -> Self {
        Self(blocks)
    }
}

impl From<&[u8]> for JsonBlocks {
    fn from(text: &[u8]) -> Self {
        Self(VecDeque::from([text.to_vec()]))
    }
}

impl JsonBlocks {
    /// Parses the text as [`json_text::from_slice`] does.
    ///
    /// # Errors
    /// `InvalidRequest` when it is not valid JSON; `TooLarge` when it has too many values.
    pub fn parse(self) -> Result<Value> {
        let mut scanner = Scanner::new();
        for block in self.0 {
            scanner.read(&block)?;
        }
        scanner.finish()
    }
}

/// Where the scanner is inside a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Inside,
    AfterBackslash,
    /// Among the digits of an escape; so many are left.
    Digits(u8),
}

struct Scanner {
    place: Place,
    /// The text, with a mark in place of each long string.
    rest: Vec<u8>,
    /// What was read of the current string and is not yet in `long`, with its opening quote.
    raw: Vec<u8>,
    /// Up to here `raw` can be cut: not inside a character, an escape or a pair of escapes.
    safe: usize,
    /// The beginning of the current string, once it is long.
    long: Option<String>,
    strings: Vec<String>,
    /// What the marks begin with. A client that guesses it could only move its own strings.
    mark: String,
    values: usize,
}

impl Scanner {
    fn new() -> Self {
        let mark = format!("{:032x}-", fastrand::u128(..));
        Self {
            place: Place::Outside,
            rest: Vec::new(),
            raw: Vec::new(),
            safe: 0,
            long: None,
            strings: Vec::new(),
            mark,
            values: 0,
        }
    }

    fn read(&mut self, mut block: &[u8]) -> Result<()> {
        while let Some((&byte, after)) = block.split_first() {
            match self.place {
                Place::Outside => block = self.outside(block)?,
                Place::Inside => block = self.inside(block)?,
                Place::AfterBackslash => {
                    self.raw.push(byte);
                    block = after;
                    self.place = if byte == b'u' { Place::Digits(4) } else { Place::Inside };
                    if byte != b'u' {
                        self.safe = self.raw.len();
                    }
                }
                Place::Digits(left) => {
                    self.raw.push(byte);
                    block = after;
                    self.place = if left > 1 { Place::Digits(left - 1) } else { Place::Inside };
                    if left == 1 {
                        self.after_escape();
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads up to the next string.
    fn outside<'a>(&mut self, block: &'a [u8]) -> Result<&'a [u8]> {
        let quote = memchr(b'"', block);
        let (between, after) = block.split_at(quote.unwrap_or(block.len()));
        self.values += between.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count();
        if self.values > MAX_VALUES {
            let message = format!("the request body has more than {MAX_VALUES} JSON values");
            return Err(Error::new(Kind::TooLarge, message));
        }
        self.rest.extend_from_slice(between);
        if quote.is_none() {
            return Ok(after);
        }
        self.raw.clear();
        self.raw.push(b'"');
        self.safe = 1;
        self.place = Place::Inside;
        Ok(&after[1..])
    }

    /// Reads up to the next escape or to the end of the string.
    fn inside<'a>(&mut self, block: &'a [u8]) -> Result<&'a [u8]> {
        let (run, after) = block.split_at(memchr2(b'"', b'\\', block).unwrap_or(block.len()).min(LONG));
        if !run.is_empty() {
            self.raw.extend_from_slice(run);
            self.safe = whole_characters(&self.raw);
        }
        if self.raw.len() > LONG {
            self.take_piece()?;
        }
        match after.split_first() {
            Some((b'"', after)) => {
                self.end_string()?;
                Ok(after)
            }
            Some((b'\\', after)) => {
                self.raw.push(b'\\');
                self.place = Place::AfterBackslash;
                Ok(after)
            }
            _ => Ok(after),
        }
    }

    /// Half a character, written as an escape, may be followed by its other half.
    fn after_escape(&mut self) {
        let start = self.raw.len() - 6;
        let digits = std::str::from_utf8(&self.raw[start + 2..]).unwrap_or_default();
        let is_first_half = matches!(u16::from_str_radix(digits, 16), Ok(0xd800..=0xdbff));
        self.safe = if is_first_half { start } else { self.raw.len() };
    }

    /// Moves what can be cut off from `raw` to the long string.
    fn take_piece(&mut self) -> Result<()> {
        let mut piece = self.raw[..self.safe].to_vec();
        piece.push(b'"');
        let text: String = json_text::from_slice(&piece).map_err(|error| invalid(&error))?;
        self.long.get_or_insert_default().push_str(&text);
        self.raw.drain(1..self.safe);
        self.safe = 1;
        Ok(())
    }

    fn end_string(&mut self) -> Result<()> {
        self.place = Place::Outside;
        self.safe = self.raw.len();
        if self.long.is_none() {
            self.rest.append(&mut self.raw);
            self.rest.push(b'"');
            return Ok(());
        }
        self.take_piece()?;
        self.raw.clear();
        self.rest.extend_from_slice(format!("\"{}{}\"", self.mark, self.strings.len()).as_bytes());
        self.strings.extend(self.long.take());
        Ok(())
    }

    fn finish(mut self) -> Result<Value> {
        // A string that does not end makes the text invalid, as it is.
        self.rest.append(&mut self.raw);
        let mut value: Value = json_text::from_slice(&self.rest).map_err(|error| invalid(&error))?;
        if !self.strings.is_empty() {
            self.restore(&mut value);
        }
        Ok(value)
    }

    /// Puts the long strings in place of their marks.
    fn restore(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(long) = self.marked(text) {
                    *text = long;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.restore(value)),
            Value::Object(members) => {
                if members.keys().any(|name| name.starts_with(&self.mark)) {
                    let named = std::mem::take(members).into_iter();
                    *members =
                        named.map(|(name, value)| (self.marked(&name).unwrap_or(name), value)).collect::<Map<_, _>>();
                }
                members.values_mut().for_each(|value| self.restore(value));
            }
            _ => {}
        }
    }

    /// The string that a mark stands for; `None` for a text that is no mark.
    fn marked(&mut self, text: &str) -> Option<String> {
        let index: usize = text.strip_prefix(&self.mark)?.parse().ok()?;
        self.strings.get_mut(index).map(std::mem::take)
    }
}

/// The length without a character at the end that is not whole.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(4);
    let last = bytes[tail..].iter().rposition(|byte| !(0x80..0xc0).contains(byte)).map_or(bytes.len(), |at| tail + at);
    let length = match bytes.get(last) {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..) => 4,
        _ => 1,
    };
    if last + length > bytes.len() { last } else { bytes.len() }
}

fn invalid(error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let message = match text.strip_prefix("recursion limit exceeded") {
        Some(place) => format!("the request body is nested more than {MAX_DEPTH} levels deep{place}"),
        None => format!("the request body is not valid JSON: {text}"),
    };
    Error::new(Kind::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn in_blocks(text: &[u8], size: usize) -> Result<Value> {
        JsonBlocks(text.chunks(size).map(<[u8]>::to_vec).collect()).parse()
    }

    #[test]
    fn long_strings_read_the_same_wherever_they_are_cut() {
        let pieces: [&[u8]; 10] = [
            b"plain text ",
            "ä€😀".as_bytes(),
            br"\n\\\u00e9",
            br"\ud83d\ude00",
            br"\ud83d",
            br"\ud83d\ud83d\ude00",
            br"\ude00x",
            br#"\"\/"#,
            b"\xed\xa0\xbd ",
            br"\\ud83d",
        ];
        for piece in pieces {
            for lead in [0, 1, 2, 5, 11] {
                let long = [&b"aaaaaaaaaaaaa"[..lead], &piece.repeat(5 * LONG / 4 / piece.len())].concat();
                let text = [br#"{"k":[""#, &long[..], br#"","short"],"n":1}"#].concat();
                let whole: Value = json_text::from_slice(&text).unwrap();
                for size in [7 + lead, 4096] {
                    let read = in_blocks(&text, size).unwrap();
                    assert!(read == whole, "{} {lead} {size}", String::from_utf8_lossy(piece));
                }
            }
        }
    }

    #[test]
    fn long_names_and_marks_are_kept() {
        let name = "n".repeat(LONG + 5);
        let text = format!(r#"{{"a":1,"{name}":["{name}",{{}}],"b":"x"}}"#);
        let read = in_blocks(text.as_bytes(), 1000).unwrap();
        assert_eq!(read, serde_json::from_str::<Value>(&text).unwrap());
        assert_eq!(read.as_object().unwrap().keys().collect::<Vec<_>>(), ["a", &name, "b"]);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let long = "x".repeat(2 * LONG);
        for text in [
            String::new(),
            "{".into(),
            "\"abc".into(),
            format!("\"{long}"),
            format!("\"{long}\\u12\"x\""),
            format!("\"{long}\\x\""),
            format!("\"{long}\n\""),
            format!("[\"{long}\",]"),
            format!("\"\\u12{long}\""),
        ] {
            let error = in_blocks(text.as_bytes(), 1000).unwrap_err();
            assert_eq!(error.kind, Kind::InvalidRequest, "{}", &text[..text.len().min(20)]);
        }
        let invalid_utf8 = [b"\"", long.as_bytes(), b"\xff\""].concat();
        assert_eq!(in_blocks(&invalid_utf8, 1000).unwrap_err().kind, Kind::InvalidRequest);
    }

    #[test]
    fn values_are_counted_and_text_is_not() {
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert_eq!(in_blocks(many.as_bytes(), 1 << 16).unwrap_err().kind, Kind::TooLarge);
        let text = format!("\"{}\"", "[,{:".repeat(MAX_VALUES));
        assert!(in_blocks(text.as_bytes(), 1 << 16).is_ok());
    }
}
