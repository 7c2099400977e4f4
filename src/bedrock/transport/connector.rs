//! Opens connections to Bedrock: with TLS where the address asks for it, and through the proxies of the environment
//! (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in the forms that curl knows). These are the libraries
//! that the SDK's own HTTP client is made of.

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::rt::{Read, Write};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::client::WantsClientCert;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tower_service::Service;

/// How often a connection without traffic is probed, so that one whose other end has vanished is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// Bytes to Bedrock and back, whatever lies between.
pub(super) trait Transfer: Read + Write + Send + Unpin {}
impl<T: Read + Write + Send + Unpin> Transfer for T {}

/// An open connection.
pub(super) struct Opened {
    pub(super) transfer: Box<dyn Transfer>,
    /// Set where a proxy passes each request on, instead of the bytes of a tunnel.
    pub(super) forwarding: Option<Forwarding>,
}

/// What a request needs besides itself when a proxy passes it on.
#[derive(Debug, Clone)]
pub(super) struct Forwarding {
    /// `proxy-authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

/// Opens connections.
pub(super) struct Connector {
    direct: HttpsConnector<HttpConnector>,
    tls: Arc<ClientConfig>,
    proxies: Matcher,
}

impl fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address of a proxy may hold a password.
        formatter.write_str("Connector")
    }
}

impl Connector {
    /// A connector that trusts this machine's root certificates.
    ///
    /// # Errors
    /// When the machine has none.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self::with(ClientConfig::builder().with_native_roots()?, Matcher::from_env()))
    }

    /// A connector that trusts no server, for a machine without root certificates and addresses without TLS.
    pub(super) fn without_certificates() -> Self {
        Self::with(ClientConfig::builder().with_root_certificates(RootCertStore::empty()), Matcher::from_env())
    }

    /// A connector to this machine.
    pub(super) fn local() -> Self {
        let no_proxies = Matcher::builder().build();
        Self::with(ClientConfig::builder().with_root_certificates(RootCertStore::empty()), no_proxies)
    }

    fn with(tls: ConfigBuilder<ClientConfig, WantsClientCert>, proxies: Matcher) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        let tls = Arc::new(tls.with_no_client_auth());
        Self { direct: HttpsConnector::from((tcp, Arc::clone(&tls))), tls, proxies }
    }

    /// Opens a connection to the server of an address.
    ///
    /// # Errors
    /// When the server or the proxy cannot be reached, or does not let the connection in.
    pub(super) async fn open(&self, address: &Uri) -> Result<Opened, BoxError> {
        let mut direct = self.direct.clone();
        let Some(proxy) = self.proxies.intercept(address) else {
            return Ok(Opened { transfer: Box::new(direct.call(address.clone()).await?), forwarding: None });
        };
        let authorization = proxy.basic_auth().cloned();
        if address.scheme_str() == Some("https") {
            let tunnel = Tunnel::new(proxy.uri().clone(), direct);
            let tunnel = match authorization {
                Some(authorization) => tunnel.with_auth(authorization),
                None => tunnel,
            };
            let mut through_tunnel = HttpsConnector::from((tunnel, Arc::clone(&self.tls)));
            return Ok(Opened { transfer: Box::new(through_tunnel.call(address.clone()).await?), forwarding: None });
        }
        let transfer = Box::new(direct.call(proxy.uri().clone()).await?);
        Ok(Opened { transfer, forwarding: Some(Forwarding { authorization }) })
    }
}
