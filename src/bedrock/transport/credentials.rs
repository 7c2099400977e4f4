//! The credentials that sign requests, checked on their way from the SDK's providers.

use super::environment::is_key;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How long a provider may take, such as a `credential_process` or the instance metadata service.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(15);

/// Loads credentials with a time limit, and refuses those that cannot be part of an HTTP header: they make the signer
/// panic.
#[derive(Debug, Clone)]
pub(super) struct CheckedCredentials {
    provider: SharedCredentialsProvider,
    /// What [`preload`](Self::preload) has loaded, until the first request takes it.
    preloaded: Arc<Mutex<Option<Credentials>>>,
}

impl CheckedCredentials {
    pub(super) fn new(provider: SharedCredentialsProvider) -> Self {
        Self { provider, preloaded: Arc::default() }
    }

    /// Loads the credentials before there is a request, and keeps them for the first one.
    ///
    /// # Errors
    /// Whatever the provider says.
    pub(super) async fn preload(&self) -> Result<(), CredentialsError> {
        let credentials = self.load().await?;
        *self.preloaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials);
        Ok(())
    }

    async fn load(&self) -> provider::Result {
        let loading = AssertUnwindSafe(self.provider.provide_credentials()).catch_unwind();
        match tokio::time::timeout(TIME_LIMIT, loading).await {
            Ok(Ok(loaded)) => check(loaded?),
            Ok(Err(_)) => Err(CredentialsError::invalid_configuration("the AWS SDK cannot use these settings")),
            Err(_) => Err(CredentialsError::provider_timed_out(TIME_LIMIT)),
        }
    }

    async fn provide(&self) -> provider::Result {
        let preloaded = self.preloaded.lock().unwrap_or_else(PoisonError::into_inner).take();
        match preloaded.filter(|credentials| credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now())) {
            Some(credentials) => Ok(credentials),
            None => self.load().await,
        }
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
