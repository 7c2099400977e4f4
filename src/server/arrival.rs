//! How a request came in: from where, and to whom it is addressed. It travels beside the request through warp.

use hyper::{Method, Request, Uri, Version};
use std::net::SocketAddr;

#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// The address of the client.
    pub(super) peer: SocketAddr,
    pub(super) version: Version,
    /// The host in the request line, or HTTP/2's `:authority`.
    pub(super) authority: Option<String>,
    /// Whether a tunnel is asked for: CONNECT, or a target without a path. warp cannot hold such a target
    /// (<https://github.com/seanmonstar/warp/issues/1166>), so it is replaced.
    pub(super) is_tunnel: bool,
}

impl Arrival {
    /// Notes how a request came in.
    pub(super) fn note<B>(mut request: Request<B>, peer: SocketAddr) -> Request<B> {
        let uri = request.uri();
        let arrival = Self {
            peer,
            version: request.version(),
            authority: uri.authority().map(ToString::to_string),
            is_tunnel: request.method() == Method::CONNECT || uri.path_and_query().is_none(),
        };
        if arrival.is_tunnel {
            *request.uri_mut() = Uri::default();
        }
        request.extensions_mut().insert(arrival);
        request
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn targets_have_four_forms() {
        for (method, target, path, authority, is_tunnel) in [
            ("GET", "/v1/models?x", "/v1/models", None, false),
            ("GET", "http://localhost:3000/v1/models", "/v1/models", Some("localhost:3000"), false),
            ("GET", "http://localhost:3000", "/", Some("localhost:3000"), false),
            ("OPTIONS", "*", "*", None, false),
            ("CONNECT", "example.com:443", "/", Some("example.com:443"), true),
            ("GET", "example.com:443", "/", Some("example.com:443"), true),
            ("CONNECT", "/", "/", None, true),
        ] {
            let request = Request::builder().method(method).uri(target).body(()).unwrap();
            let noted = Arrival::note(request, SocketAddr::from(([127, 0, 0, 1], 1)));
            let arrival = noted.extensions().get::<Arrival>().unwrap();
            let found = (noted.uri().path(), arrival.authority.as_deref(), arrival.is_tunnel);
            assert_eq!(found, (path, authority, is_tunnel), "{method} {target}");
        }
    }
}
