//! A running `chatrix serve`, and an HTTP client that can send what no library would: doubled slashes, foreign Hosts,
//! half a body.

use super::{Bedrock, Chatrix};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// A running server. It is killed at the end of the test.
pub struct Server {
    child: Child,
    /// What it has written to stderr since it was ready, and the thread that reads it: nobody could write to a pipe for
    /// ever that nobody reads.
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    address: String,
    /// How long a client waits for the next bytes of an answer.
    patience: Duration,
    /// What it wrote to stderr before it was ready.
    start_up: String,
    _home: TempDir,
}

/// A response of the server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_str(&self.body).unwrap()
    }

    /// The `data:` lines of a stream.
    pub fn data(&self) -> Vec<&str> {
        self.body.lines().filter_map(|line| line.strip_prefix("data: ")).collect()
    }

    /// The chunks of a stream, parsed.
    pub fn chunks(&self) -> Vec<Value> {
        let chunks = self.data().into_iter().filter(|data| *data != "[DONE]");
        chunks.map(|data| serde_json::from_str(data).unwrap()).collect()
    }

    /// An error in OpenAI's shape: status, type, code.
    #[track_caller]
    pub fn error(&self) -> (u16, String, String) {
        let json = self.json();
        let error = json["error"].as_object().unwrap();
        assert_eq!(error.keys().collect::<Vec<_>>(), ["message", "type", "param", "code"]);
        let text = |name: &str| error[name].as_str().unwrap().to_owned();
        (self.status, text("type"), text("code"))
    }
}

impl Server {
    /// `chatrix serve` against a scripted Bedrock.
    pub fn start(bedrock: &Bedrock) -> Self {
        Self::run(Chatrix::serve().bedrock(bedrock))
    }

    pub fn offline() -> Self {
        Self::run(Chatrix::serve().arg("--offline"))
    }

    pub fn run(chatrix: Chatrix) -> Self {
        let (mut child, home) = chatrix.args(["--port", "0"]).spawn();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        let address = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "the server ended: {text}");
            if let Some(url) = line.trim().strip_prefix("listening on http://") {
                break url.to_owned();
            }
            text.push_str(&line);
        };
        let log = Arc::<Mutex<String>>::default();
        let shared = Arc::clone(&log);
        let reader = std::thread::spawn(move || read(stderr, &shared));
        Self {
            child,
            log,
            reader: Some(reader),
            address,
            patience: Duration::from_secs(30),
            start_up: text,
            _home: home,
        }
    }

    /// With clients that wait longer, for answers that wait for others.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What it has written to stderr since it was ready.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// What it wrote to stderr before it was ready.
    pub fn start_up(&self) -> &str {
        &self.start_up
    }

    /// Ends the server. Gives all that it wrote to stderr.
    pub fn stop(self) -> String {
        super::signal(self.pid(), "TERM");
        let start = self.start_up().to_owned();
        start + &self.wait().1
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn port(&self) -> &str {
        self.address.rsplit_once(':').unwrap().1
    }

    /// Waits for the server to end. Gives its exit code, and what it wrote to stderr after it was ready.
    pub fn wait(mut self) -> (Option<i32>, String) {
        self.reader.take().unwrap().join().unwrap();
        (self.child.wait().unwrap().code(), self.log())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[], &body.to_string())
    }

    pub fn chat(&self, body: &Value) -> Answer {
        self.post("/v1/chat/completions", body)
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut socket = self.open(method, path, headers, body);
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).unwrap();
        parse(&bytes)
    }

    /// As [`Server::send`], for a server that may end meanwhile.
    pub fn try_send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> std::io::Result<Answer> {
        let mut bytes = Vec::new();
        self.try_open(method, path, headers, body)?.read_to_end(&mut bytes)?;
        if is_whole(&bytes) { Ok(parse(&bytes)) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    /// As [`Server::send`], for a body that is no text.
    pub fn send_for_bytes(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Vec<u8>) {
        let mut socket = self.open(method, path, headers, body);
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = &bytes[end + 4..];
        (status, if head.contains("transfer-encoding: chunked") { dechunk_bytes(body) } else { body.to_vec() })
    }

    /// Sends a request and gives the connection.
    pub fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        self.try_open(method, path, headers, body).unwrap()
    }

    /// As [`Server::open`], for a server that may have ended.
    pub fn try_open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<TcpStream> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            head.push_str(&format!("host: {}\r\n", self.address));
        }
        if !headers.iter().any(|(name, _)| *name == "content-length" || *name == "transfer-encoding") {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut socket = TcpStream::connect(&self.address)?;
        socket.set_read_timeout(Some(self.patience))?;
        socket.write_all(format!("{head}\r\n{body}").as_bytes())?;
        Ok(socket)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a server writes to stderr until its end.
fn read(mut stderr: BufReader<ChildStderr>, log: &Mutex<String>) {
    let mut line = Vec::new();
    while stderr.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        log.lock().unwrap().push_str(std::str::from_utf8(&line).unwrap());
        line.clear();
    }
}

/// Whether these are all bytes of a response.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    match length {
        Some(length) => bytes.len() == end + 4 + length.parse::<usize>().unwrap(),
        None => bytes.ends_with(b"0\r\n\r\n"),
    }
}

fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HashMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let chunked = headers.get("transfer-encoding").is_some_and(|encoding| encoding == "chunked");
    let body = if chunked { dechunk(body) } else { body.to_owned() };
    Answer { status, headers, body }
}

fn dechunk(body: &str) -> String {
    String::from_utf8(dechunk_bytes(body.as_bytes())).unwrap()
}

fn dechunk_bytes(mut body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            break;
        }
        bytes.extend(&body[end + 2..end + 2 + length]);
        body = &body[end + 2 + length + 2..];
    }
    bytes
}
