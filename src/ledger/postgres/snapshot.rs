//! What a transaction has read under its locks, and what follows from it. This decides nothing itself: the rules are those
//! of `budget`, `rate` and `posting`, as for every store.

use super::values::{Holder, stored_key, totals};
use crate::catalog::NanoDollars;
use crate::ledger::budget::{BudgetLimit, BudgetStatus, Decision, Period, decide};
use crate::ledger::call::{NewCall, Settlement};
use crate::ledger::ids::{CallId, KeyId};
use crate::ledger::posting::{self, Account, BookedCall, CallState, Change, Posting, signed};
use crate::ledger::rate::{RateDecision, RateStatus, RateUse, RecentCall, WINDOW};
use crate::ledger::store::{ReserveOutcome, ReserveRequest};
use crate::ledger::stored::unsigned;
use std::collections::{BTreeMap, HashMap};

/// What was read. Decisions change it as they will change the database.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    /// By the database's clock (milliseconds since 1970).
    pub now: i64,
    /// Days since 1970.
    pub today: i64,
    /// Settled, reserved and uncertain in the present period.
    pub sums: HashMap<(Holder, Period), [i64; 3]>,
    pub rates: HashMap<KeyId, RateUse>,
    /// The calls in the window of keys that were asked for them, oldest first.
    pub recent: HashMap<KeyId, Vec<RecentCall>>,
    /// Numbers for new calls.
    pub ids: Vec<i64>,
}

/// The calls of a key in the window are needed, to say how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NeedsRecent(pub KeyId);

/// A call that is written.
#[derive(Debug, Clone)]
pub(super) struct NewRow<'a> {
    pub id: i64,
    pub call: &'a NewCall,
    pub reserved: NanoDollars,
    /// Of a call that is written together with its end.
    pub end: Option<(String, &'a Settlement, Change)>,
}

/// A call whose end is written.
#[derive(Debug, Clone)]
pub(super) struct EndedRow<'a> {
    pub id: i64,
    pub settlement: &'a Settlement,
    pub change: Change,
    /// What it counts for in its key's tokens a minute from now on; `None` leaves that as it is.
    pub rate_tokens: Option<i64>,
}

/// A call in the database whose end has arrived.
#[derive(Debug, Clone)]
pub(super) struct FoundCall {
    pub id: i64,
    /// When it began (milliseconds since 1970).
    pub at: i64,
    /// What it counts for in its key's tokens a minute; `None` where its key has no such limits.
    pub rate_tokens: Option<i64>,
    /// What it was booked under.
    pub process: String,
    pub booked: BookedCall,
}

/// What a transaction will change.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes<'a> {
    pub new: Vec<NewRow<'a>>,
    pub ended: Vec<EndedRow<'a>>,
    /// Settled, reserved and uncertain, by holder and day. Ordered, so that no two transactions wait for each other.
    pub booked: BTreeMap<(Holder, i64), [i64; 3]>,
    /// By day, command, key and model.
    pub totals: BTreeMap<(i64, String, i64, String), posting::Delta>,
    /// By group and day.
    pub group_totals: BTreeMap<(i64, i64), posting::Delta>,
}

impl Changes<'_> {
    pub(super) fn add(&mut self, posting: Posting) {
        let Posting { account, delta } = posting;
        let money = [delta.settled, delta.reserved, delta.uncertain];
        for holder in Holder::all_of(&account) {
            let sums = self.booked.entry((holder, account.day)).or_default();
            add(sums, money);
        }
        let Account { day, command, key, group, model } = account;
        if let Some(group) = group {
            *self.group_totals.entry((group.0, day)).or_default() += delta;
        }
        *self.totals.entry((day, command, stored_key(key), model)).or_default() += delta;
    }
}

