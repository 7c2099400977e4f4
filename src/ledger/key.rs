//! API keys of `serve`: who may spend how much on which models. A token is shown once, when it is made. Only its
//! SHA-256 hash is kept, and hashes are compared in constant time.

use super::budget::{BudgetLimit, Holder, PeriodLimits};
use super::group::Group;
use super::ids::KeyId;
use super::moment::moment;
use super::rate::RateLimits;
use crate::catalog::NanoDollars;
use crate::policy::KeyOverrides;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::io;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The prefix of Chatrix's tokens. It distinguishes them from any other key that a client sends.
pub(crate) const PREFIX: &str = "sk-chatrix-";

/// A key, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: KeyId,
    pub name: String,
    /// The hash of its token, in hex.
    pub hash: String,
    /// When it was made (milliseconds since 1970).
    pub made: i64,
    /// When it was revoked (milliseconds since 1970).
    pub revoked: Option<i64>,
    /// When it expires (milliseconds since 1970).
    pub expires: Option<i64>,
    /// The token that it had before its last rotation.
    pub previous: Option<PreviousToken>,
    /// What it may spend, and on what. Its group may add to that: see [`budget_limits`](Self::budget_limits).
    pub limits: KeyLimits,
    /// The group that it is in.
    pub group: Option<Arc<Group>>,
}

/// A key that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    pub name: &'a str,
    /// The hash of its token, in hex.
    pub hash: &'a str,
    pub limits: &'a KeyLimits,
    /// When it expires (milliseconds since 1970).
    pub expires: Option<i64>,
    /// The name of the group that it is in.
    pub group: Option<&'a str>,
}

/// The result of adding a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addition {
    Added,
    /// A key of that name exists and is not revoked.
    NameTaken,
    NoSuchGroup,
}

/// A token that was replaced by a newer one of the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousToken {
    /// Its hash, in hex.
    pub hash: String,
    /// Until when it is still accepted (milliseconds since 1970).
    pub until: i64,
}

/// What the rotation of a key changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The hash of the new token, in hex.
    pub hash: String,
    /// Until when the token before it is accepted (milliseconds since 1970); `None` ends it at once.
    pub previous_until: Option<i64>,
    /// When the key expires from now on (milliseconds since 1970); `None` changes nothing.
    pub expires: Option<i64>,
}

/// A key that was found by one of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundKey<'a> {
    pub key: &'a Key,
    /// The token, if it is the one before the last rotation.
    pub previous: Option<&'a PreviousToken>,
}

/// What a key may spend, on what, and how fast.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyLimits {
    /// On one call.
    pub request: Option<NanoDollars>,
    /// In a day, in UTC.
    pub day: Option<NanoDollars>,
    /// In a week, in UTC.
    pub week: Option<NanoDollars>,
    /// In a month, in UTC.
    pub month: Option<NanoDollars>,
    /// The models it may ask, by name or id; all when empty.
    pub models: Vec<String>,
    /// What it may do in a minute, and at once.
    pub rates: RateLimits,
    /// What holds for its calls in place of what holds for others.
    pub overrides: KeyOverrides,
}

impl KeyLimits {
    /// These limits with what others set in their place. Nothing is taken away.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let Self { request, day, week, month, models, rates, overrides } = other;
        let RateLimits { requests, tokens, running } = *rates;
        Self {
            request: request.or(self.request),
            day: day.or(self.day),
            week: week.or(self.week),
            month: month.or(self.month),
            models: if models.is_empty() { self.models.clone() } else { models.clone() },
            rates: RateLimits {
                requests: requests.or(self.rates.requests),
                tokens: tokens.or(self.rates.tokens),
                running: running.or(self.rates.running),
            },
            overrides: self.overrides.with(*overrides),
        }
    }
}

impl Key {
    pub(crate) fn holder(&self) -> Holder {
        Holder::Key { id: self.id, name: self.name.clone() }
    }

    /// Its own limits for a day, a week and a month: those that were set for it, and else those that its group sets for
    /// each of its keys.
    pub(crate) fn own_limits(&self) -> impl Iterator<Item = BudgetLimit> + use<> {
        let KeyLimits { day, week, month, .. } = &self.limits;
        let each = self.group.as_ref().map(|group| group.limits.each).unwrap_or_default();
        PeriodLimits { day: *day, week: *week, month: *month }.or(each).of(self.holder())
    }

    /// The limits that the ledger watches for its calls: its own, and those that all keys of its group share.
    pub(crate) fn budget_limits(&self) -> impl Iterator<Item = BudgetLimit> + use<> {
        self.own_limits().chain(self.group.iter().flat_map(|group| group.pool_limits()).collect::<Vec<_>>())
    }
}

impl FoundKey<'_> {
    /// Why the token is no longer accepted, as a sentence; `None` while it is. `now`: milliseconds since 1970.
    pub(crate) fn refusal(&self, now: i64) -> Option<String> {
        let Key { name, revoked, expires, .. } = self.key;
        let over = |at: &i64| *at <= now;
        if revoked.is_some() {
            return Some(format!("the API key {name} is revoked"));
        }
        if let Some(at) = expires.filter(over) {
            return Some(format!("the API key {name} expired on {} UTC", moment(at)));
        }
        let until = self.previous.map(|token| token.until).filter(over)?;
        Some(format!("this token of the API key {name} was replaced, and was accepted until {} UTC", moment(until)))
    }
}

