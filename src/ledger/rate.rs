//! The limits of an API key on requests and tokens a minute and on running calls. Pure rules: the store reads the counts
//! in the transaction that also books the call, so that a limit holds exactly over all processes.

use crate::conversation::Usage;
use std::num::NonZeroU32;
use std::time::Duration;

/// The length of the sliding window in which requests and tokens are counted (milliseconds).
pub(super) const WINDOW: i64 = 60_000;

/// What a key may do in a minute, and at once. `None` means that there is no such limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimits {
    /// Calls that begin in any 60 seconds.
    pub requests: Option<NonZeroU32>,
    /// Tokens of the calls that begin in any 60 seconds.
    pub tokens: Option<NonZeroU32>,
    /// Calls that run at once.
    pub running: Option<NonZeroU32>,
}

impl RateLimits {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a call of a key with such limits asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateRequest {
    pub limits: RateLimits,
    /// The most tokens that the call can use: its input and its longest answer.
    pub tokens: u64,
}

/// What a key has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RateUse {
    /// Its calls in the window.
    pub requests: u64,
    /// Their tokens.
    pub tokens: u64,
    /// Its running calls.
    pub running: u64,
}

/// A call in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecentCall {
    /// When it began (milliseconds since 1970).
    pub at: i64,
    pub tokens: u64,
}

/// What is left of a key's limits when a call begins, which is counted already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateStatus {
    pub limits: RateLimits,
    pub requests_left: u64,
    pub tokens_left: u64,
}

impl RateStatus {
    /// When all of a key's limit on requests or tokens can be used again, if no more calls come.
    pub(crate) const RESETS_AFTER: Duration = Duration::from_millis(WINDOW.unsigned_abs());
}

/// Why a limit of its key refuses a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateRefusal {
    /// Too many calls have begun; after `wait`, one more can.
    Requests { limit: NonZeroU32, wait: Duration },
    /// The calls that have begun can use, or have used, too many tokens; after `wait`, this call fits.
    Tokens { limit: NonZeroU32, used: u64, needed: u64, wait: Duration },
    /// Too many calls are running.
    Running { limit: NonZeroU32 },
    /// The call alone can use more tokens than the limit.
    TooLarge { limit: NonZeroU32, needed: u64 },
}

/// Whether a key's limits let a call begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RateDecision {
    Grant(RateStatus),
    /// Not yet: too many calls are running.
    Wait,
    Refuse(RateRefusal),
}

impl RateRequest {
    /// Decides whether a call may begin. `recent` gives the calls in the window, oldest first; it is asked only when they
    /// stand in the way. `now`: milliseconds since 1970. `may_wait`: whether the call can wait for running calls.
    pub(super) fn decide<E>(
        self,
        used: RateUse,
        now: i64,
        may_wait: bool,
        recent: impl FnOnce() -> Result<Vec<RecentCall>, E>,
    ) -> Result<RateDecision, E> {
        let Self { limits, tokens: needed } = self;
        let refuse = |refusal| Ok(RateDecision::Refuse(refusal));
        if let Some(limit) = limits.tokens.filter(|limit| needed > in_full(*limit)) {
            return refuse(RateRefusal::TooLarge { limit, needed });
        }
        if let Some(limit) = limits.requests.filter(|limit| used.requests >= in_full(*limit)) {
            let wait = until_fits(&recent()?, used.requests - in_full(limit) + 1, |_| 1, now);
            return refuse(RateRefusal::Requests { limit, wait });
        }
        if let Some(limit) = limits.tokens.filter(|limit| used.tokens.saturating_add(needed) > in_full(*limit)) {
            let excess = used.tokens.saturating_add(needed) - in_full(limit);
            let wait = until_fits(&recent()?, excess, |call| call.tokens, now);
            return refuse(RateRefusal::Tokens { limit, used: used.tokens, needed, wait });
        }
        if let Some(limit) = limits.running.filter(|limit| used.running >= in_full(*limit)) {
            return if may_wait { Ok(RateDecision::Wait) } else { refuse(RateRefusal::Running { limit }) };
        }
        let left = |limit: Option<NonZeroU32>, used| limit.map_or(0, in_full).saturating_sub(used);
        Ok(RateDecision::Grant(RateStatus {
            limits,
            requests_left: left(limits.requests, used.requests + 1),
            tokens_left: left(limits.tokens, used.tokens.saturating_add(needed)),
        }))
    }
}

