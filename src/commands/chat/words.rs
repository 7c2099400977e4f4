//! The words of a command's argument, as a shell separates them: blanks stand between words, and quotes or a backslash
//! keep them inside one. `~` at the beginning of a word is the home folder.

use std::path::{MAIN_SEPARATOR, PathBuf};

/// One word, and where it begins in the text (bytes).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Word {
    pub(super) start: usize,
    /// Without quotes and backslashes.
    pub(super) text: String,
    /// Whether it begins with a `~` that stands for the home folder: outside of quotes.
    pub(super) at_home: bool,
    /// The quote that is still open at its end.
    pub(super) open_quote: Option<char>,
}

/// The words of a text. The last one may have a quote that is still open.
pub(super) fn split(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut characters = text.char_indices();
    while let Some((index, c)) = characters.next() {
        let quote = word.as_ref().and_then(|word| word.open_quote);
        if quote.is_none() && c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let current = word.get_or_insert_with(|| Word { start: index, ..Word::default() });
        match (quote, c) {
            (Some(open), c) if c == open => current.open_quote = None,
            (None, '"' | '\'') => current.open_quote = Some(c),
            // A backslash that means itself in a shell means itself here.
            (None | Some('"'), '\\') => match characters.next() {
                Some((_, next)) if quote.is_none() || matches!(next, '"' | '\\') => current.text.push(next),
                Some((_, next)) => current.text.extend([c, next]),
                None => current.text.push(c),
            },
            (None, '~') if index == current.start => {
                current.at_home = true;
                current.text.push(c);
            }
            (_, c) => current.text.push(c),
        }
    }
    words.extend(word);
    words
}

/// The words of a whole argument.
///
/// # Errors
/// The quote that has no end.
pub(super) fn whole(text: &str) -> Result<Vec<Word>, char> {
    let words = split(text);
    match words.iter().find_map(|word| word.open_quote) {
        Some(quote) => Err(quote),
        None => Ok(words),
    }
}

impl Word {
    /// The word as the path of a file.
    pub(super) fn path(&self) -> String {
        self.path_in(home().as_deref())
    }

    fn path_in(&self, home: Option<&str>) -> String {
        let rest = self.text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with(MAIN_SEPARATOR));
        match (rest, home) {
            (Some(rest), Some(home)) if self.at_home => format!("{home}{rest}"),
            _ => self.text.clone(),
        }
    }
}

fn home() -> Option<String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute())?;
    home.into_os_string().into_string().ok()
}

/// A path as it must be typed so that it is one word.
pub(super) fn quoted(path: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | '\\');
    if !path.is_empty() && !path.starts_with('~') && path.chars().all(is_plain) {
        return path.to_owned();
    }
    let escaped = path.chars().flat_map(|c| {
        let backslash = matches!(c, '"' | '\\').then_some('\\');
        backslash.into_iter().chain([c])
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_separated_as_in_a_shell() {
        for (text, expected) in [
            ("", &[][..]),
            ("  a  b ", &["a", "b"]),
            ("'a b' c", &["a b", "c"]),
            ("\"a b\"c d", &["a bc", "d"]),
            ("a\\ b", &["a b"]),
            ("\"a\\\"b\\\\\\x\"", &["a\"b\\\\x"]),
            ("'a\\b'", &["a\\b"]),
            ("''", &[""]),
            ("a\u{3000}b", &["a", "b"]),
            ("end\\", &["end\\"]),
        ] {
            let words = whole(text).unwrap_or_default();
            assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), expected, "{text}");
        }
        assert_eq!((whole("'a b"), whole("a\"")), (Err('\''), Err('"')));
        assert_eq!(split("a 'b c").last().map(|word| (word.start, word.open_quote)), Some((2, Some('\''))));
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        for (text, expected) in [
            ("~/a b", "/home/ada/a"),
            ("~", "/home/ada"),
            ("'~/a'", "~/a"),
            ("~bob/a", "~bob/a"),
            ("a~", "a~"),
            ("~/'a b'", "/home/ada/a b"),
        ] {
            let words = split(text);
            assert_eq!(words[0].path_in(Some("/home/ada")), expected, "{text}");
        }
        assert_eq!(split("~/a")[0].path_in(None), "~/a");
    }

    #[test]
    fn a_quoted_path_is_one_word() {
        for path in ["a", "a b", "it's", "a\"b", "a\\b", "~a", "", "é ü"] {
            let words = whole(&quoted(path)).unwrap_or_default();
            assert_eq!(words.iter().map(Word::path).collect::<Vec<_>>(), [path], "{path}");
        }
    }
}