/// A new token, from the operating system's random bits.
///
/// # Errors
/// When the operating system has none.
pub(crate) fn new_token() -> io::Result<String> {
    Ok(format!("{PREFIX}{}", random_hex(32)?))
}

/// The hash of a token, in hex.
pub(crate) fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// The key with this token. Compares every key, so that the time it takes reveals nothing.
pub(crate) fn find_by_token<'a>(keys: &'a [Key], token: &str) -> Option<FoundKey<'a>> {
    let hash = hash(token);
    let is_same = |other: &str| bool::from(other.as_bytes().ct_eq(hash.as_bytes()));
    let mut found = None;
    for key in keys {
        if is_same(&key.hash) {
            found = Some(FoundKey { key, previous: None });
        }
        if let Some(previous) = key.previous.as_ref().filter(|previous| is_same(&previous.hash)) {
            found = Some(FoundKey { key, previous: Some(previous) });
        }
    }
    found
}

/// Random bytes in hex.
pub(super) fn random_hex(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(hex(&random))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::ledger::group::GroupLimits;
    use crate::ledger::ids::GroupId;

    #[test]
    fn a_token_finds_its_key_and_no_other() {
        let first = new_token().unwrap();
        let second = new_token().unwrap();
        assert!(first.starts_with(PREFIX) && first.len() == PREFIX.len() + 64 && first != second);
        let key = |id, token: &str| Key {
            id: KeyId(id),
            name: format!("k{id}"),
            hash: hash(token),
            made: 0,
            revoked: None,
            expires: None,
            previous: None,
            limits: KeyLimits { day: Some(NanoDollars(5)), ..KeyLimits::default() },
            group: None,
        };
        let keys = [key(1, &first), key(2, &second)];
        assert_eq!(find_by_token(&keys, &second).map(|found| found.key.id), Some(KeyId(2)));
        assert_eq!(find_by_token(&keys, &format!("{second}x")), None);
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let limits: Vec<String> = keys[0].budget_limits().map(|limit| limit.to_string()).collect();
        assert_eq!(limits, ["day budget of key k1"]);
    }

    #[test]
    fn tokens_end_when_they_are_revoked_expired_or_replaced() {
        let (old, new) = ("sk-chatrix-old", "sk-chatrix-new");
        let key = |revoked, expires, until| Key {
            id: KeyId(1),
            name: "k".into(),
            hash: hash(new),
            made: 0,
            revoked,
            expires,
            previous: Some(PreviousToken { hash: hash(old), until }),
            limits: KeyLimits::default(),
            group: None,
        };
        for (key, token, refusal) in [
            (key(None, None, 0), new, None),
            (key(None, Some(1001), 0), new, None),
            (key(None, None, 1001), old, None),
            (key(Some(5), None, 1001), new, Some("the API key k is revoked")),
            (key(None, Some(1000), 1001), new, Some("the API key k expired on 1970-01-01 00:00:01 UTC")),
            (key(None, Some(1000), 1001), old, Some("the API key k expired on 1970-01-01 00:00:01 UTC")),
            (
                key(None, Some(1001), 1000),
                old,
                Some("this token of the API key k was replaced, and was accepted until 1970-01-01 00:00:01 UTC"),
            ),
        ] {
            let found = find_by_token(std::slice::from_ref(&key), token).unwrap().refusal(1000);
            assert_eq!(found.as_deref(), refusal, "{token}");
        }
    }

    #[test]
    fn a_key_has_its_own_limits_and_else_those_for_each_key_of_its_group_and_shares_the_pool() {
        let usd = |n| Some(NanoDollars(n));
        let pool = PeriodLimits { day: usd(50), week: None, month: usd(900) };
        let each = PeriodLimits { day: usd(5), week: usd(20), month: None };
        let limits = GroupLimits { pool, each };
        let group = Arc::new(Group { id: GroupId(1), name: "research".into(), made: 0, removed: None, limits });
        let own = PeriodLimits { day: usd(7), ..PeriodLimits::default() };
        let pools = ["day budget of group research 50", "month budget of group research 900"];
        for (own, group, expected) in [
            (PeriodLimits::default(), None, &[][..]),
            (own, None, &["day budget of key k 7"]),
            (
                PeriodLimits::default(),
                Some(&group),
                &["day budget of key k 5", "week budget of key k 20", pools[0], pools[1]],
            ),
            (own, Some(&group), &["day budget of key k 7", "week budget of key k 20", pools[0], pools[1]]),
        ] {
            let PeriodLimits { day, week, month } = own;
            let key = Key {
                id: KeyId(1),
                name: "k".into(),
                hash: String::new(),
                made: 0,
                revoked: None,
                expires: None,
                previous: None,
                limits: KeyLimits { day, week, month, ..KeyLimits::default() },
                group: group.cloned(),
            };
            let limits: Vec<String> = key.budget_limits().map(|limit| format!("{limit} {}", limit.amount.0)).collect();
            assert_eq!(limits, expected);
        }
    }
}
