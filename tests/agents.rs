//! The real coding agents, Claude Code and Codex, and the SDKs that agents are built with, against a server and a
//! scripted Bedrock. `tests/clients/agents/install` installs them; `CHATRIX_AGENTS` names the folder. How often a client
//! asks again is counted, because each further request may be paid for.

mod claude_code;
mod codex;
mod faults;
mod run;
mod setup;

use crate::support::{Bedrock, Chatrix, Server};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any client here takes. One that asks again for ever is ended then, and the test fails.
const LIMIT: Duration = Duration::from_secs(90);

/// A pixel (PNG, Base64).
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// The program of a client in the folder of installed clients. Where there is none, the test has nothing to run.
fn installed(path: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("CHATRIX_AGENTS") else {
        println!("skipped: CHATRIX_AGENTS does not name a folder with installed clients");
        return None;
    };
    let program = Path::new(&folder).join(path);
    assert!(program.exists(), "{} is not installed", program.display());
    Some(program)
}

/// A server with limits that agents need.
fn serve(bedrock: &Bedrock) -> Server {
    Server::run(limits(Chatrix::serve().bedrock(bedrock)))
}

fn serve_offline() -> Server {
    Server::run(limits(Chatrix::serve().arg("--offline")).env("CHATRIX_OFFLINE_PACE", "0"))
}

fn limits(chatrix: Chatrix) -> Chatrix {
    chatrix.args(["--max-tokens", "16000", "--max-tokens-limit", "16000"])
}

/// A home and a project folder of a client's own, so that nothing of this account is read or changed.
struct Place(TempDir);

/// How a client ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for folder in ["home", "project"] {
            std::fs::create_dir(place.path(folder)).unwrap();
        }
        place.write("project/notes.txt", b"buy milk\n");
        place.write("project/pixel.png", &base64::Engine::decode(&base64::prelude::BASE64_STANDARD, PIXEL).unwrap());
        place
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        std::fs::write(self.path(path), bytes).unwrap();
    }

    /// A command in the project folder, with the environment of this place only.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.path("home"));
        command.current_dir(self.path("project")).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    fn run(&self, mut command: Command) -> Ended {
        let files = ["stdout", "stderr"].map(|name| self.path(name));
        let [stdout, stderr] = files.each_ref().map(|path| std::fs::File::create(path).unwrap());
        let mut child = command.stdout(stdout).stderr(stderr).spawn().unwrap();
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if started.elapsed() > LIMIT {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let [stdout, stderr] = files.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
        let Some(status) = status else { panic!("{command:?} did not end: {stdout}\n{stderr}") };
        Ended { code: status.code(), stdout, stderr }
    }
}

/// A call of a tool, in the form of [`crate::support::Reply::Message`].
fn call(id: &str, name: &str, input: &Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": input})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// The number of requests on a route, by the log of a server that has ended.
fn requests(log: &str, route: &str) -> usize {
    log.lines().filter(|line| line.contains(&format!(" POST {route} "))).count()
}
