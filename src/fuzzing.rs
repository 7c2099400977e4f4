//! The entry points of the fuzz targets in `fuzz/`, for fuzzers and tests only. None of them may panic, whatever the
//! bytes are; each also checks what must hold for any input that is accepted.
#![expect(clippy::missing_panics_doc, reason = "a panic is how a fuzzer learns of a fault")]

use crate::api::anthropic::Messages;
use crate::api::openai::{ChatCompletions, TextCompletions, embeddings};
use crate::api::{AnswerForm, AnswerHead, Dialect, Frames, ParsedRequest, RequestHeaders};
use crate::bedrock;
use crate::config::{Flags, Settings};
use crate::policy::{Admitted, Policy};
use crate::terminal::markdown::render;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

/// The built-in policy.
static POLICY: LazyLock<Option<Policy>> =
    LazyLock::new(|| Some(Settings::load(&Flags { config: config(""), ..Flags::default() }, |_| None).ok()?.policy()));

/// The events of a stream, as the first byte of a record chooses them.
const EVENTS: [&str; 7] = [
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
    "internalServerException",
];

/// A request: the first byte chooses the API, the rest is the body. What is accepted is encoded for Bedrock, twice the
/// same.
pub fn http_body(data: &[u8]) {
    let Some((api, body)) = data.split_first() else { return };
    let dialect: &dyn Dialect = match api % 4 {
        0 => &ChatCompletions,
        1 => &TextCompletions,
        3 => &Messages,
        _ => {
            let _ = embeddings::parse(body.into());
            return;
        }
    };
    let admitted = match dialect.parse(body.into(), &RequestHeaders::default()) {
        Ok(ParsedRequest { request, .. }) => POLICY.as_ref().map(|policy| policy.admit(request, None)),
        Err(error) => Some(Err(error)),
    };
    match admitted {
        Some(Ok(admitted)) => {
            let _ = admitted.edits();
            let first = bedrock::preview(&admitted).map(|body| body.to_string()).ok();
            let second = bedrock::preview(&admitted).map(|body| body.to_string()).ok();
            assert_eq!(first, second, "the same request gave different bytes");
        }
        Some(Err(error)) => drop(dialect.error(&error, "req_0")),
        None => {}
    }
}

/// An answer: raw bytes, or after a first byte that is odd a list of records (event, length, payload) in valid frames.
/// What the client gets of it is JSON.
pub fn event_stream(data: &[u8]) {
    let Some((form, rest)) = data.split_first() else { return };
    let answer = if form % 2 == 0 { rest.to_vec() } else { framed(rest) };
    let Some(admitted) = question(form / 2 % 2 == 1) else { return };
    let Some(form) = chat_form() else { return };
    let model = admitted.model().id.clone();
    let mut writer = form.stream(AnswerHead { id: "chatcmpl-0".to_owned(), created: 0, model, expected_input: 0 });
    let mut frames = Frames::default();
    writer.start(&mut frames);
    for event in bedrock::fuzzing::events(&admitted, answer.into()) {
        writer.event(&event, &mut frames);
    }
    writer.finish(None, None, &mut frames);
    let text = String::from_utf8_lossy(&frames.take()).into_owned();
    for event in text.split_terminator("\n\n") {
        let data = event.strip_prefix("data: ").unwrap_or_default();
        assert!(data == "[DONE]" || serde_json::from_str::<Value>(data).is_ok(), "a chunk is no JSON");
    }
}

/// The form of the answer to the shortest request.
fn chat_form() -> Option<Arc<dyn AnswerForm>> {
    let body = br#"{"messages": [{"role": "user", "content": "hi"}]}"#;
    ChatCompletions.parse(body[..].into(), &RequestHeaders::default()).ok().map(|parsed| parsed.form)
}

/// The text of a config file.
pub fn config_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(path) = config(text) else { return };
    if let Ok(settings) = Settings::load(&Flags { config: Some(path), ..Flags::default() }, |_| None) {
        let _ = settings.policy();
    }
}

