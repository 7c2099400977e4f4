//! Where a client finds the server.

use crate::cli::ServerAddress;
use crate::config::Settings;
use std::net::IpAddr;

/// The address of the server, without `/v1`.
pub(super) fn url(server: &ServerAddress, settings: &Settings) -> String {
    if let Some(url) = &server.url {
        return url.clone();
    }
    // A client on this machine reaches a server that listens on every address here.
    let host = match settings.serve.host.value {
        IpAddr::V4(host) if host.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V4(host) => host.to_string(),
        IpAddr::V6(host) if host.is_unspecified() => "[::1]".to_owned(),
        IpAddr::V6(host) => format!("[{host}]"),
    };
    format!("http://{host}:{}", settings.serve.port.value)
}
