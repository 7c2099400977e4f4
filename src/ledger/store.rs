//! What the ledger requires of a database. A store applies the rules of `budget` and `posting`, and decides nothing
//! itself. A call and the sums it changes are always written in one transaction.

use super::alert::BudgetAlert;
use super::audit::AuditEntry;
use super::budget::{BudgetLimit, BudgetStatus, CostRange, Holder};
use super::call::{NewCall, Settlement};
use super::continuity::{Continuity, Mark};
use super::group::{Group, GroupChange, GroupLimits, Move, Removal};
use super::ids::CallId;
use super::key::{Addition, Key, NewKey, Rotation};
use super::key_settings::WatchedBudgets;
use super::posting::CallState;
use super::rate::{RateRefusal, RateStatus};
use super::report::{By, Examination, ReportRow, UncertainCall};
use super::rows::{Fingerprint, Piece, Row};
use crate::catalog::NanoDollars;
use crate::error::{Error, Kind};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// Why a store failed, as a sentence that names the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    sentence: String,
    is_discontinuous: bool,
}

impl StoreError {
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), is_discontinuous: false }
    }

    /// The last call that the store has seen is not in the ledger any more.
    pub(super) fn discontinuous() -> Self {
        Self { is_discontinuous: true, ..Self::lost() }
    }

    pub(super) fn is_discontinuous(&self) -> bool {
        self.is_discontinuous
    }

    /// The ledger that this process has booked its calls in is gone.
    pub(super) fn lost() -> Self {
        Self::new(
            "the ledger was removed, replaced or set back while this process was running, so what is left of the \
             budgets is not known; look at it with `chatrix ledger check`, put the right one back, or declare the \
             present one to be right with `chatrix ledger accept`",
        )
    }

    /// No folder for the ledger can be found.
    pub(crate) fn no_folder() -> Self {
        Self::new("there is no folder for the ledger: neither XDG_STATE_HOME nor HOME is set")
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::new(Kind::LedgerUnavailable, error.sentence)
    }
}

pub type StoreResult<T> = Result<T, StoreError>;

/// A call that asks to reserve its worst case.
#[derive(Debug, Clone, Copy)]
pub struct ReserveRequest<'a> {
    pub call: &'a NewCall,
    /// The limits that apply to it.
    pub limits: &'a [BudgetLimit],
    /// What it asks to reserve.
    pub cost: CostRange,
    /// Whether it may still wait for running calls.
    pub may_wait: bool,
}

/// The result of a [`ReserveRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReserveOutcome {
    /// It is booked.
    Reserved {
        id: CallId,
        /// The full cost that was requested, or less if only that much was left.
        amount: NanoDollars,
        /// What is booked under each limit, this call included.
        statuses: Vec<BudgetStatus>,
        /// What is left of its key's limits on requests and tokens; `None` where it has none.
        rates: Option<RateStatus>,
    },
    /// It must wait for running calls.
    Waiting,
    /// It does not fit under this limit.
    OverBudget(BudgetStatus),
    /// It is beyond a limit of its key on requests, tokens or running calls.
    OverRate(RateRefusal),
}

/// What is written in one transaction.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Ends of calls. They are booked first, so that the money they free can be reserved at once.
    pub settlements: &'a [Settlement],
    /// Calls that are about to begin, decided in this order.
    pub reservations: &'a [ReserveRequest<'a>],
}

/// The result of a correction by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// It is booked.
    Booked,
    /// A call in this state cannot be settled by hand.
    NotAllowed(CallState),
    /// The cost is above what was reserved for the call, which is the most that it can have cost.
    AboveReserved(NanoDollars),
    /// There is no such call.
    NoSuchCall,
}

/// See [`Store::upkeep`].
pub type Upkeep = Box<dyn FnOnce() + Send>;