fn add(sums: &mut [i64; 3], more: [i64; 3]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

impl Snapshot {
    /// Takes note of a change of the sums.
    fn apply(&mut self, posting: &Posting) {
        let Posting { account, delta } = posting;
        let holders: Vec<Holder> = Holder::all_of(account).collect();
        for ((holder, period), sums) in &mut self.sums {
            if account.day >= period.start(self.today) && holders.contains(holder) {
                add(sums, [delta.settled, delta.reserved, delta.uncertain]);
            }
        }
    }

    /// Books how a call ended. Does nothing where it already has its end.
    pub(super) fn end<'a>(&mut self, found: &FoundCall, settlement: &'a Settlement, changes: &mut Changes<'a>) {
        let FoundCall { id, at, rate_tokens, process: _, booked } = found;
        let Some(change) = booked.settle(settlement.outcome, &settlement.model) else { return };
        self.post(&change.postings, changes);
        let counted = rate_tokens.and_then(|_| change.rate_tokens());
        if let Some(used) = booked.account.key.and_then(|key| self.rates.get_mut(&key))
            && let Some(before) = rate_tokens
        {
            if booked.state == CallState::Reserved {
                used.running = used.running.saturating_sub(1);
            }
            if let Some(after) = counted.filter(|_| *at > self.now.saturating_sub(WINDOW)) {
                used.tokens = used.tokens.saturating_sub(unsigned(*before)).saturating_add(after);
            }
        }
        changes.ended.push(EndedRow { id: *id, settlement, change, rate_tokens: counted.map(signed) });
    }

    /// Books a call together with its end.
    pub(super) fn begin_and_end<'a>(
        &mut self,
        call: &'a NewCall,
        reserved: NanoDollars,
        receipt: String,
        settlement: &'a Settlement,
        changes: &mut Changes<'a>,
    ) {
        let Some(id) = self.ids.pop() else { return };
        let begin = posting::reserve(call, self.today, reserved);
        let booked = posting::begun(call, self.today, reserved);
        let Some(change) = booked.settle(settlement.outcome, &settlement.model) else { return };
        self.post(&[begin], changes);
        self.post(&change.postings, changes);
        changes.new.push(NewRow { id, call, reserved, end: Some((receipt, settlement, change)) });
    }

    /// Decides a reservation.
    ///
    /// # Errors
    /// When more has to be read first.
    pub(super) fn reserve<'a>(
        &mut self,
        request: &ReserveRequest<'a>,
        changes: &mut Changes<'a>,
    ) -> Result<ReserveOutcome, NeedsRecent> {
        let rates = match self.rate(request)? {
            None => None,
            Some(RateDecision::Grant(status)) => Some(status),
            Some(RateDecision::Wait) => return Ok(ReserveOutcome::Waiting),
            Some(RateDecision::Refuse(refusal)) => return Ok(ReserveOutcome::OverRate(refusal)),
        };
        let mut statuses = self.statuses(request.limits);
        let amount = match decide(&statuses, request.cost, request.may_wait) {
            Decision::Grant(amount) => amount,
            Decision::Wait => return Ok(ReserveOutcome::Waiting),
            Decision::Refuse(index) => return Ok(ReserveOutcome::OverBudget(statuses.swap_remove(index))),
        };
        // As many numbers were read as calls can begin.
        let Some(id) = self.ids.pop() else { return Ok(ReserveOutcome::Waiting) };
        self.post(&[posting::reserve(request.call, self.today, amount)], changes);
        self.count(request.call, rates);
        changes.new.push(NewRow { id, call: request.call, reserved: amount, end: None });
        for status in &mut statuses {
            status.totals.reserved += amount;
        }
        Ok(ReserveOutcome::Reserved { id: CallId(id), amount, statuses, rates })
    }

    fn post(&mut self, postings: &[Posting], changes: &mut Changes<'_>) {
        for posting in postings {
            self.apply(posting);
            changes.add(posting.clone());
        }
    }

    fn rate(&self, request: &ReserveRequest<'_>) -> Result<Option<RateDecision>, NeedsRecent> {
        let (Some(key), Some(rate)) = (request.call.key, request.call.rate) else { return Ok(None) };
        let used = self.rates.get(&key).copied().unwrap_or_default();
        let recent = || self.recent.get(&key).cloned().ok_or(NeedsRecent(key));
        rate.decide(used, self.now, request.may_wait, recent).map(Some)
    }

    /// Counts a call that begins against the limits of its key.
    fn count(&mut self, call: &NewCall, rates: Option<RateStatus>) {
        let (Some(key), Some(rate), Some(_)) = (call.key, call.rate, rates) else { return };
        let used = self.rates.entry(key).or_default();
        used.requests += 1;
        used.tokens = used.tokens.saturating_add(rate.tokens);
        used.running += 1;
        if let Some(recent) = self.recent.get_mut(&key) {
            recent.push(RecentCall { at: self.now, tokens: rate.tokens });
        }
    }

    fn statuses(&self, limits: &[BudgetLimit]) -> Vec<BudgetStatus> {
        limits.iter().map(|limit| self.status(limit)).collect()
    }

    /// What is booked under a limit whose sums were read.
    pub(super) fn status(&self, limit: &BudgetLimit) -> BudgetStatus {
        let sums = self.sums.get(&(Holder::of(&limit.holder), limit.period)).copied().unwrap_or_default();
        BudgetStatus { limit: limit.clone(), totals: totals(sums), resets: limit.period.next(self.today) }
    }
}
