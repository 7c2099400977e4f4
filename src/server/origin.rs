//! Which web pages and host names may use the server. If every page were allowed, any page could spend the operator's
//! money; if none were, desktop clients such as Jan could not connect. So local origins are allowed, and the operator
//! can allow others. The Host header must name this server, which prevents DNS rebinding. See docs/openai.md, "Origin
//! and Host".

use crate::error::{Error, Kind, Result};
use std::net::IpAddr;
use warp::http::header::{self, HeaderMap, HeaderValue};

#[derive(Debug, Clone)]
pub struct OriginPolicy {
    /// The address the server listens on.
    pub bound: IpAddr,
    /// The origins that the operator allows; `*` allows all.
    pub origins: Vec<String>,
    /// The host names that the operator allows.
    pub hosts: Vec<String>,
}

impl OriginPolicy {
    /// Checks the Host and Origin headers.
    ///
    /// # Errors
    /// `HostRefused` or `OriginRefused`, with the setting that would allow the request.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<()> {
        if let Some(host) = headers.get(header::HOST) {
            let host = host.to_str().unwrap_or_default();
            if !self.is_allowed_host(host) {
                return Err(Error::new(Kind::HostRefused, format!("this server is not called {host:?}"))
                    .advise("allow the name with `allow_hosts` under [serve] in the config file"));
            }
        }
        // Local files send the origin `null`, but so does a sandboxed frame of any page. Browsers mark the frame's
        // requests as cross-site.
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

    fn is_allowed_host(&self, host: &str) -> bool {
        let name = without_port(host);
        if is_loopback(name) || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return true;
        }
        // DNS rebinding needs a name: an IP address always means the machine it belongs to.
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
            Some(("app" | "file" | "vscode-webview" | "vscode-file", _)) => true,
            // Browsers resolve every name below `localhost` to this machine
            // (<https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy>).
            Some((_, authority)) => is_loopback(without_port(authority)) || is_below_localhost(without_port(authority)),
            None => false,
        }
    }

    /// The CORS headers of a response. Errors need them too, or a page could not read what went wrong.
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

    /// The additional headers of the response to a preflight request.
    #[must_use]
    pub(super) fn preflight(request: &HeaderMap) -> Vec<(&'static str, HeaderValue)> {
        let mut headers = vec![
            ("access-control-allow-methods", HeaderValue::from_static("GET, POST, OPTIONS, HEAD, DELETE")),
            ("access-control-max-age", HeaderValue::from_static("86400")),
        ];
        // The list is echoed, because the SDKs request a dozen x-stainless-* headers and keep adding new ones.
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

fn is_below_localhost(name: &str) -> bool {
    name.trim_end_matches('.').to_ascii_lowercase().ends_with(".localhost")
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // An IPv6 address in brackets also contains colons.
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) && !name.contains('[') => name,
        Some((name, _)) if name.starts_with('[') && name.ends_with(']') => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &OriginPolicy, pairs: &[(&'static str, &'static str)]) -> Option<Kind> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        policy.check(&headers).err().map(|error| error.kind)
    }

    #[test]
    fn local_apps_pass_and_web_pages_do_not() {
        let mut policy = OriginPolicy { bound: IpAddr::from([127, 0, 0, 1]), origins: vec![], hosts: vec![] };
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
            "vscode-file://vscode-app",
            "http://app.localhost:5173",
            "https://a.b.localhost",
        ] {
            assert_eq!(check(&policy, &[("origin", origin)]), None, "{origin}");
        }
        for origin in [
            "https://evil.example",
            "http://localhost.evil.example",
            "http://evil-localhost",
            "http://evil.example:3000",
            "http://127.0.0.1.evil.example",
            "https://tauri.localhost.evil.example",
            "nonsense",
        ] {
            assert_eq!(check(&policy, &[("origin", origin)]), Some(Kind::OriginRefused), "{origin}");
        }
        let sandboxed = [("origin", "null"), ("sec-fetch-site", "cross-site")];
        assert_eq!(check(&policy, &sandboxed), Some(Kind::OriginRefused));
        policy.origins.push("https://evil.example".into());
        assert_eq!(check(&policy, &[("origin", "https://evil.example")]), None);
    }

    #[test]
    fn the_host_must_name_this_server() {
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
