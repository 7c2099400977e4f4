//! How many calls a second processes can admit together, on one budget and on a hundred.

use super::{Place, call, runtime};
use chatrix::ledger::KeyId;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SECONDS: u64 = 5;
/// How many calls of a process are admitted or settled at once.
const CALLS: usize = 64;

/// One of the processes: it makes calls one after the other when a line comes, for some seconds, and prints how many it
/// has made.
pub(super) fn run_process(arguments: &[String]) {
    let (url, budgets) = (arguments[0].clone(), arguments[1].parse::<i64>().unwrap());
    runtime().block_on(async move {
        let ledger = Place::Url(url).start();
        call(&ledger, None).await;
        println!("ready");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        let (count, end) = (Arc::new(AtomicU64::new(0)), Instant::now() + Duration::from_secs(SECONDS));
        let tasks = (0..CALLS).map(|_| {
            let (ledger, count) = (ledger.clone(), Arc::clone(&count));
            tokio::spawn(async move {
                while Instant::now() < end {
                    let key = (budgets > 1).then(|| KeyId(fastrand::i64(1..=budgets)));
                    call(&ledger, key).await;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        println!("{}", count.load(Ordering::Relaxed));
        ledger.close();
    });
}

struct Process {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn start(url: &str, budgets: i64) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["process", url, &budgets.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, output };
        assert_eq!(process.line(), "ready");
        process
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

/// Gives the calls a second.
fn together(url: &str, processes: usize, budgets: i64) -> u64 {
    let mut processes: Vec<_> = (0..processes).map(|_| Process::start(url, budgets)).collect();
    for process in &mut processes {
        process.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
    let counts: Vec<u64> = processes.iter_mut().map(|process| process.line().parse().unwrap()).collect();
    for mut process in processes {
        process.child.wait().unwrap();
    }
    counts.iter().sum::<u64>() / SECONDS
}

pub(super) fn measure(new_url: impl Fn() -> String) {
    println!("\nCalls that are admitted and settled in a second, {CALLS} at once in each process");
    println!("| {:<12} | {:>12} | {:>12} |", "processes", "one budget", "100 budgets");
    println!("|{:-<14}|{:->14}|{:->14}|", "", ":", ":");
    for processes in [1, 2, 4, 8] {
        let [one, hundred] = [1, 100].map(|budgets| together(&new_url(), processes, budgets));
        println!("| {processes:<12} | {one:>12} | {hundred:>12} |");
    }
}
