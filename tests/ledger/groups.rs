//! Groups of API keys, and what is audited, as every store must keep them.

use super::store::{post, reserved};
use super::{Make, cost, new_call, settlement, with_every_store};
use chatrix::catalog::NanoDollars;
use chatrix::conversation::Usage;
use chatrix::ledger::budget::{BudgetLimit, Holder, Period, PeriodLimits};
use chatrix::ledger::group::{GroupChange, GroupLimits, LimitChange, Move, PeriodChange, Removal};
use chatrix::ledger::key::{Addition, Key, KeyLimits, NewKey, Rotation};
use chatrix::ledger::report::By;
use chatrix::ledger::store::{Batch, ReserveOutcome, ReserveRequest, Store};
use chatrix::ledger::{CallId, NewCall, Outcome, WatchedBudgets};

with_every_store! {
    keeps_groups_and_their_keys,
    lets_the_keys_of_a_group_share_its_pool_wherever_they_are_moved,
    tells_once_that_a_pool_is_nearly_used_up,
    notes_every_change_that_was_made,
    puts_no_key_into_a_group_that_is_removed_at_that_moment,
}

const BARE: KeyLimits = KeyLimits {
    request: None,
    day: None,
    week: None,
    month: None,
    models: Vec::new(),
    rates: chatrix::ledger::RateLimits { requests: None, tokens: None, running: None },
    overrides: chatrix::policy::KeyOverrides { max_tokens: None, max_tokens_limit: None, prompt_cache: None },
};

fn add(store: &mut dyn Store, name: &str, group: Option<&str>) -> Addition {
    store.add_key(&NewKey { name, hash: &format!("hash of {name}"), limits: &BARE, expires: None, group }).unwrap()
}

fn day(amount: u64) -> GroupLimits {
    GroupLimits {
        pool: PeriodLimits { day: Some(NanoDollars(amount)), ..PeriodLimits::default() },
        each: PeriodLimits::default(),
    }
}

fn key(store: &mut dyn Store, name: &str) -> Key {
    store.keys().unwrap().into_iter().find(|key| key.name == name && key.revoked.is_none()).unwrap()
}

fn group_of(store: &mut dyn Store, name: &str) -> Option<(String, GroupLimits)> {
    key(store, name).group.map(|group| (group.name.clone(), group.limits))
}

fn keeps_groups_and_their_keys(make: Make) {
    let Some(ledger) = make() else { return };
    let (mut store, mut other) = (ledger.open(), ledger.open());
    let usd = |n| Some(NanoDollars(n));
    let limits = GroupLimits {
        pool: PeriodLimits { day: usd(1), week: usd(2), month: usd(3) },
        each: PeriodLimits { day: usd(4), week: None, month: usd(6) },
    };
    assert_eq!(store.add_group("research", limits), Ok(true));
    assert_eq!(other.add_group("research", day(9)), Ok(false));
    assert_eq!(add(store.as_mut(), "ana", Some("research")), Addition::Added);
    assert_eq!(add(store.as_mut(), "ben", Some("nobody")), Addition::NoSuchGroup);
    assert_eq!(add(store.as_mut(), "ben", None), Addition::Added);
    assert_eq!(group_of(other.as_mut(), "ana"), Some(("research".to_owned(), limits)));
    assert_eq!(group_of(other.as_mut(), "ben"), None);

    let each =
        PeriodChange { day: LimitChange::Remove, week: LimitChange::Set(NanoDollars(5)), ..PeriodChange::default() };
    let change = GroupChange { each, ..GroupChange::default() };
    let changed = GroupLimits { each: PeriodLimits { day: None, week: usd(5), month: usd(6) }, ..limits };
    assert_eq!(other.change_group("research", change), Ok(Some(changed)));
    assert_eq!(other.change_group("nobody", change), Ok(None));
    assert_eq!(group_of(store.as_mut(), "ana"), Some(("research".to_owned(), changed)), "in the next snapshot");

    for (name, group, expected) in [
        ("ben", Some("research"), Move::Moved),
        ("ben", Some("research"), Move::Unchanged),
        ("ben", Some("nobody"), Move::NoSuchGroup),
        ("carl", Some("research"), Move::NoSuchKey),
        ("ana", None, Move::Moved),
        ("ana", None, Move::Unchanged),
    ] {
        assert_eq!(other.move_key(name, group), Ok(expected), "{name} {group:?}");
    }
    assert_eq!((group_of(store.as_mut(), "ana"), group_of(store.as_mut(), "ben").is_some()), (None, true));

    assert_eq!(store.remove_group("nobody"), Ok(Removal::NoSuchGroup));
    assert_eq!(store.remove_group("research"), Ok(Removal::HasKeys(vec!["ben".into()])));
    assert_eq!(store.revoke_key("ben"), Ok(true));
    assert_eq!(store.remove_group("research"), Ok(Removal::Removed), "a revoked key is in nobody's way");
    assert_eq!(store.remove_group("research"), Ok(Removal::NoSuchGroup));
    assert_eq!(store.move_key("ana", Some("research")), Ok(Move::NoSuchGroup));
    // A group that is made anew under an old name is another one.
    assert_eq!(store.add_group("research", day(9)), Ok(true));
    let groups = other.groups().unwrap();
    assert_eq!(groups.iter().map(|group| group.removed.is_some()).collect::<Vec<_>>(), [true, false]);
    assert!(groups[0].id != groups[1].id);
}

