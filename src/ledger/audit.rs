//! Who changed what in the ledger by hand: keys, groups, and what is booked. Every store writes an entry in the
//! transaction that makes the change. No entry holds a token or its hash.

use super::actor::actor;
use super::clock::Clock;
use super::group::GroupLimits;
use super::ids::CallId;
use super::key::{KeyLimits, NewKey, Rotation};
use super::limit::PeriodLimits;
use super::moment::moment;
use crate::catalog::NanoDollars;

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When (milliseconds since 1970).
    pub at: i64,
    /// Who: user and machine, `ana@build-1`.
    pub actor: String,
    /// What was done, such as `key.added`.
    pub action: String,
    /// The name of the key or the group, or the number of the call; empty for the ledger as a whole.
    pub subject: String,
    /// What it changed, for people.
    pub detail: String,
}

/// Who makes a change, and when.
#[derive(Debug, Clone)]
pub(super) struct Author {
    /// Milliseconds since 1970.
    pub at: i64,
    pub actor: String,
}

impl Author {
    /// Whoever runs this process. The operating system may take its time to name them, so no transaction waits for that.
    pub(super) fn now(clock: &Clock) -> Self {
        Self { at: clock.now(), actor: actor() }
    }
}

/// A change that is being made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'a> {
    KeyAdded(&'a NewKey<'a>),
    KeyRotated {
        name: &'a str,
        rotation: &'a Rotation,
    },
    KeyRevoked {
        name: &'a str,
    },
    KeyMoved {
        name: &'a str,
        from: Option<&'a str>,
        to: Option<&'a str>,
    },
    GroupAdded {
        name: &'a str,
        limits: GroupLimits,
    },
    GroupChanged {
        name: &'a str,
        before: GroupLimits,
        after: GroupLimits,
    },
    GroupRemoved {
        name: &'a str,
    },
    /// A person has said what a call cost, of which this much was booked.
    CallSettled {
        id: CallId,
        booked: NanoDollars,
        cost: NanoDollars,
    },
    LedgerAccepted,
    /// All of another ledger was copied here.
    LedgerCopied {
        calls: u64,
        spent: NanoDollars,
    },
}

impl Change<'_> {
    pub(super) fn entry(&self, author: &Author) -> AuditEntry {
        let (action, subject) = match *self {
            Self::KeyAdded(key) => ("key.added", key.name.to_owned()),
            Self::KeyRotated { name, .. } => ("key.rotated", name.to_owned()),
            Self::KeyRevoked { name } => ("key.revoked", name.to_owned()),
            Self::KeyMoved { name, .. } => ("key.moved", name.to_owned()),
            Self::GroupAdded { name, .. } => ("group.added", name.to_owned()),
            Self::GroupChanged { name, .. } => ("group.changed", name.to_owned()),
            Self::GroupRemoved { name } => ("group.removed", name.to_owned()),
            Self::CallSettled { id, .. } => ("call.settled", id.to_string()),
            Self::LedgerAccepted => ("ledger.accepted", String::new()),
            Self::LedgerCopied { .. } => ("ledger.copied", String::new()),
        };
        let Author { at, actor } = author.clone();
        AuditEntry { at, actor, action: action.to_owned(), subject, detail: self.detail() }
    }

    fn detail(&self) -> String {
        let until = |at: i64| format!("{} UTC", moment(at));
        match self {
            Self::KeyAdded(NewKey { name: _, hash: _, limits, expires, group }) => {
                let group = group.map(|group| format!("in group {group}"));
                let expires = expires.map(|at| format!("expires {}", until(at)));
                joined([group, Some(key_limits(limits)), expires])
            }
            Self::KeyRotated { name: _, rotation: Rotation { hash: _, previous_until, expires } } => {
                let previous = match previous_until {
                    Some(at) => format!("the token before is accepted until {}", until(*at)),
                    None => "the token before ended at once".to_owned(),
                };
                joined([Some(previous), expires.map(|at| format!("expires {}", until(at)))])
            }
            Self::KeyMoved { name: _, from, to } => {
                let from = from.map(|from| format!("out of group {from}"));
                joined([from, to.map(|to| format!("into group {to}"))])
            }
            Self::GroupAdded { name: _, limits: GroupLimits { pool, each } } => joined([
                Some(changes("", PeriodLimits::default(), *pool)),
                Some(changes(EACH, PeriodLimits::default(), *each)),
            ]),
            Self::GroupChanged { name: _, before, after } => {
                joined([Some(changes("", before.pool, after.pool)), Some(changes(EACH, before.each, after.each))])
            }
            Self::CallSettled { id: _, booked, cost } => changed("booked", Some(*booked), Some(*cost)),
            Self::LedgerCopied { calls, spent } => format!("{calls} calls, {} spent", spent.exact()),
            Self::KeyRevoked { .. } | Self::GroupRemoved { .. } | Self::LedgerAccepted => String::new(),
        }
    }
}

