//! The tables, inside a transaction: each change of a call together with the sums it changes.

use super::process_lock;
use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use crate::ledger::budget::{BudgetStatus, BudgetTotals, CostRange, Decision, Limit, decide};
use crate::ledger::call::{NewCall, Outcome, Settlement};
use crate::ledger::clock::{Clock, day_of};
use rusqlite::{OptionalExtension, Result, Transaction, params};
use std::path::Path;

/// The states of a call, as they are stored.
pub(super) mod state {
    pub const RESERVED: i64 = 0;
    pub const SETTLED: i64 = 1;
    pub const ESTIMATED: i64 = 2;
    pub const UNCERTAIN: i64 = 3;
    pub const RELEASED: i64 = 4;
}

/// What came of a wish: the call's number and what it reserved, or the verdict against it.
pub type Judged = (std::result::Result<(i64, NanoDollars), Decision>, Vec<BudgetStatus>);

/// SQLite's integers are signed. Nine billion dollars are enough for everybody.
pub(super) fn stored(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX / 1024).min(i64::MAX / 1024)
}

pub(super) fn dollars(stored: i64) -> NanoDollars {
    NanoDollars(u64::try_from(stored).unwrap_or(0))
}

/// The tables, inside a transaction.
pub struct SqliteTransaction<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) clock: &'a Clock,
    pub(super) lock_folder: &'a Path,
}

/// What a call adds to its sums.
#[derive(Clone, Copy, Default)]
struct Part {
    calls: i64,
    usage: Option<Usage>,
    settled: i64,
    reserved: i64,
    uncertain: i64,
}

/// What the sums are kept by.
struct Place<'a> {
    day: i64,
    command: &'a str,
    key: i64,
    model: &'a str,
}