/// Reserves for a key as it is now, under its pool, without waiting.
fn reserve(store: &mut dyn Store, name: &str, amount: u64) -> Option<CallId> {
    let key = key(store, name);
    let group = key.group.as_deref();
    let limits: Vec<BudgetLimit> = group
        .map(|group| BudgetLimit {
            holder: Holder::Group { id: group.id, name: group.name.clone() },
            period: Period::Day,
            amount: group.limits.pool.day.unwrap(),
        })
        .into_iter()
        .collect();
    let call = NewCall { group: group.map(|group| group.id), ..new_call(Some(key.id)) };
    let request = ReserveRequest { call: &call, limits: &limits, cost: cost(amount, amount), may_wait: false };
    let outcome = store.post(&Batch { settlements: &[], reservations: &[request] }).unwrap().remove(0);
    if let ReserveOutcome::OverBudget(status) = &outcome {
        assert!(status.limit.to_string().starts_with("day budget of group "), "{status}");
    }
    reserved(&outcome).map(|(id, _)| id)
}

fn lets_the_keys_of_a_group_share_its_pool_wherever_they_are_moved(make: Make) {
    let Some(ledger) = make() else { return };
    let (mut store, mut other) = (ledger.open(), ledger.open());
    assert_eq!((store.add_group("a", day(100)), store.add_group("b", day(100))), (Ok(true), Ok(true)));
    add(store.as_mut(), "ana", Some("a"));
    add(store.as_mut(), "ben", Some("a"));
    let first = reserve(store.as_mut(), "ana", 60).unwrap();
    assert_eq!(reserve(other.as_mut(), "ben", 50), None, "60 of the 100 that they share are reserved");
    let second = reserve(other.as_mut(), "ben", 40).unwrap();
    // The key is moved while its call runs.
    assert_eq!(other.move_key("ana", Some("b")), Ok(Move::Moved));
    let third = reserve(store.as_mut(), "ana", 90).unwrap();
    let ends = |id, cost| settlement(id, Outcome::Settled(Usage::default(), Some(NanoDollars(cost))));
    post(store.as_mut(), &[ends(first, 30), ends(third, 80)]);
    post(other.as_mut(), &[settlement(second, Outcome::Uncertain)]);
    let groups = store.groups().unwrap();
    let spent = |store: &mut dyn Store, n: usize| {
        let holder = Holder::Group { id: groups[n].id, name: groups[n].name.clone() };
        store.spent(&holder).unwrap().0
    };
    assert_eq!((spent(store.as_mut(), 0), spent(store.as_mut(), 1)), (70, 80), "each call stays where it began");
    // What a person says of an uncertain call counts there as well.
    store.correct(second, NanoDollars(10), false).unwrap();
    assert_eq!((spent(other.as_mut(), 0), spent(other.as_mut(), 1)), (40, 80));
    add(store.as_mut(), "carl", None);
    let alone = reserve(store.as_mut(), "carl", 7).unwrap();
    post(store.as_mut(), &[ends(alone, 7)]);
    let rows = other.report(By::Group, 0).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.name.as_deref(), row.sums.calls, row.sums.settled.0)).collect();
    assert_eq!(rows, [(Some("b"), 1, 80), (Some("a"), 2, 40), (None, 1, 7)]);
}

