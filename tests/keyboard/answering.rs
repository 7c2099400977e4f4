//! Keys during an answer.

use super::{chat, sent};
use crate::support::{Bedrock, Chatrix, Reply, Terminal, delta, eventually, signal};
use nix::sys::termios::{InputFlags, LocalFlags, OutputFlags, SetArg, Termios};

/// An answer that has begun, and how the screen looks.
fn stalled() -> (Bedrock, Terminal, String) {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("the first half ")]), Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.line("go on");
    let screen = chat.wait_for("the first half");
    (bedrock, chat, screen)
}

#[test]
fn what_is_typed_during_an_answer_is_offered_and_never_sent() {
    let pieces: Vec<String> = (0..60).map(|number| format!("{number} ")).collect();
    let bedrock = Bedrock::script([Reply::Slow(pieces.clone(), (1, 1)), Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.line("count");
    chat.wait_for("0 1 2");
    chat.keys("the next\x1b[A\x07 qusetion\x7f\x7f\x7f\x7f\x7f\x7festion\rof two lines\r\r");
    let screen = chat.wait_until("the answer has ended", |screen| screen.contains("session $"));
    assert!(pieces.concat().starts_with(screen.lines().find(|row| row.starts_with("0 1")).unwrap()), "{screen}");
    let screen = chat.wait_for("> the next question\nof two lines");
    assert_eq!(screen.matches("next").count(), 1, "it was not echoed: {screen}");
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(bedrock.calls().len(), 1, "nothing was sent by itself");
    chat.keys("!\r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 1), "the next question\nof two lines!");
}

#[test]
fn ctrl_c_and_ctrl_d_leave_in_mid_answer() {
    let (bedrock, mut chat, _) = stalled();
    chat.keys("typed meanwhile\x03\x04");
    assert_eq!(chat.exit_code(), Some(0));
    assert!(chat.is_restored());
    assert_eq!(bedrock.calls().len(), 1);
    eventually("the Bedrock stream is cancelled", || bedrock.abandoned() == 1);
    let screen = chat.screen();
    assert!(!screen.contains("typed meanwhile") && screen.contains("stopped"), "{screen}");
}

#[test]
fn ctrl_c_leaves_no_blank_line_behind_an_answer() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("a whole line\n")])]);
    let mut chat = chat(&bedrock);
    chat.line("go on");
    chat.wait_for("a whole line");
    chat.keys("\x03");
    let screen = chat.wait_for_prompt();
    assert!(screen.contains("a whole line\nstopped"), "nothing was echoed: {screen}");
}

/// The mode of the terminal.
fn mode(chat: &Terminal) -> Termios {
    nix::sys::termios::tcgetattr(chat.device()).unwrap()
}

#[test]
fn only_echo_and_line_editing_are_off_during_an_answer() {
    let (_bedrock, mut chat, _) = stalled();
    let during = mode(&chat);
    assert!(!during.local_flags.intersects(LocalFlags::ECHO | LocalFlags::ICANON));
    assert!(during.local_flags.contains(LocalFlags::ISIG), "Ctrl-C interrupts");
    assert!(during.output_flags.contains(OutputFlags::OPOST | OutputFlags::ONLCR), "lines begin at the left");
    chat.keys("\x03");
    chat.wait_for_prompt();
    assert!(!mode(&chat).input_flags.contains(InputFlags::ICRNL), "the line editor sees which key it was");
    chat.keys("\x04");
    chat.exit_code();
    assert!(chat.is_restored());
}

#[test]
fn the_mode_is_right_after_the_program_was_stopped() {
    let (_bedrock, mut chat, _) = stalled();
    for at_prompt in [false, true] {
        if at_prompt {
            chat.keys("\x03");
            chat.wait_for_prompt();
        }
        let before = mode(&chat);
        signal(chat.pid(), "STOP");
        // A shell sets the mode that it wants.
        let mut of_shell = before.clone();
        of_shell.local_flags.insert(LocalFlags::ECHO | LocalFlags::ICANON);
        nix::sys::termios::tcsetattr(chat.device(), SetArg::TCSANOW, &of_shell).unwrap();
        signal(chat.pid(), "CONT");
        eventually("the mode is as before", || mode(&chat).local_flags == before.local_flags);
    }
    // Nobody could continue it, so Ctrl-Z does not stop it.
    chat.keys("hello\x1a");
    chat.wait_for("> hello\n> hello");
    chat.keys("\r");
    chat.wait_for("fine");
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell() {
    let chatrix = env!("CARGO_BIN_EXE_chatrix");
    // A shell with job control, as a person has.
    let shell = Chatrix::program("bash").args(["--norc", "-i"]).env("PS1", "$ ").env("CHATRIX_OFFLINE_PACE", "100");
    let mut shell = Terminal::start(shell, 80, 24);
    shell.wait_for("$");
    shell.keys(&format!("'{chatrix}' chat --offline; echo left\r"));
    shell.wait_for_prompt();
    shell.keys("one two three four\x1b[D\x1b[D\x1a");
    shell.wait_for("Stopped");
    shell.keys("stty -a | grep -o -- ' icanon\\| isig\\| echo '; fg\r");
    shell.wait_for("icanon");
    shell.wait_until("the line is back", |screen| screen.lines().last() == Some("> one two three four"));
    shell.keys("--\r");
    shell.wait_for("one two three fo--ur");
    shell.wait_for("I am Chatrix");
    shell.keys("\x1a");
    shell.wait_until("it was stopped again", |screen| screen.matches("Stopped").count() == 2);
    shell.keys("fg\r");
    shell.wait_for("session $");
    shell.wait_for_prompt();
    shell.keys("\x04");
    shell.wait_for("left");
}

#[test]
fn ask_keeps_keys_out_of_its_spinner_and_gives_the_mode_back() {
    for (name, ends) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)] {
        let bedrock = Bedrock::script([Reply::Silence]);
        let mut ask = Terminal::start(Chatrix::ask().args(["-m", "nova-micro", "hi"]).bedrock(&bedrock), 80, 24);
        eventually("keys are not echoed", || !mode(&ask).local_flags.contains(LocalFlags::ECHO));
        ask.keys("typed\r");
        ask.wait_for("nova-micro");
        signal(ask.pid(), name);
        assert_eq!(ask.exit_code(), Some(ends), "{name}");
        assert!(ask.is_restored(), "{name}");
        assert!(!ask.screen().contains("typed"), "{name}: {}", ask.screen());
    }
}

#[test]
fn ctrl_c_is_heard_whatever_was_pasted_before_and_loses_none_of_it() {
    let pieces: Vec<String> = (0..2000).map(|number| format!("{number} ")).collect();
    let bedrock = Bedrock::script([Reply::Slow(pieces, (1, 1)), Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.line("count");
    chat.wait_for("0 1 2");
    let lines: Vec<String> = (0..500).map(|number| format!("pasted line number {number} of some text")).collect();
    chat.paste(&lines.join("\n"));
    std::thread::sleep(std::time::Duration::from_millis(500));
    chat.keys("\x03");
    chat.wait_for("pasted line number 499 of some text");
    assert!(chat.written().contains("stopped; at most"), "it is above the screen by then");
    assert_eq!(bedrock.calls().len(), 1, "nothing was sent by itself");
    chat.keys("\r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 1), lines.join("\n"));
}
