//! What every store must do, in tests that each run with every kind of store.

use super::new_ledger::Process;
use super::{Make, NewLedger, cost, group_holder, holder, limit, new_call, settlement, with_every_store};
use chatrix::catalog::NanoDollars;
use chatrix::conversation::Usage;
use chatrix::ledger::budget::{BudgetLimit, BudgetTotals, CostRange, Holder, Period};
use chatrix::ledger::key::{Addition, KeyLimits, NewKey, PreviousToken, Rotation};
use chatrix::ledger::report::{By, ReportRow, UncertainCall};
use chatrix::ledger::store::{Batch, Correction, ReserveOutcome, ReserveRequest, Store};
use chatrix::ledger::{
    CallId, CallState, GroupId, KeyId, NewCall, Outcome, RateLimits, Receipt, SettledCall, Settlement,
};
use chatrix::policy::KeyOverrides;
use std::num::NonZeroU32;

with_every_store! {
    books_what_a_plain_model_books,
    opens_no_budget_again_when_a_clock_is_set_back,
    counts_a_call_in_the_month_in_which_it_began,
    lists_uncertain_calls_and_takes_corrections,
    keeps_keys,
    knows_what_another_process_has_changed,
}

pub(super) fn post(store: &mut dyn Store, settlements: &[Settlement]) {
    assert!(store.post(&Batch { settlements, reservations: &[] }).unwrap().is_empty());
}

/// Reserves without waiting.
pub(super) fn reserve(
    store: &mut dyn Store,
    key: Option<KeyId>,
    limits: &[BudgetLimit],
    cost: CostRange,
) -> ReserveOutcome {
    let request = ReserveRequest { call: &new_call(key), limits, cost, may_wait: false };
    store.post(&Batch { settlements: &[], reservations: &[request] }).unwrap().remove(0)
}

pub(super) fn reserved(outcome: &ReserveOutcome) -> Option<(CallId, u64)> {
    match outcome {
        ReserveOutcome::Reserved { id, amount, .. } => Some((*id, amount.0)),
        ReserveOutcome::Waiting | ReserveOutcome::OverBudget(_) | ReserveOutcome::OverRate(_) => None,
    }
}

/// What the model remembers of a call.
#[derive(Clone, Copy, Debug)]
struct ModelCall {
    id: CallId,
    /// Which store reserved it.
    owner: usize,
    day: i64,
    key: Option<KeyId>,
    /// The group that the key was in.
    group: Option<GroupId>,
    reserved: u64,
    /// Whether nothing is owed for it, so that it is not counted.
    free: bool,
    /// What is booked for it in the end; `None` while it is reserved or uncertain.
    settled: Option<u64>,
    uncertain: bool,
    successor: bool,
}

impl ModelCall {
    fn is_open(&self) -> bool {
        self.settled.is_none() && !self.uncertain
    }
}

fn totals(calls: &[ModelCall], holder: &Holder, from: i64) -> BudgetTotals {
    let is_of = |call: &ModelCall| match holder {
        Holder::All => true,
        Holder::Key { id, .. } => call.key == Some(*id),
        Holder::Group { id, .. } => call.group == Some(*id),
    };
    let counted = || calls.iter().filter(|call| is_of(call) && call.day >= from);
    let open = |uncertain: bool| {
        let open = counted().filter(|call| call.settled.is_none() && call.uncertain == uncertain);
        NanoDollars(open.map(|call| call.reserved).sum())
    };
    BudgetTotals {
        settled: NanoDollars(counted().filter_map(|call| call.settled).sum()),
        reserved: open(false),
        uncertain: open(true),
    }
}

/// Two processes and one ledger; what one of them commits, the other sees.
struct Interleaving<'a> {
    seed: u64,
    random: fastrand::Rng,
    ledger: &'a NewLedger,
    stores: [Process; 2],
    today: i64,
    calls: Vec<ModelCall>,
    /// The groups that the two keys are in.
    groups: [Option<GroupId>; 2],
}

