//! The periods in which budgets are renewed, and the days of the calendar, in UTC.

use time::{Date, Month, OffsetDateTime};

/// How often a budget is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// A day, in UTC.
    Day,
    /// A week, which begins on Monday, in UTC.
    Week,
    /// A calendar month, in UTC.
    Month,
}

impl Period {
    /// The word for the period in messages and in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The first day of the period that a day is in (days since 1970).
    #[must_use]
    pub fn start(self, day: i64) -> i64 {
        match self {
            Self::Day => day,
            // The first Monday after 1 January 1970 was day 4.
            Self::Week => day - (day - 4).rem_euclid(7),
            Self::Month => days(date(day).replace_day(1).unwrap_or(Date::MIN)),
        }
    }

    /// The first day of the next period (days since 1970).
    #[must_use]
    pub fn next(self, day: i64) -> i64 {
        match self {
            Self::Day => day + 1,
            Self::Week => self.start(day) + 7,
            Self::Month => {
                let date = date(day);
                let year = if date.month() == Month::December { date.year() + 1 } else { date.year() };
                days(Date::from_calendar_date(year, date.month().next(), 1).unwrap_or(Date::MAX))
            }
        }
    }
}

/// The date of a day (days since 1970, UTC).
pub(crate) fn date(day: i64) -> Date {
    OffsetDateTime::from_unix_timestamp(day.saturating_mul(86_400)).map_or(Date::MAX, OffsetDateTime::date)
}

/// A date's day (days since 1970, UTC).
pub(crate) fn days(date: Date) -> i64 {
    // The Julian day of 1 January 1970.
    i64::from(date.to_julian_day()) - 2_440_588
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_follow_the_calendar() {
        let day = |year, month, day| Date::from_calendar_date(year, month, day).map_or(0, days);
        assert_eq!(day(1970, Month::January, 1), 0);
        let leap = day(2028, Month::February, 29);
        assert_eq!((Period::Month.start(leap), Period::Month.next(leap)), (leap - 28, leap + 1));
        let eve = day(2026, Month::December, 31);
        assert_eq!((Period::Month.next(eve), Period::Day.next(eve)), (day(2027, Month::January, 1), eve + 1));
        assert_eq!(date(eve).to_string(), "2026-12-31");
        // Weeks begin on Monday, across the ends of years and before 1970 too.
        for (today, monday) in [
            (day(2026, Month::November, 22), day(2026, Month::November, 16)),
            (day(2026, Month::November, 23), day(2026, Month::November, 23)),
            (day(2026, Month::November, 29), day(2026, Month::November, 23)),
            (day(2027, Month::January, 1), day(2026, Month::December, 28)),
            (0, -3),
            (-3, -3),
            (-4, -10),
        ] {
            assert_eq!((Period::Week.start(today), Period::Week.next(today)), (monday, monday + 7), "{}", date(today));
            assert_eq!(date(monday).weekday(), time::Weekday::Monday);
        }
    }
}
