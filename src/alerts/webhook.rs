//! The address that alerts are sent to, and the secret that they are signed with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use url::{Host, Url};

/// Where alerts go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    pub webhook: Webhook,
    /// Alerts without a secret are not signed.
    pub secret: Option<Secret>,
}

/// The address that alerts are sent to. Its path may be a secret, so only its host is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook(Url);

impl Webhook {
    pub(super) fn url(&self) -> &str {
        self.0.as_str()
    }

    /// The host, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.host())
    }
}

impl FromStr for Webhook {
    type Err = String;

    /// The error does not repeat the text.
    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("it is not a URL: {error}"))?;
        let is_local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
            None => return Err("it names no host".to_owned()),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must not hold a user name or a password".to_owned());
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_local => Ok(Self(url)),
            _ => Err("it must begin with https://; http:// is allowed for this machine only".to_owned()),
        }
    }
}

/// The secret that alerts are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl FromStr for Secret {
    type Err = String;

    /// A text that begins with `whsec_` is Base64, as in the libraries of Standard Webhooks; any other text is taken as
    /// it is. The error does not repeat the text.
    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = match text.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| "what follows whsec_ is not Base64".to_owned())?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.is_empty() { Err("it is empty".to_owned()) } else { Ok(Self(bytes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_https_except_on_this_machine() {
        for (text, legal) in [
            ("https://hooks.example/x?y=z", true),
            ("https://127.0.0.1:8443", true),
            ("http://127.0.0.1:8080/x", true),
            ("http://[::1]/", true),
            ("http://localhost:1/", true),
            ("http://hooks.example/", false),
            ("http://localhost.hooks.example/", false),
            ("http://192.168.0.1/", false),
            ("https://user:word@hooks.example/", false),
            ("ftp://localhost/", false),
            ("unix:/run/x", false),
            ("hooks.example", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Webhook>().is_ok(), legal, "{text}");
        }
        let webhook: Webhook = "https://hooks.example/T0/secret".parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format!("{webhook:?}"), "Webhook(hooks.example)");
    }

    #[test]
    fn a_secret_is_text_or_base64_and_is_not_shown() {
        for (text, bytes) in [
            ("plain", Some(&b"plain"[..])),
            ("whsec_AQID", Some(&[1, 2, 3])),
            ("whsec_", None),
            ("whsec_!", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Secret>().ok().as_ref().map(Secret::bytes), bytes, "{text}");
        }
        assert_eq!(format!("{:?}", Secret(vec![1])), "Secret");
    }
}