impl Interleaving<'_> {
    fn step(&mut self) {
        let open: Vec<usize> = (0..self.calls.len()).filter(|n| self.calls[*n].is_open()).collect();
        let store = self.random.usize(..2);
        match self.random.u32(..13) {
            0..=4 => self.reserve(store),
            5 | 6 if !open.is_empty() => {
                let call = open[self.random.usize(..open.len())];
                self.settle(store, call);
            }
            7 if !open.is_empty() => {
                let call = &mut self.calls[open[self.random.usize(..open.len())]];
                call.uncertain = true;
                post(self.stores[store].as_mut(), &[settlement(call.id, Outcome::Uncertain)]);
            }
            8 => self.crash(store),
            9 => {
                self.stores[store].abandon_own().unwrap();
                self.lose(store);
            }
            10 => self.settle_late(store),
            11 => {
                let group = [None, Some(GroupId(1)), Some(GroupId(2))][self.random.usize(..3)];
                self.groups[self.random.usize(..2)] = group;
            }
            _ => {
                // Mostly forward, sometimes back.
                self.today += [1, 1, 0, -1, 12][self.random.usize(..5)];
                self.ledger.set_day(self.today);
            }
        }
    }

    /// Up to three calls in one transaction.
    fn reserve(&mut self, store: usize) {
        let key = [None, Some(KeyId(1)), Some(KeyId(2))][self.random.usize(..3)];
        let mut limits = vec![limit(None, Period::Day, 1000), limit(None, Period::Month, 4000)];
        limits.extend(key.map(|key| limit(Some(key), Period::Day, 300)));
        let group = key.and_then(|key| self.groups[usize::try_from(key.0).unwrap() - 1]);
        let pool = |group| BudgetLimit { holder: group_holder(group), period: Period::Week, amount: NanoDollars(700) };
        limits.extend(group.map(pool));
        let costs: Vec<CostRange> = (0..self.random.usize(1..4))
            .map(|_| {
                let full = self.random.u64(1..200);
                cost(full, self.random.u64(1..50).min(full))
            })
            .collect();
        let call = NewCall { group, ..new_call(key) };
        let request = |cost: &CostRange| ReserveRequest { call: &call, limits: &limits, cost: *cost, may_wait: false };
        let reservations: Vec<_> = costs.iter().map(request).collect();
        let outcomes = self.stores[store].post(&Batch { settlements: &[], reservations: &reservations }).unwrap();
        for (cost, outcome) in costs.iter().zip(outcomes) {
            let seed = self.seed;
            let left = limits
                .iter()
                .map(|limit| limit.amount - totals(&self.calls, &limit.holder, limit.period.start(self.today)).all());
            let left = left.min().unwrap();
            match outcome {
                ReserveOutcome::Reserved { id, amount, statuses, rates: _ } => {
                    assert_eq!(amount, cost.full.min(left), "seed {seed}");
                    assert!(statuses.iter().all(|status| status.totals.all() <= status.limit.amount), "seed {seed}");
                    let (day, reserved) = (self.today, amount.0);
                    let (settled, uncertain, successor) = (None, false, false);
                    self.calls.push(ModelCall {
                        id,
                        owner: store,
                        day,
                        key,
                        group,
                        reserved,
                        settled,
                        uncertain,
                        successor,
                        free: false,
                    });
                }
                ReserveOutcome::OverBudget(_) => {
                    assert!(cost.minimum > left, "seed {seed}: {cost:?} was refused with {left:?} left");
                }
                ReserveOutcome::OverRate(_) => panic!("seed {seed}: no key has such limits"),
                ReserveOutcome::Waiting => panic!("seed {seed}: nobody may wait"),
            }
        }
    }

    /// How a call can end, at a cost, and whether that is its successor's doing.
    fn outcome(&mut self, cost: u64) -> (Outcome, u64) {
        match self.random.u32(..3) {
            0 => (Outcome::Released, 0),
            1 => (Outcome::Estimated(NanoDollars(cost)), cost),
            _ => (Outcome::Settled(Usage::default(), Some(NanoDollars(cost))), cost),
        }
    }

    fn settle(&mut self, store: usize, n: usize) {
        let cost = self.random.u64(..=self.calls[n].reserved);
        let (outcome, cost) = self.outcome(cost);
        let call = &mut self.calls[n];
        (call.settled, call.successor) = (Some(cost), self.random.bool());
        call.free = outcome == Outcome::Released;
        let mut settled = settlement(call.id, outcome);
        if call.successor {
            settled.model = "us.successor".into();
        }
        // The first end stands.
        post(self.stores[store].as_mut(), &[settled, settlement(call.id, Outcome::Uncertain)]);
    }

    /// A call that could not be written when it began. It may overdraw a budget: it was let out without one.
    fn settle_late(&mut self, store: usize) {
        let (outcome, settled) = self.outcome(1);
        let group = self.groups[0];
        let call = NewCall { group, ..new_call(Some(KeyId(1))) };
        let call = SettledCall::Unwritten { call, reserved: NanoDollars(1), receipt: Receipt::new() };
        post(self.stores[store].as_mut(), &[Settlement { call, ..settlement(CallId(0), outcome) }]);
        let call = ModelCall {
            id: CallId(0),
            owner: store,
            day: self.today,
            key: Some(KeyId(1)),
            group,
            reserved: 1,
            free: outcome == Outcome::Released,
            settled: Some(settled),
            uncertain: false,
            successor: false,
        };
        self.calls.push(call);
    }

    /// A process is killed, the other one notices, and a person settles one of the calls that are uncertain by that.
    fn crash(&mut self, store: usize) {
        let killed = std::mem::replace(&mut self.stores[store], self.ledger.open());
        self.ledger.kill(killed);
        self.stores[1 - store].recover().unwrap();
        self.lose(store);
        let uncertain = self.calls.iter_mut().find(|call| call.settled.is_none() && call.uncertain);
        if let Some(call) = uncertain
            && self.random.bool()
        {
            call.settled = Some(7);
            assert_eq!(self.stores[store].correct(call.id, NanoDollars(7), true), Ok(Correction::Booked));
        }
    }

    fn lose(&mut self, store: usize) {
        let lost = self.calls.iter_mut().filter(|call| call.owner == store && call.is_open());
        lost.for_each(|call| call.uncertain = true);
    }

    fn compare(&mut self) {
        let keys = [KeyId(1), KeyId(2)].map(holder);
        let groups = [GroupId(1), GroupId(2)].map(group_holder);
        for holder in [Holder::All].into_iter().chain(keys).chain(groups) {
            for period in [Period::Day, Period::Week, Period::Month] {
                let limit = BudgetLimit { holder: holder.clone(), period, amount: NanoDollars(1) };
                let status = self.stores[0].statuses(&[limit]).unwrap().remove(0);
                let expected = totals(&self.calls, &holder, period.start(self.today));
                assert_eq!(status.totals, expected, "seed {}, {holder:?}", self.seed);
            }
            let spent = totals(&self.calls, &holder, i64::MIN).spent();
            assert_eq!(self.stores[1].spent(&holder), Ok(spent), "seed {}, {holder:?}", self.seed);
        }
    }

    fn compare_reports(&mut self) {
        let all = totals(&self.calls, &Holder::All, 0);
        for by in [By::Day, By::Model, By::Key, By::Group, By::Command] {
            let rows = self.stores[1].report(by, 0).unwrap();
            let sum = |amount: fn(&ReportRow) -> NanoDollars| rows.iter().map(amount).sum::<NanoDollars>();
            let reported = BudgetTotals {
                settled: sum(|row| row.sums.settled),
                reserved: sum(|row| row.sums.reserved),
                uncertain: sum(|row| row.sums.uncertain),
            };
            assert_eq!(reported, all, "seed {}, by {by:?}", self.seed);
            let counted = self.calls.iter().filter(|call| !call.free).count();
            assert_eq!(rows.iter().map(|row| row.sums.calls).sum::<u64>(), counted as u64);
        }
        let rows = self.stores[0].report(By::Model, 0).unwrap();
        let successor = rows.iter().find(|row| row.name.as_deref() == Some("us.successor")).unwrap();
        let settled = self.calls.iter().filter(|call| call.successor).filter_map(|call| call.settled);
        assert_eq!(successor.sums.settled.0, settled.sum::<u64>(), "seed {}", self.seed);
    }
}

