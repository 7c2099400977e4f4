//! What authorizes requests: a signature with the account's credentials, or a Bedrock API key.

use super::signature::{Signable, Signer};
use crate::error::{Error, Kind, Result};
use aws_credential_types::Credentials;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

#[derive(Debug)]
pub(super) enum Authorization {
    Signature {
        signer: Signer,
        /// By how much AWS's clock is ahead of this machine's (seconds).
        clock_skew: AtomicI64,
    },
    /// The value of the header that holds a Bedrock API key.
    ApiKey(HeaderValue),
}

impl Authorization {
    pub(super) fn signature() -> Self {
        Self::Signature { signer: Signer::default(), clock_skew: AtomicI64::new(0) }
    }

    /// # Errors
    /// `Config` when the key cannot be part of a header.
    pub(super) fn api_key(key: &str) -> Result<Self> {
        let mut value =
            HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| unusable("the API key is not one"))?;
        value.set_sensitive(true);
        Ok(Self::ApiKey(value))
    }

    /// Adds what authorizes a request to its headers, all of which are signed.
    ///
    /// # Errors
    /// `Config` when the credentials cannot be used.
    pub(super) fn authorize(
        &self,
        headers: &mut HeaderMap,
        credentials: Option<&Credentials>,
        signable: Signable<'_>,
    ) -> Result<()> {
        match (self, credentials) {
            (Self::Signature { signer, clock_skew }, Some(credentials)) => {
                let time = ahead(SystemTime::now(), clock_skew.load(Ordering::Relaxed));
                let signed = signer.sign(headers, credentials, signable, time);
                signed.map_err(|_| unusable("the AWS credentials cannot be part of a header"))
            }
            (Self::Signature { .. }, None) => Err(unusable("there are no AWS credentials")),
            (Self::ApiKey(key), _) => {
                headers.insert(AUTHORIZATION, key.clone());
                Ok(())
            }
        }
    }

    /// Takes over AWS's time for further signatures.
    pub(super) fn set_time(&self, time: SystemTime) {
        let Self::Signature { clock_skew, .. } = self else { return };
        let seconds = |by: Duration| i64::try_from(by.as_secs()).unwrap_or(0);
        let skew = match time.duration_since(SystemTime::now()) {
            Ok(ahead) => seconds(ahead),
            Err(behind) => -seconds(behind.duration()),
        };
        clock_skew.store(skew, Ordering::Relaxed);
    }
}

fn unusable(what: &str) -> Error {
    Error::new(Kind::Config, format!("the request to Bedrock could not be made: {what}"))
}

fn ahead(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { time.checked_sub(by) } else { time.checked_add(by) }.unwrap_or(time)
}
