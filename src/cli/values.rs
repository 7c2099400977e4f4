//! How numbers are read that a person types.

use std::num::NonZeroU32;

/// Reads a number of tokens. Whether it is too many is up to the policy.
pub(super) fn tokens(text: &str) -> Result<i64, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "it must be a whole number above 0".to_owned())
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "it must be a port from 0 to 65535".to_owned())
}

pub(super) fn call_id(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "it must be a whole number".to_owned())
}

pub(super) fn at_least_one(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 1 to {}", u32::MAX))
}
