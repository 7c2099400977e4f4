//! Commands that ask again, go on, take back, or hand on what was answered.

use super::{assert_turns, chat, cut, on_terminal, piped};
use crate::support::{Bedrock, Chatrix, Reply, delta};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[test]
fn undo_takes_back_the_last_exchange() {
    let bedrock = Bedrock::script([Reply::text("one"), Reply::text("two"), Reply::text("three")]);
    let outcome = piped(&bedrock, "first\nsecond\n/undo\nthird\n").code(0);
    outcome.stderr_has("took back the last question and its answer: \"second\"; 1 exchange is left");
    assert_turns(&bedrock.calls()[2], &[("user", "first"), ("assistant", "one"), ("user", "third")]);
    piped(&bedrock, "/undo\n").code(2).stderr_has("error: there is nothing to take back");
}

#[test]
fn retry_replaces_the_answer() {
    let bedrock = Bedrock::script(["one", "uno", "two"].map(Reply::text));
    piped(&bedrock, "first\n/retry\nsecond\n").code(0);
    let calls = bedrock.calls();
    assert_turns(&calls[1], &[("user", "first")]);
    assert_turns(&calls[2], &[("user", "first"), ("assistant", "uno"), ("user", "second")]);
}

#[test]
fn retry_asks_another_model_once() {
    let bedrock = Bedrock::script(["one", "uno", "two"].map(Reply::text));
    let outcome = piped(&bedrock, "first\n/retry nova-pro\nsecond\n/retry no-such-model\n").code(2);
    outcome.stderr_has("nova-pro answers this once").stderr_has("no model is called \"no-such-model\"");
    let models: Vec<_> = bedrock.calls().iter().map(|call| call.model.clone()).collect();
    assert_eq!(models, ["us.amazon.nova-micro-v1:0", "us.amazon.nova-pro-v1:0", "us.amazon.nova-micro-v1:0"]);
}

#[test]
fn an_answer_that_is_asked_for_again_in_vain_stays() {
    let refused = Reply::Error(400, "ValidationException", "Nope.");
    let bedrock = Bedrock::script([Reply::text("one"), refused, Reply::text("two")]);
    piped(&bedrock, "first\n/retry\nsecond\n").code(2).stderr_has("the last answer stays as it was");
    assert_turns(&bedrock.calls()[2], &[("user", "first"), ("assistant", "one"), ("user", "second")]);
}

#[test]
fn retry_asks_a_question_that_got_no_answer() {
    let refused = Reply::Error(400, "ValidationException", "Nope.");
    let bedrock = Bedrock::script([refused, Reply::text("one")]);
    piped(&bedrock, "first\n/retry\n").code(2).stderr_has("/retry asks it again");
    assert_turns(&bedrock.calls()[1], &[("user", "first")]);
    piped(&bedrock, "/retry\n").code(2).stderr_has("error: there is no question to ask again");
}

/// A cut answer says what to type, which goes on with it, and both pieces are one turn.
#[test]
fn newcomer_06_continue_goes_on_with_a_cut_answer() {
    const GO_ON: &str = "Continue from exactly where you stopped.";
    for (model, ends_with_answer) in [("claude-haiku-4-5", true), ("claude-sonnet-4-6", false), ("nova-micro", false)] {
        let bedrock = Bedrock::script([cut("the first "), Reply::text("half"), Reply::text("fine")]);
        let lines = "count\n/continue\nthanks\n";
        let outcome = Chatrix::chat().args(["-m", model]).bedrock(&bedrock).stdin(lines).run();
        let outcome = outcome.code(6).stderr_has("error: the answer was cut off at the token limit");
        outcome.stderr_has("/continue goes on, and /max-tokens N allows longer answers, up to 1024 tokens");
        let calls = bedrock.calls();
        if ends_with_answer {
            assert_turns(&calls[1], &[("user", "count"), ("assistant", "the first")]);
        } else {
            assert_turns(&calls[1], &[("user", "count"), ("assistant", "the first "), ("user", GO_ON)]);
        }
        assert_turns(&calls[2], &[("user", "count"), ("assistant", "the first half"), ("user", "thanks")]);
    }
}

#[test]
fn only_an_unfinished_answer_can_go_on() {
    let bedrock = Bedrock::script([Reply::text("one")]);
    piped(&bedrock, "/continue\nfirst\n/continue\n")
        .code(2)
        .stderr_has("error: there is no answer to go on with")
        .stderr_has("error: the last answer is complete; ask for more in words of your own");
    assert_eq!(bedrock.calls().len(), 1);
}

