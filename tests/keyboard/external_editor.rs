//! Ctrl-X Ctrl-E opens the text in the person's own editor.

use super::{sent, start};
use crate::support::{Bedrock, Chatrix, Reply, Terminal};
use std::os::unix::fs::PermissionsExt;

/// A chat whose `$EDITOR` runs this shell script with the name of the file as `$1`; the folder of temporary files is in
/// the home.
fn chat(bedrock: &Bedrock, script: &str) -> Terminal {
    let chatrix = Chatrix::chat().args(["-m", "nova-micro"]).bedrock(bedrock).file("editor", script);
    let editor = format!("sh {}", chatrix.path("editor"));
    let temporary = chatrix.path("temporary");
    std::fs::create_dir(&temporary).unwrap();
    start(chatrix.env("EDITOR", &editor).env("TMPDIR", &temporary))
}

fn is_clean(chat: &Terminal) -> bool {
    std::fs::read_dir(chat.home().join("temporary")).unwrap().count() == 0
}

#[test]
fn the_text_comes_back_and_can_be_edited_further() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let script = "
        stat -c '%a' \"$1\" \"$(dirname \"$1\")\" >\"$HOME/modes\"
        echo \"$1\" >\"$HOME/name\"
        stty -a >\"$HOME/stty\"
        cat \"$1\" >\"$HOME/before\"
        printf '\\nand a second line\\n' >>\"$1\"";
    let mut chat = chat(&bedrock, script);
    chat.keys("a first line\x18\x05");
    chat.wait_for("> a first line\nand a second line");
    chat.keys("!");
    assert!(bedrock.calls().is_empty(), "it is not sent by itself");
    chat.keys("\r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 0), "a first line\nand a second line!");
    let read = |name: &str| std::fs::read_to_string(chat.home().join(name)).unwrap();
    assert_eq!(read("modes"), "600\n700\n");
    assert!(read("name").ends_with(".md\n"));
    assert_eq!(read("before"), "a first line");
    let stty = read("stty");
    let modes: Vec<&str> = stty.split_whitespace().collect();
    for usual in ["icanon", "echo", "isig", "icrnl"] {
        assert!(modes.contains(&usual), "{usual}: {stty}");
    }
    assert!(is_clean(&chat));
}

#[test]
fn an_editor_that_fails_loses_nothing() {
    for (name, script, said) in [
        ("exit code", "echo lost >\"$1\"; exit 3", "has ended with exit code 3; the text is as it was before"),
        ("signal", "kill -KILL $$", "was ended by a signal"),
        ("deletes the file", "rm \"$1\"", "has left no file behind"),
        ("no UTF-8", "printf '\\377' >\"$1\"", "has written what is not UTF-8 text"),
        ("not to be found", "exit 127", "it was not found; set VISUAL or EDITOR"),
    ] {
        let bedrock = Bedrock::script([Reply::text("fine")]);
        let mut chat = chat(&bedrock, script);
        chat.keys("precious\x18\x05");
        let screen = chat.wait_until(name, |screen| {
            screen.split_whitespace().collect::<Vec<_>>().join(" ").contains(said) && screen.ends_with("> precious")
        });
        assert!(screen.contains("error: "), "{name}: {screen}");
        chat.keys(" text\r");
        chat.wait_for("fine");
        assert_eq!(sent(&bedrock, 0), "precious text", "{name}");
        assert!(is_clean(&chat), "{name}");
    }
}

#[test]
fn the_variables_name_the_editor_and_vi_is_the_last_resort() {
    for (name, visual, editor, expected) in [
        ("VISUAL is first", "tool --wait visual", "tool editor", "--wait visual"),
        ("EDITOR is second", "", "tool 'an editor'", "an editor"),
        ("vi is last", "", " ", "vi"),
    ] {
        let bedrock = Bedrock::script([Reply::text("fine")]);
        let mut chatrix = Chatrix::chat().args(["-m", "nova-micro"]).bedrock(&bedrock);
        for tool in ["tool", "vi"] {
            let last = if tool == "vi" {
                "printf vi >\"$1\""
            } else {
                "while [ $# -gt 1 ]; do all=\"$all $1\"; shift; done; printf '%s' \"${all# }\" >\"$1\""
            };
            chatrix = chatrix.file(&format!("bin/{tool}"), &format!("#!/bin/sh\n{last}\n"));
            let path = chatrix.path(&format!("bin/{tool}"));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:{}", chatrix.path("bin"), std::env::var("PATH").unwrap());
        let mut chat = start(chatrix.env("PATH", &path).env("VISUAL", visual).env("EDITOR", editor));
        chat.keys("\x18\x05");
        chat.wait_until(name, |screen| screen.ends_with(&format!("> {expected}")));
    }
}

#[test]
fn ctrl_c_in_the_editor_does_not_end_the_chat() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat =
        chat(&bedrock, "trap 'printf interrupted >\"$1\"; exit 0' INT; echo ready; while :; do sleep 0.05; done");
    chat.keys("text\x18\x05");
    chat.wait_for("ready");
    chat.keys("\x03");
    chat.wait_until("the editor has heard it", |screen| screen.ends_with("> interrupted"));
    chat.keys("\r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 0), "interrupted");
}

#[test]
fn control_characters_of_the_editor_stay_out_of_the_line() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = chat(&bedrock, "printf 'a\\033]0;title\\007b\\tc' >\"$1\"");
    chat.keys("\x18\x05");
    chat.wait_for("> a]0;titleb");
    assert!(!chat.written().contains("\x1b]0;"));
    chat.keys("\r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 0), "a]0;titleb\tc");
}
