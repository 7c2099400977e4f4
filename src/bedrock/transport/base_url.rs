//! The form of an address that is set by hand.

use crate::error::{Error, Kind, Result};
use url::Url;

/// Checks an address and gives it in its normal form. `source` says in an error where it was set.
///
/// # Errors
/// `Config` when the text is not the base URL of an HTTP server.
pub(super) fn check(text: &str, source: &str) -> Result<String> {
    // A URL may hold a password in front of an `@`, and must not be shown then.
    let shown = if text.contains('@') { "set".to_owned() } else { format!("{text:?}") };
    let wrong = |what: &str| Error::new(Kind::Config, format!("{source} is {shown}{what}"));
    let lower = text.to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err(wrong(": http:// or https:// is missing").advise("set it to a URL such as https://host:port"));
    }
    let has_blanks = text.chars().any(|c| c.is_whitespace() || c.is_control());
    let url = Url::parse(text).ok().filter(|url| !has_blanks && url.host_str().is_some_and(|host| !host.is_empty()));
    let Some(url) = url else {
        return Err(wrong(", which is not a URL"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(", and holds a user name or a password, which an endpoint cannot have"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(", and holds a query or a fragment, which an endpoint cannot have"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn an_address_is_a_base_url() {
        for (text, url) in [
            ("http://127.0.0.1:9", "http://127.0.0.1:9"),
            ("HTTPS://Example.com/", "https://example.com"),
            ("https://example.com/base/", "https://example.com/base"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(check(text, "X").unwrap(), url);
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_source() {
        for (text, piece) in [
            ("127.0.0.1:9", "X is \"127.0.0.1:9\": http:// or https:// is missing"),
            ("localhost:8080", "http:// or https:// is missing"),
            ("notaurl", "http:// or https:// is missing"),
            ("ftp://example.com", "http:// or https:// is missing"),
            ("http://", "X is \"http://\", which is not a URL"),
            ("http://a b", "not a URL"),
            ("http://a\u{1}b", "not a URL"),
            ("http://host:99999", "not a URL"),
            ("http://user:secret@host", "X is set, and holds a user name"),
            ("http://host/?x=1", "a query"),
        ] {
            let error = check(text, "X").unwrap_err();
            assert_eq!(error.kind, Kind::Config, "{text}");
            assert!(error.message.contains(piece) && !error.message.contains("secret"), "{}", error.message);
        }
    }
}
