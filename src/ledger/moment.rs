//! Moments as people and programs read them, in UTC.

use time::OffsetDateTime;

/// `2026-11-30 23:59:59`. `at`: milliseconds since 1970.
pub(crate) fn moment(at: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!("{} {:02}:{:02}:{:02}", time.date(), time.hour(), time.minute(), time.second())
}

/// `2026-11-30T23:59:59Z`, for programs. `at`: milliseconds since 1970.
pub(crate) fn timestamp(at: i64) -> String {
    format!("{}Z", moment(at).replace(' ', "T"))
}
