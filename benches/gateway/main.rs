//! Measures what a call costs through `chatrix serve`, beside the same call through the AWS SDK with nothing in between:
//! `cargo bench --bench gateway`. Everything runs on this machine, as four kinds of processes: a scripted Bedrock, the
//! server, and for each measurement a driver of clients, of the server or of the SDK. The two alternate, so that a noisy
//! machine hits both. Nothing is asserted, because machines differ.
//!
//! `cargo bench --bench gateway -- --seconds 4 --rounds 3 --only 'stream'` measures longer, or only some cases.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]
#![expect(clippy::expect_used, reason = "a benchmark may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "the benchmark prints its figures")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "figures are rounded")]
#![expect(clippy::cast_sign_loss, reason = "figures are positive")]

mod bedrock;
mod clients;
mod driver;
mod processes;

use driver::{Figures, Load};
use processes::{Gateway, Process};
use std::time::Duration;

/// One case: a load, and what it is called.
struct Case {
    name: String,
    load: Load,
}

fn cases(seconds: f64) -> Vec<Case> {
    let load = Load { seconds, ..Load::default() };
    let mut cases = Vec::new();
    let mut add = |name: String, load: &Load| cases.push(Case { name, load: load.clone() });
    for is_stream in [false, true] {
        let kind = if is_stream { "stream" } else { "complete" };
        for clients in [1, 8, 32, 128] {
            add(format!("{kind}, {clients} clients"), &Load { clients, is_stream, ..load.clone() });
        }
    }
    for (size, name) in [(1 << 10, "1 KB"), (100 << 10, "100 KB"), (5 << 20, "5 MB")] {
        add(format!("complete, 8 clients, prompts of {name}"), &Load { clients: 8, prompt: size, ..load.clone() });
    }
    for rate in [200, 500] {
        add(format!("complete, {rate} calls a second"), &Load { clients: 128, rate: Some(rate), ..load.clone() });
    }
    // Streams that take a second each, as answers of models do.
    for clients in [500, 1000] {
        let paced =
            Load { clients, is_stream: true, tokens: 200, pace_us: 5000, seconds: seconds.max(6.0), ..load.clone() };
        add(format!("{clients} paced streams"), &paced);
    }
    cases
}

/// The settings of a run.
struct Options {
    seconds: f64,
    rounds: usize,
    only: String,
}

fn options() -> Options {
    let mut options = Options { seconds: 2.0, rounds: 2, only: String::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value follows");
        match word.as_str() {
            "--seconds" => options.seconds = value().parse().unwrap(),
            "--rounds" => options.rounds = value().parse().unwrap(),
            "--only" => options.only = value(),
            // Cargo adds it.
            "--bench" => {}
            other => panic!("{other} is not --seconds, --rounds or --only"),
        }
    }
    options
}

fn main() {
    // The same program is all processes but the server.
    if let Ok(role) = std::env::var("BENCH_ROLE") {
        return match role.as_str() {
            "bedrock" => bedrock::run(),
            _ => driver::run(&role),
        };
    }
    let options = options();
    let bedrock = Process::bedrock();
    for has_budget in [true, false] {
        println!("\n{} budget", if has_budget { "With a" } else { "Without a" });
        let gateway = Gateway::start(&bedrock.url, has_budget);
        let idle = gateway.resident_mib();
        println!(
            "{:<38} {:>8} {:>8} {:>6} {:>23} {:>17} {:>8} {:>8} {:>8}",
            "",
            "SDK /s",
            "ours /s",
            "share",
            "added ms p50/p99/p99.9",
            "1st event SDK/our",
            "gap p99",
            "µs/call",
            "µs/event"
        );
        for case in cases(options.seconds).iter().filter(|case| case.name.contains(&options.only)) {
            measure(case, options.rounds, &bedrock, &gateway);
        }
        println!("memory: idle {idle:.0} MiB, after this {:.0} MiB", gateway.resident_mib());
        drop(gateway);
        let fresh = Gateway::start(&bedrock.url, has_budget);
        let before = fresh.resident_mib();
        let open = fresh.hold_streams(1000, Duration::from_secs(4));
        println!("memory of an open stream: {:.0} KiB (1000 open)", (open - before) * 1024.0 / 1000.0);
    }
}

/// Measures a case, the SDK and the server in turns, and prints the medians.
fn measure(case: &Case, rounds: usize, bedrock: &Process, gateway: &Gateway) {
    // Connections are opened, and code is loaded.
    driver::start("gateway", &gateway.url, &Load { seconds: 0.5, ..case.load.clone() });
    let rounds: Vec<(Figures, Figures, f64)> = (0..rounds)
        .map(|_| {
            let floor = driver::start("sdk", &bedrock.url, &case.load);
            let before = gateway.cpu_seconds();
            let ours = driver::start("gateway", &gateway.url, &case.load);
            (floor, ours, gateway.cpu_seconds() - before)
        })
        .collect();
    let median = |of: &dyn Fn(&(Figures, Figures, f64)) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let added = |percentile: fn(&Figures) -> f64| median(&|(floor, ours, _)| percentile(ours) - percentile(floor));
    let errors: u64 = rounds.iter().map(|(floor, ours, _)| floor.errors + ours.errors).sum();
    let streams = case.load.is_stream;
    println!(
        "{:<38} {:>8.0} {:>8.0} {:>6.2} {:>23} {:>17} {:>8} {:>8.0} {:>8}{}",
        case.name,
        median(&|(floor, ..)| floor.per_second),
        median(&|(_, ours, _)| ours.per_second),
        median(&|(floor, ours, _)| ours.per_second / floor.per_second.max(0.1)),
        format!("{:.2} / {:.2} / {:.2}", added(|f| f.p50), added(|f| f.p99), added(|f| f.p999)),
        if streams {
            format!("{:.2} / {:.2}", median(&|(floor, ..)| floor.first), median(&|(_, ours, _)| ours.first))
        } else {
            String::new()
        },
        if streams { format!("{:.2}", median(&|(_, ours, _)| ours.gap_p99)) } else { String::new() },
        median(&|(_, ours, cpu)| cpu * 1e6 / (ours.calls.max(1) as f64)),
        if streams {
            format!("{:.1}", median(&|(_, ours, cpu)| cpu * 1e6 / (ours.events.max(1) as f64)))
        } else {
            String::new()
        },
        if errors > 0 { format!("  {errors} errors") } else { String::new() },
    );
}
