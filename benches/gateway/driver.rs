//! Makes calls in a process of its own, and says what it has seen in one line of JSON.

use super::clients::{Client, GatewayClient, SdkClient};
use serde::{Deserialize, Serialize};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What clients do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Load {
    pub(super) clients: usize,
    pub(super) seconds: f64,
    pub(super) is_stream: bool,
    /// The length of the prompts (bytes).
    pub(super) prompt: usize,
    /// The length of the answers.
    pub(super) tokens: usize,
    /// The time between two tokens (microseconds).
    pub(super) pace_us: u64,
    /// How many calls begin in a second, whether earlier ones have ended or not; `None` where each client makes one after
    /// the other.
    pub(super) rate: Option<u64>,
}

impl Default for Load {
    fn default() -> Self {
        Self { clients: 1, seconds: 2.0, is_stream: false, prompt: 40, tokens: 50, pace_us: 0, rate: None }
    }
}

impl Load {
    pub(super) fn prompt(&self) -> String {
        let Self { prompt, tokens, pace_us, .. } = self;
        format!("{} [[tokens={tokens} pace_us={pace_us}]]", "x".repeat(*prompt))
    }
}

/// What was seen (milliseconds, where nothing else is said).
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Figures {
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) events: u64,
    pub(super) per_second: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    /// To the first event; the median.
    pub(super) first: f64,
    pub(super) gap_p99: f64,
}

/// Runs a driver (`gateway` or `sdk`) in a process of its own.
pub(super) fn start(role: &str, url: &str, load: &Load) -> Figures {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("BENCH_ROLE", role).env("BENCH_URL", url).env("BENCH_LOAD", serde_json::to_string(load).unwrap());
    let output = command.env("AWS_EC2_METADATA_DISABLED", "true").stderr(Stdio::inherit()).output().unwrap();
    serde_json::from_slice(&output.stdout).expect("the driver gives figures")
}

#[derive(Debug, Default)]
struct Samples {
    calls: Vec<Duration>,
    first: Vec<Duration>,
    gaps: Vec<Duration>,
    events: u64,
    errors: u64,
}

impl Samples {
    fn add(&mut self, mut other: Self) {
        self.calls.append(&mut other.calls);
        self.first.append(&mut other.first);
        self.gaps.append(&mut other.gaps);
        self.events += other.events;
        self.errors += other.errors;
    }
}

/// Makes the calls of one client.
async fn make_calls(mut client: Client, number: usize, began: Instant, load: Load) -> Samples {
    let mut samples = Samples::default();
    let end = began + Duration::from_secs_f64(load.seconds);
    // With a rate, the clients take turns.
    let step = load.rate.map(|rate| Duration::from_secs_f64(load.clients as f64 / rate as f64));
    let mut due = began + step.map(|step| step.mul_f64(number as f64 / load.clients as f64)).unwrap_or_default();
    while due.max(Instant::now()) < end {
        if step.is_some() {
            tokio::time::sleep_until(due.into()).await;
        }
        // The time counts from when the call was due, so that a wait behind an earlier one shows.
        let start = if step.is_some() { due } else { Instant::now() };
        match client.call(&mut samples.gaps).await {
            Some(seen) => {
                samples.calls.push(start.elapsed());
                samples.first.extend(seen.first);
                samples.events += seen.events;
            }
            None => samples.errors += 1,
        }
        due += step.unwrap_or_default();
    }
    samples
}

/// Makes the calls of `BENCH_LOAD`.
pub(super) fn run(role: &str) {
    let url = std::env::var("BENCH_URL").unwrap();
    let load: Load = serde_json::from_str(&std::env::var("BENCH_LOAD").unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let figures = runtime.block_on(drive(role, &url, &load));
    println!("{}", serde_json::to_string(&figures).unwrap());
}

async fn drive(role: &str, url: &str, load: &Load) -> Figures {
    let sdk = SdkClient::sdk(url);
    let mut clients = Vec::new();
    for _ in 0..load.clients {
        clients.push(match role {
            "sdk" => Client::Sdk(Box::new(SdkClient::new(sdk.clone(), load))),
            _ => Client::Gateway(Box::new(GatewayClient::new(url, load).await)),
        });
    }
    let began = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(number, client)| tokio::spawn(make_calls(client, number, began, load.clone())))
        .collect();
    let mut samples = Samples::default();
    for task in tasks {
        samples.add(task.await.unwrap());
    }
    let took = began.elapsed().as_secs_f64();
    Figures {
        calls: samples.calls.len() as u64,
        errors: samples.errors,
        events: samples.events,
        per_second: samples.calls.len() as f64 / took,
        p50: percentile(&mut samples.calls, 0.5),
        p99: percentile(&mut samples.calls, 0.99),
        p999: percentile(&mut samples.calls, 0.999),
        first: percentile(&mut samples.first, 0.5),
        gap_p99: percentile(&mut samples.gaps, 0.99),
    }
}

/// A percentile (milliseconds); 0 of nothing.
fn percentile(samples: &mut [Duration], share: f64) -> f64 {
    samples.sort_unstable();
    let index = ((samples.len() as f64 * share) as usize).min(samples.len().saturating_sub(1));
    samples.get(index).map_or(0.0, |sample| sample.as_secs_f64() * 1e3)
}