/// How long it takes until calls that count for as much as `excess` have left the window.
fn until_fits(recent: &[RecentCall], excess: u64, counts: impl Fn(&RecentCall) -> u64, now: i64) -> Duration {
    let mut left = 0_u64;
    let last = recent.iter().find(|call| {
        left = left.saturating_add(counts(call));
        left >= excess
    });
    let until = last.map_or(now, |call| call.at.saturating_add(WINDOW));
    Duration::from_millis(u64::try_from(until.saturating_sub(now)).unwrap_or(0))
}

fn in_full(limit: NonZeroU32) -> u64 {
    u64::from(limit.get())
}

/// The tokens that a call with this usage counts for.
pub(super) fn used_tokens(usage: &Usage) -> u64 {
    let counts = [usage.input, usage.output, usage.cache_read, usage.cache_write()];
    counts.into_iter().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const NOW: i64 = 1_000_000;

    fn limits(requests: u32, tokens: u32, running: u32) -> RateLimits {
        let [requests, tokens, running] = [requests, tokens, running].map(NonZeroU32::new);
        RateLimits { requests, tokens, running }
    }

    fn decide(limits: RateLimits, tokens: u64, used: RateUse, may_wait: bool) -> RateDecision {
        // Calls of 10 tokens each that began 50, 40, 30 … seconds ago.
        let recent = (0..used.requests)
            .map(|n| RecentCall { at: NOW - 50_000 + 10_000 * i64::try_from(n).unwrap_or(0), tokens: 10 });
        let recent = || Ok::<_, Infallible>(recent.collect());
        let Ok(decision) = RateRequest { limits, tokens }.decide(used, NOW, may_wait, recent);
        decision
    }

    #[test]
    fn each_limit_refuses_what_is_beyond_it_and_says_when_it_fits() {
        let used = |requests, running| RateUse { requests, tokens: 10 * requests, running };
        let limit = |limit| NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN);
        let seconds = Duration::from_secs;
        let granted =
            |limits, requests_left, tokens_left| RateDecision::Grant(RateStatus { limits, requests_left, tokens_left });
        let requests = |n, wait| RateDecision::Refuse(RateRefusal::Requests { limit: limit(n), wait: seconds(wait) });
        let tokens = |used, needed, wait| {
            RateDecision::Refuse(RateRefusal::Tokens { limit: limit(40), used, needed, wait: seconds(wait) })
        };
        let all = limits(3, 40, 2);
        for (limits, needed, used, may_wait, expected) in [
            (all, 10, used(0, 0), true, granted(all, 2, 30)),
            (all, 10, used(2, 1), true, granted(all, 0, 10)),
            // The oldest of three leaves in ten seconds, the third oldest of five in thirty.
            (all, 10, used(3, 0), true, requests(3, 10)),
            (all, 10, used(5, 0), true, requests(3, 30)),
            (limits(0, 40, 0), 40, used(0, 0), true, granted(limits(0, 40, 0), 0, 0)),
            (limits(0, 40, 0), 41, used(0, 0), true, {
                RateDecision::Refuse(RateRefusal::TooLarge { limit: limit(40), needed: 41 })
            }),
            (limits(0, 40, 0), 10, used(4, 0), true, tokens(40, 10, 10)),
            (limits(0, 40, 0), 11, used(4, 0), true, tokens(40, 11, 20)),
            (limits(0, 40, 0), 40, used(4, 0), true, tokens(40, 40, 40)),
            (all, 10, used(2, 2), true, RateDecision::Wait),
            (all, 10, used(2, 2), false, RateDecision::Refuse(RateRefusal::Running { limit: limit(2) })),
            (limits(0, 0, 1), u64::MAX, used(9, 0), true, granted(limits(0, 0, 1), 0, 0)),
        ] {
            assert_eq!(decide(limits, needed, used, may_wait), expected, "{limits:?} {needed} {used:?}");
        }
    }

    #[test]
    fn cached_tokens_are_tokens() {
        let usage = Usage { input: 7, output: 5, cache_read: 3, cache_write_5m: 2, cache_write_1h: 1 };
        assert_eq!(used_tokens(&usage), 18);
    }
}
