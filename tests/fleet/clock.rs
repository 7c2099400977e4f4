//! Machines whose clocks are wrong: the day is the database's.

use super::{Machine, at_rest, day, question, within_a_minute, worst};
use crate::support::postgres::{Cluster, Database, Options, found};
use crate::support::{Bedrock, Chatrix, Home, Reply, Server};
use serde_json::json;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What gives a program another time: the variables that load `libfaketime` and set it off by so many seconds.
fn off_by(seconds: i64) -> Option<Vec<(String, String)>> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten();
    let library =
        folders.map(|folder| folder.unwrap().path().join("faketime/libfaketime.so.1")).find(|path| path.exists());
    let library: PathBuf = found("libfaketime", library)?;
    Some(vec![
        ("LD_PRELOAD".into(), library.to_str().unwrap().into()),
        ("FAKETIME".into(), format!("{seconds:+}s")),
        // What measures time must go on as it does.
        ("DONT_FAKE_MONOTONIC".into(), "1".into()),
        ("NO_FAKE_STAT".into(), "1".into()),
    ])
}

/// A machine whose clock is off by so many seconds.
fn machine(seconds: i64, config: &str, database: &Database<'_>, bedrock: &Bedrock) -> Option<Machine> {
    let home = Home::new(config);
    let command = Machine::command(Chatrix::serve(), &home, &database.url(), bedrock);
    let command = off_by(seconds)?.iter().fold(command, |command, (name, value)| command.env(name, value));
    let server = Mutex::new(Arc::new(Server::run(command)));
    Some(Machine { home, url: database.url(), bedrock: bedrock.clone(), server })
}

const HOURS: i64 = 3600;

#[test]
fn machines_whose_clocks_are_days_apart_book_on_the_same_day() {
    let Some(database) = Database::new() else { return };
    // Enough for two calls.
    let config = day(2 * worst(2, 512), 0.0);
    let bedrock = Bedrock::script([Reply::Measured(546, 512)]);
    let ahead = machine(26 * HOURS, &config, &database, &bedrock);
    let behind = machine(-26 * HOURS, &config, &database, &bedrock);
    let (Some(ahead), Some(behind)) = (ahead, behind) else { return };
    for machine in [&ahead, &behind] {
        assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
        at_rest(&database);
    }
    for machine in [&ahead, &behind] {
        let refused = machine.chat(&question("hi", &json!({})));
        assert_eq!(refused.status, 402, "a day of its own is no way around the budget: {}", refused.body);
    }
    let today = "SELECT floor(extract(epoch FROM now()) / 86400)::bigint";
    assert_eq!(database.sql("SELECT DISTINCT day FROM calls"), database.sql(today));
}

#[test]
fn a_new_day_begins_for_all_machines_at_the_databases_midnight() {
    const BEFORE: i64 = 12;
    // The database's clock is so far ahead that its midnight is near.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let until_midnight = 24 * HOURS - i64::try_from(now).unwrap() % (24 * HOURS);
    let Some(environment) = off_by(until_midnight - BEFORE) else { return };
    let Some(cluster) = Cluster::new(Options { environment, ..Options::default() }) else { return };
    let database = cluster.database();
    let clock = || database.number("SELECT floor(extract(epoch FROM clock_timestamp()) / 86400)::bigint");
    let config = day(worst(2, 512), 0.0);
    let bedrock = Bedrock::script([Reply::Measured(546, 512)]);
    let offsets = [2 * HOURS, -2 * HOURS];
    let machines = offsets.map(|seconds| machine(seconds, &config, &database, &bedrock).unwrap());
    let yesterday = clock();
    assert_eq!(machines[0].chat(&question("hi", &json!({}))).status, 200);
    at_rest(&database);
    for machine in &machines {
        assert_eq!(machine.chat(&question("hi", &json!({}))).status, 402);
    }
    assert_eq!(clock(), yesterday, "the machines took too long to start");
    std::thread::sleep(std::time::Duration::from_secs(3));
    within_a_minute("it is midnight", || clock() == yesterday + 1);
    assert_eq!(machines[1].chat(&question("hi", &json!({}))).status, 200);
    at_rest(&database);
    for machine in &machines {
        assert_eq!(machine.chat(&question("hi", &json!({}))).status, 402);
    }
    let days = format!("SELECT COUNT(*) FROM calls WHERE day IN ({yesterday}, {})", yesterday + 1);
    assert_eq!(database.number(&days), 2);
}
