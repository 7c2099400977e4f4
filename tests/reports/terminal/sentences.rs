//! What is said to people: sums that agree, and sentences that a newcomer understands.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, Terminal, delta, eventually, signal};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

/// A model without a price.
const UNPRICED: &str = "us.foo.bar-v1:0";

#[test]
fn newcomer_20_one_answer_has_one_worst_case() {
    let bedrock = Bedrock::script([Reply::retired(), Reply::Stall(vec![delta("half ")])]);
    let home = Home::new("");
    let chatrix = Chatrix::chat().args(["-v", "-m", "claude-sonnet-4"]).home(&home).bedrock(&bedrock);
    let mut chat = Terminal::wide(chatrix);
    chat.line("hi");
    let screen = chat.wait_for("half");
    let worst = screen.split("worst case: $").nth(1).unwrap();
    let worst = worst.split_once(|c: char| !c.is_ascii_digit() && c != '.').unwrap().0;
    let worst = format!("${worst}");
    chat.keys("\x03");
    chat.wait_for(&format!("tokens unknown · at most {worst}"));
    chat.wait_for(&format!("session at most {worst}"));
    assert_eq!(chat.leave(), Some(0));
    let usage = Chatrix::usage().home(&home).run().code(0).stdout;
    assert!(usage.contains(&format!("$0.00    {worst}\n")), "{usage}");
}

#[test]
fn newcomer_20_an_unknown_price_is_not_zero() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let home = Home::new("");
    let ask = || Chatrix::ask().args(["-v", "-m", UNPRICED, "hi"]).home(&home).bedrock(&bedrock).run().code(0);
    ask().stderr_has("10→5 tok · price unknown · ");
    let chat = Chatrix::chat().args(["-m", UNPRICED]).home(&home).bedrock(&bedrock).stdin("hi\n/cost\n");
    chat.run()
        .code(0)
        .stderr_has("session 1 answer of unknown price")
        .stderr_has("1 answer, and 1 at an unknown price");
    let rows = Chatrix::usage().args(["--by", "model"]).home(&home).run().code(0).stdout;
    assert!(rows.contains("us.foo.bar-v1:0      2         20   10  price unknown         2"), "{rows}");
    let json: Value = serde_json::from_str(&Chatrix::usage().arg("--json").home(&home).run().code(0).stdout).unwrap();
    assert_eq!(json["total"]["unpriced_calls"], 2);
}

#[test]
fn newcomer_20_a_call_that_cost_nothing_is_not_counted() {
    let home = Home::new("");
    let denied = Bedrock::script([Reply::Error(403, "AccessDeniedException", "No.")]);
    Chatrix::ask().args(["-m", "nova-micro", "hi"]).home(&home).bedrock(&denied).run().code(4);
    assert_eq!(home.calls().len(), 1, "it is in the ledger");
    let usage = Chatrix::usage().args(["--since", "all"]).home(&home).run().code(0).stdout;
    assert!(usage.starts_with("no calls yet; "), "{usage}");
    let settle = Chatrix::usage().args(["settle", "1", "--usd", "0"]).home(&home).run().code(2);
    settle.stderr(
        "error: call 1 never reached AWS, or was refused there, and cost nothing; `chatrix usage --uncertain` lists \
         them\n",
    );
}

#[test]
fn newcomer_20_a_warning_and_the_report_agree() {
    let home = Home::new("[budget]\nday_usd = 0.000093\n");
    let bedrock = Bedrock::script([Reply::Cut(vec![delta("half")]), Reply::text("ok")]);
    let ask = || Chatrix::ask().args(["-m", "nova-micro", "hi"]).home(&home).bedrock(&bedrock).run();
    ask().code(5);
    ask().code(3).stderr_has("$0.00 spent, $0.000091 uncertain (may have been billed), $0.00 reserved");
    let usage = Chatrix::usage().home(&home).run().code(0).stdout;
    assert!(usage.contains("$0.00 of $0.000093 spent\n"), "{usage}");
    assert!(usage.contains("$0.000091 uncertain (may have been billed)"), "{usage}");
    assert!(usage.contains("uncertain (may have been billed): the usage never came"), "{usage}");
}