#[test]
fn a_stopped_answer_says_what_stays_booked_and_goes_on() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("the first "), delta("half ")]), Reply::text(" and more")]);
    let mut chat = on_terminal(chat(&bedrock));
    chat.line("go on");
    chat.wait_for("the first half");
    chat.keys("\x03");
    let screen = chat.wait_for("/continue goes on");
    // The sentence, the footer and the session name one amount.
    let line = screen.lines().find(|line| line.contains("stopped; at most $")).unwrap();
    let amount = line.split_whitespace().nth(3).unwrap();
    chat.wait_for(&format!("at most {amount} ·"));
    chat.wait_for(&format!("session at most {amount}"));
    chat.wait_for_prompt();
    chat.line("/continue");
    chat.wait_for("and more");
    assert_turns(
        &bedrock.calls()[1],
        &[("user", "go on"), ("assistant", "the first half "), ("user", "Continue from exactly where you stopped.")],
    );
}

#[test]
fn a_full_context_window_says_what_to_type() {
    let full = Reply::Error(400, "ValidationException", "Input is too long for requested model.");
    let cut = Reply::Text(vec!["half".into()], "model_context_window_exceeded", (10, 5));
    let bedrock = Bedrock::script([full, cut]);
    let outcome = piped(&bedrock, "one\ntwo\n");
    let advice = "; /undo takes back the last exchange, /clear begins a new conversation, and /model NAME switches to";
    assert_eq!(outcome.stderr.matches(advice).count(), 2, "{outcome:?}");
}

const WITH_CODE: &str = "Do\n\n```sh\nls\n```\n\nor\n\n```rust\nfn main() {}\n```\n";

#[test]
fn code_prints_one_block_and_nothing_else() {
    let bedrock = Bedrock::script([Reply::text(WITH_CODE)]);
    let outcome = piped(&bedrock, "how?\n/code\n/code 2\n/code 3\n").code(2);
    assert_eq!(outcome.stdout, format!("{WITH_CODE}ls\nfn main() {{}}\n"));
    outcome
        .stderr_has("code block 1 of 2; /code 2 prints the next one")
        .stderr_has("error: the last answer has only 2 code blocks");
    piped(&bedrock, "/code\n").code(2).stderr_has("error: there is no answer yet");
}

#[test]
fn copy_hands_the_answer_to_the_terminal() {
    let copied = |text: &str| format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    for in_tmux in [false, true] {
        let bedrock = Bedrock::script([Reply::text(WITH_CODE)]);
        let tmux = if in_tmux { "/tmp/tmux-1000/default,1,0" } else { "" };
        let mut chat = on_terminal(chat(&bedrock).env("TMUX", tmux));
        chat.line("how?");
        chat.wait_for("session");
        chat.wait_for_prompt();
        chat.line("/copy");
        chat.wait_for("copied the last answer");
        chat.line("/copy 2");
        chat.wait_for("copied code block 2 of 2");
        for text in [WITH_CODE, "fn main() {}\n"] {
            assert!(chat.written().contains(&copied(text)), "{text}");
            let wrapped = format!("\x1bPtmux;{}\x1b\\", copied(text).replace('\x1b', "\x1b\x1b"));
            assert_eq!(chat.written().contains(&wrapped), in_tmux, "{text}");
        }
    }
    let bedrock = Bedrock::script([Reply::Text(vec!["long ".repeat(20_000)], "end_turn", (10, 5))]);
    let outcome = piped(&bedrock, "how?\n/copy\n").code(2);
    outcome.stderr_has("the last answer has 100000 bytes, and a terminal's clipboard takes at most 74994");
    let bedrock = Bedrock::script([Reply::text("short")]);
    piped(&bedrock, "how?\n/copy\n").code(2).stderr_has("error: /copy needs a terminal");
}

#[test]
fn export_writes_the_conversation_whole_and_replaces_nothing_unasked() {
    let bedrock = Bedrock::script([Reply::text("one"), cut("half")]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my talk.md");
    let path = file.to_str().unwrap();
    let lines = format!(
        "/export '{path}'\n/system Be brief.\nfirst\nsecond\n/export '{path}'\n/undo\n/export '{path}'\n\
         /export '{path}' --overwrite\n"
    );
    std::fs::write(folder.path().join("other.md"), "mine").unwrap();
    let outcome = piped(&bedrock, &lines).code(2);
    outcome
        .stderr_has("error: there is nothing to export yet")
        .stderr_has("wrote 2 exchanges to")
        .stderr_has("error: there is already a file")
        .stderr_has("wrote 1 exchange to");
    let text = std::fs::read_to_string(&file).unwrap();
    let id = "us.amazon.nova-micro-v1:0";
    assert_eq!(
        text,
        format!("# first\n\n## System prompt\n\nBe brief.\n\n## Question\n\nfirst\n\n## Answer ({id})\n\none\n")
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
}
