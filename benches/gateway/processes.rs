//! The processes of a run: the scripted Bedrock and the server, and what they use.

use super::clients::GatewayClient;
use super::driver::Load;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Keys that sign requests nobody checks.
pub(super) const KEYS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ("AWS_REGION", "us-west-2"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];
/// Ticks of a second in `/proc`.
const TICKS: f64 = 100.0;

/// A process that says its address. It ends with this value.
pub(super) struct Process {
    child: Child,
    pub(super) url: String,
}

impl Process {
    pub(super) fn bedrock() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env("BENCH_ROLE", "bedrock").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim().to_owned() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `chatrix serve`, with a home of its own.
pub(super) struct Gateway {
    process: Process,
    pub(super) url: String,
    _home: tempfile::TempDir,
}

impl Gateway {
    pub(super) fn start(bedrock: &str, has_budget: bool) -> Self {
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let config = home.path().join("config.toml");
        let budget = if has_budget { "[budget]\nday_usd = 100000\nmonth_usd = 1000000\n" } else { "" };
        std::fs::write(&config, budget).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatrix"));
        command.args(["serve", "--port", "0"]).env_clear().envs(KEYS).env("HOME", home.path());
        command.env("CHATRIX_CONFIG", &config).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", bedrock);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(ToOwned::to_owned));
        // The log is read, so that it is written as anywhere else.
        std::thread::spawn(move || lines.for_each(drop));
        let url = url.expect("the server starts");
        Self { process: Process { child, url: url.clone() }, url, _home: home }
    }

    /// The processor time of the server so far.
    pub(super) fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11..=12].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS
    }

    /// What the server has in memory.
    pub(super) fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// What the server has in memory while so many streams are open.
    pub(super) fn hold_streams(&self, streams: usize, wait: Duration) -> f64 {
        let load = Load { is_stream: true, tokens: 600, pace_us: 20_000, ..Load::default() };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            for _ in 0..streams {
                let (url, load) = (self.url.clone(), load.clone());
                tokio::spawn(async move {
                    let mut client = GatewayClient::new(&url, &load).await;
                    let _ = client.call(&mut Vec::new()).await;
                });
            }
            tokio::time::sleep(wait).await;
            self.resident_mib()
        })
    }
}
