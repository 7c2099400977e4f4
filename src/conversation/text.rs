//! What counts as text.

use std::borrow::Cow;

/// The text of some bytes: UTF-8, or UTF-16 with a byte order mark. The mark is not part of the text. `None` for anything
/// else, and for text with a NUL, which no file of text has.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = match bytes {
        // The mark of UTF-32 begins like that of UTF-16.
        [0xff, 0xfe, 0, 0, ..] => return None,
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf_16(rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf_16(rest, u16::from_be_bytes)?),
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(std::str::from_utf8(rest).ok()?),
        _ => Cow::Borrowed(std::str::from_utf8(bytes).ok()?),
    };
    (!text.contains('\0')).then_some(text)
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().map(|pair| unit(*pair));
    if rest.is_empty() { char::decode_utf16(units).collect::<Result<_, _>>().ok() } else { None }
}

/// The text of some bytes in Windows-1252, which contains Latin-1. Almost any bytes can be read so; `None` for those that
/// no text has: control characters, and the five values that mean nothing.
#[must_use]
pub fn decode_windows_1252(bytes: &[u8]) -> Option<String> {
    // The characters from 0x80 to 0x9f; the others have the numbers of Unicode.
    const HIGH: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“', '”',
        '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    let chars = bytes.iter().map(|byte| match byte {
        b'\t' | b'\n' | b'\r' | 0x0c => Some(char::from(*byte)),
        0..0x20 | 0x7f => None,
        0x80..=0x9f => Some(HIGH[usize::from(byte - 0x80)]).filter(|c| *c != '\0'),
        _ => Some(char::from(*byte)),
    });
    chars.collect()
}

/// Whether a text has nothing to read: white space, control characters, and characters that take no room, such as a
/// zero-width space or a byte order mark. Bedrock refuses white space alone, and models refuse or waste the rest.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || takes_no_room(c))
}

/// The invisible characters, without those beyond the first plane, which only ever follow a visible character, and with
/// the empty pattern of Braille.
fn takes_no_room(c: char) -> bool {
    c == '\u{2800}' || (c <= '\u{ffff}' && is_invisible(c))
}

/// Whether a character is drawn as nothing: those of
/// <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>, `Default_Ignorable_Code_Point`, and the
/// anchors of interlinear notes.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a character may be printed inside a line: no control character, and none that is invisible, reorders text or
/// separates lines.
#[must_use]
pub fn is_printable(c: char) -> bool {
    !(c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// A JSON document in which every character that does not pass is escaped, so that the document still means the same.
/// Only characters of strings may fail to pass.
#[must_use]
pub fn escape_in_json(document: &str, passes: impl Fn(char) -> bool) -> String {
    let mut text = String::with_capacity(document.len());
    for c in document.chars() {
        if passes(c) {
            text.push(c);
        } else {
            text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m2_text_that_cannot_be_seen_is_blank() {
        for blank in
            ["", " \n\t", "\u{a0}\u{3000}", "\u{200b}", "\u{feff}", "\u{2060}\u{200d}\r\n", "\u{0}\u{1b}", "\u{ad}"]
        {
            assert!(is_blank(blank), "{blank:?}");
        }
        for text in [".", "a\u{200b}", "\u{1f468}\u{200d}\u{1f469}", "0"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn text_is_decoded_with_and_without_a_mark() {
        for (bytes, text) in [
            (&b"hi"[..], Some("hi")),
            (b"\xef\xbb\xbfhi", Some("hi")),
            (b"\xff\xfeh\0i\0", Some("hi")),
            (b"\xfe\xff\0h\0i", Some("hi")),
            (b"\xff\xfeh\0i", None),
            (b"\xff\xfe\0\xd8", None),
            (b"\xff\xfe\0\0h\0\0\0", None),
            (b"h\0", None),
            (b"\xe9", None),
            (b"", Some("")),
        ] {
            assert_eq!(decode(bytes).as_deref(), text, "{bytes:?}");
        }
        assert_eq!(decode_windows_1252(b"\x80 caf\xe9\r\n").as_deref(), Some("€ café\r\n"));
        assert_eq!((decode_windows_1252(b"\x81"), decode_windows_1252(b"\x1b[2J")), (None, None));
    }
}
