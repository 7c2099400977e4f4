//! A conversation goes on where it ended.

use super::{answering, ask, chat, events, file, files, go_on, home, id, lines, on_terminal};
use crate::chat_commands::assert_turns;
use crate::support::{Bedrock, Chatrix, Reply, delta, eventually, signal};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[test]
fn newcomer_04_a_conversation_is_saved_and_goes_on() {
    let (home, bedrock) = (home(), answering(&["one", "two", "three"]));
    ask(chat(&home, &bedrock).args(["-s", "Be brief."]), "first");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(file(&home).parent().unwrap()), mode(&file(&home))), (0o700, 0o600));
    let saved = lines(&home);
    let header = (&saved[0]["chatrix_session"], &saved[0]["model"], &saved[0]["system"]);
    assert_eq!(header, (&json!(1), &json!("nova-micro"), &json!("Be brief.")));
    assert_eq!((&saved[1]["event"], &saved[1]["text"]), (&json!("question"), &json!("first")));
    let answer = ["event", "text", "end", "model"].map(|name| saved[2][name].clone());
    assert_eq!(answer, ["answer", "one", "end_turn", "us.amazon.nova-micro-v1:0"].map(|text| json!(text)));
    assert_eq!(saved[2]["usage"], json!({"input": 10, "output": 5}));
    assert_eq!(saved[2]["cost"], json!({"settled_nano_usd": 10 * 35 + 5 * 140}));

    let mut resumed = on_terminal(go_on(&home, &bedrock));
    let screen = resumed.screen();
    for shown in ["> first\none\n", "1 exchange, $0.0000011", "so far; nova-micro answers"] {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
    resumed.line("second");
    resumed.wait_for("session $0.0000021");
    assert_turns(&bedrock.calls()[1], &[("user", "first"), ("assistant", "one"), ("user", "second")]);
    assert_eq!(bedrock.calls()[1].body["system"], json!([{"text": "Be brief."}]));
    assert_eq!(bedrock.calls()[1].model, "us.amazon.nova-micro-v1:0");
    assert_eq!(resumed.leave(), Some(0));
    assert_eq!(events(&home), ["question", "answer", "question", "answer"]);

    // Flags win over the session, and the session keeps them.
    let flags = go_on(&home, &bedrock).args(["-m", "nova-pro", "-s", "Be long."]).stdin("third\n").run().code(0);
    assert_eq!(flags.stdout, "three\n", "a pipe gets the answer and nothing else");
    assert_eq!(bedrock.calls()[2].model, "us.amazon.nova-pro-v1:0");
    assert_eq!(bedrock.calls()[2].body["system"], json!([{"text": "Be long."}]));
    assert_eq!(events(&home)[4..], ["model", "system", "question", "answer"]);
}

#[test]
fn a_killed_answer_is_a_question_without_an_answer() {
    let (home, bedrock) =
        (home(), Bedrock::script([Reply::text("one"), Reply::Stall(vec![delta("ha ")]), Reply::text("two")]));
    let mut killed = on_terminal(chat(&home, &bedrock));
    killed.line("first");
    killed.wait_for("session $");
    killed.wait_for_prompt();
    killed.line("second");
    killed.wait_for("\nha");
    signal(killed.pid(), "KILL");
    killed.exit_code();
    assert_eq!(events(&home), ["question", "answer", "question"]);
    let mut resumed = on_terminal(go_on(&home, &bedrock));
    let screen = resumed.screen();
    assert!(screen.contains("> first\none\n> second\n"), "{screen}");
    let flowing = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains("the last question has no answer, and /retry asks it again"), "{screen}");
    resumed.line("/retry");
    resumed.wait_for("two");
    assert_turns(&bedrock.calls()[2], &[("user", "first"), ("assistant", "one"), ("user", "second")]);
}

