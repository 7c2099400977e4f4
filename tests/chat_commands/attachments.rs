//! `/file` attaches, and does not send.

use super::{assert_turns, chat};
use crate::support::{Bedrock, Chatrix, Reply};
use serde_json::Value;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0";
const PDF: &[u8] = b"%PDF-1.7\n%%EOF\n";

/// The kinds of the parts of the last turn.
fn kinds(body: &Value) -> Vec<String> {
    let parts = body["messages"].as_array().unwrap().last().unwrap()["content"].as_array().unwrap().iter();
    parts.map(|part| part.as_object().unwrap().keys().next().unwrap().clone()).collect()
}

#[test]
fn newcomer_13_files_go_with_the_next_question_only() {
    let bedrock = Bedrock::script([Reply::text("one"), Reply::text("two")]);
    let chat = Chatrix::chat().args(["-m", "nova-pro"]).bedrock(&bedrock);
    let chat = chat.file_bytes("a b.png", PNG).file_bytes("r.pdf", PDF).file("notes.txt", "remember");
    let outcome = chat.stdin("/file ~/'a b.png' ~/r.pdf\n/file ~/notes.txt\n/file\nwhat?\nand?\n").run().code(0);
    outcome
        .stderr_has("attached a b.png (png image, 29 bytes)\nattached r.pdf (pdf document, 15 bytes)\n")
        .stderr_has("2 files go with the next question; /file none removes them")
        .stderr_has("attached notes.txt (text, 8 bytes)\n3 files go with");
    let calls = bedrock.calls();
    assert_eq!(calls.len(), 2, "attaching sends nothing");
    assert_eq!(kinds(&calls[0].body), ["image", "document", "text", "text"]);
    assert_turns(&calls[0], &[("user", "<file name=\"notes.txt\">\nremember\n</file>|what?")]);
    assert_eq!(kinds(&calls[1].body), ["text"]);
    assert_eq!(calls[1].body["messages"][0], calls[0].body["messages"][0], "they stay in the conversation");
}

#[test]
fn files_can_be_removed_before_they_are_sent() {
    let bedrock = Bedrock::script([Reply::text("one")]);
    let chat = chat(&bedrock).file("notes.txt", "remember");
    chat.stdin("/file ~/notes.txt\n/file none\n/file\nwhat?\n")
        .run()
        .code(0)
        .stderr_has("removed 1 file; nothing of it is sent")
        .stderr_has("no files are attached");
    assert_turns(&bedrock.call(), &[("user", "what?")]);
}

#[test]
fn what_cannot_be_attached_is_said_and_nothing_is() {
    let bedrock = Bedrock::script([Reply::text("one")]);
    for (files, why) in [
        ("~/nowhere", "there is no such file"),
        ("~/notes.txt ~/nowhere", "there is no such file"),
        ("/dev/zero", "is a device or a pipe"),
        ("~", "is a directory"),
        ("~/empty", "the document is empty"),
        ("'~/notes.txt'", "there is no such file"),
    ] {
        let chat = chat(&bedrock).file("notes.txt", "remember").file("empty", "");
        let outcome = chat.stdin(&format!("/file {files}\n/file\n")).run();
        assert_ne!(outcome.code, Some(0), "{files}");
        outcome.stderr_has(why).stderr_has("no files are attached");
    }
}

#[test]
fn a_model_that_takes_no_images_is_named_at_once() {
    let bedrock = Bedrock::script([Reply::text("one")]);
    let chat = chat(&bedrock).file_bytes("a.png", PNG);
    let outcome = chat.stdin("/file ~/a.png\nwhat?\n/model nova-pro\n/retry\n").run();
    outcome.stderr_has("nova-micro takes no images; /model NAME switches to a model that does");
    assert_eq!(kinds(&bedrock.call().body), ["image", "text"], "a question that failed keeps its files");
}

#[test]
fn two_documents_of_one_name_are_told_apart() {
    let bedrock = Bedrock::script([Reply::text("one")]);
    let chat = Chatrix::chat().args(["-m", "nova-pro"]).bedrock(&bedrock);
    let chat = chat.file_bytes("a/r.pdf", PDF).file_bytes("b/r.pdf", PDF);
    chat.stdin("/file ~/a/r.pdf\none?\n/file ~/b/r.pdf\ntwo?\n").run().code(0);
    let body = &bedrock.calls()[1].body;
    let name = |turn: usize| body["messages"][turn]["content"][0]["document"]["name"].as_str().unwrap().to_owned();
    assert_eq!((name(0), name(2)), ("r".to_owned(), "r 2".to_owned()));
}
