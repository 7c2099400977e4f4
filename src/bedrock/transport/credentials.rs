//! The credentials that sign requests: loaded once for all callers, kept until they expire or AWS refuses them, renewed
//! ahead of their end while calls go on, and checked on their way from the SDK's providers (docs/credentials.md §5).

use super::environment::is_key;
use crate::telemetry::Telemetry;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use std::error::Error as StdError;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How long before their end credentials are not used any more.
const BEFORE_EXPIRY: Duration = Duration::from_secs(10);
/// How long before that others are loaded, while calls go on with these: at most a third of the time that is left.
const AHEAD: Duration = Duration::from_mins(5);
/// How long credentials are kept that do not say when they expire.
const KEPT: Duration = Duration::from_mins(15);
/// How long all callers share what a load has brought, if that is no help: a failure, or keys that AWS has refused.
const SHARED: Duration = Duration::from_secs(1);
/// The wait before a second look at files that may just be written.
const BEING_WRITTEN: Duration = Duration::from_millis(100);

/// Builds the SDK's chain of providers. A new one reads the files of profiles again, which each chain reads only once.
pub(super) type Providers = Arc<dyn Fn() -> BoxFuture<'static, Option<SharedCredentialsProvider>> + Send + Sync>;
type Outcome = Result<Credentials, Arc<CredentialsError>>;

/// Loads credentials with a time limit, and refuses those that cannot be part of an HTTP header: they make the signer
/// panic. All copies share what was loaded.
#[derive(Clone)]
pub(super) struct CheckedCredentials {
    providers: Providers,
    /// How long a provider may take.
    limit: Duration,
    state: Arc<Mutex<State>>,
    telemetry: Telemetry,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    failed: Option<(Instant, Arc<CredentialsError>)>,
    /// The load that is under way. It goes on when those who wait for it are gone.
    loading: Option<Shared<BoxFuture<'static, Outcome>>>,
    /// Whether AWS has refused what was loaded before.
    is_renewal: bool,
    /// Whether a load has ended.
    has_loaded: bool,
}

struct Kept {
    credentials: Credentials,
    loaded: Instant,
    /// From when on others are loaded.
    renew_at: SystemTime,
    until: SystemTime,
}

impl fmt::Debug for CheckedCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CheckedCredentials")
    }
}

impl CheckedCredentials {
    pub(super) fn new(providers: Providers, limit: Duration, telemetry: Telemetry) -> Self {
        Self { providers, limit, state: Arc::default(), telemetry }
    }

    /// The credentials that are kept, or new ones.
    ///
    /// # Errors
    /// Whatever the provider says.
    pub(super) async fn provide(&self) -> provider::Result {
        let loading = {
            let mut state = self.state();
            let now = SystemTime::now();
            let has_failed = state.failed.as_ref().is_some_and(|(at, _)| at.elapsed() < SHARED);
            if let Some(kept) = state.kept.as_ref().filter(|kept| kept.until > now) {
                let credentials = kept.credentials.clone();
                if kept.renew_at <= now && state.loading.is_none() && !has_failed {
                    // It goes on by itself.
                    state.loading = Some(self.start_loading());
                }
                return Ok(credentials);
            }
            if let Some((_, error)) = state.failed.as_ref().filter(|_| has_failed) {
                return Err(repeated(error));
            }
            state.loading.get_or_insert_with(|| self.start_loading()).clone()
        };
        loading.await.map_err(|error| repeated(&error))
    }

    /// Drops credentials that AWS has refused, unless others are there already, and loads new ones. `None` when they
    /// cannot be loaded, or are the same.
    pub(super) async fn renewed(&self, refused: &Credentials) -> Option<Credentials> {
        {
            let mut state = self.state();
            if let Some(kept) = state.kept.as_ref().filter(|kept| is_same(&kept.credentials, refused)) {
                if state.is_renewal && kept.loaded.elapsed() < SHARED {
                    return None;
                }
                state.kept = None;
                state.is_renewal = true;
            }
        }
        self.provide().await.ok().filter(|credentials| !is_same(credentials, refused))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_loading(&self) -> Shared<BoxFuture<'static, Outcome>> {
        let this = self.clone();
        let task = tokio::spawn(async move {
            let outcome = this.load_for_all().await.map_err(Arc::new);
            if this.state().finish(&outcome) {
                this.telemetry.credentials_renewed(outcome.is_ok());
            }
            outcome
        });
        let gone = |_| Err(Arc::new(CredentialsError::unhandled("the load was interrupted")));
        task.map(move |outcome| outcome.unwrap_or_else(gone)).boxed().shared()
    }

    async fn load_for_all(&self) -> provider::Result {
        let is_renewal = self.state().is_renewal;
        match self.load().await {
            // A file that is being written holds nothing, or half of it.
            Err(error) if is_renewal && !matches!(error, CredentialsError::ProviderTimedOut(_)) => {
                tokio::time::sleep(BEING_WRITTEN).await;
                self.load().await
            }
            loaded => loaded,
        }
    }

