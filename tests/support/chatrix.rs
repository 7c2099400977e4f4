//! Runs the binary with a home directory and an environment of its own, so that no file, profile or variable of this
//! machine affects it.

use super::Bedrock;
use super::postgres::Database;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A command line to run.
pub struct Chatrix {
    command: Command,
    stdin: Option<Vec<u8>>,
    home: TempDir,
}

impl Chatrix {
    /// The bare command, without a subcommand.
    pub fn command() -> Self {
        Self::program(env!("CARGO_BIN_EXE_chatrix"))
    }

    /// Another program in the same surroundings, such as a shell that a person starts chatrix in.
    pub fn program(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(name);
        command.env_clear().env("HOME", home.path()).env("PATH", std::env::var_os("PATH").unwrap());
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        Self { command, stdin: None, home }
    }

    fn new(subcommand: &str) -> Self {
        Self::command().arg(subcommand)
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

    pub fn doctor() -> Self {
        Self::new("doctor")
    }

    pub fn serve() -> Self {
        Self::new("serve")
    }

    pub fn usage() -> Self {
        Self::new("usage")
    }

    pub fn ledger() -> Self {
        Self::new("ledger")
    }

    pub fn setup() -> Self {
        Self::new("setup")
    }

    pub fn keys() -> Self {
        Self::new("keys")
    }

    /// Uses a home that several commands share.
    pub fn home(self, home: &Home) -> Self {
        let command = self.env("HOME", home.folder.path().to_str().unwrap());
        match &home.database {
            Some(database) => command.env("CHATRIX_LEDGER", &database.url()),
            None => command,
        }
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

    /// Sets a variable to bytes that need not be text.
    pub fn env_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.command.env(name, std::ffi::OsStr::from_bytes(value));
        self
    }

    /// Uses a scripted Bedrock, through the environment variables that a person would set, and dummy keys.
    pub fn bedrock(self, bedrock: &Bedrock) -> Self {
        self.credentials().env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url)
    }

    /// Uses a scripted Bedrock with its control plane, and for STS as well.
    pub fn aws(self, bedrock: &Bedrock) -> Self {
        self.credentials().env("AWS_ENDPOINT_URL", &bedrock.url)
    }

    pub fn credentials(self) -> Self {
        self.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "dummy")
    }

    pub fn stdin(self, text: &str) -> Self {
        self.stdin_bytes(text.as_bytes())
    }

    pub fn stdin_bytes(mut self, bytes: &[u8]) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Writes the config file.
    pub fn config(self, text: &str) -> Self {
        self.file(".config/chatrix/config.toml", text)
    }

    pub fn file(self, path: &str, text: &str) -> Self {
        self.file_bytes(path, text.as_bytes())
    }

    pub fn file_bytes(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// The path of a file in this home.
    pub fn path(&self, path: &str) -> String {
        self.home.path().join(path).to_str().unwrap().to_owned()
    }

    /// The command itself, for a pseudo-terminal. The home is deleted when the second value is dropped.
    pub fn into_command(self) -> (Command, TempDir) {
        (self.command, self.home)
    }

    /// Starts the command with pipes and does not wait. The home is deleted when the second value is dropped.
    pub fn spawn(mut self) -> (Child, TempDir) {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(text) = self.stdin {
            // A command need not read its input, so a failure to write it is ignored.
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

/// A home directory that several commands share, and its ledger: a file in it, or a database of its own on PostgreSQL where
/// `CHATRIX_TEST_LEDGER` is `postgresql`.
pub struct Home {
    folder: TempDir,
    database: Option<Database<'static>>,
}

impl Home {
    pub fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    pub fn write_bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// A home with this config file.
    pub fn new(config: &str) -> Self {
        let database = if Self::has_file() { None } else { Database::new() };
        let home = Self { folder: tempfile::tempdir().unwrap(), database };
        home.configure(config);
        home
    }

    /// Whether the ledger of every home is a file. A test of such files has nothing to do otherwise.
    pub fn has_file() -> bool {
        !std::env::var("CHATRIX_TEST_LEDGER").is_ok_and(|kind| kind == "postgresql")
    }

    pub fn configure(&self, config: &str) {
        let folder = self.folder.path().join(".config/chatrix");
        std::fs::create_dir_all(&folder).unwrap();
        // A running server may read it at any time, so it is never half written.
        std::fs::write(folder.join("config.new"), config).unwrap();
        std::fs::rename(folder.join("config.new"), folder.join("config.toml")).unwrap();
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn ledger(&self) -> PathBuf {
        self.path(".local/state/chatrix/ledger.db")
    }

    /// The ledger, as any program could open it.
    pub fn open(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.ledger()).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection
    }

    /// The sums of all calls (nano-dollars): settled, reserved, uncertain.
    pub fn booked(&self) -> (i64, i64, i64) {
        if let Some(database) = &self.database {
            return database.booked();
        }
        if !self.ledger().exists() {
            return (0, 0, 0);
        }
        let connection = self.open();
        // The file exists a moment before its tables do.
        if !connection.table_exists(None, "booked").unwrap() {
            return (0, 0, 0);
        }
        let sql = "SELECT COALESCE(SUM(settled), 0), COALESCE(SUM(reserved), 0), COALESCE(SUM(uncertain), 0) FROM booked WHERE key = 0";
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    }

    /// What is booked for all groups of keys (nano-dollars).
    pub fn booked_by_groups(&self) -> i64 {
        if let Some(database) = &self.database {
            return database
                .number("SELECT COALESCE(SUM(settled + reserved + uncertain), 0) FROM booked WHERE kind = 2");
        }
        let sql = "SELECT COALESCE(SUM(settled + reserved + uncertain), 0) FROM group_totals";
        self.open().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Each call: state, reserved, settled (nano-dollars), model.
    pub fn calls(&self) -> Vec<(i64, i64, Option<i64>, String)> {
        if let Some(database) = &self.database {
            return database.calls();
        }
        let connection = self.open();
        let mut statement =
            connection.prepare("SELECT state, reserved, settled, model FROM calls ORDER BY id").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// The number of the last call.
    pub fn last_call(&self) -> i64 {
        let sql = "SELECT MAX(id) FROM calls";
        match &self.database {
            Some(database) => database.number(sql),
            None => self.open().query_row(sql, [], |row| row.get(0)).unwrap(),
        }
    }

    /// Lets the time pass after which a database takes killed processes for ended. With a file that takes none.
    pub fn end_leases(&self) {
        if let Some(database) = &self.database {
            database.end_leases();
        }
    }

    /// The number of calls that are booked as uncertain.
    pub fn count_uncertain(&self) -> u32 {
        let sql = "SELECT COUNT(*) FROM calls WHERE state = 3";
        match &self.database {
            Some(database) => u32::try_from(database.number(sql)).unwrap(),
            None => self.open().query_row(sql, [], |row| row.get(0)).unwrap(),
        }
    }

    /// Waits until no call is open, and gives the sums of all calls.
    #[track_caller]
    pub fn at_rest(&self) -> (i64, i64, i64) {
        super::eventually("every call has its end", || self.booked().1 == 0);
        self.booked()
    }
}

/// The result of a run.
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
