//! How long a refusal asks its client to wait.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use std::time::{Duration, SystemTime};

/// A longer wait is not believed.
const LONGEST: Duration = Duration::from_hours(24);

/// The wait that the headers of a refusal ask for. `header` looks a header up. Milliseconds come first, as they say more.
/// A date counts from the date of the refusal, because this machine's clock may be wrong
/// (<https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>).
pub(super) fn asked_wait<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    for name in ["retry-after-ms", "x-amz-retry-after"] {
        let milliseconds = header(name).and_then(|text| text.trim().parse::<f64>().ok());
        if let Some(wait) = milliseconds.and_then(|count| Duration::try_from_secs_f64(count / 1000.0).ok()) {
            return Some(wait.min(LONGEST));
        }
    }
    let text = header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(Duration::try_from_secs_f64(seconds).ok()?.min(LONGEST));
    }
    let now = header("date").and_then(|text| date(text.trim())).unwrap_or_else(SystemTime::now);
    Some(date(text)?.duration_since(now).unwrap_or_default().min(LONGEST))
}

fn date(text: &str) -> Option<SystemTime> {
    SystemTime::try_from(DateTime::from_str(text, Format::HttpDate).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_wait_is_understood() {
        let date = ("date", "Thu, 26 Nov 2026 05:00:00 GMT");
        for (headers, milliseconds) in [
            (&[("retry-after", "3")][..], Some(3000)),
            (&[("retry-after", " 1.5 ")], Some(1500)),
            (&[("retry-after", "0")], Some(0)),
            (&[("retry-after-ms", "250"), ("retry-after", "1")], Some(250)),
            (&[("x-amz-retry-after", "1200")], Some(1200)),
            (&[("retry-after", "Thu, 26 Nov 2026 05:00:07 GMT"), date], Some(7000)),
            (&[("retry-after", "Thu, 26 Nov 2026 04:00:00 GMT"), date], Some(0)),
            (&[("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT")], Some(0)),
            (&[("retry-after", "1e9")], Some(86_400_000)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "nan")], None),
            (&[("retry-after", "inf")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "")], None),
            (&[], None),
        ] {
            let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(asked_wait(header), milliseconds.map(Duration::from_millis), "{headers:?}");
        }
    }
}
