//! Blocks: a message of several lines that begins with `"""` and ends with `"""`.

use super::line::Line;

const QUOTES: &str = "\"\"\"";

/// Whether a block has begun that has no end yet.
pub(super) fn is_open(text: &[u8]) -> bool {
    let quotes = QUOTES.as_bytes();
    text.trim_ascii_start().strip_prefix(quotes).is_some_and(|rest| !rest.trim_ascii_end().ends_with(quotes))
}

/// What was typed, without the quotes of a block.
pub(super) fn line(text: String) -> Line {
    match content(&text) {
        Some(content) => Line::Block(content.to_owned()),
        None => Line::Text(text),
    }
}

/// A text in the quotes of a block.
pub(super) fn quoted(text: &str) -> String {
    format!("{QUOTES}\n{text}\n{QUOTES}")
}

/// What stands between the quotes. What else is on their lines counts, but not lines on which they stand alone.
fn content(text: &str) -> Option<&str> {
    let inside = text.trim_ascii_start().strip_prefix(QUOTES)?.trim_ascii_end().strip_suffix(QUOTES)?;
    let inside = match inside.split_once('\n') {
        Some((first, others)) if first.trim_ascii().is_empty() => others,
        _ => inside,
    };
    Some(match inside.rsplit_once('\n') {
        Some((others, last)) if last.trim_ascii().is_empty() => others,
        _ => inside,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_lasts_until_its_quotes() {
        for (text, open) in [
            ("", false),
            ("hello", false),
            ("say \"\"\" to me", false),
            ("\"\"\"", true),
            ("\"\"\"\"", true),
            ("  \"\"\"first\nsecond", true),
            ("\"\"\"def f():\n    \"\"\"Doc.\"\"\"\n    pass", true),
            ("\"\"\"\"\"\"", false),
            ("\"\"\"one\ntwo\"\"\"", false),
            ("\"\"\"one\ntwo\"\"\"  \n", false),
        ] {
            assert_eq!(is_open(text.as_bytes()), open, "{text:?}");
        }
    }

    #[test]
    fn the_quotes_are_no_part_of_the_message() {
        for (typed, expected) in [
            ("\"\"\"one\"\"\"", "one"),
            ("\"\"\"\none\n\ntwo\n\"\"\"", "one\n\ntwo"),
            ("\"\"\"one\n  two\"\"\" ", "one\n  two"),
            ("\"\"\"  \n  one\n  \"\"\"", "  one"),
            ("\"\"\"\"\"\"", ""),
            ("\"\"\"\n\"\"\"", ""),
            ("\"\"\"/clear\"\"\"", "/clear"),
            ("\"\"\"say \"\"\" to me\"\"\"", "say \"\"\" to me"),
        ] {
            assert_eq!(line(typed.to_owned()), Line::Block(expected.to_owned()), "{typed:?}");
        }
        assert_eq!(line("/clear".to_owned()), Line::Text("/clear".to_owned()));
        assert_eq!(line(quoted("/clear\nnow")), Line::Block("/clear\nnow".to_owned()));
    }
}