    async fn load(&self) -> provider::Result {
        let loading = AssertUnwindSafe(async {
            match (self.providers)().await {
                Some(provider) => provider.provide_credentials().await,
                None => Err(CredentialsError::not_loaded_no_source()),
            }
        });
        match tokio::time::timeout(self.limit, loading.catch_unwind()).await {
            Ok(Ok(loaded)) => check(loaded?),
            Ok(Err(_)) => Err(CredentialsError::invalid_configuration("the AWS SDK cannot use these settings")),
            Err(_) => Err(CredentialsError::provider_timed_out(self.limit)),
        }
    }
}

impl State {
    /// Takes what a load has brought. Gives whether it was not the first.
    fn finish(&mut self, outcome: &Outcome) -> bool {
        self.loading = None;
        self.failed = None;
        match outcome {
            Ok(credentials) => {
                let until = match credentials.expiry() {
                    Some(expiry) => expiry.checked_sub(BEFORE_EXPIRY).unwrap_or(expiry),
                    None => SystemTime::now() + KEPT,
                };
                let left = until.duration_since(SystemTime::now()).unwrap_or_default();
                let renew_at = until.checked_sub(AHEAD.min(left / 3)).unwrap_or(until);
                self.kept = Some(Kept { credentials: credentials.clone(), loaded: Instant::now(), renew_at, until });
            }
            Err(error) => self.failed = Some((Instant::now(), Arc::clone(error))),
        }
        std::mem::replace(&mut self.has_loaded, true)
    }
}

/// Whether two credentials sign alike. Their origin and their end do not matter.
fn is_same(one: &Credentials, other: &Credentials) -> bool {
    one.access_key_id() == other.access_key_id()
        && one.secret_access_key() == other.secret_access_key()
        && one.session_token() == other.session_token()
}

/// A failure for one more caller, of the same kind and with the same causes.
fn repeated(error: &Arc<CredentialsError>) -> CredentialsError {
    let cause = SharedCause(Arc::clone(error));
    match &**error {
        CredentialsError::CredentialsNotLoaded(_) => CredentialsError::not_loaded(cause),
        CredentialsError::ProviderTimedOut(limit) => CredentialsError::provider_timed_out(limit.timeout_duration()),
        CredentialsError::InvalidConfiguration(_) => CredentialsError::invalid_configuration(cause),
        CredentialsError::ProviderError(_) => CredentialsError::provider_error(cause),
        _ => CredentialsError::unhandled(cause),
    }
}

/// The causes of a failure that several callers have.
#[derive(Debug)]
struct SharedCause(Arc<CredentialsError>);

