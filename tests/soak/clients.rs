//! Clients that do all that clients do: most ask and read, others break off, stop reading, or send what is no request.

use crate::support::Server;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a client does, or what happens to its call at Bedrock. The name is the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Complete,
    Streamed,
    /// Its tool has a schema whose references form a lattice.
    Lattice,
    Throttled,
    ThrottledOnce,
    InternalError,
    Cut,
    EndsEarly,
    Damaged,
    FailsLater,
    Stalls,
    /// The client leaves in the middle of a stream.
    HangsUp,
    /// The client reads nothing of a stream, and leaves later.
    StopsReading,
    /// The client leaves while it waits for a complete answer.
    LeavesComplete,
    OverBudget,
    NoJson,
    /// The client leaves in the middle of its request.
    HalfBody,
    ForeignPage,
    Connect,
    NoHttp,
}

impl Kind {
    pub(super) const ALL: [Self; 20] = [
        Self::Complete,
        Self::Streamed,
        Self::Lattice,
        Self::Throttled,
        Self::ThrottledOnce,
        Self::InternalError,
        Self::Cut,
        Self::EndsEarly,
        Self::Damaged,
        Self::FailsLater,
        Self::Stalls,
        Self::HangsUp,
        Self::StopsReading,
        Self::LeavesComplete,
        Self::OverBudget,
        Self::NoJson,
        Self::HalfBody,
        Self::ForeignPage,
        Self::Connect,
        Self::NoHttp,
    ];

    fn name(self) -> String {
        format!("{self:?}")
    }

    /// The kind whose name is the prompt of a Converse request.
    pub(super) fn of_prompt(body: &Value) -> Self {
        let prompt = body["messages"][0]["content"][0]["text"].as_str().unwrap();
        *Self::ALL.iter().find(|kind| kind.name() == prompt).unwrap()
    }

    /// Whether the scripted Bedrock answers it with its usage.
    pub(super) fn is_billed(self) -> bool {
        matches!(self, Self::Complete | Self::Streamed | Self::Lattice | Self::ThrottledOnce)
    }

    /// Whether the client leaves before its answer is complete.
    pub(super) fn leaves(self) -> bool {
        matches!(self, Self::HangsUp | Self::StopsReading | Self::LeavesComplete)
    }

    /// Whether the answer may have this status; 0 stands for none. Under load any paid call may be told to come back.
    pub(super) fn may_end_with(self, status: u16) -> bool {
        match self {
            Self::Complete | Self::Streamed => [200, 503].contains(&status),
            Self::Lattice => [200, 400, 503].contains(&status),
            Self::Throttled => [429, 503].contains(&status),
            Self::ThrottledOnce => [200, 429, 503].contains(&status),
            Self::InternalError => [500, 503].contains(&status),
            Self::Cut | Self::EndsEarly | Self::Damaged | Self::FailsLater | Self::Stalls => {
                [200, 502, 503, 504].contains(&status)
            }
            Self::HangsUp | Self::StopsReading => [0, 200, 503].contains(&status),
            Self::LeavesComplete | Self::HalfBody => [0, 503].contains(&status),
            Self::OverBudget => [402, 503].contains(&status),
            Self::NoJson => status == 400,
            Self::ForeignPage => status == 403,
            Self::Connect => status == 405,
            Self::NoHttp => [0, 400].contains(&status),
        }
    }

    fn is_streamed(self) -> bool {
        !matches!(self, Self::Complete | Self::LeavesComplete | Self::InternalError | Self::Lattice | Self::OverBudget)
    }
}

/// One client, which makes one call after another.
pub(super) struct Client<'a> {
    server: &'a Server,
    /// The token of a key whose budget is used up.
    poor: &'a str,
    random: fastrand::Rng,
}

impl<'a> Client<'a> {
    pub(super) fn new(server: &'a Server, poor: &'a str, seed: u64) -> Self {
        Self { server, poor, random: fastrand::Rng::with_seed(seed) }
    }

    /// Makes a call of some kind. Gives its status, or 0 when there was none.
    pub(super) fn call(&mut self) -> (Kind, u16) {
        let kind = Kind::ALL[self.random.usize(..Kind::ALL.len())];
        std::thread::sleep(Duration::from_millis(self.random.u64(..20)));
        (kind, self.make(kind))
    }

    fn make(&mut self, kind: Kind) -> u16 {
        let body = body(kind);
        let bearer = format!("Bearer {}", if kind == Kind::OverBudget { self.poor } else { "anything" });
        let mut headers = vec![("authorization", bearer.as_str())];
        let length = (body.len() + 100).to_string();
        match kind {
            Kind::ForeignPage => headers.push(("origin", "https://evil.example")),
            Kind::HalfBody => headers.push(("content-length", &length)),
            _ => {}
        }
        let path = "/v1/chat/completions";
        let Ok(mut socket) = (match kind {
            Kind::Connect => self.server.try_open("CONNECT", "example.com:443", &headers, ""),
            Kind::NoHttp => self.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n"),
            _ => self.server.try_open("POST", path, &headers, &body),
        }) else {
            return 0;
        };
        match kind {
            Kind::HalfBody | Kind::LeavesComplete => {
                std::thread::sleep(Duration::from_millis(self.random.u64(..50)));
                0
            }
            Kind::StopsReading => {
                std::thread::sleep(Duration::from_millis(500));
                0
            }
            Kind::HangsUp => {
                let mut some = [0; 2048];
                let read = socket.read(&mut some).unwrap_or(0);
                status(&some[..read])
            }
            _ => {
                let mut bytes = Vec::new();
                // A reset after the answer loses nothing of it.
                let _ = socket.read_to_end(&mut bytes);
                status(&bytes)
            }
        }
    }

    fn raw(&self, bytes: &[u8]) -> std::io::Result<TcpStream> {
        let mut socket = TcpStream::connect(self.server.address())?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        socket.write_all(bytes)?;
        Ok(socket)
    }
}

fn body(kind: Kind) -> String {
    if kind == Kind::NoJson {
        return "{\"model\": \"nova-micro\", \"messages\": [".to_owned();
    }
    let messages = json!([{"role": "user", "content": kind.name()}]);
    let mut body = json!({
        "model": "nova-micro", "max_tokens": 64, "stream": kind.is_streamed(), "messages": messages,
    });
    if kind == Kind::Lattice {
        body["tools"] = json!([{"type": "function", "function": {"name": "f", "parameters": lattice()}}]);
    }
    body.to_string()
}

/// A schema of 30 levels, each of which refers twice to the next.
fn lattice() -> Value {
    let level = |n: usize| {
        let next = json!({"$ref": format!("#/$defs/L{}", n + 1)});
        json!({"type": "object", "properties": {"a": next, "b": next}})
    };
    let mut levels: serde_json::Map<String, Value> = (0..30).map(|n| (format!("L{n}"), level(n))).collect();
    levels.insert("L30".to_owned(), json!({"type": "string"}));
    json!({"$ref": "#/$defs/L0", "$defs": levels})
}

fn status(bytes: &[u8]) -> u16 {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(32)]).into_owned();
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}
