//! The lines of the log: one for each request, and the server's notices. A line is a list of fields, written as text or
//! as a JSON object. Text from outside is redacted, bounded and escaped, so that it can neither begin a new line nor
//! send control sequences to a terminal.

use super::redaction::without_secrets;
use crate::catalog::NanoDollars;
use crate::conversation::text::{escape_in_json, is_printable};
use serde_json::value::RawValue;
use std::fmt::Write;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// The longest value that is written in full (characters).
const MAX_VALUE_LENGTH: usize = 200;
/// The longest notice that is written in full (characters).
const MAX_NOTICE_LENGTH: usize = 2000;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Requests are not logged; notices are text.
    Off,
    #[default]
    Text,
    /// One JSON object on each line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("{other:?} is not off, text or json")),
        }
    }
}

/// A value of a line.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A word of this program.
    Word(&'static str),
    /// Text from outside.
    Text(String),
    /// Text that is redacted and bounded already.
    Clean(String),
    Number(u64),
    Dollars(NanoDollars),
}

/// A field of a line. In text the first ones stand without their names.
pub(super) type Field = (&'static str, Value);

/// The fields whose values stand without their names in text.
const UNNAMED: [&str; 3] = ["id", "method", "route"];

/// A line with a timestamp.
pub(super) fn line(format: LogFormat, fields: &[Field]) -> String {
    let time = timestamp(SystemTime::now());
    match format {
        LogFormat::Json => {
            let mut text = format!("{{\"time\":\"{time}\"");
            for (name, value) in fields {
                let _ = write!(text, ",\"{name}\":{}", json(value));
            }
            text.push('}');
            text
        }
        LogFormat::Off | LogFormat::Text => {
            let mut text = time;
            for (name, value) in fields {
                text.push(' ');
                if !UNNAMED.contains(name) {
                    text.extend([name, "="]);
                }
                text.push_str(&plain(value));
            }
            text
        }
    }
}

/// A line that tells the operator something. In text it has no timestamp: it is a sentence for a person.
pub(super) fn notice(format: LogFormat, text: &str) -> String {
    let text: String = without_secrets(text).chars().take(MAX_NOTICE_LENGTH).collect();
    match format {
        LogFormat::Json => line(format, &[("message", Value::Clean(text))]),
        LogFormat::Off | LogFormat::Text => printable(&text),
    }
}

/// The line about lines that could not be written.
pub(super) fn dropped_line(format: LogFormat, lost: u64) -> String {
    notice(format, &format!("{lost} lines of this log were dropped, because nobody read it"))
}

fn json(value: &Value) -> String {
    match value {
        Value::Word(word) => serde_json::to_string(word).unwrap_or_default(),
        Value::Text(text) => escaped_json(&bounded(text)),
        Value::Clean(text) => escaped_json(text),
        Value::Number(number) => number.to_string(),
        // All decimals, as a JSON number.
        Value::Dollars(amount) => {
            RawValue::from_string(amount.dollars()).map_or_else(|_| "null".into(), |raw| raw.get().to_owned())
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Word(word) => (*word).to_owned(),
        Value::Text(text) => quoted(&bounded(text)),
        Value::Clean(text) => quoted(text),
        Value::Number(number) => number.to_string(),
        Value::Dollars(amount) => amount.dollars(),
    }
}

fn bounded(text: &str) -> String {
    // Redacted first: a cut could hide from the redaction what a secret is.
    without_secrets(text).chars().take(MAX_VALUE_LENGTH).collect()
}

/// A value for a line of text. It is quoted and escaped if it has other characters than ASCII letters, digits and the
/// punctuation of names and paths.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._:/-{}[]".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { format!("{text:?}") }
}

/// A JSON string. What must not reach a terminal is escaped even where JSON would allow it.
fn escaped_json(text: &str) -> String {
    escape_in_json(&serde_json::to_string(text).unwrap_or_default(), is_printable)
}

/// The text on one line, without what a terminal would obey.
fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_printable(c) { line.push(c) } else { line.extend(c.escape_default()) }
    }
    line
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
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

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
            ("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/x", "provisioned-model/x"),
        ] {
            assert_eq!(plain(&Value::Text(text.to_owned())), expected);
        }
        assert_eq!(plain(&Value::Text("x".repeat(5000))).len(), MAX_VALUE_LENGTH);
    }

    #[test]
    fn json_lines_parse_back_and_hold_nothing_a_terminal_obeys() {
        for text in ["plain", "a\nb\"\\", "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{e0041}\u{2028}é👩", ""] {
            let fields = [("id", Value::Word("req_1")), ("model", Value::Text(text.into())), ("ms", Value::Number(7))];
            let line = line(LogFormat::Json, &fields);
            assert!(line.chars().all(is_printable), "{line:?}");
            let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&parsed["id"], &parsed["ms"]), (&"req_1".into(), &7.into()));
            assert_eq!(parsed["model"], text);
        }
        let cost = line(LogFormat::Json, &[("cost_usd", Value::Dollars(NanoDollars(1_050)))]);
        assert!(cost.ends_with(",\"cost_usd\":0.00000105}"), "{cost}");
    }

    #[test]
    fn a_notice_is_one_line() {
        let notice = notice(LogFormat::Text, "a\nb\u{1b}[2J arn:aws:iam::123456789012:role/x");
        assert_eq!(notice, "a\\nb\\u{1b}[2J [redacted]");
    }

    #[test]
    fn a_notice_is_whole_in_every_format() {
        let long = "word ".repeat(300);
        let parsed: serde_json::Value = serde_json::from_str(&notice(LogFormat::Json, &long)).unwrap();
        assert_eq!((parsed["message"].as_str(), notice(LogFormat::Text, &long).as_str()), (Some(&*long), &*long));
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(timestamp(UNIX_EPOCH + Duration::from_millis(1_795_392_061_007)), "2026-11-23T00:01:01.007Z");
    }
}