impl SqliteTransaction<'_> {
    /// Reserves what a call wishes, or as much of it as there is, if it fits.
    pub fn reserve(
        &mut self,
        process: &str,
        entry: &NewCall,
        limits: &[Limit],
        wish: CostRange,
        patient: bool,
    ) -> Result<Judged> {
        let mut statuses = self.statuses(limits)?;
        let amount = match decide(&statuses, wish, patient) {
            Decision::Grant(amount) => amount,
            verdict => return Ok((Err(verdict), statuses)),
        };
        let id = self.insert(process, entry, amount)?;
        for status in &mut statuses {
            status.totals.reserved += amount;
        }
        Ok((Ok((id, amount)), statuses))
    }

    /// Writes a call down as reserved.
    fn insert(&mut self, process: &str, entry: &NewCall, amount: NanoDollars) -> Result<i64> {
        let NewCall { command, key, asked, model } = entry;
        let (now, reserved) = (self.clock.now(), stored(amount.0));
        let day = day_of(now);
        self.transaction
            .prepare_cached(
                "INSERT INTO calls (at, day, command, key, asked, model, reserved, state, edits, process)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, '', ?8)",
            )?
            .execute(params![now, day, command, key, asked, model, reserved, process])?;
        let id = self.transaction.last_insert_rowid();
        self.add(&Place { day, command, key: *key, model }, Part { calls: 1, reserved, ..Part::default() })?;
        Ok(id)
    }

    /// Books how a call ended. One that has its end already keeps it: the first truth stands.
    pub fn settle(&mut self, ending: &Settlement) -> Result<()> {
        let Settlement { id, late, outcome, model, request_id, milliseconds, edits } = ending;
        let id = &match late {
            // No process is there for it: should this be cut off, it is uncertain.
            Some((entry, amount)) => self.insert("", entry, *amount)?,
            None => *id,
        };
        let found = self
            .transaction
            .prepare_cached("SELECT day, command, key, model, reserved, state FROM calls WHERE id = ?1")?
            .query_row([id], |row| {
                Ok((
                    row.get(0)?,
                    row.get::<_, String>(1)?,
                    row.get(2)?,
                    row.get::<_, String>(3)?,
                    row.get(4)?,
                    row.get(5)?,
                ))
            })
            .optional()?;
        let Some((day, command, key, booked_model, reserved, was)) = found else {
            return Ok(());
        };
        let reserved: i64 = reserved;
        let (now, settled) = match outcome {
            Outcome::Settled(_, cost) => (state::SETTLED, cost.map(|cost| stored(cost.0))),
            Outcome::Estimated(cost) => (state::ESTIMATED, Some(stored(cost.0))),
            Outcome::Uncertain => (state::UNCERTAIN, None),
            Outcome::Released => (state::RELEASED, Some(0)),
        };
        let before = match was {
            state::RESERVED => Part { calls: 1, reserved, ..Part::default() },
            // Taken for dead by another process, and there after all.
            state::UNCERTAIN if now != state::UNCERTAIN => Part { calls: 1, uncertain: reserved, ..Part::default() },
            _ => return Ok(()),
        };
        let usage = if let Outcome::Settled(usage, _) = outcome { Some(*usage) } else { None };
        let after = Part {
            calls: 1,
            usage,
            settled: settled.unwrap_or(0),
            reserved: 0,
            uncertain: if now == state::UNCERTAIN { reserved } else { 0 },
        };
        let tokens = |count: fn(&Usage) -> u64| usage.map(|usage| stored(count(&usage)));
        self.transaction
            .prepare_cached(
                "UPDATE calls SET state = ?2, settled = ?3, model = ?4, request_id = ?5, milliseconds = ?6, input = ?7,
                 output = ?8, cache_read = ?9, cache_write_5m = ?10, cache_write_1h = ?11, edits = ?12 WHERE id = ?1",
            )?
            .execute(params![
                id,
                now,
                settled,
                model,
                request_id,
                stored(*milliseconds),
                tokens(|usage| usage.input),
                tokens(|usage| usage.output),
                tokens(|usage| usage.cache_read),
                tokens(|usage| usage.cache_write_5m),
                tokens(|usage| usage.cache_write_1h),
                edits,
            ])?;
        let place = |model| Place { day, command: &command, key, model };
        if booked_model == *model {
            self.add(&place(model), difference(before, after))
        } else {
            // A successor answered: the call moves to its row.
            self.add(&place(&booked_model), difference(before, Part::default()))?;
            self.add(&place(model), after)
        }
    }

    /// Books what a person knows an uncertain or estimated call has cost. `false`: there is no such call.
    pub fn correct(&mut self, id: i64, cost: NanoDollars) -> Result<bool> {
        let found = self
            .transaction
            .query_row(
                "SELECT day, command, key, model, reserved, settled, state, input FROM calls WHERE id = ?1",
                [id],
                |row| {
                    let place: (i64, String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                    Ok((
                        place,
                        row.get::<_, i64>(4)?,
                        row.get::<_, Option<i64>>(5)?,
                        (row.get::<_, i64>(6)?, row.get::<_, Option<i64>>(7)?),
                    ))
                },
            )
            .optional()?;
        let Some(((day, command, key, model), reserved, settled, (was, input))) = found else {
            return Ok(false);
        };
        let before = match was {
            state::UNCERTAIN => Part { uncertain: reserved, ..Part::default() },
            // One without usage was settled by hand, and a hand can slip.
            state::SETTLED if input.is_some() => return Ok(false),
            state::ESTIMATED | state::SETTLED => Part { settled: settled.unwrap_or(0), ..Part::default() },
            _ => return Ok(false),
        };
        let cost = stored(cost.0);
        self.transaction
            .execute("UPDATE calls SET state = ?2, settled = ?3 WHERE id = ?1", params![id, state::SETTLED, cost])?;
        let after = Part { settled: cost, ..Part::default() };
        self.add(&Place { day, command: &command, key, model: &model }, difference(before, after))?;
        Ok(true)
    }

    /// Books the open reservations of ended processes as uncertain: AWS may bill them whole.
    pub fn recover(&mut self) -> Result<()> {
        let mut statement = self.transaction.prepare("SELECT DISTINCT process FROM calls WHERE state = 0")?;
        let processes: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
        for process in processes.iter().filter(|process| !process_lock::is_there(self.lock_folder, process)) {
            self.give_up(process)?;
        }
        Ok(())
    }

    /// Books the open reservations of one process as uncertain.
    pub fn give_up(&mut self, process: &str) -> Result<()> {
        let mut statement =
            self.transaction.prepare("SELECT id, at, model FROM calls WHERE state = 0 AND process = ?1")?;
        let open: Vec<(i64, i64, String)> = statement
            .query_map([process], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_>>()?;
        for (id, at, model) in open {
            let milliseconds = u64::try_from(self.clock.now() - at).unwrap_or(0);
            let outcome = Outcome::Uncertain;
            self.settle(&Settlement {
                id,
                late: None,
                outcome,
                model,
                request_id: None,
                milliseconds,
                edits: String::new(),
            })?;
        }
        Ok(())
    }

    /// What is booked under each limit now.
    pub fn statuses(&mut self, limits: &[Limit]) -> Result<Vec<BudgetStatus>> {
        let today = self.clock.today();
        let statuses = limits.iter().map(|limit| {
            // From the period's first day on, without an end: a clock that was set back opens no budget again.
            let totals = self
                .transaction
                .prepare_cached(
                    "SELECT COALESCE(SUM(settled), 0), COALESCE(SUM(reserved), 0), COALESCE(SUM(uncertain), 0)
                     FROM booked WHERE key = ?1 AND day >= ?2",
                )?
                .query_row(params![scope(limit), limit.period.start(today)], |row| {
                    Ok(BudgetTotals {
                        settled: dollars(row.get(0)?),
                        reserved: dollars(row.get(1)?),
                        uncertain: dollars(row.get(2)?),
                    })
                })?;
            Ok(BudgetStatus { limit: limit.clone(), totals, resets: limit.period.next(today) })
        });
        statuses.collect()
    }

    /// Adds to the sums.
    fn add(&mut self, place: &Place<'_>, part: Part) -> Result<()> {
        let Place { day, command, key, model } = place;
        let Part { calls, usage, settled, reserved, uncertain } = part;
        let tokens = usage.unwrap_or_default();
        self.transaction
            .prepare_cached(
                "INSERT INTO totals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                 ON CONFLICT DO UPDATE SET calls = calls + ?5, input = input + ?6, output = output + ?7,
                 cache_read = cache_read + ?8, cache_write = cache_write + ?9,
                 settled = settled + ?10, reserved = reserved + ?11, uncertain = uncertain + ?12",
            )?
            .execute(params![
                day,
                command,
                key,
                model,
                calls,
                stored(tokens.input),
                stored(tokens.output),
                stored(tokens.cache_read),
                stored(tokens.cache_write()),
                settled,
                reserved,
                uncertain,
            ])?;
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO booked VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET
             settled = settled + ?3, reserved = reserved + ?4, uncertain = uncertain + ?5",
        )?;
        // 0: everything together.
        statement.execute(params![0, day, settled, reserved, uncertain])?;
        if *key != 0 {
            statement.execute(params![key, day, settled, reserved, uncertain])?;
        }
        Ok(())
    }
}

fn scope(limit: &Limit) -> i64 {
    limit.key.as_ref().map_or(0, |(id, _)| *id)
}

/// What to add to sums that hold `before`, so that they hold `after`.
fn difference(before: Part, after: Part) -> Part {
    Part {
        calls: after.calls - before.calls,
        usage: after.usage,
        settled: after.settled - before.settled,
        reserved: after.reserved - before.reserved,
        uncertain: after.uncertain - before.uncertain,
    }
}
