//! How numbers are read that a person types.

use crate::ledger::group::LimitChange;
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

/// Reads an amount of dollars, or `none`.
pub(super) fn limit_change(text: &str) -> Result<LimitChange, String> {
    if text == "none" { Ok(LimitChange::Remove) } else { text.parse().map(LimitChange::Set) }
}

/// Reads the address of a server, without the `/v1` that people often add.
pub(super) fn server_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_plain = |rest: &str| {
        let legal = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
        !rest.starts_with(['/', ':']) && !rest.is_empty() && rest.chars().all(legal)
    };
    if !rest.is_some_and(is_plain) {
        return Err("it must be an address like http://127.0.0.1:3000".to_owned());
    }
    let text = text.trim_end_matches('/');
    Ok(text.strip_suffix("/v1").unwrap_or(text).trim_end_matches('/').to_owned())
}

/// Reads the name of an environment variable.
pub(super) fn variable_name(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(legal) {
        return Err("it must be the name of a variable: letters, digits and `_`".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::NanoDollars;

    #[test]
    fn a_limit_is_an_amount_or_none() {
        assert_eq!(limit_change("none"), Ok(LimitChange::Remove));
        assert_eq!(limit_change("$0.5"), Ok(LimitChange::Set(NanoDollars(500_000_000))));
        for wrong in ["", "None", "-1", "no"] {
            assert!(limit_change(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_taken_in_the_forms_that_people_type() {
        for (text, expected) in [
            ("http://127.0.0.1:3000", Some("http://127.0.0.1:3000")),
            ("http://127.0.0.1:3000/", Some("http://127.0.0.1:3000")),
            ("http://127.0.0.1:3000/v1", Some("http://127.0.0.1:3000")),
            ("https://box.lan/chatrix/v1/", Some("https://box.lan/chatrix")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            ("127.0.0.1:3000", None),
            ("http://", None),
            ("http:///v1", None),
            ("http://:3000", None),
            ("http://a b", None),
            ("http://a\"b", None),
            ("http://a;rm", None),
            ("http://user:secret@host", None),
        ] {
            assert_eq!(server_url(text).ok().as_deref(), expected, "{text}");
        }
        for (text, is_name) in [("CHATRIX_KEY", true), ("_k1", true), ("", false), ("1K", false), ("A-B", false)] {
            assert_eq!(variable_name(text).is_ok(), is_name, "{text}");
        }
    }
}