fn books_what_a_plain_model_books(make: Make) {
    let mut seed = 0;
    while let Some(ledger) = make().filter(|ledger| seed < ledger.histories()) {
        let stores = [ledger.open(), ledger.open()];
        let random = fastrand::Rng::with_seed(seed);
        let mut interleaving =
            Interleaving { seed, random, ledger: &ledger, stores, today: 20_000, calls: Vec::new(), groups: [None; 2] };
        for _ in 0..150 {
            interleaving.step();
            interleaving.compare();
        }
        interleaving.compare_reports();
        seed += 1;
    }
}

fn opens_no_budget_again_when_a_clock_is_set_back(make: Make) {
    let Some(ledger) = make() else { return };
    let mut store = ledger.open();
    let limits = [limit(None, Period::Day, 100)];
    let mut fits = |amount| reserved(&reserve(store.as_mut(), None, &limits, cost(amount, amount))).is_some();
    assert!(fits(100));
    ledger.set_day(19_999);
    assert!(!fits(1), "yesterday is no way around today");
    ledger.set_day(20_001);
    assert!(fits(100), "tomorrow is another day");
}

fn counts_a_call_in_the_month_in_which_it_began(make: Make) {
    let Some(ledger) = make() else { return };
    // 30 November and 1 December 2026.
    let (november, december) = (20_787, 20_788);
    ledger.set_day(november);
    let mut store = ledger.open();
    let limits = [limit(None, Period::Month, 100)];
    let reserve = |store: &mut dyn Store| reserved(&reserve(store, None, &limits, cost(80, 80)));
    let (first, _) = reserve(store.as_mut()).unwrap();
    assert_eq!(reserve(store.as_mut()), None);
    ledger.set_day(december);
    let (second, _) = reserve(store.as_mut()).unwrap();
    let settled = Outcome::Settled(Usage::default(), Some(NanoDollars(70)));
    post(store.as_mut(), &[settlement(first, settled), settlement(second, settled)]);
    let rows = store.report(By::Day, 0).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.name.as_deref().unwrap(), row.sums.settled.0)).collect();
    assert_eq!(rows, [("2026-11-30", 70), ("2026-12-01", 70)]);
}

