//! Several machines and one ledger, on a real PostgreSQL: whatever happens to machines, connections and the database, the
//! budget holds at every moment, no call that Bedrock has answered is missing, and none is booked twice. Each machine is
//! a `chatrix serve` with a home of its own.
//!
//! The tests of trouble take `CHATRIX_FLEET_ROUNDS` rounds, 1 by default.

mod away;
mod clock;
mod connecting;
mod copy;
mod failover;
mod groups;
mod lease;
mod load;
mod pooler;
mod retention;
mod trouble;
mod versions;

use crate::support::postgres::Database;
use crate::support::{Answer, Bedrock, Chatrix, Home, Server, within};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The worst case of a prompt of so many bytes to nova-micro, with an answer of so many tokens (nano-dollars).
const fn worst(length: usize, max_tokens: usize) -> usize {
    (length + 544) * 35 + max_tokens * 140
}

fn question(prompt: &str, more: &Value) -> Value {
    let mut body = json!({"model": "nova-micro", "messages": [{"role": "user", "content": prompt}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// A config with a day's budget of so many nano-dollars, in which a call waits so long for running ones.
fn day(nano: usize, wait_seconds: f64) -> String {
    let dollars = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    format!("[budget]\nday_usd = {dollars}\nwait_seconds = {wait_seconds}\n")
}

fn rounds() -> usize {
    std::env::var("CHATRIX_FLEET_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// How long a client waits for an answer, which may wait for hundreds of others and for the end of a lease.
const PATIENCE: Duration = Duration::from_mins(2);

/// A machine with a home of its own, and the server on it.
struct Machine {
    home: Home,
    url: String,
    bedrock: Bedrock,
    server: Mutex<Arc<Server>>,
}

impl Machine {
    fn start(config: &str, url: &str, bedrock: &Bedrock) -> Self {
        let home = Home::new(config);
        let server = Server::run(Self::command(Chatrix::serve(), &home, url, bedrock)).with_patience(PATIENCE);
        Self { home, url: url.to_owned(), bedrock: bedrock.clone(), server: Mutex::new(Arc::new(server)) }
    }

    fn command(command: Chatrix, home: &Home, url: &str, bedrock: &Bedrock) -> Chatrix {
        command.home(home).env("CHATRIX_LEDGER", url).bedrock(bedrock)
    }

    /// Another command on this machine.
    fn run(&self, command: Chatrix) -> Chatrix {
        Self::command(command, &self.home, &self.url, &self.bedrock)
    }

    fn server(&self) -> Arc<Server> {
        Arc::clone(&self.server.lock().unwrap())
    }

    /// Kills the server, which cannot notice that.
    fn kill(&self) {
        crate::support::signal(self.server().pid(), "KILL");
    }

    /// Starts a new server in place of one that was killed.
    fn restart(&self) {
        let server = Server::run(self.run(Chatrix::serve())).with_patience(PATIENCE);
        *self.server.lock().unwrap() = Arc::new(server);
    }

    fn chat(&self, body: &Value) -> Answer {
        self.server().chat(body)
    }

    /// A call to a server that may be killed meanwhile.
    fn try_chat(&self, body: &Value) -> Option<Answer> {
        self.server().try_send("POST", "/v1/chat/completions", &[], &body.to_string()).ok()
    }
}

/// Waits until a condition is true. A lease takes half a minute to end, and so does much that waits for one.
#[track_caller]
fn within_a_minute(what: &str, is_true: impl FnMut() -> bool) {
    within(Duration::from_mins(1), what, is_true);
}

/// Waits until no call is open, and gives the sums of all calls.
#[track_caller]
fn at_rest(database: &Database<'_>) -> (i64, i64, i64) {
    within_a_minute("every call has its end", || database.booked().1 == 0);
    database.booked()
}

/// Looks at what is booked, again and again while the database can be asked.
#[derive(Default)]
struct Watcher {
    checks: AtomicU32,
    /// How often the database could not be asked.
    misses: AtomicU32,
    over: AtomicBool,
}

impl Watcher {
    /// Checks until it is over that no more is booked than the budget. Gives the most that was booked (nano-dollars).
    fn watch(&self, database: &Database<'_>, budget: usize) -> usize {
        let sql = "SELECT COALESCE(SUM(settled + reserved + uncertain), 0)::bigint FROM booked WHERE kind = 0";
        let (mut most, mut session) = (0, None);
        while !self.over.load(Ordering::SeqCst) {
            session = session.or_else(|| database.session().ok());
            if let Some(Ok(booked)) = session.as_ref().map(|session| session.try_number(sql)) {
                let booked = usize::try_from(booked).unwrap();
                assert!(booked <= budget, "{booked} is booked of {budget}");
                most = most.max(booked);
                self.checks.fetch_add(1, Ordering::SeqCst);
            } else {
                session = None;
                self.misses.fetch_add(1, Ordering::SeqCst);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        most
    }

    fn checks(&self) -> u32 {
        self.checks.load(Ordering::SeqCst)
    }

    fn misses(&self) -> u32 {
        self.misses.load(Ordering::SeqCst)
    }
}