#[test]
fn a_first_question_that_is_killed_is_saved_too() {
    let (home, bedrock) = (home(), Bedrock::script([Reply::Silence]));
    let mut killed = on_terminal(chat(&home, &bedrock));
    killed.line("first");
    eventually("it was sent", || bedrock.calls().len() == 1);
    signal(killed.pid(), "KILL");
    killed.exit_code();
    assert_eq!(events(&home), ["question"]);
    Chatrix::chat().arg("--list").home(&home).run().code(0).stdout.contains("first").then_some(()).unwrap();
}

#[test]
fn a_closed_window_keeps_what_has_come_of_an_answer() {
    for name in ["HUP", "TERM"] {
        let (home, bedrock) = (home(), Bedrock::script([Reply::Stall(vec![delta("half ")])]));
        let mut closed = on_terminal(chat(&home, &bedrock));
        closed.line("first");
        closed.wait_for("\nhalf");
        signal(closed.pid(), name);
        closed.exit_code();
        let saved = lines(&home);
        assert_eq!((&saved[2]["text"], &saved[2]["end"]), (&json!("half "), &json!("stopped")), "{name}");
        assert!(saved[2]["cost"]["at_most_nano_usd"].as_u64().unwrap() > 0, "{name}");
    }
}

#[test]
fn a_stopped_answer_is_kept_as_far_as_it_came() {
    let (home, bedrock) = (home(), Bedrock::script([Reply::Stall(vec![delta("half ")]), Reply::text(" and half")]));
    let mut stopped = on_terminal(chat(&home, &bedrock));
    stopped.line("first");
    stopped.wait_for("half");
    stopped.keys("\x03");
    stopped.wait_for("/continue goes on");
    stopped.leave();
    let saved = lines(&home);
    assert_eq!((&saved[2]["text"], &saved[2]["end"]), (&json!("half "), &json!("stopped")));
    assert!(saved[2]["cost"]["at_most_nano_usd"].as_u64().unwrap() > 0);
    let resumed = go_on(&home, &bedrock).stdin("/continue\n/cost\n").run().code(0);
    resumed.stderr_has("this session: 2 answers, $0.0000011").stderr_has("and at most $0.0000");
    assert_eq!(lines(&home)[3]["text"], "half and half");
}

#[test]
fn everything_that_changes_a_conversation_is_saved() {
    let png: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0";
    let (home, bedrock) = (home(), answering(&["one", "two", "deux", "three", "four"]));
    home.write_bytes("a.png", png);
    home.write_bytes("r.pdf", b"%PDF-1.7\n%%EOF\n");
    home.write("notes.txt", "remember");
    let mut first = on_terminal(Chatrix::chat().args(["-m", "nova-pro"]).home(&home).bedrock(&bedrock));
    for (line, shown) in [
        ("/file ~/a.png ~/r.pdf ~/notes.txt", "3 files go with"),
        ("first", "\none\n"),
        ("second", "\ntwo\n"),
        ("/retry", "\ndeux\n"),
        ("third", "\nthree\n"),
        ("/undo", "took back"),
        ("/system Be brief.", "system prompt set"),
        ("/save Of May", "Of May"),
    ] {
        first.line(line);
        first.wait_for(shown);
        first.wait_for_prompt();
    }
    first.keys("\x04");
    first.exit_code();
    go_on(&home, &bedrock).stdin("fourth\n").run().code(0);
    let (before, after) = (&bedrock.calls()[3].body, &bedrock.calls()[4].body);
    assert_eq!(after["messages"][0], before["messages"][0], "the files are part of the session");
    assert_eq!(after["messages"][0]["content"].as_array().unwrap().len(), 4);
    let texts: Vec<_> = (1..5).map(|turn| after["messages"][turn]["content"][0]["text"].clone()).collect();
    assert_eq!(texts, ["one", "second", "deux", "fourth"]);
    assert_eq!(after["system"], json!([{"text": "Be brief."}]));
    let list = Chatrix::chat().arg("--list").home(&home).run().code(0);
    assert!(list.stdout.contains("Of May"), "{list:?}");
}

