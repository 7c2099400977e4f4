//! Days and lengths of time as people type them.

use crate::error::{Error, Kind};
use crate::ledger::Clock;
use crate::ledger::budget::days;
use time::{Date, Month};

/// A date such as `2026-11-01` (days since 1970).
pub(super) fn day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Some(days(Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?))
}

/// The first day of a report: a date, a number of days, or everything (days since 1970).
pub(super) fn since(text: &str) -> Result<i64, Error> {
    let number = |text: &str| text.parse::<i64>().ok();
    let ago = || text.strip_suffix('d').and_then(number).filter(|n| (1..=100_000).contains(n));
    let found = match text {
        "all" => Some(0),
        _ => ago().map(|ago| Clock::system().today() - ago + 1).or_else(|| day(text)),
    };
    found.ok_or_else(|| {
        Error::new(Kind::InvalidRequest, format!("--since {text:?} is not a day"))
            .advise("give a day like 2026-11-01, a number of days like 7d, or all")
    })
}

/// A length of time such as `90d`, `12h` or `30m`, or `0` (milliseconds).
pub(super) fn length(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit: i64 = match unit {
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    // `parse` would take a sign as well. A century is as long as anybody means.
    let number: i64 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    number.checked_mul(unit).filter(|length| *length <= 36_525 * 86_400_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_type_days_and_lengths() {
        for (text, expected) in [
            ("90d", Some(90 * 86_400_000)),
            ("12h", Some(12 * 3_600_000)),
            ("30m", Some(1_800_000)),
            ("0", Some(0)),
            ("0d", Some(0)),
            ("", None),
            ("d", None),
            ("5", None),
            ("-5d", None),
            ("+5d", None),
            ("1.5h", None),
            ("5 d", None),
            ("5\u{e9}", None),
            ("99999999999d", None),
        ] {
            assert_eq!(length(text), expected, "{text:?}");
        }
        assert_eq!((day("1970-01-02"), day("2026-02-30"), day("tomorrow")), (Some(1), None, None));
    }
}
