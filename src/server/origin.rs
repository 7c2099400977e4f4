//! Who may use the server. A server that takes every web page lets any page spend its owner's money;
//! one that refuses Jan is useless. So local origins pass, others are named by the operator,
//! and the Host must be ours (DNS rebinding). See docs/openai.md, "Origin and Host".

use crate::error::{Error, Kind, Result};
use std::net::IpAddr;
use warp::http::header::{self, HeaderMap, HeaderValue};

/// Who may.
#[derive(Debug, Clone)]
pub struct OriginPolicy {
    /// The address the server listens on.
    pub bound: IpAddr,
    /// Origins the operator allows; `*` for all.
    pub origins: Vec<String>,
    /// Host names the operator allows.
    pub hosts: Vec<String>,
}

impl OriginPolicy {
    /// Checks Host and Origin.
    ///
    /// # Errors
    /// `HostRefused` or `OriginRefused`, saying what to set.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<()> {
        if let Some(host) = headers.get(header::HOST) {
            let host = host.to_str().unwrap_or_default();
            if !self.is_our_host(host) {
                return Err(Error::new(Kind::HostRefused, format!("this server is not called {host:?}"))
                    .advise("allow the name with `allow_hosts` under [serve] in the config file"));
            }
        }
        // A sandboxed frame of any page sends `null` too; browsers say with it where it comes from.
        let foreign = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        match headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("?")) {
            Some("null") if foreign && !self.origins.iter().any(|known| known == "*" || known == "null") => {
                Err(Error::new(Kind::OriginRefused, "a page without an origin of its own may not use this server")
                    .advise("allow it with: chatrix serve --allow-origin null"))
            }
            Some(origin) if !self.is_allowed_origin(origin) => {
                Err(Error::new(Kind::OriginRefused, format!("pages from {origin} may not use this server"))
                    .advise(format!("allow them with: chatrix serve --allow-origin {origin}")))
            }
            _ => Ok(()),
        }
    }

    fn is_our_host(&self, host: &str) -> bool {
        let name = without_port(host);
        if is_loopback(name) || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return true;
        }
        // A page cannot rebind a bare address, only a name.
        match name.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => !self.bound.is_loopback() && (self.bound.is_unspecified() || self.bound == address),
            Err(_) => false,
        }
    }

    fn is_allowed_origin(&self, origin: &str) -> bool {
        if origin == "null" || self.origins.iter().any(|known| known == "*" || known == origin) {
            return true;
        }
        match origin.split_once("://") {
            Some(("app" | "file" | "vscode-webview", _)) => true,
            Some(("http" | "https", "tauri.localhost")) => true,
            Some((_, authority)) => is_loopback(without_port(authority)),
            None => false,
        }
    }

    /// The CORS headers of a response. They are on errors too, or a page never sees what went wrong.
    #[must_use]
    pub(super) fn cors(&self, request: &HeaderMap) -> Vec<(&'static str, HeaderValue)> {
        let Some(origin) = request.get(header::ORIGIN) else {
            return Vec::new();
        };
        if !origin.to_str().is_ok_and(|origin| self.is_allowed_origin(origin)) {
            return Vec::new();
        }
        vec![
            ("access-control-allow-origin", origin.clone()),
            ("vary", HeaderValue::from_static("Origin")),
            ("access-control-expose-headers", HeaderValue::from_static(EXPOSED)),
        ]
    }

    /// The further headers of a preflight's answer.
    #[must_use]
    pub(super) fn preflight(request: &HeaderMap) -> Vec<(&'static str, HeaderValue)> {
        let mut headers = vec![
            ("access-control-allow-methods", HeaderValue::from_static("GET, POST, OPTIONS, HEAD, DELETE")),
            ("access-control-max-age", HeaderValue::from_static("86400")),
        ];
        // Echoed: the SDKs ask for a dozen x-stainless-* headers, and new ones come.
        if let Some(asked) = request.get("access-control-request-headers") {
            headers.push(("access-control-allow-headers", asked.clone()));
        }
        if request.get("access-control-request-private-network").is_some() {
            headers.push(("access-control-allow-private-network", HeaderValue::from_static("true")));
        }
        headers
    }
}

const EXPOSED: &str = "x-request-id, retry-after, retry-after-ms, x-chatrix-model, x-chatrix-policy, \
                       x-chatrix-successor, x-chatrix-cost-usd, \
                       x-chatrix-budget-remaining-usd";

fn is_loopback(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost")
        || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // An IPv6 address in brackets has colons of its own.
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) && !name.contains('[') => name,
        Some((name, _)) if name.starts_with('[') && name.ends_with(']') => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(access: &OriginPolicy, pairs: &[(&'static str, &'static str)]) -> Option<Kind> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        access.check(&headers).err().map(|error| error.kind)
    }

    #[test]
    fn local_apps_pass_and_web_pages_do_not() {
        let mut access = OriginPolicy { bound: IpAddr::from([127, 0, 0, 1]), origins: vec![], hosts: vec![] };
        for origin in [
            "tauri://localhost",
            "http://tauri.localhost",
            "https://tauri.localhost",
            "http://localhost:1420",
            "http://127.0.0.1",
            "http://[::1]:8080",
            "app://obsidian.md",
            "file://",
            "null",
            "vscode-webview://abc",
        ] {
            assert_eq!(check(&access, &[("origin", origin)]), None, "{origin}");
        }
        for origin in [
            "https://evil.example",
            "http://localhost.evil.example",
            "http://evil.example:3000",
            "http://127.0.0.1.evil.example",
            "https://tauri.localhost.evil.example",
            "nonsense",
        ] {
            assert_eq!(check(&access, &[("origin", origin)]), Some(Kind::OriginRefused), "{origin}");
        }
        let sandboxed = [("origin", "null"), ("sec-fetch-site", "cross-site")];
        assert_eq!(check(&access, &sandboxed), Some(Kind::OriginRefused));
        access.origins.push("https://evil.example".into());
        assert_eq!(check(&access, &[("origin", "https://evil.example")]), None);
    }

    #[test]
    fn the_host_must_be_ours() {
        let local =
            OriginPolicy { bound: IpAddr::from([127, 0, 0, 1]), origins: vec![], hosts: vec!["box.lan".into()] };
        for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST", "box.lan:3000", "[::1]"] {
            assert_eq!(check(&local, &[("host", host)]), None, "{host}");
        }
        for host in ["evil.example:3000", "192.0.2.1:3000", "localhost.evil.example"] {
            assert_eq!(check(&local, &[("host", host)]), Some(Kind::HostRefused), "{host}");
        }
        let open = OriginPolicy { bound: IpAddr::from([0, 0, 0, 0]), ..local };
        assert_eq!(check(&open, &[("host", "192.0.2.1:3000")]), None);
        assert_eq!(check(&open, &[("host", "evil.example")]), Some(Kind::HostRefused));
    }
}
