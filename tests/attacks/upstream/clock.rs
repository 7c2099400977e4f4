//! A machine whose clock is wrong (docs/bedrock.md §4.11).

use super::{question, server};
use crate::support::Reply;
use serde_json::json;

/// A clock that is wrong by an hour: the first call is signed twice, the second once, at the time of AWS.
#[test]
fn a_wrong_clock_is_corrected() {
    for (code, message) in [
        ("InvalidSignatureException", "Signature expired: 20261126T040000Z is now earlier than 20261126T045500Z"),
        ("RequestTimeTooSkewed", "The difference is too large."),
    ] {
        let later = std::time::SystemTime::now() + std::time::Duration::from_hours(1);
        let later = time::OffsetDateTime::from(later);
        let weekday = &later.weekday().to_string()[..3];
        let (month, hour) = (&later.month().to_string()[..3], later.hour());
        let (minute, second) = (later.minute(), later.second());
        let date =
            format!("{weekday}, {:02} {month} {} {hour:02}:{minute:02}:{second:02} GMT", later.day(), later.year());
        let headers = [("date", date.as_str()), ("x-amzn-errortype", code), ("content-type", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let refusal = Reply::Recorded(403, headers, json!({"message": message}).to_string().into());
        let (server, bedrock, home) = server("", [refusal.clone(), Reply::text("ok")]);
        assert_eq!(server.chat(&question(false)).status, 200, "{code}");
        let signed: Vec<String> = bedrock.calls().iter().map(|call| call.headers["x-amz-date"].clone()).collect();
        let hours = |text: &str| (text[6..8].parse::<i32>().unwrap(), text[9..11].parse::<i32>().unwrap());
        let ((day, first), (next_day, second)) = (hours(&signed[0]), hours(&signed[1]));
        assert_eq!((signed.len(), second), (2, (first + 1) % 24), "{signed:?} {day} {next_day}");
        // A clock that AWS refuses all the same is reported, after one more try.
        bedrock.answer_with(refusal);
        let refused = server.chat(&question(false));
        assert_eq!(refused.error(), (403, "permission_error".into(), "aws_clock_skew".into()));
        assert_eq!((bedrock.calls().len(), home.at_rest().2), (4, 0));
    }
}
