//! The sockets that a server listens on, and who can reach them.

use crate::config::ServeSettings;
use crate::error::{Error, Kind, Result};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;

/// Whether everyone who can connect may spend.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    /// Whether the operator has said so, with `--allow-unauthenticated`.
    pub(super) allow_unauthenticated: bool,
}

impl Access {
    /// Looks at every address that clients will reach: those of systemd's sockets, or else the configured one.
    ///
    /// # Errors
    /// `RefusedByPolicy`.
    pub(super) fn check_all(self, serve: &ServeSettings, sockets: &[std::net::TcpListener]) -> anyhow::Result<()> {
        for socket in sockets {
            self.check(socket.local_addr()?.ip(), "the socket of systemd", serve.require_key)?;
        }
        if sockets.is_empty() {
            self.check(serve.host.value, &serve.host.source.to_string(), serve.require_key)?;
        }
        Ok(())
    }

    /// Refuses an address that others can reach, unless calls need a key or the operator allows it.
    ///
    /// # Errors
    /// `RefusedByPolicy`. `place` says where the address was set.
    pub(super) fn check(self, address: IpAddr, place: &str, require_key: bool) -> Result<()> {
        if address.is_loopback() || self.allow_unauthenticated || require_key {
            return Ok(());
        }
        let message = format!(
            "{address} (from {place}) is reachable beyond this machine, and anyone who can connect could spend your money"
        );
        Err(Error::new(Kind::RefusedByPolicy, message)
            .advise("require API keys with --require-key, or add --allow-unauthenticated to allow it"))
    }
}

/// Sockets that listen.
pub(super) struct Listeners {
    /// For clients. There is at least one.
    pub(super) main: Vec<TcpListener>,
    /// For those who watch the server.
    pub(super) metrics: Option<TcpListener>,
}

impl Listeners {
    /// Takes the sockets that systemd has passed, or else opens the configured address.
    ///
    /// # Errors
    /// When an address cannot be used.
    pub(super) async fn open(serve: &ServeSettings, sockets: Vec<std::net::TcpListener>) -> anyhow::Result<Self> {
        let mut main = Vec::new();
        for socket in sockets {
            socket.set_nonblocking(true)?;
            main.push(TcpListener::from_std(socket)?);
        }
        if main.is_empty() {
            main.push(bind(SocketAddr::new(serve.host.value, serve.port.value), "--host and --port").await?);
        }
        let metrics = match serve.metrics_addr {
            Some(address) => Some(bind(address, "--metrics-addr").await?),
            None => None,
        };
        Ok(Self { main, metrics })
    }

    /// The address that clients reach. Of several it is one that others can reach, if there is one.
    pub(super) fn bound(&self) -> IpAddr {
        let addresses = self.main.iter().filter_map(|listener| Some(listener.local_addr().ok()?.ip()));
        let addresses: Vec<IpAddr> = addresses.collect();
        match (&addresses[..], addresses.iter().all(IpAddr::is_loopback)) {
            ([only], _) => *only,
            ([first, ..], true) => *first,
            _ => Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}

async fn bind(address: SocketAddr, flags: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => {
                format!("is another chatrix running? choose another port with {flags}, or any free one with port 0")
            }
            ErrorKind::PermissionDenied => {
                format!("ports below 1024 need privileges; choose another port with {flags}")
            }
            _ => format!("choose another address with {flags}"),
        };
        let message = match error.kind() {
            ErrorKind::AddrInUse => format!("port {} on {} is taken", address.port(), address.ip()),
            _ => format!("cannot listen on {address}: {error}"),
        };
        Error::new(Kind::Io, message).advise(advice)
    })
}
