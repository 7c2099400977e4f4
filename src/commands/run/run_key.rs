//! The API key of a run, whose budget is the run's.

use crate::catalog::NanoDollars;
use crate::commands::setup::open_ledger;
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::budget::Period;
use crate::ledger::key::{Addition, KeyLimits, NewKey, hash, new_token};
use crate::ledger::key_profile::{self, AGENTS, KeyProfile};
use crate::ledger::report::{By, Sums};
use crate::ledger::{Clock, day_of, moment, start_of_day};
use crate::terminal::output::note;
use crate::terminal::printable::Printable;
use anyhow::Context;

const DAY: i64 = 86_400_000;
/// How long before its budget would be renewed a key expires (milliseconds). A call that has begun by then is reserved
/// in time.
const MARGIN: i64 = 300_000;

pub(super) struct RunKey {
    pub(super) name: String,
    pub(super) token: String,
    max_cost: NanoDollars,
    /// The day on which it was made (days since 1970).
    day: i64,
}

impl RunKey {
    /// Makes a key with the limits for agents, which may spend this much in all.
    pub(super) fn add(max_cost: NanoDollars, settings: &Settings) -> anyhow::Result<Self> {
        let token = new_token().context("the operating system provides no random numbers")?;
        let hash = hash(&token);
        let name = format!("run-{}", hash.get(..8).unwrap_or(&hash));
        let now = Clock::system().now();
        let day = day_of(now);
        let profile = key_profile::find(AGENTS).map(KeyProfile::limits).unwrap_or_default();
        let (limits, end) = limits(max_cost, profile, day);
        let expires = start_of_day(end) - MARGIN;
        if expires < now + DAY {
            note(Printable::line(format_args!(
                "the key of this run expires at {} UTC, because its budget would begin again after that",
                moment(expires)
            )));
        }
        let key = NewKey { name: &name, hash: &hash, limits: &limits, expires: Some(expires), group: None };
        if open_ledger(settings)?.add_key(&key).map_err(Error::from)? != Addition::Added {
            return Err(Error::new(Kind::Internal, format!("there is already a key {name}")).into());
        }
        Ok(Self { name, token, max_cost, day })
    }

    /// Revokes the key. Gives a sentence on what was spent with it.
    pub(super) fn end(&self, settings: &Settings) -> anyhow::Result<String> {
        let mut ledger = open_ledger(settings)?;
        ledger.revoke_key(&self.name).map_err(Error::from)?;
        let rows = ledger.report(By::Key, self.day).map_err(Error::from)?;
        let row = rows.into_iter().find(|row| row.name.as_ref() == Some(&self.name));
        let Sums { calls, settled, uncertain, .. } = row.map(|row| row.sums).unwrap_or_default();
        let calls = if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
        let unknown = (uncertain > NanoDollars(0))
            .then(|| format!("; AWS may have billed up to {uncertain} more for calls whose usage never arrived"));
        Ok(format!("this run cost {settled} of {}; {calls}{}", self.max_cost, unknown.unwrap_or_default()))
    }
}

/// The limits of a key that is made on a day (days since 1970), and the day on which its budget is renewed. Its week or
/// its month, whichever ends later, holds the whole run, so that what was spent counts until the key has expired.
fn limits(max_cost: NanoDollars, profile: KeyLimits, day: i64) -> (KeyLimits, i64) {
    let (week, month) = (Period::Week.next(day), Period::Month.next(day));
    let in_period = |end| (end == week.max(month)).then_some(max_cost);
    let limits = KeyLimits { day: None, week: in_period(week), month: in_period(month), ..profile };
    (limits, week.max(month))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::ledger::budget::days;
    use time::{Date, Month};

    #[test]
    fn one_budget_holds_until_the_key_expires() {
        let day = |year, month, day| days(Date::from_calendar_date(year, month, day).unwrap());
        let usd = NanoDollars(5);
        for (made, ends) in [
            (day(2026, Month::November, 26), day(2026, Month::December, 1)),
            (day(2026, Month::November, 30), day(2026, Month::December, 7)),
            (day(2026, Month::December, 1), day(2027, Month::January, 1)),
            // A Sunday that is the last of its month.
            (day(2027, Month::January, 31), day(2027, Month::February, 1)),
        ] {
            let (limits, end) = limits(usd, key_profile::find(AGENTS).unwrap().limits(), made);
            assert_eq!((end, limits.day), (ends, None));
            let periods = [(Period::Week, limits.week), (Period::Month, limits.month)];
            let mut set = periods.iter().filter(|(_, amount)| *amount == Some(usd)).peekable();
            assert!(set.peek().is_some());
            assert!(set.all(|(period, _)| period.start(end - 1) <= made), "{made}");
            assert!(limits.overrides.max_tokens.is_some() && limits.request.is_some());
        }
    }
}
