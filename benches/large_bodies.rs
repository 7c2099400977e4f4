//! Measures what large request bodies cost; run it with `cargo bench --bench large_bodies`. It prints how much memory a
//! body takes beside its size, and the gaps in a neighbour's stream while bodies are parsed and refused. Nothing is
//! asserted, because machines differ.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "the benchmark prints its figures")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;
const SIZE: usize = 60 * MIB;

/// A server with the offline model, a token every 5 ms.
struct Server {
    child: Child,
    address: String,
    _home: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_chatrix"))
            .args(["serve", "--offline", "--port", "0"])
            .env_clear()
            .env("HOME", home.path())
            .env("CHATRIX_OFFLINE_PACE", "5")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| Some(line.unwrap().strip_prefix("listening on http://")?.to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.unwrap(), _home: home }
    }

    fn open(&self, body: &[u8]) -> TcpStream {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length:";
        socket.write_all(format!("{head} {}\r\n\r\n", body.len()).as_bytes()).unwrap();
        socket.write_all(body).unwrap();
        socket
    }

    /// The status of the answer.
    fn post(&self, body: &[u8]) -> String {
        let mut answer = Vec::new();
        let _ = self.open(body).read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).split("\r\n").next().unwrap().to_owned()
    }

    /// The most memory that the process has had (bytes). Only Linux says it.
    fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<usize>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn question(text: &str) -> String {
    format!(r#"{{"model":"nobody","messages":[{{"role":"user","content":{text}}}]}}"#)
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let text = r"The quick brown fox jumps over the lazy dog.\n".repeat(SIZE / 46);
    let image =
        format!(r#"[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{}"}}}}]"#, "A".repeat(SIZE));
    vec![
        ("one text", question(&format!("\"{text}\"")).into()),
        ("one image", question(&image).into()),
        ("a text that is cut off", question(&format!("\"{text}")).into()),
        ("empty arrays", question(&format!("[{}[]]", "[],".repeat(SIZE / 3))).into()),
    ]
}

fn memory(bodies: &[(&'static str, Vec<u8>)]) {
    for (name, body) in bodies {
        let server = Server::start();
        let before = server.peak();
        let status = server.post(body);
        let more = server.peak() - before;
        println!("{name}: {} MiB take {} MiB of memory ({status})", body.len() / MIB, more / MIB);
    }
}

/// The gaps between the pieces of one stream after the other, until told to stop.
fn gaps(server: &Server, stop: &AtomicBool) -> Vec<Duration> {
    let body =
        r#"{"model":"claude-haiku","stream":true,"messages":[{"role":"user","content":"count slowly, please"}]}"#;
    let mut gaps = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let mut socket = server.open(body.as_bytes());
        let mut piece = [0; 4096];
        let mut last = None;
        while socket.read(&mut piece).unwrap() > 0 {
            gaps.extend(last.replace(Instant::now()).map(|last: Instant| last.elapsed()));
        }
    }
    gaps.sort_unstable();
    gaps
}

fn neighbours(what: &str, bodies: &[(&'static str, Vec<u8>)]) {
    let server = Server::start();
    let stop = Arc::new(AtomicBool::new(false));
    let sent = std::thread::scope(|scope| {
        let stream = scope.spawn(|| gaps(&server, &stop));
        let end = Instant::now() + Duration::from_secs(10);
        let senders: Vec<_> = (0..3)
            .map(|first| {
                let (server, bodies) = (&server, bodies.iter().cycle().skip(first));
                scope.spawn(move || {
                    bodies.take_while(|_| Instant::now() < end).inspect(|(_, body)| drop(server.post(body))).count()
                })
            })
            .collect();
        let sent: usize = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        stop.store(true, Ordering::SeqCst);
        (sent, stream.join().unwrap())
    });
    let (sent, gaps) = sent;
    let at = |percent: usize| gaps[(gaps.len() - 1) * percent / 100];
    println!("{what} ({sent} bodies): gaps p50 {:.1?}, p99 {:.1?}, longest {:.1?}", at(50), at(99), at(100));
}

fn main() {
    let bodies = bodies();
    memory(&bodies);
    neighbours("alone", &[]);
    neighbours("beside large bodies", &bodies);
}
