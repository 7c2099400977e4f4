//! What systemd gives to `serve` and hears from it: folders, sockets, readiness, the watchdog.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, eventually, signal};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

/// The next message to systemd, without the ones of the watchdog.
fn message(socket: &UnixDatagram) -> String {
    loop {
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).unwrap();
        let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
        if text.trim() != "WATCHDOG=1" {
            return text;
        }
    }
}

#[test]
fn systemd_hears_of_the_start_reloads_and_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let serve = Chatrix::serve().arg("--offline").env("NOTIFY_SOCKET", path.to_str().unwrap());
    let server = Server::run(serve.env("WATCHDOG_USEC", "300000"));
    assert_eq!(message(&socket).trim(), "READY=1\nSTATUS=answering requests");
    signal(server.pid(), "HUP");
    let reloading = message(&socket);
    let mut lines = reloading.lines();
    assert_eq!(lines.next(), Some("RELOADING=1"));
    let now = lines.next().and_then(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap();
    assert!(now.parse::<u64>().unwrap() > 0);
    assert_eq!(message(&socket).trim(), "READY=1\nSTATUS=answering requests");
    // The watchdog is told that the workers run, again and again.
    let mut buffer = [0; 64];
    for _ in 0..3 {
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"WATCHDOG=1\n");
    }
    signal(server.pid(), "TERM");
    assert!(message(&socket).starts_with("STOPPING=1\n"));
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn a_socket_that_is_passed_on_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // The port of the config is not opened, so it may be taken.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let serve = Chatrix::serve().args(["--offline", "--port", &taken]);
    let (mut command, _home) = serve.env("LISTEN_FDS", "1").env("LISTEN_FDS_FIRST_FD", "0").into_command();
    // The socket takes the place of stdin, which is the first descriptor that may be named.
    command.stdin(Stdio::from(OwnedFd::from(listener))).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .write_all(format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    signal(child.id(), "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    child.stderr.unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains(&format!("listening on http://{address}\n")), "{log}");
}

#[test]
fn a_socket_beyond_this_machine_needs_keys_too() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let serve = Chatrix::serve().arg("--offline").env("LISTEN_FDS", "1").env("LISTEN_FDS_FIRST_FD", "0");
    let (mut command, _home) = serve.into_command();
    let output = command.stdin(Stdio::from(OwnedFd::from(listener))).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("0.0.0.0 (from the socket of systemd) is reachable beyond this machine"), "{text}");
}

#[test]
fn systemds_folders_hold_the_ledger_and_the_config() {
    let home = Home::new("");
    home.write("etc/config.toml", "[limits]\nmax_tokens_limit = 321\n");
    let folder = |name: &str| home.path(name).to_str().unwrap().to_owned();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let serve = Chatrix::serve().home(&home).bedrock(&bedrock).env("CONFIGURATION_DIRECTORY", &folder("etc"));
    let server = Server::run(serve.env("STATE_DIRECTORY", &format!("{}:/other", folder("var"))));
    let asked =
        serde_json::json!({"model": "nova-micro", "max_tokens": 5000, "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(server.chat(&asked).status, 200);
    assert_eq!(bedrock.call().body["inferenceConfig"]["maxTokens"], 321);
    eventually("the ledger is written", || home.path("var/ledger.db").exists());
    assert!(!home.ledger().exists());
    drop(server);
    // XDG's variables win.
    let serve = Chatrix::serve().home(&home).bedrock(&bedrock).env("STATE_DIRECTORY", &folder("var"));
    let server = Server::run(serve.env("XDG_STATE_HOME", &folder("xdg")));
    assert_eq!(server.chat(&asked).status, 200);
    eventually("the ledger is written", || home.path("xdg/chatrix/ledger.db").exists());
}
