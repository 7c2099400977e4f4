//! Log lines on stderr, each with a timestamp. Text from clients is escaped, so that it can neither begin a new line
//! nor send control sequences to a terminal.

use super::metrics::Snapshot;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// The longest value that is written in full (characters).
const MAX_VALUE_LENGTH: usize = 200;

/// A line of the log. It is made of the words of this program and of values, which are escaped.
#[derive(Debug)]
pub(super) struct Line(String);

impl Line {
    /// A line that begins with a value.
    pub(super) fn new(first: &str) -> Self {
        Self(value(first))
    }

    /// The line of the counters, which are numbers.
    pub(super) fn summary(counters: &Snapshot) -> Self {
        Self(format!("summary {counters}"))
    }

    pub(super) fn word(&mut self, word: &'static str) {
        self.0.push(' ');
        self.0.push_str(word);
    }

    pub(super) fn value(&mut self, text: &str) {
        self.0.push(' ');
        self.0.push_str(&value(text));
    }

    /// `name=value`.
    pub(super) fn field(&mut self, name: &'static str, text: &str) {
        self.word(name);
        self.0.push('=');
        self.0.push_str(&value(text));
    }

    /// Writes the line with a timestamp.
    pub(super) fn write(&self) {
        // Chatrix goes on when stderr is closed.
        let _ = writeln!(std::io::stderr().lock(), "{} {}", timestamp(SystemTime::now()), self.0);
    }
}

/// A value for a log line. It is quoted and escaped if it has other characters than ASCII letters, digits and the
/// punctuation of names and paths.
fn value(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/-{}".contains(c);
    if !text.is_empty() && text.len() <= MAX_VALUE_LENGTH && text.chars().all(plain) {
        return text.to_owned();
    }
    let short: String = text.chars().take(MAX_VALUE_LENGTH).collect();
    format!("{short:?}")
}

/// A time in RFC 3339 format, in UTC and with milliseconds.
fn timestamp(moment: SystemTime) -> String {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second) = time.to_hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}.{:03}Z", time.date(), since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn text_from_clients_is_escaped_and_stays_one_word() {
        for (text, expected) in [
            ("claude-haiku", "claude-haiku"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("a\nb", "\"a\\nb\""),
            ("\u{1b}]52;c;eA==\u{7}", "\"\\u{1b}]52;c;eA==\\u{7}\""),
            ("\u{202e}evil", "\"\\u{202e}evil\""),
            ("key=value", "\"key=value\""),
        ] {
            assert_eq!(value(text), expected);
        }
        assert_eq!(value(&"x".repeat(5000)).len(), MAX_VALUE_LENGTH + 2);
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(timestamp(UNIX_EPOCH + Duration::from_millis(1_795_392_061_007)), "2026-11-23T00:01:01.007Z");
    }
}
