//! Finds out which API key a request was sent with. Clients such as Jan send a key of any kind, and it is ignored. A
//! key with Chatrix's own prefix must be valid. With `--require-key` every call needs one.

use crate::engine::Caller;
use crate::error::{Error, Kind, Result};
use crate::ledger::key::{self, Key};
use crate::ledger::store::StoreError;
use crate::ledger::{Clock, KeyCache};
use std::sync::Arc;
use warp::http::HeaderMap;

/// The API keys that this server accepts.
#[derive(Debug)]
pub struct Keys {
    /// `None` when there is no ledger.
    pub cache: Option<KeyCache>,
    /// Whether every call needs a key.
    pub required: bool,
}

impl Keys {
    /// Every key, including revoked ones.
    ///
    /// # Errors
    /// `LedgerUnavailable`.
    pub async fn all(&self) -> Result<Arc<[Key]>> {
        let keys = match &self.cache {
            Some(cache) => cache.keys().await,
            None => Err(StoreError::no_folder()),
        };
        keys.map_err(|error| {
            Error::from(error).advise("the API keys are in the ledger, so no request can be answered without it")
        })
    }

    /// The caller who sent a request, with the key that was used.
    ///
    /// # Errors
    /// `InvalidKey` or `LedgerUnavailable`.
    pub(super) async fn caller(&self, headers: &HeaderMap) -> Result<Caller> {
        let caller = |key| Caller { command: "serve", key, ..Caller::default() };
        let Some(token) = tokens(headers).find(|token| token.starts_with(key::PREFIX)) else {
            if self.required {
                let what = if tokens(headers).next().is_some() {
                    "this API key does not belong to this server"
                } else {
                    "an API key is required"
                };
                return Err(Error::new(Kind::InvalidKey, what)
                    .advise("`chatrix keys add NAME` makes one; send it as Authorization: Bearer"));
            }
            return Ok(caller(None));
        };
        let invalid = |message: String| {
            Err(Error::new(Kind::InvalidKey, message).advise("`chatrix keys list` shows the keys; for a server that runs with --offline: `chatrix keys list --offline`"))
        };
        match key::find_by_token(&self.all().await?, token) {
            None => invalid("this server does not know this API key".to_owned()),
            Some(found) => match found.refusal(Clock::system().now()) {
                Some(message) => invalid(message),
                None => Ok(caller(Some(Arc::new(found.key.clone())))),
            },
        }
    }
}

/// Everything that was sent as a key. Clients use three different headers, and some send two of them at once. AWS's SDKs
/// sign their requests, and send the id of their access key beside the signature.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let bearer =
        bearer.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let others = ["x-api-key", "api-key"].into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok()?.split_once("Credential="));
    let access_key = signed.and_then(|(_, credential)| credential.split('/').next());
    bearer.map(|(_, token)| token).into_iter().chain(access_key).chain(others).map(str::trim)
}
