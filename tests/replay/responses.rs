//! The same recordings through `/v1/responses`: the same text, reasoning, tool calls, stop and usage as in Chat Completions,
//! in events of OpenAI's specification only.

use super::*;
use crate::support::Answer;
use std::collections::HashMap;

fn question(model: &str, stream: bool) -> Value {
    json!({"model": model, "input": "hi", "reasoning": {"summary": "auto"}, "stream": stream})
}

/// The reasoning in a carrier.
fn carried(item: &Value) -> Value {
    let text = item["encrypted_content"].as_str().unwrap().strip_prefix("chatrix-reasoning-1:").unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).unwrap()).unwrap()
}

/// The content of a response.
fn content(response: &Value) -> Content {
    let mut content = Content::default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for item in response["output"].as_array().unwrap() {
        match item["type"].as_str().unwrap() {
            "message" => content.text.push_str(item["content"][0]["text"].as_str().unwrap()),
            "reasoning" => {
                content.reasoning.push_str(item["summary"][0]["text"].as_str().unwrap_or_default());
                for block in carried(item)["blocks"].as_array().unwrap() {
                    content.signatures.extend(block["signed"]["signature"].as_str().map(ToOwned::to_owned));
                    content.redacted += usize::from(block["redacted"].is_string());
                }
            }
            "function_call" => content.calls.push((
                text(&item["call_id"]),
                text(&item["name"]),
                json_or_text(item["arguments"].as_str().unwrap()),
            )),
            other => panic!("no answer here has an item of type {other}"),
        }
    }
    let finish = match (response["status"].as_str().unwrap(), response["incomplete_details"]["reason"].as_str()) {
        ("completed", None) if content.calls.is_empty() => "stop",
        ("completed", None) => "tool_calls",
        ("incomplete", Some("max_output_tokens")) => "length",
        ("incomplete", Some(reason)) => reason,
        (status, _) => status,
    };
    finish.clone_into(&mut content.finish);
    let usage = &response["usage"];
    let count = |value: &Value| value.as_u64().unwrap();
    content.usage = usage.is_object().then(|| {
        assert_eq!(count(&usage["total_tokens"]), count(&usage["input_tokens"]) + count(&usage["output_tokens"]));
        let details = &usage["input_tokens_details"];
        (
            count(&usage["input_tokens"]),
            count(&usage["output_tokens"]),
            count(&details["cached_tokens"]),
            count(&details["cache_write_tokens"]),
        )
    });
    content
}

/// The validators of the specification's events, by their type.
struct EventValidators(HashMap<String, jsonschema::Validator>);

impl EventValidators {
    fn open(specification: &Specification) -> Option<Self> {
        let schemas = specification.0.as_ref()?["components"]["schemas"].as_object().unwrap();
        let mut validators = HashMap::new();
        for event in schemas["ResponseStreamEvent"]["anyOf"].as_array().unwrap() {
            let schema = event["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let name = schemas[schema]["properties"]["type"]["enum"][0].as_str().unwrap();
            if ["audio", "mcp", "_call_code", "_search", "image", "refusal", "shell", "queued"]
                .iter()
                .all(|word| !name.contains(word))
            {
                validators.insert(name.to_owned(), specification.validator(schema).unwrap());
            }
        }
        Some(Self(validators))
    }

    fn check(&self, event: &Value, problems: &mut Vec<String>) {
        let name = event["type"].as_str().unwrap();
        match self.0.get(name) {
            Some(validator) => check(Some(validator), &specified(event.clone()), problems),
            None => problems.push(format!("{name} is no event that Chatrix should write")),
        }
    }
}

/// A response or an event without a usage of null, which OpenAI itself writes until the usage is known, although its
/// specification does not allow it.
fn specified(mut value: Value) -> Value {
    let response = if value["response"].is_object() { &mut value["response"] } else { &mut value };
    if response["usage"].is_null() {
        response.as_object_mut().unwrap().shift_remove("usage");
    }
    value
}

/// The events of a stream, each with the name of its type.
fn events(answer: &Answer) -> Vec<Value> {
    let blocks = answer.body.split_terminator("\n\n").map(|block| {
        let (name, data) = block.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let event: Value = serde_json::from_str(data).unwrap();
        assert_eq!(event["type"], name);
        event
    });
    blocks.collect()
}

#[test]
fn complete_responses() {
    let validator = Specification::open().validator("Response");
    replay("converse", |server, recording| {
        let answer = server.post("/v1/responses", &question(recording.model(), false));
        let mut problems = Vec::new();
        if answer.status != 200 {
            return vec![format!("{} {}", answer.status, answer.body)];
        }
        check(validator.as_ref(), &specified(answer.json()), &mut problems);
        let recorded = recorded_answer(&serde_json::from_slice(&recording.body).unwrap()).separated();
        compare(&content(&answer.json()), &recorded, &mut problems);
        problems
    });
}

#[test]
fn streamed_responses() {
    let validators = EventValidators::open(&Specification::open());
    replay("converse-stream", |server, recording| {
        let answer = server.post("/v1/responses", &question(recording.model(), true));
        let mut problems = Vec::new();
        if answer.status != 200 {
            return vec![format!("{} {}", answer.status, answer.body)];
        }
        let events = events(&answer);
        for (number, event) in events.iter().enumerate() {
            assert_eq!(event["sequence_number"], number);
            if let Some(validators) = &validators {
                validators.check(event, &mut problems);
            }
        }
        let response = &events.last().unwrap()["response"];
        match recorded_stream(&recording.body) {
            Ok(mut recorded) => {
                if recorded.finish == "content_filter" {
                    // Codex would ask for a filtered answer again.
                    "stop".clone_into(&mut recorded.finish);
                }
                compare(&content(response), &recorded.separated(), &mut problems);
            }
            Err(exception) => {
                if response["status"] != "failed" || response["error"]["message"].as_str().is_none() {
                    problems.push(format!("{exception} was not reported"));
                }
            }
        }
        problems
    });
}
