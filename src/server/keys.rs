//! Whose call it is. A client may send any key, as Jan does; one of ours is recognized by its prefix, and then it must be
//! valid. With `--require-key` every call needs one of ours.

use crate::engine::Caller;
use crate::error::{Error, Kind, Result};
use crate::ledger::KeyCache;
use crate::ledger::key::{self, Key};
use crate::ledger::store::StoreError;
use std::sync::Arc;
use warp::http::HeaderMap;

/// The keys of this server.
#[derive(Debug)]
pub struct Keys {
    /// `None` where there is no ledger.
    pub cache: Option<KeyCache>,
    /// Whether every call needs one.
    pub required: bool,
}

impl Keys {
    /// Every key, revoked ones too.
    ///
    /// # Errors
    /// `LedgerUnavailable`.
    pub async fn all(&self) -> Result<Arc<[Key]>> {
        let keys = match &self.cache {
            Some(cache) => cache.keys().await,
            None => Err(StoreError::no_folder()),
        };
        keys.map_err(|error| Error::from(error).advise("API keys are kept there; nothing is answered without them"))
    }

    /// Whose call it is.
    ///
    /// # Errors
    /// `InvalidKey`; `LedgerUnavailable`.
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
            Err(Error::new(Kind::InvalidKey, message).advise("`chatrix keys list` shows the keys of this server, `chatrix keys list --offline` those of one that is offline"))
        };
        match key::find(&self.all().await?, token) {
            None => invalid("this API key is not known here".to_owned()),
            Some(key) if key.revoked.is_some() => invalid(format!("the API key {} is revoked", key.name)),
            Some(key) => Ok(caller(Some(Arc::new(key.clone())))),
        }
    }
}

/// What was sent as a key: clients use three headers, and some send two at once.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let bearer =
        bearer.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let others = ["x-api-key", "api-key"].into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    bearer.map(|(_, token)| token).into_iter().chain(others).map(str::trim)
}
