//! Lines on stderr, each with its time. Text from outside is escaped, so that one request is one line and no terminal
//! obeys it.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// The longest value that is written whole (characters).
const LONGEST: usize = 200;

/// Writes a line, with the time before it.
pub(super) fn write(line: &str) {
    // A stderr that is gone is no reason to fail.
    let _ = writeln!(std::io::stderr().lock(), "{} {line}", timestamp(SystemTime::now()));
}

/// A value as it may stand in a line: as it is where it holds only letters, digits and the signs of names and paths, in
/// quotes and escaped otherwise.
pub(super) fn value(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/-{}".contains(c);
    if !text.is_empty() && text.len() <= LONGEST && text.chars().all(plain) {
        return text.to_owned();
    }
    let short: String = text.chars().take(LONGEST).collect();
    format!("{short:?}")
}

/// A moment as RFC 3339 in UTC, to the millisecond.
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
    fn text_from_outside_stays_one_harmless_word() {
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
        assert_eq!(value(&"x".repeat(5000)).len(), LONGEST + 2);
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(timestamp(UNIX_EPOCH + Duration::from_millis(1_795_392_061_007)), "2026-11-23T00:01:01.007Z");
    }
}
