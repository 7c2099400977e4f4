//! What is wrong in the config file, in words for people who write it.

use crate::catalog::closest;
use crate::error::{Error, Kind};
use std::path::Path;

/// A message of the parser without the names of Rust's types.
fn plain_words(message: &str) -> String {
    [("f64", "a number"), ("i64", "a whole number"), ("u64", "a whole number"), ("u16", "a port")]
        .iter()
        .fold(message.to_owned(), |text, (name, words)| {
            text.replace(&format!("expected {name}"), &format!("expected {words}"))
        })
}

/// The message of the parser about an unknown key, which lists all that there are, with the one that was probably meant
/// in place of the list.
fn with_suggestion(message: &str) -> String {
    let unknown = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"));
    let Some((typed, list)) = unknown.and_then(|rest| rest.split_once("`, expected ")) else {
        return message.to_owned();
    };
    let known = list.split('`').skip(1).step_by(2);
    match closest(typed, known) {
        Some(name) => format!("there is no `{typed}`; did you mean `{name}`?"),
        None => format!("there is no `{typed}`; expected {list}"),
    }
}

/// `PATH:LINE: KEY: what is wrong`. `at`: where it stands in the text (bytes).
pub(super) fn located_error(text: &str, path: &Path, at: usize, message: &str) -> Error {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count();
    let words = text.lines().nth(line).unwrap_or_default();
    let key = words.split('=').next().unwrap_or_default().trim();
    let message = with_suggestion(&plain_words(&message.lines().collect::<Vec<_>>().join(", ")));
    Error::new(Kind::Config, format!("{}:{}: {key}: {message}", path.display(), line + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_key_is_told_the_one_that_was_meant() {
        for (message, expected) in [
            (
                "unknown field `temprature`, expected one of `max_tokens`, `temperature`, `top_p`",
                "there is no `temprature`; did you mean `temperature`?",
            ),
            ("unknown field `webhok`, expected `webhook`", "there is no `webhok`; did you mean `webhook`?"),
            (
                "unknown variant `inovke`, expected `invoke` or `converse`",
                "there is no `inovke`; did you mean `invoke`?",
            ),
            ("unknown field `x`, expected `a` or `b`", "there is no `x`; expected `a` or `b`"),
            ("duplicate key", "duplicate key"),
        ] {
            assert_eq!(with_suggestion(message), expected);
        }
    }
}