fn tells_once_that_a_pool_is_nearly_used_up(make: Make) {
    let Some(ledger) = make() else { return };
    let (mut store, mut other) = (ledger.open(), ledger.open());
    // A key and a group with the same number.
    store.add_group("a", day(100)).unwrap();
    add(store.as_mut(), "ana", Some("a"));
    add(store.as_mut(), "ben", Some("a"));
    let call = reserve(store.as_mut(), "ana", 85).unwrap();
    post(store.as_mut(), &[settlement(call, Outcome::Uncertain)]);
    let watched = WatchedBudgets::default();
    let told = |store: &mut dyn Store| -> Vec<(String, u8)> {
        let alerts = store.claim_alerts(&watched, 9, 1000).unwrap();
        alerts.iter().map(|alert| (alert.status.limit.to_string(), alert.threshold)).collect()
    };
    assert_eq!(told(store.as_mut()), [("day budget of group a".to_owned(), 80)]);
    assert!(told(other.as_mut()).is_empty(), "it is told once");
    assert_eq!(reserve(store.as_mut(), "ben", 20), None);
    let holder = Holder::Group { id: store.groups().unwrap()[0].id, name: "a".into() };
    store.note_refusal(&BudgetLimit { holder, period: Period::Day, amount: NanoDollars(100) }).unwrap();
    assert_eq!(told(other.as_mut()), [("day budget of group a".to_owned(), 100)]);
}

fn notes_every_change_that_was_made(make: Make) {
    let Some(ledger) = make() else { return };
    let mut store = ledger.open();
    store.add_group("a", day(100)).unwrap();
    store.add_group("a", day(100)).unwrap();
    add(store.as_mut(), "ana", Some("a"));
    add(store.as_mut(), "ana", Some("a"));
    let call = reserve(store.as_mut(), "ana", 85).unwrap();
    post(store.as_mut(), &[settlement(call, Outcome::Uncertain)]);
    ledger.set_day(20_001);
    store.correct(call, NanoDollars(3), false).unwrap();
    store.correct(CallId(99), NanoDollars(3), false).unwrap();
    store.move_key("ana", None).unwrap();
    store.move_key("ana", None).unwrap();
    let rotation = Rotation { hash: "secret".into(), previous_until: None, expires: None };
    assert!(store.rotate_key("ana", &rotation).unwrap() && !store.rotate_key("nobody", &rotation).unwrap());
    let same = GroupChange::default();
    let pool = PeriodChange { day: LimitChange::Set(NanoDollars(2_000_000_000)), ..PeriodChange::default() };
    store.change_group("a", same).unwrap();
    store.change_group("a", GroupChange { pool, ..same }).unwrap();
    store.revoke_key("ana").unwrap();
    store.revoke_key("ana").unwrap();
    store.remove_group("a").unwrap();
    store.accept().unwrap();
    let all = store.audit(0).unwrap();
    let told: Vec<_> = all.iter().map(|entry| (&*entry.action, &*entry.subject, &*entry.detail)).collect();
    assert_eq!(
        told,
        [
            ("group.added", "a", "day $0.0000001"),
            ("key.added", "ana", "in group a"),
            ("call.settled", "1", "booked $0.000000085 -> $0.000000003"),
            ("key.moved", "ana", "out of group a"),
            ("key.rotated", "ana", "the token before ended at once"),
            ("group.changed", "a", "day $0.0000001 -> $2.00"),
            ("key.revoked", "ana", ""),
            ("group.removed", "a", ""),
            ("ledger.accepted", "", ""),
        ]
    );
    assert!(all.iter().all(|entry| entry.actor == all[0].actor && entry.actor.contains('@')));
    assert_eq!(store.audit(all[2].at).unwrap(), all[2..]);
}

fn puts_no_key_into_a_group_that_is_removed_at_that_moment(make: Make) {
    let Some(ledger) = make() else { return };
    let (mut store, mut other) = (ledger.open(), ledger.open());
    for n in 0..30 {
        let (group, name) = (format!("g{n}"), format!("k{n}"));
        assert_eq!(store.add_group(&group, day(1)), Ok(true));
        let (added, removed) = std::thread::scope(|scope| {
            let adding = scope.spawn(|| add(store.as_mut(), &name, Some(&group)));
            let removing = scope.spawn(|| other.remove_group(&group).unwrap());
            (adding.join().unwrap(), removing.join().unwrap())
        });
        match (added, removed) {
            (Addition::Added, Removal::HasKeys(keys)) => assert_eq!(keys, [name]),
            (Addition::NoSuchGroup, Removal::Removed) => {}
            other => panic!("{other:?}"),
        }
    }
}
