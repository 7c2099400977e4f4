//! Whether the port of `chatrix serve` is free, or who has it.

use super::check::Check;
use crate::config::ServeSettings;
use serde_json::Value;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const NAME: &str = "server port";
/// How long whoever has the port may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most that is read of what it says (bytes).
const MOST: u64 = 16 * 1024;

pub(super) async fn check(serve: &ServeSettings) -> Check {
    let address = SocketAddr::new(serve.host.value, serve.port.value);
    if address.port() == 0 {
        return Check::ok(NAME, "0 lets the system choose a free port");
    }
    let Err(error) = TcpListener::bind(address).await else {
        return Check::ok(NAME, format!("{address} is free"));
    };
    let advice = "for `chatrix serve`, choose another one: `port` under [serve] in the config file, or --port";
    match error.kind() {
        ErrorKind::AddrInUse => match timeout(PATIENCE, version_at(address)).await.ok().flatten() {
            Some(version) => Check::ok(NAME, format!("a running chatrix {version} answers at {address}")),
            None => Check::warning(NAME, format!("another program has {address}"), advice),
        },
        ErrorKind::PermissionDenied => {
            Check::warning(NAME, format!("{address} needs privileges, as ports below 1024 do"), advice)
        }
        _ => Check::warning(NAME, format!("{address} cannot be used: {error}"), advice),
    }
}

/// The version of the Chatrix that answers at an address; `None` for anything else.
async fn version_at(address: SocketAddr) -> Option<String> {
    // An address that stands for all of a machine's is reached at its own.
    let ip = if address.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { address.ip() };
    let address = SocketAddr::new(ip, address.port());
    let mut socket = TcpStream::connect(address).await.ok()?;
    let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    socket.take(MOST).read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    (body["name"] == "chatrix").then(|| body["version"].as_str().unwrap_or_default().to_owned())
}
