//! How long a reservation takes when many processes share one budget, by simulation: nothing here asks a database. Each
//! process makes one transaction at a time, with all reservations and settlements that have come until it begins; each
//! transaction holds the row of the budget, first come first served, until its commit is on the disk. Calls come at
//! random to random processes, and are settled after some seconds. It is always the same calls that come.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// How many calls are reserved or settled in one transaction at most, as the writer of the ledger has it.
const BATCH: usize = 256;
/// Microseconds of a round trip to the database, before a transaction has the row.
const ROUND_TRIP: u64 = 500;
/// The seconds for which an answer runs, on average.
const ANSWER_SECONDS: f64 = 5.0;
/// The simulated seconds, of which the first third is not measured.
const SECONDS: u64 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Call,
    Settlement(usize),
    AsksForRow(usize),
    Committed(usize),
}

/// What a process has to write: when each waiting reservation was asked for (microseconds), `None` for a settlement.
#[derive(Default)]
struct Process {
    waiting: VecDeque<Option<u64>>,
    written: Vec<Option<u64>>,
    is_busy: bool,
}

struct Fleet {
    processes: Vec<Process>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    number: u64,
    /// Who waits for the row; the first one has it.
    row: VecDeque<usize>,
    /// Microseconds for which a transaction has the row.
    hold: u64,
    random: fastrand::Rng,
    took: Vec<u64>,
}

impl Fleet {
    fn at(&mut self, time: u64, event: Event) {
        self.number += 1;
        self.events.push(Reverse((time, self.number, event)));
    }

    /// Microseconds to the next of events that come at random, at an average distance (microseconds).
    fn random_time(&mut self, average: f64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a short time above 0")]
        let time = (-(1.0 - self.random.f64()).ln() * average) as u64;
        time
    }

    fn add(&mut self, time: u64, process: usize, asked: Option<u64>) {
        self.processes[process].waiting.push_back(asked);
        self.begin(time, process);
    }

    /// Lets a process begin a transaction, if it has none and something waits.
    fn begin(&mut self, time: u64, number: usize) {
        let process = &mut self.processes[number];
        if process.is_busy || process.waiting.is_empty() {
            return;
        }
        process.is_busy = true;
        let count = process.waiting.len().min(BATCH);
        process.written = process.waiting.drain(..count).collect();
        self.at(time + ROUND_TRIP, Event::AsksForRow(number));
    }

    fn take_place(&mut self, time: u64, number: usize) {
        self.row.push_back(number);
        if self.row.len() == 1 {
            self.at(time + self.hold, Event::Committed(number));
        }
    }

    fn commit(&mut self, time: u64, number: usize) {
        self.row.pop_front();
        if let Some(next) = self.row.front().copied() {
            self.at(time + self.hold, Event::Committed(next));
        }
        for asked in std::mem::take(&mut self.processes[number].written).into_iter().flatten() {
            if asked > SECONDS * 1_000_000 / 3 {
                self.took.push(time - asked);
            }
            let answer = self.random_time(ANSWER_SECONDS * 1_000_000.0);
            self.at(time + answer, Event::Settlement(number));
        }
        self.processes[number].is_busy = false;
        self.begin(time, number);
    }
}

/// Gives how long reservations took (microseconds), shortest first.
fn simulate(processes: usize, calls_per_second: f64, hold: u64) -> Vec<u64> {
    let mut fleet = Fleet {
        processes: (0..processes).map(|_| Process::default()).collect(),
        events: BinaryHeap::new(),
        number: 0,
        row: VecDeque::new(),
        hold,
        random: fastrand::Rng::with_seed(14),
        took: Vec::new(),
    };
    fleet.at(0, Event::Call);
    while let Some(Reverse((time, _, event))) = fleet.events.pop() {
        if time > SECONDS * 1_000_000 {
            break;
        }
        match event {
            Event::Call => {
                let process = fleet.random.usize(..processes);
                fleet.add(time, process, Some(time));
                let pause = fleet.random_time(1_000_000.0 / calls_per_second);
                fleet.at(time + pause, Event::Call);
            }
            Event::Settlement(process) => fleet.add(time, process, None),
            Event::AsksForRow(process) => fleet.take_place(time, process),
            Event::Committed(process) => fleet.commit(time, process),
        }
    }
    fleet.took.sort_unstable();
    fleet.took
}

pub(super) fn print() {
    const HOLDS: [u64; 3] = [1_000, 3_000, 10_000];
    println!(
        "\nMilliseconds that a reservation takes by simulation, p50 and p99; the row is held so long by each transaction"
    );
    println!("| {:<10} | {:<14} | {:>14} | {:>14} | {:>14} |", "processes", "calls a second", "1 ms", "3 ms", "10 ms");
    println!("|{:-<12}|{:-<16}|{:->16}|{:->16}|{:->16}|", "", "", ":", ":", ":");
    for processes in [1, 10, 100, 1_000] {
        for calls_per_second in [100.0, 1_000.0, 10_000.0] {
            let [short, middle, long] = HOLDS.map(|hold| {
                let took = simulate(processes, calls_per_second, hold);
                let [p50, p99] = [50, 99].map(|percent| took[(took.len() - 1) * percent / 100]);
                #[expect(clippy::cast_precision_loss, reason = "times are far below 2^52")]
                let [p50, p99] = [p50, p99].map(|time| time as f64 / 1000.0);
                format!("{p50:.1}, {p99:.1}")
            });
            println!("| {processes:<10} | {calls_per_second:<14} | {short:>14} | {middle:>14} | {long:>14} |");
        }
    }
}
