//! The table of alerts: which thresholds of budgets were reached, and whether that was told.

use super::failure::Failure;
use super::values::{Holder, Parameter, small};
use super::{groups, keys, reads};
use crate::ledger::alert::{BudgetAlert, reached};
use crate::ledger::budget::{BudgetLimit, BudgetStatus, Period};
use crate::ledger::key::{Key, random_hex};
use crate::ledger::key_settings::WatchedBudgets;
use crate::ledger::posting::signed;
use crate::ledger::stored::{AlertState, period_number};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// The columns that name a budget in its present period.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    holder: Holder,
    period: i16,
    start: i64,
    amount: i64,
}

impl Place {
    fn of(limit: &BudgetLimit, today: i64) -> Self {
        let BudgetLimit { holder, period, amount } = limit;
        Self {
            holder: Holder::of(holder),
            period: small(period_number(*period)),
            start: period.start(today),
            amount: signed(amount.0),
        }
    }

    fn parameters(&self) -> [Parameter<'_>; 5] {
        let Self { holder: Holder { kind, id }, period, start, amount } = self;
        [(kind, Type::INT2), (id, Type::INT8), (period, Type::INT2), (start, Type::INT8), (amount, Type::INT8)]
    }
}

/// Notes that a budget has reached a threshold (percent), if that is not noted yet. `today`: days since 1970.
pub(super) async fn note(client: &Client, today: i64, limit: &BudgetLimit, threshold: u8) -> Result<(), Failure> {
    let random = random_hex(12).map_err(|error| Failure::Refused(error.to_string()))?;
    let (place, threshold, alert) = (Place::of(limit, today), i16::from(threshold), format!("alert_{random}"));
    let due = small(AlertState::Due as i64);
    let sql = "INSERT INTO chatrix.alerts (kind, id, period, start, amount, threshold, alert, claimed, state)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8) ON CONFLICT DO NOTHING";
    let mut parameters = place.parameters().to_vec();
    parameters.extend::<[Parameter<'_>; 3]>([(&threshold, Type::INT2), (&alert, Type::TEXT), (&due, Type::INT2)]);
    client.execute_typed(sql, &parameters).await?;
    Ok(())
}

/// An alert that is noted.
#[derive(Debug)]
pub(super) struct Noted {
    place: Place,
    threshold: u8,
    alert: String,
    /// Until when somebody is telling it (milliseconds since 1970).
    claimed: i64,
    is_due: bool,
}

impl Noted {
    fn is_of(&self, limit: &BudgetLimit, today: i64) -> bool {
        self.place == Place::of(limit, today)
    }
}

/// The alerts of all present periods, by their threshold.
pub(super) async fn noted(client: &Client, today: i64) -> Result<Vec<Noted>, Failure> {
    // The longest period is a month.
    let since = Period::Month.start(today).min(Period::Week.start(today));
    let sql = "SELECT kind, id, period, start, amount, threshold, alert, claimed, state FROM chatrix.alerts
               WHERE start >= $1 ORDER BY threshold";
    let rows = client.query_typed(sql, &[(&since, Type::INT8)]).await?;
    let noted = rows.iter().map(|row| {
        let (threshold, state): (i16, i16) = (row.try_get(5)?, row.try_get(8)?);
        Ok(Noted {
            place: Place {
                holder: Holder { kind: row.try_get(0)?, id: row.try_get(1)? },
                period: row.try_get(2)?,
                start: row.try_get(3)?,
                amount: row.try_get(4)?,
            },
            threshold: u8::try_from(threshold).unwrap_or(u8::MAX),
            alert: row.try_get(6)?,
            claimed: row.try_get(7)?,
            is_due: state == small(AlertState::Due as i64),
        })
    });
    noted.collect()
}

/// Whether it is noted that a budget has reached a threshold (percent) in its present period.
pub(super) fn is_noted(noted: &[Noted], today: i64, limit: &BudgetLimit, threshold: u8) -> bool {
    noted.iter().any(|noted| noted.threshold == threshold && noted.is_of(limit, today))
}

/// The budgets that the operator, the keys and the groups have, as they stand now.
pub(super) async fn statuses(
    client: &Client,
    today: i64,
    watched: &WatchedBudgets,
) -> Result<Vec<BudgetStatus>, Failure> {
    let WatchedBudgets { common, keys: settings } = watched;
    let usable = keys::all(client).await?.into_iter().filter(|key| key.revoked.is_none());
    let keys: Vec<Key> = usable.map(|key| settings.apply(key)).collect();
    let groups = groups::all(client).await?.into_iter().filter(|group| group.removed.is_none());
    let mut limits = common.clone();
    limits.extend(keys.iter().flat_map(Key::own_limits));
    limits.extend(groups.flat_map(|group| group.pool_limits()));
    reads::statuses(client, &limits, today).await
}

/// Whether a threshold was reached that is not noted yet, or an alert is due.
pub(super) fn is_any_due(noted: &[Noted], now: i64, today: i64, statuses: &[BudgetStatus]) -> bool {
    statuses.iter().any(|status| {
        due(noted, now, today, status).next().is_some()
            || reached(status).any(|threshold| !is_noted(noted, today, &status.limit, threshold))
    })
}

/// Notes the thresholds that were reached, and claims up to `most` of the alerts that are due, until a time
/// (milliseconds since 1970). Whoever has claimed an alert tells it, and nobody else meanwhile.
pub(super) async fn claim(
    client: &Client,
    (now, today): (i64, i64),
    until: i64,
    statuses: &[BudgetStatus],
    most: usize,
) -> Result<Vec<BudgetAlert>, Failure> {
    let known = noted(client, today).await?;
    for status in statuses {
        for threshold in reached(status).filter(|threshold| !is_noted(&known, today, &status.limit, *threshold)) {
            note(client, today, &status.limit, threshold).await?;
        }
    }
    let known = noted(client, today).await?;
    let mut claimed = Vec::new();
    for status in statuses {
        for Noted { alert, threshold, .. } in due(&known, now, today, status) {
            if claimed.len() == most {
                return Ok(claimed);
            }
            // Another process may claim it at the same moment; one of them gets it.
            let sql = "UPDATE chatrix.alerts SET claimed = $2 WHERE alert = $1 AND claimed <= $3";
            let parameters: [Parameter<'_>; 3] = [(alert, Type::TEXT), (&until, Type::INT8), (&now, Type::INT8)];
            if client.execute_typed(sql, &parameters).await? > 0 {
                claimed.push(BudgetAlert { id: alert.clone(), threshold: *threshold, status: status.clone() });
            }
        }
    }
    Ok(claimed)
}

/// Notes what became of an alert.
pub(super) async fn finish(client: &Client, id: &str, delivered: bool) -> Result<(), Failure> {
    let state = small(if delivered { AlertState::Delivered } else { AlertState::GivenUp } as i64);
    let sql = "UPDATE chatrix.alerts SET state = $2 WHERE alert = $1";
    client.execute_typed(sql, &[(&id, Type::TEXT), (&state, Type::INT2)]).await?;
    Ok(())
}

/// The alerts of a budget's present period that nobody has told, or is telling.
fn due<'a>(noted: &'a [Noted], now: i64, today: i64, status: &BudgetStatus) -> impl Iterator<Item = &'a Noted> {
    noted.iter().filter(move |noted| noted.is_due && noted.claimed <= now && noted.is_of(&status.limit, today))
}