/// An open ledger. When a method returns, its changes are committed, and are not lost if the process is killed
/// afterwards.
///
/// # Errors
/// Every method fails when the database cannot be read or written. It has then changed nothing.
#[expect(clippy::missing_errors_doc, reason = "every method fails alike: the store cannot be read or written")]
pub trait Store: fmt::Debug + Send {
    /// Books settlements and decides reservations, all in one transaction. One outcome for each reservation. The last call
    /// that this store has seen must still be there.
    fn post(&mut self, batch: &Batch<'_>) -> StoreResult<Vec<ReserveOutcome>>;

    /// As [`post`](Self::post), but never waits for another process: `None` when one is writing. Nothing is done then.
    fn post_at_once(&mut self, batch: &Batch<'_>) -> StoreResult<Option<Vec<ReserveOutcome>>>;

    /// The name that open calls of this process are booked under, where ends of calls are to be kept beside the ledger
    /// while it cannot be written. `None` where that is not needed.
    fn process(&self) -> Option<&str> {
        None
    }

    /// How often [`recover`](Self::recover) has to be called, because other processes take this one for ended otherwise.
    fn renewal(&self) -> Option<Duration> {
        None
    }

    /// Work that keeps the database small and fast, if it is time for that. It is done without the store, beside other
    /// transactions, and may wait for the disk.
    fn upkeep(&self) -> Option<Upkeep>;

    /// Deletes some of the oldest calls, if they began more than so many days ago. Those that are running or whose usage
    /// never arrived stay, and so do all sums and the last call. Whether more may be left to delete.
    fn forget_calls(&mut self, keep_days: i64) -> StoreResult<bool>;

    /// Books the open reservations of processes that have ended as uncertain: AWS may bill them in full.
    fn recover(&mut self) -> StoreResult<()>;

    /// Books the open reservations of this process as uncertain, because it ends.
    fn abandon_own(&mut self) -> StoreResult<()>;

    /// What is booked under each limit now.
    fn statuses(&mut self, limits: &[BudgetLimit]) -> StoreResult<Vec<BudgetStatus>>;

    /// Sums from a day on (days since 1970).
    fn report(&mut self, by: By, since: i64) -> StoreResult<Vec<ReportRow>>;

    /// The calls whose usage never arrived, oldest first.
    fn uncertain_calls(&mut self) -> StoreResult<Vec<UncertainCall>>;

    /// Books the cost that a person gives for a call. `above_reserved`: also one above what was reserved for it.
    fn correct(&mut self, id: CallId, cost: NanoDollars, above_reserved: bool) -> StoreResult<Correction>;

    /// Notes that a budget has refused a call, which counts as all of it.
    fn note_refusal(&mut self, limit: &BudgetLimit) -> StoreResult<()>;

    /// Claims up to `most` alerts that are due, of these budgets, for some time (milliseconds).
    /// Nobody else gets them until then.
    fn claim_alerts(&mut self, watched: &WatchedBudgets, most: usize, lease: i64) -> StoreResult<Vec<BudgetAlert>>;

    /// Notes what became of an alert.
    fn finish_alert(&mut self, id: &str, delivered: bool) -> StoreResult<()>;

    /// Every API key, revoked ones too, in the order they were made, each with its group as it is at the same moment.
    fn keys(&mut self) -> StoreResult<Vec<Key>>;

    fn add_key(&mut self, key: &NewKey<'_>) -> StoreResult<Addition>;

    /// Gives a key a new token, and perhaps another end. The token before it is accepted for a while longer; one before
    /// that ends now. `false` when there is no key of that name, or it is revoked.
    fn rotate_key(&mut self, name: &str, rotation: &Rotation) -> StoreResult<bool>;

    /// Revokes a key. `false` when there is no key of that name, or it is already revoked.
    fn revoke_key(&mut self, name: &str) -> StoreResult<bool>;

    /// Moves a key to the group of a name, or out of its group. Calls that are running stay booked where they began.
    fn move_key(&mut self, name: &str, group: Option<&str>) -> StoreResult<Move>;

    /// Every group, removed ones too, in the order they were made.
    fn groups(&mut self) -> StoreResult<Vec<Group>>;

    /// Adds a group. `false` when a group of that name exists and is not removed.
    fn add_group(&mut self, name: &str, limits: GroupLimits) -> StoreResult<bool>;

    /// Changes the limits of a group, and gives them as they are then. `None` when there is no group of that name, or it
    /// is removed.
    fn change_group(&mut self, name: &str, change: GroupChange) -> StoreResult<Option<GroupLimits>>;

    /// Removes a group, unless there are keys in it.
    fn remove_group(&mut self, name: &str) -> StoreResult<Removal>;

    /// What a holder has spent in all, with uncertain calls at their worst case.
    fn spent(&mut self, holder: &Holder) -> StoreResult<NanoDollars>;

    /// What was changed by hand from a moment on (milliseconds since 1970), the newest last.
    fn audit(&mut self, since: i64) -> StoreResult<Vec<AuditEntry>>;

    /// Whether another process has changed the ledger since the last call. Cheap enough to be called often. `true` when
    /// it cannot be determined.
    fn has_changed(&mut self) -> bool;

    /// Whether the ledger is still the one that was opened. `false` when it was removed, replaced or truncated.
    fn is_current(&self) -> bool;

    /// Writes without changing anything, to find out whether the ledger can be written.
    fn check_writable(&mut self) -> StoreResult<()>;

    /// What to remember of the ledger as it is now.
    fn mark(&mut self) -> StoreResult<Mark>;

    /// What this store remembers from what it has read and written last. `None` before that.
    fn remembered(&self) -> Option<Mark>;

    /// What became of the ledger since a mark was made.
    fn continuity(&mut self, mark: &Mark) -> StoreResult<Continuity>;

    /// Records that the operator declares this ledger to be right.
    fn accept(&mut self) -> StoreResult<()>;

    /// Looks for damage, and counts what is booked.
    fn examine(&mut self) -> StoreResult<Examination>;

    /// Hands out every row, all as they are at the same moment.
    fn export(&mut self, take: &mut dyn FnMut(Row) -> StoreResult<()>) -> StoreResult<()>;

    /// Takes every row of another ledger over, if this one is empty, and compares what arrived with what came.
    fn import(&mut self, _: &mut dyn Iterator<Item = StoreResult<Piece>>) -> StoreResult<Fingerprint> {
        Err(StoreError::new("a ledger can only be copied into a PostgreSQL database"))
    }
}

/// Decides reservations in their order. Once one has to wait, later ones that ask for as much or more under the same
/// limits wait too, without being decided, so that a long queue is cheap. A call whose key has limits of its own is always
/// decided: it may be refused at once, and what it waits for concerns no other key.
pub(super) fn decide_in_order<'a, E>(
    requests: &[ReserveRequest<'a>],
    mut reserve: impl FnMut(&ReserveRequest<'a>) -> Result<ReserveOutcome, E>,
) -> Result<Vec<ReserveOutcome>, E> {
    // The least that a waiting call asks for, under each of the limits.
    let mut least_waiting: HashMap<&[BudgetLimit], NanoDollars> = HashMap::new();
    let outcomes = requests.iter().map(|request| {
        let is_rated = request.call.rate.is_some();
        let must_wait = |least: &NanoDollars| request.may_wait && !is_rated && *least <= request.cost.full;
        if least_waiting.get(request.limits).is_some_and(must_wait) {
            return Ok(ReserveOutcome::Waiting);
        }
        let outcome = reserve(request)?;
        if outcome == ReserveOutcome::Waiting && !is_rated {
            let least = least_waiting.entry(request.limits).or_insert(request.cost.full);
            *least = request.cost.full.min(*least);
        }
        Ok(outcome)
    });
    outcomes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::budget::Period;
    use crate::ledger::rate::{RateLimits, RateRequest};
    use std::convert::Infallible;

    #[test]
    fn requests_behind_a_waiting_one_are_not_decided_when_they_ask_for_as_much() {
        let call = NewCall {
            command: "ask",
            key: None,
            group: None,
            requested_model: "m".into(),
            model: "m".into(),
            request_id: None,
            rate: None,
        };
        let rate = Some(RateRequest { limits: RateLimits::default(), tokens: 1 });
        let rated = NewCall { rate, ..call.clone() };
        let limits = |amount| [BudgetLimit { holder: Holder::All, period: Period::Day, amount: NanoDollars(amount) }];
        let these = limits(100);
        let others = limits(200);
        let request = |limits, full, may_wait| {
            let cost = CostRange { full: NanoDollars(full), minimum: NanoDollars(full) };
            ReserveRequest { call: &call, limits, cost, may_wait }
        };
        let requests = [
            request(&these[..], 50, true),
            request(&these[..], 60, true),
            request(&these[..], 40, true),
            request(&these[..], 70, false),
            request(&others[..], 80, true),
            ReserveRequest { call: &rated, ..request(&these[..], 90, true) },
            request(&these[..], 45, true),
            request(&others[..], 85, true),
        ];
        let mut asked = Vec::new();
        let Ok(outcomes) = decide_in_order(&requests, |request| {
            asked.push(request.cost.full.0);
            Ok::<_, Infallible>(ReserveOutcome::Waiting)
        });
        assert_eq!(
            asked,
            [50, 40, 70, 80, 90],
            "60 waits behind 50, 45 behind 40 and 85 behind 80, without being asked"
        );
        assert_eq!(outcomes, vec![ReserveOutcome::Waiting; 8]);
        // A call that waits for those of its own key holds nobody up.
        let requests = [ReserveRequest { call: &rated, ..requests[0] }, requests[1]];
        let mut asked = 0;
        let Ok(_) = decide_in_order(&requests, |_| {
            asked += 1;
            Ok::<_, Infallible>(ReserveOutcome::Waiting)
        });
        assert_eq!(asked, 2);
    }
}