fn lists_uncertain_calls_and_takes_corrections(make: Make) {
    let Some(ledger) = make() else { return };
    let mut store = ledger.open();
    let mut call = || reserved(&reserve(store.as_mut(), None, &[], cost(90, 90))).unwrap().0;
    let (uncertain, settled) = (call(), call());
    let usage = Usage { input: 1, ..Usage::default() };
    let ends =
        [settlement(uncertain, Outcome::Uncertain), settlement(settled, Outcome::Settled(usage, Some(NanoDollars(5))))];
    post(store.as_mut(), &ends);
    let listed = UncertainCall {
        id: uncertain,
        began: 20_000 * super::DAY + super::DAY / 2,
        command: "ask".into(),
        key: None,
        model: "us.m".into(),
        reserved: NanoDollars(90),
        chatrix_request_id: Some("req_1".into()),
        bedrock_request_id: Some("aws-1".into()),
    };
    assert_eq!(store.uncertain_calls(), Ok(vec![listed]));
    assert_eq!(store.correct(CallId(99), NanoDollars(1), false), Ok(Correction::NoSuchCall));
    assert_eq!(store.correct(settled, NanoDollars(1), false), Ok(Correction::NotAllowed(CallState::Settled)));
    // A hand can slip.
    for amount in [90, 3] {
        assert_eq!(store.correct(uncertain, NanoDollars(amount), false), Ok(Correction::Booked));
    }
    let above = Correction::AboveReserved(NanoDollars(90));
    assert_eq!(store.correct(uncertain, NanoDollars(91), false), Ok(above));
    for amount in [91, 3] {
        assert_eq!(store.correct(uncertain, NanoDollars(amount), true), Ok(Correction::Booked));
    }
    assert_eq!(store.uncertain_calls(), Ok(Vec::new()));
    let settled = |settled| BudgetTotals { settled: NanoDollars(settled), ..BudgetTotals::default() };
    assert_eq!(store.statuses(&[limit(None, Period::Day, 9)]).unwrap()[0].totals, settled(8));
    // What Bedrock reports after all is right, and nobody corrects it.
    post(store.as_mut(), &[settlement(uncertain, Outcome::Settled(usage, Some(NanoDollars(40))))]);
    assert_eq!(store.statuses(&[limit(None, Period::Day, 9)]).unwrap()[0].totals, settled(45));
    assert_eq!(store.correct(uncertain, NanoDollars(1), false), Ok(Correction::NotAllowed(CallState::Settled)));
}

