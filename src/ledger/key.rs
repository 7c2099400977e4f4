//! API keys of `serve`: who may spend how much on which models. A token is shown once, when it is made. Only its
//! SHA-256 hash is kept, and hashes are compared in constant time.

use super::budget::{BudgetLimit, LimitedKey};
use super::ids::KeyId;
use super::rate::RateLimits;
use crate::catalog::NanoDollars;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::io;
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
    /// What it may spend, and on what.
    pub limits: KeyLimits,
}

/// What a key may spend, on what, and how fast.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyLimits {
    /// On one call.
    pub request: Option<NanoDollars>,
    /// In a day, in UTC.
    pub day: Option<NanoDollars>,
    /// In a month, in UTC.
    pub month: Option<NanoDollars>,
    /// The models it may ask, by name or id; all when empty.
    pub models: Vec<String>,
    /// What it may do in a minute, and at once.
    pub rates: RateLimits,
}

impl Key {
    /// Its limits for a day and a month, which the ledger watches.
    pub(crate) fn budget_limits(&self) -> impl Iterator<Item = BudgetLimit> + use<> {
        let key = LimitedKey { id: self.id, name: self.name.clone() };
        BudgetLimit::each(Some(key), self.limits.day, self.limits.month)
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
pub(crate) fn find_by_token<'a>(keys: &'a [Key], token: &str) -> Option<&'a Key> {
    let hash = hash(token);
    let mut found = None;
    for key in keys {
        if bool::from(key.hash.as_bytes().ct_eq(hash.as_bytes())) {
            found = Some(key);
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
            limits: KeyLimits { day: Some(NanoDollars(5)), ..KeyLimits::default() },
        };
        let keys = [key(1, &first), key(2, &second)];
        assert_eq!(find_by_token(&keys, &second).map(|key| key.id), Some(KeyId(2)));
        assert_eq!(find_by_token(&keys, &format!("{second}x")), None);
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let limits: Vec<String> = keys[0].budget_limits().map(|limit| limit.to_string()).collect();
        assert_eq!(limits, ["day budget of key k1"]);
    }
}
