//! A ledger that is in trouble, before a server starts and while it runs. Under a budget no call more is let through
//! than the budget allows.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// What `Reply::text` costs on nova-micro: 10 tokens in, 5 out (nano-dollars).
const COST: i64 = 10 * 35 + 5 * 140;
const DAY: &str = "[budget]\nday_usd = 0.0002\nwait_seconds = 0.1\n";

fn serve(home: &Home, bedrock: &Bedrock) -> Server {
    Server::run(Chatrix::serve().home(home).bedrock(bedrock))
}

fn ask(server: &Server) -> u16 {
    let body = json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}]});
    server.chat(&body).status
}

/// The files of the ledger: the database, its log and its index.
fn files(home: &Home) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", home.ledger().display())))
}

fn remove(home: &Home) {
    for file in files(home) {
        drop(fs::remove_file(file));
    }
}

/// Copies the ledger as it is now, with what is still in its log.
fn copy(home: &Home, to: &Path) {
    let target = to.to_str().unwrap();
    home.open().execute("VACUUM INTO ?1", [target]).unwrap();
}

#[test]
fn a_lost_ledger_opens_no_budget_again_until_it_is_accepted() {
    type Loss = fn(&Home, &Path);
    let losses: [(&str, Loss); 7] = [
        // The file is the same, and no shorter.
        ("set back in place", |home, _| {
            let ledger = rusqlite::Connection::open(home.ledger()).unwrap();
            ledger.execute_batch("DELETE FROM calls; DELETE FROM booked; DELETE FROM totals;").unwrap();
        }),
        ("removed", |home, _| remove(home)),
        ("its folder removed", |home, _| fs::remove_dir_all(home.ledger().parent().unwrap()).unwrap()),
        ("replaced by an empty file", |home, _| {
            remove(home);
            fs::write(home.ledger(), "").unwrap();
        }),
        ("replaced by an older copy", |home, old| {
            remove(home);
            fs::copy(old, home.ledger()).unwrap();
        }),
        ("truncated", |home, _| {
            fs::File::options().write(true).open(home.ledger()).unwrap().set_len(0).unwrap();
            files(home)[1..].iter().for_each(|file| drop(fs::remove_file(file)));
        }),
        ("replaced by another ledger", |home, _| {
            remove(home);
            let other = (Home::new(""), Bedrock::script([Reply::text("ok")]));
            for _ in 0..9 {
                Chatrix::ask().args(["-m", "nova-micro", "hi"]).home(&other.0).bedrock(&other.1).run().code(0);
            }
            copy(&other.0, &home.ledger());
        }),
    ];
    for (name, lose) in losses {
        let (home, bedrock) = (Home::new(DAY), Bedrock::script([Reply::text("ok")]));
        let server = serve(&home, &bedrock);
        assert_eq!(ask(&server), 200, "{name}");
        home.at_rest();
        let old = home.path("old.db");
        copy(&home, &old);
        assert_eq!([ask(&server), ask(&server)], [200, 200], "{name}");
        home.at_rest();
        lose(&home, &old);
        assert_eq!([ask(&server), ask(&server)], [503, 503], "{name}");
        assert_eq!(bedrock.calls().len(), 3, "{name}");
        if name.contains("removed") {
            assert!(!home.ledger().exists(), "{name}: the server makes no new ledger");
        }
        Chatrix::ledger().arg("accept").home(&home).run().code(0);
        assert_eq!(ask(&server), 200, "{name}");
        assert_eq!(bedrock.calls().len(), 4, "{name}");
    }
}

#[test]
fn a_call_that_runs_while_its_ledger_is_lost_is_booked_in_the_accepted_one() {
    let (home, bedrock) = (Home::new(DAY), Bedrock::script([Reply::text("ok")]));
    let server = serve(&home, &bedrock);
    bedrock.hold();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| ask(&server));
        crate::support::eventually("the call is booked", || home.booked().1 > 0);
        remove(&home);
        assert_eq!(ask(&server), 503);
        Chatrix::ledger().arg("accept").home(&home).run().code(0);
        bedrock.go_on();
        assert_eq!(running.join().unwrap(), 200);
    });
    crate::support::eventually("it is booked", || home.booked() == (COST, 0, 0));
}

#[test]
fn a_server_with_a_budget_does_not_start_on_a_ledger_in_trouble() {
    type Break = fn(&Home);
    let breaks: [(&str, &str, Break); 4] = [
        ("not a database", "not a database", |home| fs::write(home.ledger(), "somebody's text, quite long").unwrap()),
        ("a directory", "cannot be opened", |home| fs::create_dir(home.ledger()).unwrap()),
        ("newer", "written by a newer chatrix", |home| {
            home.open().execute_batch("PRAGMA application_id = 1128821880; PRAGMA user_version = 99").unwrap();
        }),
        ("no folder", "cannot be opened", |home| {
            fs::remove_dir(home.ledger().parent().unwrap()).unwrap();
            fs::write(home.ledger().parent().unwrap(), "").unwrap();
        }),
    ];
    for (name, message, damage) in breaks {
        let (home, bedrock) = (Home::new(DAY), Bedrock::script([Reply::text("ok")]));
        fs::create_dir_all(home.ledger().parent().unwrap()).unwrap();
        damage(&home);
        let refused = Chatrix::serve().args(["--port", "0"]).home(&home).bedrock(&bedrock).run().code(1);
        refused.stderr_has(message).stderr_has("a budget is set").stderr_lacks("listening on");
        home.configure("");
        assert_eq!(ask(&serve(&home, &bedrock)), 200, "{name}: there is no budget");
    }
    let (home, bedrock) = (Home::new(DAY), Bedrock::script([Reply::text("ok")]));
    Chatrix::ask().args(["-m", "nova-micro", "hi"]).home(&home).bedrock(&bedrock).run().code(0);
    let other = home.open();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = Chatrix::serve().args(["--port", "0"]).home(&home).bedrock(&bedrock).run().code(1);
    refused.stderr_has("locked").stderr_has("a budget is set");
}

#[test]
fn a_ledger_is_checked_and_damage_is_said() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    Chatrix::ledger().arg("check").home(&home).run().code(1).stderr_has("there is no ledger at ");
    Chatrix::ask().args(["-m", "nova-micro", "hi"]).home(&home).bedrock(&bedrock).run().code(0);
    let sound = Chatrix::ledger().arg("check").home(&home).run().code(0).stdout;
    let lines: Vec<_> = sound.lines().skip(2).collect();
    let expected = ["state      sound", "calls      1", "spent      $0.0000011", "open       0, $0.00 reserved"];
    assert_eq!(lines[..4], expected, "{sound}");
    home.open().execute_batch("UPDATE booked SET settled = 1").unwrap();
    let broken = Chatrix::ledger().arg("check").home(&home).run().code(1).stdout;
    assert!(broken.contains("the sums are not those of the calls"), "{broken}");
}
