//! Saved sessions of `chatrix chat`: what a kill loses, who may read them, and how they go on.

mod listing;
mod resuming;
mod trouble;

use crate::support::{Bedrock, Chatrix, Home, Reply, Terminal};
use serde_json::Value;
use std::path::PathBuf;

const FOLDER: &str = ".local/state/chatrix/sessions";

fn chat(home: &Home, bedrock: &Bedrock) -> Chatrix {
    Chatrix::chat().args(["-m", "nova-micro"]).home(home).bedrock(bedrock)
}

/// A chat that goes on with the last session; its model is that of the session.
fn go_on(home: &Home, bedrock: &Bedrock) -> Chatrix {
    Chatrix::chat().arg("-c").home(home).bedrock(bedrock)
}

fn on_terminal(chat: Chatrix) -> Terminal {
    let mut terminal = Terminal::start(chat, 80, 40);
    terminal.wait_for_prompt();
    terminal
}

/// Asks one question in a new chat on a terminal, and leaves.
fn ask(chat: Chatrix, question: &str) {
    let mut terminal = on_terminal(chat);
    terminal.line(question);
    terminal.wait_for("session $");
    assert_eq!(terminal.leave(), Some(0));
}

/// The files of the sessions, the oldest first.
fn files(home: &Home) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(home.path(FOLDER)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The only session's file.
#[track_caller]
fn file(home: &Home) -> PathBuf {
    let files = files(home);
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn id(path: &std::path::Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The lines of the only session.
#[track_caller]
fn lines(home: &Home) -> Vec<Value> {
    let text = std::fs::read_to_string(file(home)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of the only session.
#[track_caller]
fn events(home: &Home) -> Vec<String> {
    lines(home).iter().skip(1).map(|line| line["event"].as_str().unwrap().to_owned()).collect()
}

fn home() -> Home {
    Home::new("")
}

fn answering(texts: &[&str]) -> Bedrock {
    Bedrock::script(texts.iter().map(|text| Reply::text(text)).collect::<Vec<_>>())
}
