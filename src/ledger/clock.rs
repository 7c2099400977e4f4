//! The clock that dates calls. It is passed in as a value, so that tests can set it.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
    sql: Option<&'static str>,
}

impl Clock {
    /// The operating system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    /// A clock whose time is what `now` returns (milliseconds since 1970, UTC).
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), sql: None }
    }

    /// The same clock for this process; a database that dates calls itself takes what an expression of SQL gives
    /// (milliseconds since 1970, UTC) in place of its own clock.
    #[must_use]
    pub fn in_database(self, sql: &'static str) -> Self {
        Self { sql: Some(sql), ..self }
    }

    pub(super) fn sql(&self) -> Option<&'static str> {
        self.sql
    }

    /// Now (milliseconds since 1970, UTC).
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.now)()
    }

    /// Today (days since 1970, UTC).
    #[must_use]
    pub fn today(&self) -> i64 {
        day_of(self.now())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The day of a moment (milliseconds to days since 1970, UTC).
pub(crate) fn day_of(moment: i64) -> i64 {
    moment.div_euclid(DAY)
}

/// When a day begins (milliseconds since 1970). `day`: days since 1970.
pub(crate) fn start_of_day(day: i64) -> i64 {
    day.saturating_mul(DAY)
}
