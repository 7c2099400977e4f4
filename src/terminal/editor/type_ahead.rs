//! What was typed while there was no prompt, such as during an answer. It is offered at the next prompt, because it may be
//! the next question; it is never sent by itself, because it may be half of one, and an answer costs money.

use crate::terminal::sanitize::Sanitizer;

/// What the keys come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TypeAhead {
    pub(super) text: String,
    /// Ctrl-D on an empty line, or as the last key, such as right after Ctrl-C.
    pub(super) leaves: bool,
}

/// Reads keys as the system's own line editor would.
pub(super) fn read(keys: &[u8]) -> TypeAhead {
    let keys = String::from_utf8_lossy(keys).replace("\r\n", "\n").replace('\r', "\n");
    if keys.ends_with('\u{4}') {
        return TypeAhead { text: String::new(), leaves: true };
    }
    let mut sanitizer = Sanitizer::default();
    let mut text = String::new();
    for key in keys.chars() {
        match key {
            // Keys that are not UTF-8.
            '\u{fffd}' => {}
            '\u{7f}' | '\u{8}' => {
                text.pop();
            }
            // Ctrl-W.
            '\u{17}' => {
                let blank = text.trim_end().char_indices().rfind(|(_, c)| c.is_whitespace());
                text.truncate(blank.map_or(0, |(start, c)| start + c.len_utf8()));
            }
            // Ctrl-U.
            '\u{15}' => text.truncate(text.rfind('\n').map_or(0, |newline| newline + 1)),
            // Ctrl-C, where it sends no signal.
            '\u{3}' => text.clear(),
            // Ctrl-D.
            '\u{4}' if text.trim().is_empty() => return TypeAhead { text: String::new(), leaves: true },
            // A tab would have asked for a completion.
            '\t' => {}
            key => text.push_str(&sanitizer.clean(key.encode_utf8(&mut [0; 4]))),
        }
    }
    TypeAhead { text: text.trim_matches('\n').to_owned(), leaves: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_the_text_of_the_next_prompt() {
        for (keys, text) in [
            ("", ""),
            ("next question", "next question"),
            ("next question\r", "next question"),
            ("\r\r\n", ""),
            ("one\r\ntwo\rthree\n", "one\ntwo\nthree"),
            ("tyop\u{7f}\u{7f}po", "typo"),
            ("日本\u{8}", "日"),
            ("one two \u{17}", "one "),
            ("ein\u{3000}zwei\u{17}", "ein\u{3000}"),
            ("one\ntwo\u{15}three", "one\nthree"),
            ("\u{1b}[A\u{1b}[200~pasted\u{1b}[201~\u{1b}OP", "pasted"),
            ("a\tb\u{1}\u{4}\u{0}c", "abc"),
            ("gone\u{3}here", "here"),
        ] {
            let expected = TypeAhead { text: text.to_owned(), leaves: false };
            assert_eq!(read(keys.as_bytes()), expected, "{keys:?}");
        }
        assert_eq!(read(b"a\xffb").text, "ab");
    }

    #[test]
    fn ctrl_d_leaves_on_an_empty_line_only() {
        for keys in ["\u{4}", "\r\u{4}", "x\u{7f}\u{4}", "x\u{3}\u{4}more"] {
            assert_eq!(read(keys.as_bytes()), TypeAhead { text: String::new(), leaves: true }, "{keys:?}");
        }
    }
}
