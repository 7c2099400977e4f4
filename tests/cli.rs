//! What all commands have in common on the command line.

use crate::support::{Chatrix, Home, Server};

#[test]
fn offline_may_stand_before_or_after_the_command() {
    let home = Home::new("");
    let ask = || Chatrix::command().home(&home);
    for args in [
        ["--offline", "ask", "-q", "echo hi"],
        ["ask", "--offline", "-q", "echo hi"],
        ["ask", "-q", "echo hi", "--offline"],
    ] {
        ask().args(args).stdout("hi\n").code(0).stderr("");
    }
    for args in
        [["--offline", "keys", "add", "a"], ["keys", "--offline", "add", "b"], ["keys", "add", "c", "--offline"]]
    {
        ask().args(args).run().code(0);
    }
    let keys = ask().args(["keys", "list", "--offline"]).run().code(0).stdout;
    let names: Vec<_> = keys.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(!home.ledger().exists(), "only the offline ledger is used");
    for args in
        [["--offline", "usage", "settle", "9", "--usd", "1"], ["usage", "settle", "9", "--usd", "1", "--offline"]]
    {
        ask()
            .args(args)
            .stdout("")
            .code(2)
            .stderr("error: there is no call 9; `chatrix usage --uncertain` lists them\n");
    }
    assert!(!home.ledger().exists(), "only the offline ledger is used");
}

#[test]
fn the_old_name_of_allow_unauthenticated_still_works() {
    let old = ["--offline", "--host", "0.0.0.0", "--i-know-this-is-open"];
    assert!(!Server::run(Chatrix::serve().args(old)).port().is_empty());
    assert!(!Chatrix::serve().arg("--help").run().code(0).stdout.contains("i-know-this-is-open"));
}