#[test]
fn clear_begins_a_session_of_its_own_and_resume_goes_back() {
    let (home, bedrock) = (home(), answering(&["one", "two", "three"]));
    let mut terminal = on_terminal(chat(&home, &bedrock));
    terminal.line("first");
    terminal.wait_for("session $");
    let first = id(&file(&home));
    terminal.wait_for_prompt();
    terminal.line("/clear");
    terminal.wait_for(&format!("/resume {first} goes back"));
    terminal.line("second");
    terminal.wait_for("two");
    eventually("there are two sessions", || files(&home).len() == 2);
    terminal.wait_for_prompt();
    assert_turns(&bedrock.calls()[1], &[("user", "second")]);
    terminal.line(&format!("/resume {first}"));
    terminal.wait_for(&format!("session {first}: 1 exchange"));
    terminal.wait_for_prompt();
    terminal.line("third");
    terminal.wait_for("three");
    assert_turns(&bedrock.calls()[2], &[("user", "first"), ("assistant", "one"), ("user", "third")]);
    terminal.line(&format!("/resume {first}"));
    terminal.wait_for("is the present one");
}

#[test]
fn two_chats_never_write_one_file() {
    let (home, bedrock) = (home(), answering(&["ok"]));
    let mut one = on_terminal(chat(&home, &bedrock));
    one.line("first");
    one.wait_for("session $");
    let path = file(&home);
    let id = id(&path);
    for args in [&["-c"][..], &["-r", &id]] {
        let chat = args.iter().fold(Chatrix::chat(), |chat, arg| chat.arg(arg)).home(&home).bedrock(&bedrock);
        let refused = chat.stdin("second\n").run().code(2);
        refused.stderr_has(&format!("error: session {id} is open in another chat; end that chat first"));
    }
    Chatrix::chat().args(["--delete", &id]).home(&home).run().code(2).stderr_has("is open in another chat");
    let mut two = on_terminal(chat(&home, &bedrock));
    two.line("other");
    two.wait_for("session $");
    assert_eq!(files(&home).len(), 2, "a new chat has a file of its own");
    signal(one.pid(), "KILL");
    one.exit_code();
    Chatrix::chat().args(["-r", &id]).home(&home).bedrock(&bedrock).stdin("second\n").run().code(0);
}

#[test]
fn a_ceiling_counts_from_the_start_of_the_chat() {
    let (home, bedrock) = (home(), Bedrock::script([Reply::Measured(100_000, 500)]));
    ask(chat(&home, &bedrock), "first");
    let resumed = go_on(&home, &bedrock).args(["--max-cost", "0.002"]).stdin("/cost\n").run().code(0);
    resumed.stderr_has("this session: 1 answer, $0.0036").stderr_has("$0.002 left of --max-cost $0.002");
}

#[test]
fn offline_and_paid_sessions_are_kept_apart() {
    let (home, bedrock) = (home(), answering(&["ok"]));
    let offline = || Chatrix::chat().arg("--offline").home(&home).env("CHATRIX_OFFLINE_PACE", "0");
    ask(offline(), "My name is Ada.");
    let path = file(&home);
    let id = id(&path);
    go_on(&home, &bedrock).stdin("hi\n").run().code(2).stderr_has("error: there is no saved session to continue");
    let refused = Chatrix::chat().args(["-r", &id]).home(&home).bedrock(&bedrock).stdin("hi\n").run().code(2);
    refused.stderr_has(&format!("session {id} was answered by the offline model; `chatrix chat --offline -r {id}`"));
    let resumed = offline().arg("-c").stdin("What is my name?\n").run().code(0);
    assert!(resumed.stdout.starts_with("Your name is Ada."), "{resumed:?}");
    assert_eq!(bedrock.calls().len(), 0);
}
