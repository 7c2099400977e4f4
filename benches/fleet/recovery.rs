//! How long it takes after a failure until calls are admitted again, or until what is lost is known.

use super::support::proxy::{Fault, Proxy};
use super::support::{postgres::Cluster, postgres::Database, signal};
use super::{Place, reserve, runtime, settle};
use chatrix::ledger::Ledger;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long it takes until a call is admitted.
async fn until_admitted(ledger: &Ledger, since: Instant) -> Duration {
    loop {
        if let Ok(reservation) = reserve(ledger, None).await {
            settle(reservation);
            return since.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Does something on a thread without a runtime, as what the benchmark shares with the tests needs it.
fn aside(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(work).join()).unwrap();
}

/// After a crash of the database: since it has crashed, and since it takes connections again.
fn after_crash(cluster: &Cluster) -> (Duration, Duration) {
    let ledger = Place::Url(cluster.database().url()).start();
    runtime().block_on(async {
        until_admitted(&ledger, Instant::now()).await;
        let crashed = Instant::now();
        aside(|| cluster.stop_immediate());
        assert!(reserve(&ledger, None).await.is_err());
        aside(|| cluster.start());
        let started = Instant::now();
        until_admitted(&ledger, started).await;
        (crashed.elapsed(), started.elapsed())
    })
}

/// After all connections have broken.
fn after_cut(cluster: &Cluster) -> Duration {
    let proxy = Proxy::to(cluster.port());
    let ledger = Place::Url(cluster.database().url_at(proxy.port())).start();
    runtime().block_on(async {
        until_admitted(&ledger, Instant::now()).await;
        proxy.cut();
        until_admitted(&ledger, Instant::now()).await
    })
}

/// After connections that have passed nothing on for a second, and then broke with a commit under way.
fn after_lost_commit(cluster: &Cluster) -> Duration {
    let proxy = Proxy::to(cluster.port());
    let ledger = Place::Url(cluster.database().url_at(proxy.port())).start();
    runtime().block_on(async {
        until_admitted(&ledger, Instant::now()).await;
        proxy.set(Fault::LoseAnswerToCommit);
        let began = Instant::now();
        let lost = reserve(&ledger, None).await;
        proxy.set(Fault::None);
        if let Ok(reservation) = lost {
            settle(reservation);
        }
        until_admitted(&ledger, began).await
    })
}

/// After a process was killed: until another one books as uncertain what it had reserved.
fn after_kill(database: &Database<'_>) -> Duration {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child =
        command.args(["hold", &database.url()]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    let other = Place::Url(database.url()).start();
    runtime().block_on(async { until_admitted(&other, Instant::now()).await });
    signal(child.id(), "KILL");
    let killed = Instant::now();
    child.wait().unwrap();
    let session = database.session().unwrap();
    while session.try_number("SELECT COUNT(*) FROM calls WHERE state = 3").unwrap() == 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    killed.elapsed()
}

/// A process that has reserved a call, and never ends by itself.
pub(super) fn hold(url: &str) {
    let ledger = Place::Url(url.to_owned()).start();
    runtime().block_on(async {
        let _reservation = reserve(&ledger, None).await.unwrap();
        println!("reserved");
        std::future::pending::<()>().await;
    });
}

pub(super) fn measure(cluster: &Cluster) {
    println!("\nTime until calls are admitted again");
    println!("| {:<60} | {:>10} |", "after", "time");
    println!("|{:-<62}|{:->12}|", "", ":");
    let print = |name: &str, took: Duration| println!("| {name:<60} | {:>10} |", format!("{took:.2?}"));
    for _ in 0..3 {
        let (in_all, since_start) = after_crash(cluster);
        print("a crash of the database and its start", in_all);
        print("the moment at which it takes connections after that", since_start);
        print("a connection that broke", after_cut(cluster));
        print("a connection that broke with a commit under way", after_lost_commit(cluster));
    }
    print("a process that was killed: what it had reserved is uncertain", after_kill(&cluster.database()));
}