/// What stands before the limits that a group sets for each of its keys.
const EACH: &str = "each key's ";

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// What a new key may spend. What else it may do is shown by `chatrix keys list`.
fn key_limits(limits: &KeyLimits) -> String {
    let KeyLimits { request, day, week, month, .. } = limits;
    let call = request.map(|amount| changed("call", None, Some(amount)));
    let periods = PeriodLimits { day: *day, week: *week, month: *month };
    joined([call, Some(changes("", PeriodLimits::default(), periods))])
}

/// The limits that differ, each before and after.
fn changes(of: &str, before: PeriodLimits, after: PeriodLimits) -> String {
    let periods =
        [("day", before.day, after.day), ("week", before.week, after.week), ("month", before.month, after.month)];
    let change = |(period, before, after)| (before != after).then(|| changed(&format!("{of}{period}"), before, after));
    joined(periods.map(change))
}

/// `day $5.00`, or where there was an amount before `day $5.00 -> none`.
fn changed(what: &str, before: Option<NanoDollars>, after: Option<NanoDollars>) -> String {
    let after = after.map_or_else(|| "none".to_owned(), NanoDollars::exact);
    match before {
        Some(before) => format!("{what} {} -> {after}", before.exact()),
        None => format!("{what} {after}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(dollars: u64) -> NanoDollars {
        NanoDollars(dollars * 1_000_000_000)
    }

    /// Checks what is written about each change: what was done, to what, and what that changed.
    fn check(changes: &[(Change<'_>, &str, &str, &str)]) {
        for (change, action, subject, detail) in changes {
            let entry = change.entry(&Author::now(&Clock::new(|| 5)));
            let AuditEntry { at, actor, action: did, subject: of, detail: what } = entry;
            assert_eq!((at, did.as_str(), of.as_str(), what.as_str()), (5, *action, *subject, *detail));
            assert!(actor.contains('@') && !what.contains("secret"));
        }
    }

    #[test]
    fn a_change_of_a_key_says_what_and_never_a_hash() {
        let limits = KeyLimits { request: Some(usd(1)), day: Some(usd(5)), ..KeyLimits::default() };
        let new = NewKey { name: "ana", hash: "secret", limits: &limits, expires: Some(0), group: Some("research") };
        let bare = NewKey { limits: &KeyLimits::default(), expires: None, group: None, ..new };
        let rotation = Rotation { hash: "secret".into(), previous_until: Some(0), expires: Some(0) };
        let ended = Rotation { previous_until: None, expires: None, ..rotation.clone() };
        let (name, time) = ("ana", "1970-01-01 00:00:00 UTC");
        let added = format!("in group research, call $1.00, day $5.00, expires {time}");
        let rotated = format!("the token before is accepted until {time}, expires {time}");
        let moved = Change::KeyMoved { name, from: Some("a"), to: Some("b") };
        check(&[
            (Change::KeyAdded(&new), "key.added", name, &added),
            (Change::KeyAdded(&bare), "key.added", name, ""),
            (Change::KeyRotated { name, rotation: &rotation }, "key.rotated", name, &rotated),
            (Change::KeyRotated { name, rotation: &ended }, "key.rotated", name, "the token before ended at once"),
            (Change::KeyRevoked { name }, "key.revoked", name, ""),
            (moved, "key.moved", name, "out of group a, into group b"),
        ]);
    }

    #[test]
    fn a_change_of_a_group_or_of_what_is_booked_says_what() {
        let day = |dollars| PeriodLimits { day: Some(usd(dollars)), ..PeriodLimits::default() };
        let before = GroupLimits { pool: day(50), each: PeriodLimits { week: Some(usd(9)), ..day(5) } };
        let after = GroupLimits { pool: day(60), each: day(5) };
        let name = "research";
        let added = "day $50.00, each key's day $5.00, each key's week $9.00";
        let changed = "day $50.00 -> $60.00, each key's week $9.00 -> none";
        let settled = Change::CallSettled { id: CallId(7), booked: NanoDollars(90), cost: NanoDollars(3) };
        let copied = Change::LedgerCopied { calls: 12, spent: usd(3) };
        check(&[
            (Change::GroupAdded { name, limits: before }, "group.added", name, added),
            (Change::GroupChanged { name, before, after }, "group.changed", name, changed),
            (Change::GroupRemoved { name }, "group.removed", name, ""),
            (settled, "call.settled", "7", "booked $0.00000009 -> $0.000000003"),
            (Change::LedgerAccepted, "ledger.accepted", "", ""),
            (copied, "ledger.copied", "", "12 calls, $3.00 spent"),
        ]);
    }
}
