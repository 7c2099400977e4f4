//! Requests that were captured from real clients. Each reaches Bedrock as a legal request, or is refused as it should be.
//! `CHATRIX_CLIENTS` names the folder.

use super::*;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

/// The captured requests to `/v1/responses`, by name. Without `CHATRIX_CLIENTS`, the test is skipped with a message.
fn captured() -> Option<BTreeMap<String, Value>> {
    let Some(root) = std::env::var_os("CHATRIX_CLIENTS").map(PathBuf::from) else {
        println!("skipped: CHATRIX_CLIENTS is not set to the folder of the captured requests");
        return None;
    };
    let files = ["codex", "sdk"].into_iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let read = files.filter_map(|file| {
        let path = file.unwrap().path();
        let captured: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let is_response = captured["request"]["path"].as_str().unwrap().ends_with("/responses");
        is_response.then(|| (path.file_stem().unwrap().to_str().unwrap().to_owned(), captured["body"].clone()))
    });
    Some(read.collect())
}

/// What Bedrock would refuse in a request.
fn illegal(request: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut open: HashSet<String> = HashSet::new();
    let mut seen = HashSet::new();
    let mut has_tool_parts = false;
    let is_word = |text: &str, more: &str| {
        (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    for (index, turn) in request["messages"].as_array().unwrap().iter().enumerate() {
        let role = if index % 2 == 0 { "user" } else { "assistant" };
        if turn["role"] != role {
            problems.push(format!("turn {index} is not the {role}'s"));
        }
        let blocks = turn["content"].as_array().unwrap();
        if blocks.is_empty() {
            problems.push(format!("turn {index} is empty"));
        }
        for block in blocks {
            if block["text"].as_str().is_some_and(|text| text.trim().is_empty()) {
                problems.push("blank text".into());
            }
            if let Some(id) = block["toolUse"]["toolUseId"].as_str() {
                has_tool_parts = true;
                if !is_word(id, "_-") || !seen.insert(id.to_owned()) || !block["toolUse"]["input"].is_object() {
                    problems.push(format!("the call {block}"));
                }
                open.insert(id.to_owned());
            }
            if let Some(id) = block["toolResult"]["toolUseId"].as_str() {
                let content = block["toolResult"]["content"].as_array().unwrap();
                if !open.remove(id) || content.is_empty() {
                    problems.push(format!("the result {block}"));
                }
            }
        }
        if role == "user" && !open.is_empty() {
            problems.push(format!("no results for {open:?}"));
        }
    }
    let mut names = HashSet::new();
    for tool in request["toolConfig"]["tools"].as_array().into_iter().flatten() {
        let Some(name) = tool["toolSpec"]["name"].as_str() else { continue };
        if !is_word(name, "_-") || !names.insert(name) || tool["toolSpec"]["inputSchema"]["json"]["type"] != "object" {
            problems.push(format!("the tool {name}"));
        }
    }
    if has_tool_parts && names.is_empty() {
        problems.push("calls without tools".into());
    }
    problems
}

/// All texts of a value that may not get lost.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if ["text", "input", "output"].contains(&&**name) => found.push(text.clone()),
                    value => texts(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

#[test]
fn captured_requests_reach_bedrock_in_a_legal_form() {
    let Some(captured) = captured() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let mut failed = Vec::new();
    for (name, mut body) in captured.clone() {
        // Some clients were given a name that this catalog does not have.
        body["model"] = "claude-sonnet-4-6".into();
        let before = bedrock.calls().len();
        let answer = server.post("/v1/responses", &body);
        if name == "openai-python-previous-response" {
            assert_eq!((answer.status, answer.error().2.as_str()), (400, "previous_response_not_found"));
            continue;
        }
        let Some(call) = bedrock.calls().get(before).cloned() else {
            failed.push(format!("{name}: {} {}", answer.status, answer.body));
            continue;
        };
        let mut problems = illegal(&call.body);
        let (mut own, mut sent) = (Vec::new(), Vec::new());
        let reasoning = |item: &&Value| item["type"] == "reasoning";
        body["input"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|item| !reasoning(item))
            .for_each(|item| texts(item, &mut own));
        texts(&call.body["messages"], &mut sent);
        texts(&call.body["system"], &mut sent);
        for text in own.into_iter().filter(|text| !text.trim().is_empty()) {
            if !sent.iter().any(|sent| sent.contains(text.trim_end())) {
                problems.push(format!("lost: {text:.80}"));
            }
        }
        if !problems.is_empty() {
            failed.push(format!("{name}: {}", problems.join("; ")));
        }
    }
    println!("replayed captured requests: {} of {}", captured.len() - failed.len(), captured.len());
    assert!(
        captured.len() >= 28 && failed.is_empty(),
        "{} of {}:\n{}",
        failed.len(),
        captured.len(),
        failed.join("\n")
    );
}
