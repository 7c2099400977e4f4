//! The HTTP client below the SDK. It is the SDK's own, with the same TLS and proxies, but closes unused connections
//! before a load balancer does, and says of each request whether its connection had been used before
//! (docs/bedrock.md §4.7).

use crate::error::{Error, Kind, Result};
use aws_smithy_http_client::pool::{Client, ConnectionPool};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::fmt::Display;
use std::time::Duration;

/// How often a connection without traffic is probed, so that one whose other end has vanished is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A client whose connections are closed when they were not used for this long.
///
/// # Errors
/// `Internal` when the SDK refuses these settings.
pub(super) fn pooled(idle: Duration) -> Result<SharedHttpClient> {
    let failed = |error: &dyn Display| Error::new(Kind::Internal, format!("the connections cannot be set up: {error}"));
    let pool = ConnectionPool::builder()
        .idle_timeout(idle)
        .tcp_keepalive(KEEP_ALIVE)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https()
        .map_err(|error| failed(&error))?;
    Ok(SharedHttpClient::new(Client::new(&pool).map_err(|error| failed(&error))?))
}
