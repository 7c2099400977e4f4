//! Signals and the end of the terminal, at the prompt and in mid-answer.

use super::{chat, start};
use crate::support::{Bedrock, Chatrix, Home, Reply, Terminal, delta, eventually, signal};

const SIGNALS: [(&str, i32); 3] = [("TERM", 143), ("HUP", 129), ("QUIT", 131)];

/// Whether bracketed paste is off and the cursor is visible at the end of all that was written.
fn is_as_before(chat: &Terminal) -> bool {
    let written = chat.written();
    let last = |on: &str, off: &str| written.rfind(off) >= written.rfind(on);
    last("\x1b[?2004h", "\x1b[?2004l") && last("\x1b[?25l", "\x1b[?25h")
}

#[test]
fn a_signal_at_the_prompt_gives_the_terminal_back() {
    for (name, ends) in SIGNALS {
        let mut chat = chat(&Bedrock::script([Reply::text("fine")]));
        chat.keys("half a thought");
        chat.wait_for("> half a thought");
        assert!(!chat.is_restored() && chat.written().contains("\x1b[?2004h"), "it is in use");
        signal(chat.pid(), name);
        assert_eq!(chat.exit_code(), Some(ends), "{name}");
        assert!(chat.is_restored(), "{name}");
        assert!(is_as_before(&chat), "{name}: {:?}", chat.written());
        assert_eq!(chat.cursor().1, 0, "the shell's prompt begins a line: {}", chat.screen());
        assert!(!chat.screen().contains("error"), "{name}: {}", chat.screen());
    }
}

#[test]
fn a_signal_in_mid_answer_gives_the_terminal_back_and_the_call_stays_booked() {
    for (name, ends) in SIGNALS {
        let bedrock = Bedrock::script([Reply::Stall(vec![delta("the first half ")])]);
        let home = Home::new("");
        let mut chat = start(Chatrix::chat().args(["-m", "nova-micro"]).bedrock(&bedrock).home(&home));
        chat.line("go on");
        chat.wait_for("the first half");
        signal(chat.pid(), name);
        assert_eq!(chat.exit_code(), Some(ends), "{name}");
        assert!(chat.is_restored(), "{name}");
        assert!(is_as_before(&chat), "{name}: {:?}", chat.written());
        assert_eq!(chat.cursor().1, 0, "{name}: {}", chat.screen());
        eventually("the Bedrock stream is cancelled", || bedrock.abandoned() == 1);
        let usage = Chatrix::usage().arg("--uncertain").home(&home).run().code(0);
        assert!(usage.stdout.contains("nova-micro"), "{name}: {usage:?}");
    }
}

#[test]
fn a_signal_to_interrupt_is_what_ctrl_c_is() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("the first half ")]), Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.keys("half a thought");
    chat.wait_for("> half a thought");
    signal(chat.pid(), "INT");
    chat.wait_for("press Ctrl-D or type /exit to leave");
    chat.wait_for_prompt();
    chat.line("go on");
    chat.wait_for("the first half");
    signal(chat.pid(), "INT");
    chat.wait_for("stopped");
    assert_eq!(chat.leave(), Some(0));
    assert!(chat.is_restored());
}

#[test]
fn a_closed_window_ends_the_chat() {
    for in_mid_answer in [false, true] {
        let bedrock = Bedrock::script([Reply::Stall(vec![delta("the first half ")])]);
        let mut chat = chat(&bedrock);
        if in_mid_answer {
            chat.line("go on");
            chat.wait_for("the first half");
        }
        assert_eq!(chat.close(), Some(129), "in mid-answer: {in_mid_answer}");
    }
}

#[test]
fn it_ends_where_stdin_or_stdout_is_closed() {
    for (name, script, expected) in [
        ("no stdin", "exec \"$0\" chat --offline 0<&-", 0),
        ("no stdout", "exec \"$0\" chat --offline >&- </dev/null", 0),
        ("neither, nor stderr", "exec \"$0\" chat --offline 0<&- >&- 2>&-", 0),
    ] {
        let outcome = Chatrix::program("sh").args(["-c", script, env!("CARGO_BIN_EXE_chatrix")]).run();
        assert_eq!(outcome.code, Some(expected), "{name}: {outcome:?}");
        assert!(!outcome.stderr.contains("panicked"), "{name}: {outcome:?}");
    }
}

#[test]
fn whoever_outlives_the_terminal_may() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    bedrock.hold();
    let script = "trap '' HUP; exec \"$0\" ask -q hi 2>/dev/null </dev/null";
    let (child, _home) =
        Chatrix::program("sh").args(["-c", script, env!("CARGO_BIN_EXE_chatrix")]).bedrock(&bedrock).spawn();
    eventually("the question was sent", || !bedrock.calls().is_empty());
    signal(child.id(), "HUP");
    bedrock.go_on();
    let output = child.wait_with_output().unwrap();
    assert_eq!((String::from_utf8(output.stdout).unwrap().as_str(), output.status.code()), ("fine\n", Some(0)));
}