/// The variables of a process: lines of `NAME=VALUE`, for Chatrix and for AWS.
pub fn environment(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let variables: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let find = |wanted: &str| {
        let found = variables.iter().rev().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| (*value).to_owned())
    };
    let of_chatrix = |name: &str| if name == "CHATRIX_CONFIG" { None } else { find(name) };
    let _ = Settings::load(&Flags { config: config(""), ..Flags::default() }, of_chatrix);
    bedrock::fuzzing::environment(&variables);
}

/// An answer on a terminal: the first byte is the width of the screen, the second the length of the pieces that the rest
/// comes in. The pieces make no difference, and nothing but text, styles and links is written.
pub fn markdown(data: &[u8]) {
    let [columns, length, text @ ..] = data else { return };
    let (columns, length) = (usize::from(*columns), usize::from(*length).max(1));
    let text = String::from_utf8_lossy(text);
    let chars: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = chars.chunks(length).map(|piece| piece.iter().collect()).collect();
    let whole = render([text.as_ref()], columns, true);
    assert_eq!(render(pieces.iter().map(String::as_str), columns, true), whole, "the pieces made a difference");
    for sequence in whole.split('\u{1b}').skip(1) {
        let known = sequence.starts_with('[') || sequence.starts_with("]8;") || sequence.starts_with('\\');
        assert!(known, "a sequence that the renderer does not write");
    }
    let is_plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    assert!(render([text.as_ref()], columns, false).chars().all(is_plain), "a control character");
}

/// A file with this text, which each thread overwrites.
fn config(text: &str) -> Option<PathBuf> {
    let thread = std::thread::current().id();
    let path = std::env::temp_dir().join(format!("chatrix-fuzzing-{}-{thread:?}.toml", std::process::id()));
    std::fs::write(&path, text).ok()?;
    Some(path)
}

/// A request with a tool whose property has a name that is changed on the way.
fn question(asks_for_json: bool) -> Option<Admitted> {
    let format = serde_json::json!({"type": "json_schema", "json_schema": {"name": "a", "schema": {
        "type": "object", "properties": {"Account Number": {"type": "string"}}}}});
    let mut body = serde_json::json!({"model": "claude-haiku", "messages": [{"role": "user", "content": "hi"}], "tools": [
        {"type": "function", "function": {"name": "look.up", "parameters": {
            "type": "object", "properties": {"Account Number": {"type": "string"}}}}}]});
    if asks_for_json {
        body["response_format"] = format;
        body["model"] = "nova-micro".into();
    }
    let request = ChatCompletions.parse(body.to_string().as_bytes().into(), &RequestHeaders::default()).ok()?.request;
    POLICY.as_ref()?.admit(request, None).ok()
}

fn framed(mut records: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let [event, length, rest @ ..] = records {
        let (payload, further) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes.extend(bedrock::fuzzing::frame(EVENTS[usize::from(*event) % EVENTS.len()], payload));
        records = further;
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    /// Runs a target with its seeds and with random changes of them.
    fn run(name: &str, target: fn(&[u8])) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty());
        let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        let mut random = fastrand::Rng::with_seed(7);
        for seed in &seeds {
            target(seed);
            for _ in 0..200 {
                target(&changed(seed, &seeds, &mut random));
            }
        }
    }

    fn changed(seed: &[u8], seeds: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..=bytes.len());
            match random.u8(..4) {
                0 if at < bytes.len() => bytes[at] = random.u8(..),
                1 => bytes.insert(at, random.u8(..)),
                2 => bytes.truncate(at),
                _ => {
                    let other = &seeds[random.usize(..seeds.len())];
                    let piece = &other[random.usize(..=other.len())..];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
        bytes
    }

    #[test]
    fn bodies_of_requests() {
        run("http_body", http_body);
    }

    #[test]
    fn streams_of_events() {
        run("event_stream", event_stream);
    }

    #[test]
    fn config_files() {
        run("config_file", config_file);
    }

    #[test]
    fn answers_on_a_terminal() {
        run("markdown", markdown);
    }

    #[test]
    fn environments() {
        run("environment", environment);
    }
}
