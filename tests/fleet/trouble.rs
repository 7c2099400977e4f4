//! Four machines whose servers are killed, whose database crashes, and whose connections break, while they are used.

mod books;

use super::{Machine, Watcher, day, question, rounds, within_a_minute, worst};
use crate::support::postgres::{Cluster, Database, Options};
use crate::support::{Bedrock, Call, Fault, Proxy, Reply, SetOnDrop};
use books::{Books, Ends};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How many clients call at once, and how many calls each makes.
const CLIENTS: usize = 48;
const CALLS: usize = 10;
/// The answers are limited to less than the floor of answers that are shortened, so that none is.
const MAX_TOKENS: usize = 60;
/// How often the database crashes at most in a round, and how often something happens to connections.
const CRASHES: u32 = 4;
const TROUBLES: u32 = 20;
/// How many commits are cut at least in a round of broken connections.
const CUT_COMMITS: usize = 4;

/// What a call of a prompt of this length costs, which is its own: no other call has this length.
const fn cost(length: usize) -> usize {
    (length + 500) * 35 + 50 * 140
}

/// What happened outside the ledger.
#[derive(Default)]
struct Witness {
    /// The lengths of the prompts that Bedrock has answered.
    asked: Mutex<Vec<usize>>,
    /// The lengths of the prompts whose answers have arrived whole.
    answered: Mutex<Vec<usize>>,
    /// The calls that were refused because nothing was left, and those that were refused because of the ledger.
    over_budget: AtomicUsize,
    unavailable: AtomicUsize,
}

fn length_of(call: &Call) -> usize {
    call.body["messages"][0]["content"][0]["text"].as_str().unwrap().len()
}

/// A Bedrock that takes some time for half of the calls.
fn bedrock(witness: &Arc<Witness>) -> Bedrock {
    let witness = Arc::clone(witness);
    let choose = move |call: &Call| {
        let length = length_of(call);
        witness.asked.lock().unwrap().push(length);
        let tokens = (length as u64 + 500, 50);
        if call.operation.ends_with("-stream") {
            Reply::Slow(vec!["a ".into(); 4], tokens)
        } else {
            Reply::Measured(tokens.0, tokens.1)
        }
    };
    Bedrock::script([Reply::Chosen(Arc::new(choose))])
}

/// One call, of a length that no other has.
fn call(machine: &Machine, length: usize, witness: &Witness) -> Option<u16> {
    let body = question(&"x".repeat(length), &json!({"stream": length.is_multiple_of(2), "max_tokens": MAX_TOKENS}));
    let answer = machine.try_chat(&body)?;
    match answer.status {
        // A stream that was cut by Chatrix ends with an error.
        200 if !answer.body.contains("\"error\"") => witness.answered.lock().unwrap().push(length),
        200 => {}
        402 => _ = witness.over_budget.fetch_add(1, Ordering::SeqCst),
        503 => _ = witness.unavailable.fetch_add(1, Ordering::SeqCst),
        other => panic!("{other}: {}", answer.body),
    }
    Some(answer.status)
}

/// Makes one call after the other, as clients do: what is refused because of the ledger is sent again after a while. What
/// became of a call whose server is gone is not known, and it is not sent again.
fn call_again_and_again(machines: &[Machine], client: usize, witness: &Witness) {
    let began = Instant::now();
    for n in 0..CALLS {
        loop {
            assert!(began.elapsed() < Duration::from_mins(2), "the calls come to no end");
            let status = call(&machines[(client + n) % 4], 1 + client * CALLS + n, witness);
            if matches!(status, Some(200 | 402)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
            if status.is_none() {
                break;
            }
        }
    }
}

/// What a round is made of.
struct Round<'a> {
    database: Database<'a>,
    /// The address by which the machines reach it.
    url: String,
    ends: Ends,
    watcher: Watcher,
}

impl<'a> Round<'a> {
    fn new(url: String, database: Database<'a>, ends: Ends) -> Self {
        Self { database, url, ends, watcher: Watcher::default() }
    }

    /// Lets all clients call while there is trouble, and compares the ledger with what has happened.
    fn run(&self, make_trouble: impl Fn(&[Machine], &dyn Fn() -> bool) + Send) {
        let witness = Arc::new(Witness::default());
        let bedrock = bedrock(&witness);
        let all: usize = (1..=CLIENTS * CALLS).map(cost).sum();
        let budget = all / 3;
        let machines: Vec<_> = (0..4).map(|_| Machine::start(&day(budget, 0.3), &self.url, &bedrock)).collect();
        std::thread::scope(|scope| {
            let end = SetOnDrop(&self.watcher.over);
            scope.spawn(|| self.watcher.watch(&self.database, budget));
            let (machines, witness) = (&machines[..], &witness);
            let clients = (0..CLIENTS).map(|n| scope.spawn(move || call_again_and_again(machines, n, witness)));
            let clients: Vec<_> = clients.collect();
            make_trouble(machines, &|| clients.iter().any(|client| !client.is_finished()));
            for client in clients {
                client.join().unwrap();
            }
            drop(end);
        });
        self.use_up(&machines, &witness);
        let books = Books::read(&self.database);
        books.compare(&witness, budget, self.ends);
        let count = |number: &AtomicUsize| number.load(Ordering::SeqCst);
        println!(
            "{} answered, {} over budget, {} while the ledger was away; {} checks; {books}",
            witness.answered.lock().unwrap().len(),
            count(&witness.over_budget),
            count(&witness.unavailable),
            self.watcher.checks(),
        );
        assert!(self.watcher.checks() > 20, "{} checks", self.watcher.checks());
    }