#[test]
fn newcomer_further_ctrl_c_before_the_first_token_names_what_stays_booked() {
    let line = "stopped; at most $0.000091 stays booked, because AWS may have billed it";
    for reply in [Reply::Silence, Reply::Stall(vec![delta("half")])] {
        let early = matches!(reply, Reply::Silence);
        let bedrock = Bedrock::script([reply]);
        let ask = Chatrix::ask().args(["--no-stdin", "-m", "nova-micro", "hi"]).bedrock(&bedrock);
        let (mut child, _home) = ask.spawn();
        eventually("the call has arrived", || bedrock.calls().len() == 1);
        if !early {
            child.stdout.as_mut().unwrap().read_exact(&mut [0; 4]).unwrap();
        }
        signal(child.id(), "INT");
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr), (Some(130), format!("{line}\n")));
    }
    let bedrock = Bedrock::script([Reply::Silence]);
    let mut chat = Terminal::wide(Chatrix::chat().args(["-m", "nova-micro"]).bedrock(&bedrock));
    chat.line("hi");
    eventually("the call has arrived", || bedrock.calls().len() == 1);
    chat.keys("\x03");
    chat.wait_for(line);
}

#[test]
fn newcomer_further_localhost_is_an_address() {
    for host in ["localhost", "Localhost"] {
        Server::run(Chatrix::serve().args(["--offline", "--host", host])).get("/v1/models");
    }
    Server::run(Chatrix::serve().arg("--offline").env("CHATRIX_HOST", "localhost")).get("/v1/models");
    Server::run(Chatrix::serve().arg("--offline").config("[serve]\nhost = \"localhost\"\n")).get("/v1/models");
    for host in ["example.com", "localhost.example.com", ""] {
        Chatrix::serve().args(["--offline", "--host", host]).run().code(2);
    }
}

#[test]
fn newcomer_further_a_model_that_is_retired_or_has_no_price_is_said_to_be() {
    let lines = format!("/model claude-sonnet-4\n/model {UNPRICED}\n/model nova-micro\n");
    let said = Chatrix::chat().arg("--offline").stdin(&lines).run().code(0).stderr;
    let said: Vec<&str> = said.lines().skip(1).collect();
    assert_eq!(
        said,
        [
            "claude-sonnet-4 (Claude Sonnet 4) answers from now on; the conversation continues; AWS retired it on \
             2026-10-14, and claude-sonnet-4-6 answers instead",
            "us.foo.bar-v1:0 answers from now on; the conversation continues; its price is unknown, \
             and so is what it will cost; the config file can set one",
            "nova-micro (Nova Micro) answers from now on; the conversation continues",
        ]
    );
    let stays = Chatrix::chat().arg("--offline").config("follow_successor = false").stdin("/model claude-sonnet-4\n");
    stays.run().code(0).stderr_has("AWS retired it on 2026-10-14, so it may not answer");
}

#[test]
fn newcomer_further_a_model_and_its_successor_that_are_gone_are_both_named() {
    let bedrock = Bedrock::script([Reply::retired()]);
    Chatrix::ask().args(["-q", "-m", "claude-sonnet-4", "hi"]).bedrock(&bedrock).stdout("").code(5).stderr(
        "error: AWS has retired claude-sonnet-4, and its successor claude-sonnet-4-6 as well; `chatrix models` lists \
         the active models\n",
    );
    assert_eq!(bedrock.calls().len(), 2);
}