impl fmt::Display for SharedCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl StdError for SharedCause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl ProvideCredentials for CheckedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// Drops line ends and blanks around the keys, and refuses those inside.
fn check(loaded: Credentials) -> provider::Result {
    let (id, secret, token) = (loaded.access_key_id(), loaded.secret_access_key(), loaded.session_token());
    let (clean_id, clean_secret, clean_token) = (id.trim(), secret.trim(), token.map(str::trim));
    for (name, key) in [("access key id", clean_id), ("secret access key", clean_secret)] {
        if key.is_empty() || !is_key(key) {
            return Err(CredentialsError::invalid_configuration(format!("the {name} is not one")));
        }
    }
    if clean_token.is_some_and(|token| !is_key(token)) {
        return Err(CredentialsError::invalid_configuration("the session token is not one"));
    }
    if (clean_id, clean_secret, clean_token) == (id, secret, token) {
        return Ok(loaded);
    }
    let mut builder =
        Credentials::builder().access_key_id(clean_id).secret_access_key(clean_secret).provider_name("Chatrix");
    builder.set_session_token(clean_token.filter(|token| !token.is_empty()).map(ToOwned::to_owned));
    builder.set_expiry(loaded.expiry());
    builder.set_account_id(loaded.account_id().cloned());
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A provider that numbers its keys from 1; `fails` says which loads fail, and `number` which key a load gives.
    #[derive(Debug, Clone)]
    struct Numbered {
        loads: Arc<AtomicUsize>,
        fails: fn(usize) -> bool,
        number: fn(usize) -> usize,
    }

    impl ProvideCredentials for Numbered {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async {
                let load = self.loads.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
                if (self.fails)(load) {
                    return Err(CredentialsError::provider_error("no"));
                }
                Ok(credentials(&format!("KEY{}", (self.number)(load)), "s", None))
            })
        }
    }

    fn numbered(fails: fn(usize) -> bool, number: fn(usize) -> usize) -> (CheckedCredentials, Arc<AtomicUsize>) {
        let loads = Arc::new(AtomicUsize::new(0));
        let provider = Numbered { loads: Arc::clone(&loads), fails, number };
        let providers: Providers = Arc::new(move || {
            let provider = SharedCredentialsProvider::new(provider.clone());
            async move { Some(provider) }.boxed()
        });
        (CheckedCredentials::new(providers, Duration::from_secs(15), Telemetry::default()), loads)
    }

    #[tokio::test(start_paused = true)]
    async fn all_callers_share_one_load() {
        let (shared, loads) = numbered(|_| false, |load| load);
        let all = futures_util::future::join_all((0..50).map(|_| shared.provide())).await;
        assert!(all.iter().all(|one| one.as_ref().unwrap().access_key_id() == "KEY1"));
        let first = all.into_iter().next().unwrap().unwrap();
        let renewed = futures_util::future::join_all((0..50).map(|_| shared.renewed(&first))).await;
        assert!(renewed.iter().all(|one| one.as_ref().unwrap().access_key_id() == "KEY2"));
        // Whoever is refused later, with the old keys, gets the new ones without a load.
        assert_eq!(shared.renewed(&first).await.unwrap().access_key_id(), "KEY2");
        assert_eq!(loads.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_keys_are_no_renewal_and_are_not_loaded_again_at_once() {
        let (shared, loads) = numbered(|_| false, |_| 1);
        let first = shared.provide().await.unwrap();
        for (loaded, wait) in [(2, 0), (2, 1), (3, 0)] {
            assert!(shared.renewed(&first).await.is_none());
            assert_eq!(loads.load(Ordering::SeqCst), loaded);
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_for_a_second() {
        let (shared, loads) = numbered(|load| load == 1, |load| load);
        for _ in 0..5 {
            assert!(matches!(shared.provide().await, Err(CredentialsError::ProviderError(_))));
        }
        assert_eq!(loads.load(Ordering::SeqCst), 1);
        tokio::time::sleep(SHARED).await;
        assert_eq!(shared.provide().await.unwrap().access_key_id(), "KEY2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_looks_twice() {
        let (shared, _) = numbered(|load| load == 2, |load| load);
        let first = shared.provide().await.unwrap();
        assert_eq!(shared.renewed(&first).await.unwrap().access_key_id(), "KEY3");
    }

    #[tokio::test(start_paused = true)]
    async fn a_load_goes_on_without_those_who_wait() {
        let (shared, loads) = numbered(|_| false, |load| load);
        let gone = tokio::time::timeout(Duration::from_millis(10), shared.provide()).await;
        assert!(gone.is_err());
        assert_eq!(shared.provide().await.unwrap().access_key_id(), "KEY1");
        assert_eq!(loads.load(Ordering::SeqCst), 1);
    }

    /// A provider whose keys live for so many seconds.
    #[derive(Debug, Clone)]
    struct ShortLived(u64, Arc<AtomicUsize>);

    impl ProvideCredentials for ShortLived {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let load = self.1.fetch_add(1, Ordering::SeqCst) + 1;
            let end = SystemTime::now() + Duration::from_secs(self.0);
            let credentials = Credentials::new(format!("KEY{load}"), "s", None, Some(end), "a test");
            future::ProvideCredentials::new(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(credentials)
            })
        }
    }

    #[tokio::test]
    async fn credentials_are_renewed_ahead_of_their_end_and_nobody_waits_for_that() {
        // They are used for two seconds, and renewed after two thirds of that.
        let loads = Arc::new(AtomicUsize::new(0));
        let provider = SharedCredentialsProvider::new(ShortLived(12, Arc::clone(&loads)));
        let providers: Providers = Arc::new(move || {
            let provider = provider.clone();
            async move { Some(provider) }.boxed()
        });
        let shared = CheckedCredentials::new(providers, Duration::from_secs(15), Telemetry::default());
        assert_eq!(shared.provide().await.unwrap().access_key_id(), "KEY1");
        tokio::time::sleep(Duration::from_millis(1450)).await;
        // Fifty callers at once get what there is, without a wait, and start one load.
        for _ in 0..50 {
            let now = shared.provide().now_or_never();
            assert_eq!(now.unwrap().unwrap().access_key_id(), "KEY1");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(shared.provide().now_or_never().unwrap().unwrap().access_key_id(), "KEY2");
        assert_eq!(loads.load(Ordering::SeqCst), 2);
    }

    fn credentials(id: &str, secret: &str, token: Option<&str>) -> Credentials {
        Credentials::new(id, secret, token.map(ToOwned::to_owned), None, "a test")
    }

    #[test]
    fn keys_are_trimmed_or_refused() {
        let clean = check(credentials("AKID\n", " secret\r\n", Some("token\n"))).unwrap();
        assert_eq!(
            (clean.access_key_id(), clean.secret_access_key(), clean.session_token()),
            ("AKID", "secret", Some("token"))
        );
        for (id, secret, token) in
            [("A\nB", "s", None), ("", "s", None), ("A", "\n", None), ("A", "s", Some("t\u{1}t")), ("Ä", "s", None)]
        {
            assert!(check(credentials(id, secret, token)).is_err(), "{id:?} {secret:?} {token:?}");
        }
    }
}
