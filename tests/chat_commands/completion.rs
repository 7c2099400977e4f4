//! Tab completes commands, and what they take.

use super::{chat, on_terminal};
use crate::support::{Bedrock, Reply};

#[test]
fn tab_completes_commands_models_and_files() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let mut chat = on_terminal(chat(&bedrock).file("pictures of may/a.txt", "hi").file("other.txt", "hi"));
    chat.keys("/max\t");
    chat.wait_for("> /max-tokens");
    chat.keys("\x15/model nova-m\t");
    chat.wait_for("> /model nova-micro");
    chat.keys("\x15/model nova\t\t");
    let screen = chat.wait_for("$0.80/$3.20");
    assert!(screen.contains("nova-micro") && screen.contains("$0.035/$0.14"), "{screen}");
    chat.keys("\x15/file ~/pic\t");
    chat.wait_for("pictures of may/");
    chat.keys("a\t\r");
    chat.wait_for("attached a.txt (text, 2 bytes)");
    chat.wait_for_prompt();
    chat.keys("/reasoning of\t");
    chat.wait_for("> /reasoning off");
    chat.keys("\x15/system n\t");
    chat.wait_for("> /system none");
    chat.keys("\x15/undo x\tand no more");
    chat.wait_for("> /undo x");
    assert_eq!(bedrock.calls().len(), 0);
}
