//! Requests that Claude Code and the SDKs really sent. Each must be accepted and reach Bedrock in a legal form, translated
//! and as it is. `CHATRIX_CLIENTS` names the folder of the captures.

use super::{ask, passing, translating};
use crate::support::{Bedrock, Reply};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::PathBuf;

/// What no model behind Bedrock can do, and the words of the refusal.
const REFUSED: [(&str, &str); 2] = [
    ("web-search-subrequest.json", "web_search is not available through Bedrock"),
    ("anthropic-python-tool-runner-round.json", "send the whole conversation"),
];

/// The name and the body of each captured request to `/messages`, with the limit that counting needs none of.
fn captures() -> Option<Vec<(String, Value)>> {
    let Some(root) = std::env::var_os("CHATRIX_CLIENTS").map(PathBuf::from) else {
        println!("skipped: CHATRIX_CLIENTS is not set to the folder of the captured requests");
        return None;
    };
    let folders = ["claude-code", "sdk"].map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let mut files: Vec<PathBuf> = folders.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = files.into_iter().filter_map(|path| {
        let capture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let mut body = capture["body"].clone();
        if !capture["request"]["path"].as_str().unwrap().contains("/messages") || !body.is_object() {
            return None;
        }
        if capture["request"]["path"].as_str().unwrap().ends_with("/count_tokens") {
            (body["max_tokens"], body["model"]) = (json!(5), json!("claude-opus-5-5"));
        }
        Some((path.file_name().unwrap().to_str().unwrap().to_owned(), body))
    });
    Some(read.collect())
}

/// What Bedrock would refuse of a Converse request (docs/bedrock.md §2.6).
fn complaints(body: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut check = |holds: bool, what: String| {
        if !holds {
            complaints.push(what);
        }
    };
    let turns = body["messages"].as_array().unwrap();
    let blocks = |turn: &Value| turn["content"].as_array().unwrap().clone();
    let ids = |turn: &Value, kind: &str| -> Vec<String> {
        let ids = blocks(turn).into_iter().filter_map(|block| block[kind]["toolUseId"].as_str().map(ToOwned::to_owned));
        ids.collect()
    };
    check(turns.first().is_some_and(|turn| turn["role"] == "user"), "it begins with the assistant".into());
    check(turns.last().is_some_and(|turn| turn["role"] == "user"), "it ends with the assistant".into());
    let mut all_ids = HashSet::new();
    for (place, turn) in turns.iter().enumerate() {
        check(place == 0 || turn["role"] != turns[place - 1]["role"], format!("turn {place} repeats a role"));
        check(!blocks(turn).is_empty(), format!("turn {place} is empty"));
        for block in blocks(turn) {
            let text = block["text"].as_str();
            check(text.is_none_or(|text| !text.trim().is_empty()), format!("turn {place} has a blank text"));
            if let Some(result) = block["toolResult"]["content"].as_array() {
                check(!result.is_empty(), format!("turn {place} has an empty result"));
                check(!result.iter().any(|part| part["cachePoint"].is_object()), "a result has a cache point".into());
            }
        }
        let (calls, answered) = (ids(turn, "toolUse"), turns.get(place + 1).map(|next| ids(next, "toolResult")));
        check(
            calls.is_empty() || answered == Some(calls.clone()),
            format!("the calls of turn {place} are not answered"),
        );
        for id in calls {
            let legal =
                id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
            check(legal && all_ids.insert(id.clone()), format!("the id {id} is not legal"));
        }
    }
    check(all_ids.is_empty() || body["toolConfig"].is_object(), "there are calls and no toolConfig".into());
    for tool in body["toolConfig"]["tools"].as_array().into_iter().flatten() {
        let name = tool["toolSpec"]["name"].as_str().unwrap_or("a");
        let legal = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        check(legal && !name.is_empty(), format!("the tool name {name} is not legal"));
        check(name != "DeferredToolPlaceholder", "the placeholder is offered".into());
    }
    check(body.to_string().matches("\"cachePoint\"").count() <= 4, "there are too many cache points".into());
    complaints
}

#[test]
fn every_captured_request_reaches_bedrock_in_both_ways_of_sending() {
    let Some(captures) = captures() else { return };
    let mut failed = Vec::new();
    for translated in [true, false] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        let server = if translated { translating(&bedrock) } else { passing(&bedrock) };
        for (name, body) in &captures {
            let before = bedrock.calls().len();
            let answer = ask(&server, body);
            if let Some((_, words)) = REFUSED.iter().find(|(refused, _)| refused == name) {
                if answer.status != 400 || !answer.body.contains(words) {
                    failed.push(format!("{name}: {} {}", answer.status, answer.body));
                }
                continue;
            }
            let calls = bedrock.calls();
            let Some(call) = calls.get(before).filter(|_| answer.status == 200) else {
                failed.push(format!("{name}: {} {}", answer.status, answer.body));
                continue;
            };
            let sent = call.body.to_string();
            let mut problems = if call.operation.starts_with("converse") { complaints(&call.body) } else { Vec::new() };
            for secret in ["classifier_context", "device_id"] {
                if sent.contains(secret) {
                    problems.push(format!("{secret} is sent"));
                }
            }
            // A schema for the answer is translated where the model has no own word for it.
            let has_schema = body["output_config"]["format"].is_object();
            let is_translated = call.operation.starts_with("converse");
            if !has_schema && is_translated != (translated || !call.model.contains("claude")) {
                problems.push(format!("it went to {}", call.operation));
            }
            if call.operation.starts_with("converse") && sent.contains("x-anthropic-billing-header") {
                problems.push("the note for Anthropic's accounting is sent".into());
            }
            problems.extend(lost_signatures(body, &call.body));
            failed.extend(problems.into_iter().map(|problem| format!("{name} ({}): {problem}", call.operation)));
        }
    }
    println!("messages of clients: {} requests in two ways, {} problems", captures.len(), failed.len());
    assert!(captures.len() >= 30 && failed.is_empty(), "{}", failed.join("\n"));
}

/// The signatures of the current tool loop that did not reach Bedrock byte for byte.
fn lost_signatures(asked: &Value, sent: &Value) -> Vec<String> {
    let messages = asked["messages"].as_array().unwrap();
    let blocks = messages.iter().filter_map(|message| message["content"].as_array()).flatten();
    let signatures = blocks.filter_map(|block| block["signature"].as_str().or(block["data"].as_str()));
    let sent = sent.to_string();
    let lost = signatures.filter(|signature| !signature.is_empty() && !sent.contains(&json!(signature).to_string()));
    lost.map(|signature| format!("the signature {signature} is lost")).collect()
}
