//! Log lines on stderr, each with a timestamp. Text from clients is escaped, so that it can neither begin a new line
//! nor send control sequences to a terminal.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// The longest value that is written in full (characters).
const MAX_VALUE_LENGTH: usize = 200;

/// Writes a line with a timestamp.
pub(super) fn write(line: &str) {
    // Chatrix goes on when stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{} {line}", timestamp(SystemTime::now()));
}

/// A value for a log line. It is quoted and escaped if it has other characters than ASCII letters, digits and the
/// punctuation of names and paths.
pub(super) fn value(text: &str) -> String {
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
