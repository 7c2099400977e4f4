//! The ledger and the budgets.

use super::{assert_check, bedrock, check, doctor, report};
use crate::support::{Bedrock, Chatrix, Home, Reply};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const DAY: &str = "[budget]\nday_usd = 1\n";

#[test]
fn a_sound_ledger_is_counted() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    Chatrix::ask().args(["-m", "nova-micro", "hi"]).home(&home).bedrock(&bedrock).run().code(0);
    let found = report(doctor(&bedrock).home(&home), 0);
    assert_check(&found, "ledger", "ok", "ledger.db is sound: 1 call, 0 of them uncertain", "");
    fs::set_permissions(home.ledger(), fs::Permissions::from_mode(0o644)).unwrap();
    let open = report(doctor(&bedrock).home(&home), 0);
    assert_check(&open, "ledger", "warning", "other users of this machine can open ", "chmod 600 ");
}

#[test]
fn a_ledger_in_trouble_fails_only_under_a_budget() {
    type Break = fn(&Home);
    let breaks: [(&str, Break); 5] = [
        ("not a database", |home| fs::write(home.ledger(), "somebody's text, quite long").unwrap()),
        ("cannot be opened", |home| fs::create_dir(home.ledger()).unwrap()),
        ("written by a newer chatrix", |home| {
            home.open().execute_batch("PRAGMA application_id = 1128821880; PRAGMA user_version = 99").unwrap();
        }),
        ("the ledger cannot be made", |home| {
            fs::remove_dir(home.ledger().parent().unwrap()).unwrap();
            fs::write(home.ledger().parent().unwrap(), "").unwrap();
        }),
        ("is damaged: the sums are not those of the calls", |home| {
            let bedrock = Bedrock::script([Reply::text("ok")]);
            Chatrix::ask().args(["-m", "nova-micro", "hi"]).home(home).bedrock(&bedrock).run().code(0);
            home.open().execute_batch("UPDATE booked SET settled = 1").unwrap();
        }),
    ];
    for (message, damage) in breaks {
        let (home, bedrock) = (Home::new(DAY), bedrock());
        fs::create_dir_all(home.ledger().parent().unwrap()).unwrap();
        damage(&home);
        let found = report(doctor(&bedrock).home(&home), 1);
        let (status, said, advice) = check(&found, "ledger");
        assert!(status == "failed" && said.contains(message) && !advice.is_empty(), "{message}: {found:#}");
        assert_eq!(check(&found, "budgets").0, "skipped");
        home.configure("");
        let found = report(doctor(&bedrock).home(&home), 0);
        assert_check(&found, "ledger", "warning", "there is no budget, so calls are made, but not booked", "m");
    }
}

#[test]
fn without_a_folder_there_is_no_ledger() {
    let bedrock = bedrock();
    let found = report(doctor(&bedrock).env("HOME", "relative").env("XDG_CONFIG_HOME", "/nowhere"), 0);
    assert_check(&found, "ledger", "warning", "neither XDG_STATE_HOME nor HOME is set", "set XDG_STATE_HOME or HOME");
}

#[test]
fn what_is_left_of_the_budgets_is_said() {
    let bedrock = Bedrock::script([Reply::Text(vec!["ok".into()], "end_turn", (1_000_000, 5))]);
    let home = Home::new("default_model = 'nova-micro'\n[budget]\nday_usd = 1\nmonth_usd = 50\nrequest_usd = 0.2\n");
    let fresh = report(doctor(&bedrock).home(&home), 0);
    let message = "at most $0.20 for one request; $1.00 left of the day budget of $1.00, until ";
    assert_check(&fresh, "budgets", "ok", message, "");
    assert!(!home.ledger().exists(), "asking makes no ledger");
    // Each call costs $0.035.
    for _ in 0..24 {
        Chatrix::ask().args(["-q", "hi"]).home(&home).bedrock(&bedrock).run().code(0);
    }
    let low = report(doctor(&bedrock).home(&home), 0);
    assert_check(
        &low,
        "budgets",
        "warning",
        "$0.16 left of the day budget of $1.00",
        "little is left of the day budget",
    );
    for _ in 24..29 {
        Chatrix::ask().args(["-q", "hi"]).home(&home).bedrock(&bedrock).run();
    }
    let calls = bedrock.calls().len();
    let used_up = report(doctor(&bedrock).home(&home), 3);
    assert_check(&used_up, "budgets", "failed", "left of the day budget of $1.00", "`chatrix usage`");
    // Not even `--call` spends beyond it.
    let called = report(doctor(&bedrock).home(&home).arg("--call"), 3);
    assert_check(&called, "call", "failed", "left of the day budget of $1.00", "`chatrix usage`");
    assert_eq!(bedrock.calls().len(), calls);
}

#[test]
fn a_call_that_costs_more_than_one_request_may_is_refused() {
    let bedrock = bedrock();
    let found = report(doctor(&bedrock).config("[budget]\nrequest_usd = 0.000000001\n"), 3);
    assert_check(&found, "budgets", "failed", "the request budget allows $0.000000001 per call", "cheaper model");
}
