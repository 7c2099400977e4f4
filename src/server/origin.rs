//! Which web pages and host names may use the server. If every page were allowed, any page could spend the operator's
//! money; if none were, desktop clients such as Jan could not connect. So local origins are allowed, and the operator
//! can allow others. The Host header must name this server, which prevents DNS rebinding. See docs/openai.md, "Origin
//! and Host".

use super::arrival::Arrival;
use super::authority::{Authority, Host};
use crate::error::{Error, Kind, Result};
use std::net::IpAddr;
use warp::http::Version;
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
    /// Checks to whom a request is addressed, and which page sent it.
    ///
    /// # Errors
    /// `InvalidRequest` when the request says it twice or not at all; `HostRefused` or `OriginRefused`, with the
    /// setting that would allow the request.
    pub(super) fn check(&self, arrival: &Arrival, headers: &HeaderMap) -> Result<()> {
        self.check_host(arrival, headers)?;
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let origin = origins.next().map(|origin| origin.to_str().unwrap_or("?"));
        if origins.next().is_some() {
            return Err(Error::new(Kind::InvalidRequest, "the request has several Origin headers"));
        }
        match origin {
            None if self.is_foreign(headers) => {
                Err(Error::new(Kind::OriginRefused, "a page of another site may not use this server")
                    .advise("only a page that sends its origin can be allowed: chatrix serve --allow-origin ORIGIN"))
            }
            Some("null") if !self.is_listed("null") => {
                Err(Error::new(Kind::OriginRefused, "a page without an origin of its own may not use this server")
                    .advise("allow all such pages, local files among them, with: chatrix serve --allow-origin null"))
            }
            Some(origin) if !self.is_allowed_origin(origin, headers) => {
                Err(Error::new(Kind::OriginRefused, format!("pages from {origin} may not use this server"))
                    .advise(way_to_allow(origin)))
            }
            _ => Ok(()),
        }
    }

    /// The host must be named once, and it must be this server. Otherwise a name that an attacker has pointed at this
    /// machine would make a page of theirs part of the same site (DNS rebinding).
    fn check_host(&self, arrival: &Arrival, headers: &HeaderMap) -> Result<()> {
        let invalid = |message: &str| Err(Error::new(Kind::InvalidRequest, message));
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().map(|host| host.to_str().unwrap_or("?"));
        if hosts.next().is_some() {
            return invalid("the request has several Host headers");
        }
        let named = match (host, arrival.authority.as_deref()) {
            (Some(host), None) => host,
            (None, Some(authority)) if arrival.version != Version::HTTP_11 => authority,
            (Some(host), Some(authority)) => {
                let same = |text: &str| Authority::parse(text).map(Authority::with_port);
                if same(host).is_none() || same(host) != same(authority) {
                    return invalid("the request's target names another host than its Host header");
                }
                host
            }
            // HTTP/1.0 knows no Host.
            (None, None) if arrival.version < Version::HTTP_11 => return Ok(()),
            (None, _) => return invalid("the request has no Host header"),
        };
        if self.is_allowed_host(named) {
            return Ok(());
        }
        let advice = match Authority::parse(named) {
            Some(Authority { host: Host::Name(name), .. }) => {
                format!("allow the name with allow_hosts = [{name:?}] under [serve] in the config file")
            }
            Some(_) => "the server listens on another address; see --host".to_owned(),
            None => "send the host and the port, and nothing else".to_owned(),
        };
        Err(Error::new(Kind::HostRefused, format!("this server is not called {named:?}")).advise(advice))
    }

    fn is_allowed_host(&self, host: &str) -> bool {
        let Some(Authority { host, .. }) = Authority::parse(host) else { return false };
        match &host {
            _ if host.is_local(false) => true,
            Host::Name(name) => {
                let known = |known: &String| known.trim_end_matches('.').eq_ignore_ascii_case(name);
                self.hosts.iter().any(known)
            }
            // DNS rebinding needs a name: an IP address always means the machine it belongs to.
            Host::Address(address) => {
                let is_named = |known: &String| known.parse() == Ok(*address);
                let is_bound = self.bound.is_unspecified() || self.bound == *address;
                self.hosts.iter().any(is_named) || (!self.bound.is_loopback() && is_bound)
            }
        }
    }

    fn is_listed(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(origin))
    }

    fn is_allowed_origin(&self, origin: &str, headers: &HeaderMap) -> bool {
        if self.is_listed(origin) {
            return true;
        }
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        if matches!(scheme, "app" | "file" | "vscode-webview" | "vscode-file") {
            return true;
        }
        Authority::parse(authority).is_some_and(|authority| {
            authority.host.is_local(true) || (scheme == "http" && is_own_page(authority, headers))
        })
    }

    /// Whether a browser says that another site's page sent the request, although it names no origin.
    fn is_foreign(&self, headers: &HeaderMap) -> bool {
        !self.is_listed("*") && headers.get_all("sec-fetch-site").iter().any(|site| site == "cross-site")
    }

    /// The CORS headers of a response. Errors need them too, or a page could not read what went wrong.
    #[must_use]
    pub(super) fn cors(&self, request: &HeaderMap) -> Vec<(&'static str, HeaderValue)> {
        let Some(origin) = request.get(header::ORIGIN) else {
            return Vec::new();
        };
        if !origin.to_str().is_ok_and(|origin| self.is_allowed_origin(origin, request)) {
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

const EXPOSED: &str = "x-request-id, x-amzn-requestid, retry-after, retry-after-ms, x-chatrix-model, x-chatrix-policy, \
                       x-chatrix-successor, x-chatrix-cost-usd, \
                       x-chatrix-budget-remaining-usd";

/// Whether the page comes from the very host and port that the request goes to. The host is known to be this server's.
fn is_own_page(origin: Authority, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| Authority::parse(host.to_str().ok()?));
    host.is_some_and(|host| host.with_port() == origin.with_port())
}

/// The flag that allows an origin. It is to be copied into a shell, so an origin with other characters than an origin
/// has is not repeated.
fn way_to_allow(origin: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte);
    let shown = if origin.bytes().all(is_plain) { origin } else { "ORIGIN" };
    format!("allow them with: chatrix serve --allow-origin {shown}")
}

#[cfg(test)]
mod tests;
