//! Tab at the prompt.

use super::{chat, sent};
use crate::support::{Bedrock, Reply};

#[test]
fn tab_completes_what_is_clear_and_lists_what_is_not() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.keys("/mod\t");
    chat.wait_until("one candidate is taken", |screen| screen.lines().last() == Some("> /model"));
    chat.keys("nova-m\t");
    chat.wait_until("that is clear too", |screen| screen.lines().last() == Some("> /model nova-micro"));
    chat.keys("\x15/model nova-\t");
    let screen = chat.wait_until("they are listed above the line", |screen| {
        screen.lines().last() == Some("> /model nova-") && screen.contains("nova-pro ")
    });
    let listed: Vec<&str> = screen.lines().filter(|row| row.trim_start().starts_with("nova-")).collect();
    assert!(listed.iter().any(|row| row.matches('$').count() >= 2), "with their prices: {screen}");
    assert!(!chat.written().contains('\x07'), "no bell");
    // In a message Tab does nothing.
    chat.keys("\x15what is\t this?\r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 0), "what is this?");
}
