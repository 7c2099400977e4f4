//! What is not exactly a command is neither executed nor sent.

use super::{assert_turns, chat, on_terminal, piped};
use crate::support::{Bedrock, Reply};

#[test]
fn newcomer_10_what_is_not_exactly_a_command_is_neither_executed_nor_sent() {
    for line in
        ["/clear the table", "/exit strategy?", "/modle x", "/", "exit", "quit", ":q", "/model is what?", "/file 'a"]
    {
        let bedrock = Bedrock::script([Reply::text("one"), Reply::text("two")]);
        let outcome = piped(&bedrock, &format!("first\n{line}\nsecond\n")).code(2);
        outcome.stderr_has("; nothing was sent\na line that begins with a blank is always a question\n");
        assert_eq!(bedrock.calls().len(), 2, "{line}");
        assert_turns(&bedrock.calls()[1], &[("user", "first"), ("assistant", "one"), ("user", "second")]);
    }
}

#[test]
fn a_line_that_begins_with_a_blank_is_a_question_and_so_is_a_path() {
    for (line, sent) in [
        (" /clear the table", "/clear the table"),
        (" exit", "exit"),
        ("/etc/hosts is what?", "/etc/hosts is what?"),
        ("/usr/bin/x\tdoes what?", "/usr/bin/x\tdoes what?"),
    ] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        piped(&bedrock, &format!("{line}\n")).code(0);
        assert_turns(&bedrock.call(), &[("user", sent)]);
    }
}

#[test]
fn a_refused_line_comes_back_at_the_prompt() {
    let bedrock = Bedrock::script([Reply::text("one"), Reply::text("two")]);
    let mut chat = on_terminal(chat(&bedrock));
    chat.line("first");
    chat.wait_for("session");
    chat.wait_for_prompt();
    chat.line("/clear the table");
    let screen = chat.wait_until("the line is at the prompt again", |screen| {
        screen.contains("nothing was sent") && screen.ends_with("> /clear the table")
    });
    assert!(screen.contains("error: /clear takes nothing after it"), "{screen}");
    assert_eq!(chat.cursor().1, 18, "the cursor stands at its end");
    // Ctrl-A goes to its beginning, for the blank.
    chat.keys("\x01 \r");
    chat.wait_for("two");
    assert_turns(&bedrock.calls()[1], &[("user", "first"), ("assistant", "one"), ("user", "/clear the table")]);
}

#[test]
fn newcomer_10_a_pasted_text_that_begins_with_a_command_is_neither() {
    let bedrock = Bedrock::script([Reply::text("one"), Reply::text("two")]);
    let mut chat = on_terminal(chat(&bedrock));
    chat.line("first");
    chat.wait_for("session");
    chat.wait_for_prompt();
    chat.paste("/clear the table\nand the chairs");
    chat.keys("\r");
    chat.wait_for("a command is a single line, and these begin with /clear");
    chat.wait_until("it is back", |screen| screen.contains("nothing was sent") && screen.ends_with("and the chairs"));
    chat.keys("\x03");
    chat.wait_for("press Ctrl-D");
    chat.line("second");
    chat.wait_for("two");
    assert_turns(&bedrock.calls()[1], &[("user", "first"), ("assistant", "one"), ("user", "second")]);
}

#[test]
fn edit_brings_a_refused_line_back_in_an_editor() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("editor");
    std::fs::write(&script, "printf ' in full' >> \"$1\"\n").unwrap();
    let editor = format!("sh {}", script.display());
    let mut chat = on_terminal(chat(&bedrock).env("EDITOR", &editor));
    chat.line("/clear the table");
    chat.wait_until("it is back", |screen| {
        screen.contains("nothing was sent") && screen.ends_with("> /clear the table")
    });
    chat.keys("\x03");
    chat.wait_for("press Ctrl-D");
    chat.wait_for_prompt();
    chat.line("/edit");
    chat.wait_for("> /clear the table");
    chat.wait_for("in full");
    chat.keys("\x01 \r");
    chat.wait_for("session");
    let sent = bedrock.call().body["messages"][0]["content"][0]["text"].as_str().unwrap().to_owned();
    assert_eq!(sent.split_whitespace().collect::<Vec<_>>().join(" "), "/clear the table in full");
}

#[test]
fn an_editor_that_fails_loses_nothing() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let mut chat = on_terminal(chat(&bedrock).env("EDITOR", "false"));
    chat.line("/edit");
    chat.wait_for("the editor \"false\" has ended with exit code 1");
    chat.wait_for_prompt();
    chat.line("/exit");
    assert_eq!(chat.exit_code(), Some(0));
    piped(&bedrock, "/edit\n").code(2).stderr_has("/edit needs a terminal");
}

#[test]
fn where_a_line_cannot_be_changed_it_does_not_come_back() {
    let bedrock = Bedrock::script([Reply::text("two")]);
    let mut chat = on_terminal(chat(&bedrock).env("TERM", "dumb"));
    chat.line("/clear the table");
    chat.wait_for("nothing was sent");
    chat.wait_for_prompt();
    chat.line("second");
    chat.wait_for("two");
    assert_turns(&bedrock.call(), &[("user", "second")]);
}
