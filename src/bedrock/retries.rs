//! Sends a call again after a failure that cannot have generated anything. All calls of the process share a quota of such
//! repetitions, as in the standard mode of AWS's SDKs
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>): when AWS refuses everybody, more
//! requests are no help.

use super::sending::Sending;
use crate::error::{Error, Kind, Result, Retry};
use crate::telemetry::Telemetry;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The most times that a call is sent, unless its caller retries too.
pub const MAX_ATTEMPTS: u32 = 3;
/// The longest wait before another attempt. When AWS asks for a longer one, the caller gets its refusal instead.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The wait before the second attempt, where AWS has refused for now and names no time.
const REFUSED_WAIT: Duration = Duration::from_secs(1);
/// The wait before the second attempt after any other failure.
const FAILED_WAIT: Duration = Duration::from_millis(100);

/// The tokens of the quota when it is full.
const CAPACITY: u32 = 500;
/// What a repetition costs (tokens).
const FAILED_COST: u32 = 5;
/// What a repetition costs after a connection could not be made.
const UNREACHABLE_COST: u32 = 10;
/// What a repetition costs after AWS has refused for now. AWS's tools take 5, for the few calls of one program; a gateway
/// has many callers, whom AWS throttles all at once.
const REFUSED_COST: u32 = 25;
/// What a call that succeeds at once gives back.
const REWARD: u32 = 1;

/// The repetitions of all calls.
#[derive(Debug)]
pub(super) struct Retries {
    quota: AtomicU32,
    telemetry: Telemetry,
}

impl Retries {
    pub(super) fn new(telemetry: Telemetry) -> Self {
        Self { quota: AtomicU32::new(CAPACITY), telemetry }
    }

    /// Calls `send` until it succeeds, up to `sending.attempts` times in all.
    ///
    /// # Errors
    /// The last failure.
    pub(super) async fn run<T, F: Future<Output = Result<T>>>(
        &self,
        sending: &Sending,
        mut send: impl FnMut() -> F,
    ) -> Result<T> {
        let mut attempt = 1;
        let mut spent = REWARD;
        loop {
            let result = send().await;
            self.telemetry.tried(attempt, result.as_ref().err().map(|error| error.kind));
            let error = match result {
                Ok(answer) => {
                    self.give_back(spent);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            if attempt >= sending.attempts || error.retry() != Retry::Free {
                return Err(error);
            }
            let wait = wait(&error, attempt, fastrand::f32());
            let cost = cost(error.kind);
            if wait > MAX_WAIT || !self.take(cost) {
                return Err(error);
            }
            spent = cost;
            tokio::time::sleep(wait).await;
            attempt += 1;
            sending.is_repeated();
        }
    }

    /// Whether the quota allows a repetition.
    fn take(&self, cost: u32) -> bool {
        let taken = |left: u32| left.checked_sub(cost);
        self.quota.fetch_update(Ordering::SeqCst, Ordering::SeqCst, taken).is_ok()
    }

    fn give_back(&self, tokens: u32) {
        let more = |left: u32| Some(left.saturating_add(tokens).min(CAPACITY));
        // The function never refuses.
        let _ = self.quota.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
    }
}

fn is_refused_for_now(kind: Kind) -> bool {
    matches!(kind, Kind::Throttled | Kind::Unavailable | Kind::ModelNotReady)
}

fn cost(kind: Kind) -> u32 {
    match kind {
        Kind::Unreachable => UNREACHABLE_COST,
        kind if is_refused_for_now(kind) => REFUSED_COST,
        _ => FAILED_COST,
    }
}

/// How long to wait after a failed attempt. `random` is from 0 to 1, so that callers who were refused together do not all
/// return at the same time. A wait that AWS asks for is never cut short.
fn wait(error: &Error, attempt: u32, random: f32) -> Duration {
    if let Some(asked) = error.retry_after {
        return asked.max(FAILED_WAIT) + FAILED_WAIT.mul_f32(random);
    }
    let first = if is_refused_for_now(error.kind) { REFUSED_WAIT } else { FAILED_WAIT };
    (first * 2u32.saturating_pow(attempt - 1)).mul_f32(0.5 + random / 2.0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    fn error(kind: Kind, asked: Option<u64>) -> Error {
        Error { retry_after: asked.map(Duration::from_millis), ..Error::new(kind, "x") }
    }

    #[test]
    fn a_wait_is_what_aws_asks_for_or_grows() {
        let milliseconds = |error, attempt, random| u64::try_from(wait(&error, attempt, random).as_millis()).unwrap();
        for (error, attempt, least, most) in [
            (error(Kind::Throttled, Some(2500)), 1, 2500, 2600),
            (error(Kind::Throttled, Some(2500)), 2, 2500, 2600),
            (error(Kind::Throttled, Some(0)), 1, 100, 200),
            (error(Kind::Throttled, None), 1, 500, 1000),
            (error(Kind::ModelNotReady, None), 2, 1000, 2000),
            (error(Kind::Unreachable, None), 1, 50, 100),
            (error(Kind::Unreachable, None), 2, 100, 200),
        ] {
            assert_eq!(milliseconds(error.clone(), attempt, 0.0), least, "{error:?}");
            assert_eq!(milliseconds(error.clone(), attempt, 1.0), most, "{error:?}");
        }
    }

    fn up_to(attempts: u32) -> Sending {
        Sending { attempts, sent: Arc::default(), request: None, trace: None }
    }

    /// The attempts that `calls` calls at once make, which all fail in this way.
    async fn attempts(calls: usize, kind: Kind) -> usize {
        let retries = Retries::new(Telemetry::default());
        let attempts = AtomicUsize::new(0);
        let call = || async {
            let send = || async {
                attempts.fetch_add(1, Ordering::SeqCst);
                Err::<(), Error>(error(kind, Some(0)))
            };
            assert!(retries.run(&up_to(MAX_ATTEMPTS), send).await.is_err());
        };
        futures_util::future::join_all((0..calls).map(|_| call())).await;
        attempts.into_inner()
    }

    #[tokio::test]
    async fn calls_share_one_quota_of_repetitions() {
        for (kind, repetitions) in
            [(Kind::Throttled, 20), (Kind::Unavailable, 20), (Kind::Unreachable, 50), (Kind::InvalidRequest, 0)]
        {
            assert_eq!(attempts(60, kind).await, 60 + repetitions, "{kind:?}");
        }
    }

    #[tokio::test]
    async fn success_fills_the_quota() {
        let retries = Retries::new(Telemetry::default());
        assert!(retries.take(CAPACITY) && !retries.take(1));
        for _ in 0..REFUSED_COST {
            retries.run(&up_to(1), || async { Ok(()) }).await.unwrap();
        }
        let first = AtomicUsize::new(0);
        let once_refused = || async {
            if first.fetch_add(1, Ordering::SeqCst) == 0 { Err(error(Kind::Throttled, Some(0))) } else { Ok(()) }
        };
        retries.run(&up_to(2), once_refused).await.unwrap();
        assert_eq!(retries.quota.load(Ordering::SeqCst), REFUSED_COST, "a repetition that succeeds costs nothing");
    }
}