    /// Waits until everything is as it was before the trouble, and calls until nothing fits any more.
    fn use_up(&self, machines: &[Machine], witness: &Witness) {
        within_a_minute("the machines serve again", || {
            machines.iter().all(|machine| machine.server().get("/readyz").status == 200)
        });
        if self.ends == Ends::MayBeUncertain {
            self.database.end_leases();
        }
        within_a_minute("every call has its end", || self.database.booked().1 == 0);
        for length in CLIENTS * CALLS + 1.. {
            match call(&machines[length % 4], length, witness) {
                Some(200) => {}
                Some(402) => break,
                other => panic!("{other:?} though all is well"),
            }
        }
        within_a_minute("every call has its end", || self.database.booked().1 == 0);
    }
}

fn pause(random: &mut fastrand::Rng, milliseconds: std::ops::Range<u64>) {
    std::thread::sleep(Duration::from_millis(random.u64(milliseconds)));
}

#[test]
fn while_servers_are_killed() {
    for round in 0..rounds() as u64 {
        let Some(database) = Database::new() else { return };
        let round_of_test = Round::new(database.url(), database, Ends::MayBeUncertain);
        let kills = Mutex::new(0);
        round_of_test.run(|machines, is_on| {
            let mut random = fastrand::Rng::with_seed(round);
            while is_on() {
                pause(&mut random, 100..600);
                let machine = &machines[random.usize(..4)];
                machine.kill();
                machine.restart();
                *kills.lock().unwrap() += 1;
            }
        });
        println!("{} kills", kills.into_inner().unwrap());
    }
}

#[test]
fn while_the_database_crashes() {
    // A crash of the server loses nothing that the operating system has, and waiting for the disk takes long.
    let options = Options { durable: rounds() > 1, ..Options::default() };
    let Some(cluster) = Cluster::new(options) else { return };
    for round in 0..rounds() as u64 {
        let database = cluster.database();
        let round_of_test = Round::new(database.url(), database, Ends::AreKnown);
        let (cluster, watcher) = (&cluster, &round_of_test.watcher);
        round_of_test.run(move |_, is_on| {
            let mut random = fastrand::Rng::with_seed(round);
            let mut crashes = 0;
            while is_on() && crashes < CRASHES {
                let checks = watcher.checks();
                pause(&mut random, 200..900);
                // However slow the machine is, the sums are looked at each time the database is up.
                while watcher.checks() < checks + 5 && is_on() {
                    pause(&mut random, 1..20);
                }
                cluster.stop_immediate();
                pause(&mut random, 0..400);
                cluster.start();
                crashes += 1;
            }
            println!("{crashes} crashes");
        });
    }
}

#[test]
fn while_connections_break_also_with_a_commit_under_way() {
    let Some(cluster) = Cluster::shared() else { return };
    for round in 0..rounds() as u64 {
        let database = cluster.database();
        let proxy = Proxy::to(cluster.port());
        let round_of_test = Round::new(database.url_at(proxy.port()), database, Ends::AreKnown);
        round_of_test.run(|_, is_on| {
            let mut random = fastrand::Rng::with_seed(round);
            let faults = [
                Fault::LoseAnswerToCommit,
                Fault::LoseCommit,
                Fault::Refuse,
                Fault::Delay(Duration::from_millis(20)),
                Fault::Hang,
            ];
            // Whatever chance brings later, some commits are cut, one at a time: the next connection tells what became of it.
            for cut in 0..CUT_COMMITS {
                proxy.lose_one(faults[cut % 2]);
                while proxy.lost() <= cut && is_on() {
                    std::thread::sleep(Duration::from_millis(10));
                }
                pause(&mut random, 50..200);
            }
            let mut troubles = 0;
            while is_on() && troubles < TROUBLES {
                // Long enough for calls to be served in between.
                pause(&mut random, 100..1000);
                proxy.set(faults[random.usize(..faults.len())]);
                pause(&mut random, 20..200);
                // What hangs may also break in the end.
                if random.bool() {
                    proxy.cut();
                }
                proxy.set(Fault::None);
                troubles += 1;
            }
            println!("{troubles} troubles");
        });
        println!("{} commits were cut", proxy.lost());
        assert!(proxy.lost() >= CUT_COMMITS, "{} commits were cut", proxy.lost());
    }
}
