//! The binary, in a home and an environment of its own: no file, profile or variable of this machine reaches it.

use super::Bedrock;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A command line to be run.
pub struct Chatrix {
    command: Command,
    stdin: Option<Vec<u8>>,
    home: TempDir,
}

impl Chatrix {
    fn new(subcommand: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatrix"));
        command.env_clear().env("HOME", home.path()).env("PATH", std::env::var_os("PATH").unwrap());
        command.env("AWS_EC2_METADATA_DISABLED", "true").arg(subcommand);
        Self { command, stdin: None, home }
    }

    pub fn ask() -> Self {
        Self::new("ask")
    }

    pub fn chat() -> Self {
        Self::new("chat")
    }

    pub fn models() -> Self {
        Self::new("models")
    }

    pub fn serve() -> Self {
        Self::new("serve")
    }

    pub fn completions() -> Self {
        Self::new("completions")
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn args<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Another Bedrock, with dummy keys, as a person would point the binary at one.
    pub fn bedrock(self, bedrock: &Bedrock) -> Self {
        self.keys().env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url)
    }

    pub fn keys(self) -> Self {
        self.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "dummy")
    }

    pub fn stdin(self, text: &str) -> Self {
        self.stdin_bytes(text.as_bytes())
    }

    pub fn stdin_bytes(mut self, bytes: &[u8]) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// The config file where it is looked for.
    pub fn config(self, text: &str) -> Self {
        self.file(".config/chatrix/config.toml", text)
    }

    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Where a file of this home is.
    pub fn path(&self, path: &str) -> String {
        self.home.path().join(path).to_str().unwrap().to_owned()
    }

    /// The command itself, for a pseudo-terminal; the home lives as long as the second value.
    pub fn into_command(self) -> (Command, TempDir) {
        (self.command, self.home)
    }

    /// Starts it with pipes and does not wait; the home lives as long as the second value.
    pub fn spawn(mut self) -> (Child, TempDir) {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(text) = self.stdin {
            // A command that does not read its input is free not to.
            let _ = child.stdin.take().unwrap().write_all(&text);
        }
        (child, self.home)
    }

    pub fn run(self) -> Outcome {
        let (child, _home) = self.spawn();
        let output = child.wait_with_output().unwrap();
        Outcome {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }

    #[track_caller]
    pub fn stdout(self, expected: &str) -> Outcome {
        let outcome = self.run();
        assert_eq!(outcome.stdout, expected, "stderr: {}", outcome.stderr);
        outcome
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Outcome {
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, Some(expected), "{self:?}");
        self
    }

    #[track_caller]
    pub fn stderr(self, expected: &str) -> Self {
        assert_eq!(self.stderr, expected, "{self:?}");
        self
    }

    #[track_caller]
    pub fn stderr_has(self, piece: &str) -> Self {
        assert!(self.stderr.contains(piece), "no {piece:?} in {self:?}");
        self
    }

    #[track_caller]
    pub fn stderr_lacks(self, piece: &str) -> Self {
        assert!(!self.stderr.contains(piece), "{piece:?} in {self:?}");
        self
    }
}
