//! A host with its port, as the Host header, a request line and an origin name it (RFC 3986, section 3.2).

use std::net::{IpAddr, Ipv6Addr};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) host: Host,
    /// `None` stands for the port of the scheme.
    pub(super) port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    /// In lower case, without the dot that may end a full name.
    Name(String),
}

impl Authority {
    /// `None` for what is no host, or has a user name. Only the usual spelling of an address counts as one: browsers
    /// rewrite all others before they send them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            (Host::Address(IpAddr::from(address.parse::<Ipv6Addr>().ok()?).to_canonical()), port)
        } else {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (Host::of_name(name)?, port)
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        Some(Self { host, port })
    }

    /// The same with the port of plain HTTP where none is named.
    pub(super) fn with_port(self) -> Self {
        Self { port: self.port.or(Some(80)), ..self }
    }
}

impl Host {
    fn of_name(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        name.split('.').all(is_label).then(|| Self::Name(name.to_ascii_lowercase()))
    }

    /// Whether this is the machine itself. With `below_localhost`, names such as `app.localhost` are too: browsers
    /// resolve them to this machine (<https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy>).
    pub(super) fn is_local(&self, below_localhost: bool) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost" || (below_localhost && name.ends_with(".localhost")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn hosts_are_read_in_one_spelling() {
        let name = |name: &str| Host::Name(name.into());
        let address = |text: &str| Host::Address(text.parse().unwrap());
        for (text, host, port) in [
            ("localhost", name("localhost"), None),
            ("LocalHost.:3000", name("localhost"), Some(3000)),
            ("localhost:", name("localhost"), None),
            ("127.0.0.1:80", address("127.0.0.1"), Some(80)),
            ("[::1]:3000", address("::1"), Some(3000)),
            ("[::ffff:127.0.0.1]", address("127.0.0.1"), None),
            ("xn--80ak6aa92e.com", name("xn--80ak6aa92e.com"), None),
            ("2130706433", name("2130706433"), None),
            ("0x7f.1", name("0x7f.1"), None),
            ("0177.0.0.1", name("0177.0.0.1"), None),
        ] {
            assert_eq!(Authority::parse(text), Some(Authority { host, port }), "{text}");
        }
        for text in [
            "",
            ".",
            "a..b",
            "localhost..",
            "user@localhost",
            "user:pass@localhost:3000",
            "localhost:port",
            "localhost:99999",
            "localhost:3000:3000",
            "localhost/",
            "local host",
            "[::1",
            "[127.0.0.1]",
            "[::1]x",
            "::1",
            "[fe80::1%25eth0]",
            "аpple.com",
            "localhost\0",
        ] {
            assert_eq!(Authority::parse(text), None, "{text}");
        }
    }
}