#[test]
fn newcomer_further_a_dry_run_shows_the_beginning_of_an_image() {
    // One white pixel.
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, png).unwrap();
    let ask = Chatrix::ask().args(["--offline", "-q", "--dry-run", "what?"]);
    let path = ask.path("pixel.png");
    std::fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
    let shown: Value = serde_json::from_str(&ask.args(["-f", &path]).run().code(0).stdout).unwrap();
    let source = &shown["request"]["messages"][0]["content"][0]["image"]["source"]["bytes"];
    assert_eq!(source, &json!(format!("iVBORw0KGgoAAAAN… ({} characters of base64)", png.len())));
}

#[test]
fn newcomer_further_the_state_folder_is_private_and_the_history_can_be_turned_off() {
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let home = Home::new("");
    std::fs::create_dir_all(home.path(".local/state/chatrix")).unwrap();
    Chatrix::usage().home(&home).run().code(0);
    assert_eq!(mode(home.path(".local/state/chatrix")), 0o700, "an older one is made private");
    let home = Home::new("");
    Chatrix::chat().arg("--offline").home(&home).stdin("a secret\n").run().code(0);
    assert_eq!(mode(home.path(".local/state/chatrix")), 0o700);
    assert!(!home.path(".local/state/chatrix/history").exists(), "a pipe is not typed");
    for (config, kept) in [("history = false\n", false), ("", true)] {
        let home = Home::new(config);
        let mut chat = Terminal::start(Chatrix::chat().arg("--offline").home(&home), 80, 24);
        chat.line("My name is Ada.");
        chat.wait_for("Nice to meet you");
        assert_eq!(chat.leave(), Some(0));
        let history = home.path(".local/state/chatrix/history");
        assert_eq!(history.exists(), kept);
        if kept {
            assert_eq!(mode(history), 0o600);
        }
    }
}

#[test]
fn newcomer_further_tips_that_help() {
    Chatrix::command().arg("aks").run().code(2).stderr_has("a similar subcommand exists: 'ask'").stderr_lacks("keys");
    Chatrix::command().arg("kyes").run().code(2).stderr_has("a similar subcommand exists: 'keys'");
    for option in ["--temperature", "--top-p"] {
        let refused = Chatrix::ask().args([option, "3", "hi"]).run().code(2);
        refused.stderr_has("tip: the policy fixes temperature and top_p").stderr_lacks("as a value");
    }
    for (args, words) in [
        (["ask", "--max-tokens", "many"], "it must be a whole number above 0"),
        (["serve", "--port", "http"], "it must be a port from 0 to 65535"),
        (["serve", "--port", "70000"], "it must be a port from 0 to 65535"),
    ] {
        Chatrix::command().args(args).run().code(2).stderr_has(words);
    }
    Chatrix::usage().args(["settle", "x", "--usd", "1"]).run().code(2).stderr_has("it must be a whole number");
}

#[test]
fn newcomer_sentences_advice_is_given_once() {
    for text in
        ["Model is getting throttled. Try your request again.", "Too many requests, please wait before trying again."]
    {
        let bedrock = Bedrock::script([Reply::Frames(vec![
            delta("half"),
            chatrix::offline::wire::exception("modelStreamErrorException", text),
        ])]);
        let stderr = Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).run().code(5).stderr;
        assert_eq!(stderr, format!("error: Bedrock: {}\n", text.trim_end_matches('.')));
    }
}

#[test]
fn newcomer_19_a_broken_stream_is_told_in_plain_words_and_on_its_own_line() {
    let mut damaged = delta("more").to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    for (reply, words) in [
        (Reply::Frames(vec![delta("half"), damaged.into()]), "error: the stream arrived damaged; "),
        (Reply::Cut(vec![delta("half")]), "error: the stream broke off: the connection to Bedrock was lost"),
    ] {
        let bedrock = Bedrock::script([reply]);
        let said = Chatrix::chat().bedrock(&bedrock).stdin("hi\n").run().code(5).stderr;
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with(words) && lines[1].starts_with("tokens unknown · at most $"), "{said}");
        for theirs in ["checksum", "dispatch", "0x", "body"] {
            assert!(!said.contains(theirs), "{said}");
        }
    }
}
