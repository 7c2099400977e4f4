//! Reads JSON text that is not quite valid. Programs that cut a text in the middle of an emoji write half of it as an
//! escape that stands for nothing (`\ud83d`), and the text then stays in every later request of the conversation. Such a
//! half is replaced by U+FFFD, as <https://www.unicode.org/versions/latest/core-spec/chapter-3/#G7404> recommends.

use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// The replacement character as an escape. It is as long as the escape that it replaces.
const REPLACEMENT: &[u8] = br"\ufffd";
/// The byte order mark that Windows programs put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Parses JSON. A byte order mark before it is skipped, and half characters are replaced.
///
/// # Errors
/// When the text is not valid JSON otherwise.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    serde_json::from_slice(text).or_else(|error| match replace_half_characters(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(repaired) => serde_json::from_slice(&repaired),
    })
}

/// The text with half characters replaced; unchanged where there are none.
#[must_use]
pub fn repaired(text: &str) -> Cow<'_, str> {
    match replace_half_characters(text.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(repaired) => Cow::Owned(String::from_utf8_lossy(&repaired).into_owned()),
    }
}

fn replace_half_characters(text: &[u8]) -> Cow<'_, [u8]> {
    let mut repaired = Cow::Borrowed(text);
    let mut at = 0;
    while at < text.len() {
        match &text[at..] {
            [b'\\', b'u', ..] => match (code_unit(text, at), code_unit(text, at + 6)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
                (Some(0xd800..=0xdfff), _) => {
                    repaired.to_mut()[at..at + 6].copy_from_slice(REPLACEMENT);
                    at += 6;
                }
                _ => at += 2,
            },
            // Any other escaped character, such as a backslash before a `u` that begins no escape.
            [b'\\', _, ..] => at += 2,
            // A half character that was encoded as if it were whole.
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => {
                repaired.to_mut()[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
                at += 3;
            }
            _ => at += 1,
        }
    }
    repaired
}

/// The UTF-16 code unit of the escape at this place; `None` where there is none.
fn code_unit(text: &[u8], at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit: u16, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit * 16 + u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn half_characters_are_replaced_and_whole_ones_kept() {
        for (json, expected) in [
            (&br#""a\ud83d b""#[..], "a\u{fffd} b"),
            (br#""\ude00""#, "\u{fffd}"),
            (br#""\ud83d\ude00""#, "😀"),
            (br#""\uD83D\uD83D\uDE00""#, "\u{fffd}😀"),
            (br#""\ud83d\n""#, "\u{fffd}\n"),
            (br#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
            (b"\"\xed\xa0\xbd \xed\x95\x9c\"", "\u{fffd} 한"),
            (b"\xef\xbb\xbf\"bom\"", "bom"),
            (br#""\ud83d""#, "\u{fffd}"),
        ] {
            assert_eq!(from_slice::<String>(json).unwrap(), expected, "{}", String::from_utf8_lossy(json));
        }
        for wrong in [&br#""\ud83""#[..], br#""\ud83d"#, b"\"\xff\"", b"", b"\"a"] {
            assert!(from_slice::<String>(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
        assert_eq!(repaired(r#"{"a":"\ud83d"}"#), r#"{"a":"\ufffd"}"#);
    }
}