fn keeps_keys(make: Make) {
    fn new<'a>(hash: &'a str, limits: &'a KeyLimits, expires: Option<i64>) -> NewKey<'a> {
        NewKey { name: "laptop", hash, limits, expires, group: None }
    }
    let Some(ledger) = make() else { return };
    let (mut store, mut other) = (ledger.open(), ledger.open());
    let bare = KeyLimits::default();
    let limits = KeyLimits {
        request: None,
        day: Some(NanoDollars(5)),
        week: Some(NanoDollars(6)),
        month: Some(NanoDollars(u64::from(u32::MAX))),
        models: vec!["a".into(), "b".into()],
        rates: RateLimits { requests: NonZeroU32::new(7), tokens: None, running: NonZeroU32::new(u32::MAX) },
        overrides: KeyOverrides { max_tokens: Some(8), max_tokens_limit: Some(u32::MAX), prompt_cache: Some(false) },
    };
    assert_eq!(store.add_key(&new("hash-1", &limits, Some(7))), Ok(Addition::Added));
    assert_eq!(other.add_key(&new("hash-2", &bare, None)), Ok(Addition::NameTaken));
    let key = other.keys().unwrap().remove(0);
    assert_eq!((key.name.as_str(), key.hash.as_str(), key.revoked, &key.limits), ("laptop", "hash-1", None, &limits));
    assert_eq!((key.expires, &key.previous), (Some(7), &None));
    for (hash, until, expires, expected) in [
        ("hash-3", Some(50), None, (Some(7), Some(("hash-1", 50)))),
        ("hash-4", Some(60), Some(9), (Some(9), Some(("hash-3", 60)))),
        ("hash-5", None, None, (Some(9), None)),
    ] {
        let rotation = Rotation { hash: hash.into(), previous_until: until, expires };
        assert_eq!(store.rotate_key("laptop", &rotation), Ok(true));
        assert_eq!(store.rotate_key("nobody", &rotation), Ok(false));
        let rotated = other.keys().unwrap().remove(0);
        let previous = expected.1.map(|(hash, until)| PreviousToken { hash: hash.to_owned(), until });
        assert_eq!((rotated.id, rotated.hash.as_str()), (key.id, hash));
        assert_eq!((rotated.expires, rotated.previous), (expected.0, previous));
    }
    let (id, _) = reserved(&reserve(store.as_mut(), Some(key.id), &[], cost(90, 90))).unwrap();
    assert_eq!(other.spent(&holder(key.id)), Ok(NanoDollars(0)));
    post(store.as_mut(), &[settlement(id, Outcome::Uncertain)]);
    assert_eq!(other.spent(&holder(key.id)), Ok(NanoDollars(90)));
    assert_eq!(store.uncertain_calls().unwrap()[0].key.as_deref(), Some("laptop"));
    assert_eq!(store.report(By::Key, 0).unwrap()[0].name.as_deref(), Some("laptop"));
    assert_eq!((other.revoke_key("laptop"), store.revoke_key("laptop")), (Ok(true), Ok(false)));
    assert!(store.keys().unwrap()[0].revoked.is_some());
    assert_eq!(store.add_key(&new("hash-2", &bare, None)), Ok(Addition::Added));
    assert_eq!(store.keys().unwrap().len(), 2);
}

fn knows_what_another_process_has_changed(make: Make) {
    let Some(ledger) = make() else { return };
    let (mut store, mut other) = (ledger.open(), ledger.open());
    store.has_changed();
    assert!(!store.has_changed());
    reserve(store.as_mut(), None, &[], cost(1, 1));
    assert!(!store.has_changed(), "its own changes are known");
    other.statuses(&[limit(None, Period::Day, 1)]).unwrap();
    assert!(!store.has_changed(), "reading is no change");
    reserve(other.as_mut(), None, &[], cost(1, 1));
    assert!(store.has_changed());
    assert!(!store.has_changed());
}
