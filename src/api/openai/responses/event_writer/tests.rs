//! Answers of every kind as events, in whole and in pieces.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::super::output_items::items;
use super::*;
use crate::conversation::AnswerBuilder;
use crate::error::Kind;
use std::collections::HashMap;

fn head() -> AnswerHead {
    AnswerHead { id: format!("resp_{:024x}", 7), created: 7, model: "claude-haiku".into(), expected_input: 0 }
}

fn options(show_reasoning: bool) -> Arc<AnswerOptions> {
    let mut options = AnswerOptions { show_reasoning, ..AnswerOptions::default() };
    for (kind, namespace, name) in [
        (ToolKind::Custom, None, "apply_patch"),
        (ToolKind::Search, None, "tool_search"),
        (ToolKind::Function, Some("mcp__weather"), "picture"),
    ] {
        let tool = ClientTool { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() };
        options.names.offer(tool).unwrap();
    }
    Arc::new(options)
}

/// The events that are written: their names, and their data.
fn read(frames: &mut Frames) -> Vec<(String, Value)> {
    let text = String::from_utf8(frames.take().to_vec()).unwrap();
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        (name.to_owned(), serde_json::from_str(data).unwrap())
    });
    events.collect()
}

fn written(events: &[Event], show_reasoning: bool) -> Vec<(String, Value)> {
    let mut writer = EventWriter::new(head(), options(show_reasoning));
    let mut frames = Frames::default();
    writer.start(&mut frames);
    for event in events {
        writer.event(event, &mut frames);
    }
    writer.finish(
        Some(Usage { input: 3, output: 4, cache_read: 5, cache_write_5m: 6, cache_write_1h: 7 }),
        None,
        &mut frames,
    );
    read(&mut frames)
}

/// Checks what holds for every stream: numbers without gaps, items in order, each with an id of its own in all of its
/// events, pieces that make up the whole, and nothing after the end. Returns the response at the end.
fn check(events: &[(String, Value)]) -> &Value {
    let mut open: Option<(String, HashMap<String, String>)> = None;
    let mut items = Vec::new();
    for (number, (name, data)) in events.iter().enumerate() {
        assert_eq!((&data["type"], &data["sequence_number"]), (&json!(name), &json!(number)));
        let is_last = number + 1 == events.len();
        let ends = ["response.completed", "response.incomplete", "response.failed"].contains(&&**name);
        assert_eq!(ends, is_last, "{name}");
        match name.as_str() {
            "response.output_item.added" => {
                assert!(open.is_none(), "two items are open");
                assert_eq!(data["output_index"], items.len());
                open = Some((data["item"]["id"].as_str().unwrap().to_owned(), HashMap::new()));
            }
            "response.output_item.done" => {
                let (id, _) = open.take().unwrap();
                assert_eq!((&data["item"]["id"], &data["output_index"]), (&json!(id), &json!(items.len())));
                items.push(data["item"].clone());
            }
            _ if data.get("item_id").is_some() => {
                let (id, pieces) = open.as_mut().unwrap();
                assert_eq!((&data["item_id"], &data["output_index"]), (&json!(id), &json!(items.len())));
                let (series, step) = name.rsplit_once('.').unwrap();
                match step {
                    "delta" => pieces.entry(series.to_owned()).or_default().push_str(data["delta"].as_str().unwrap()),
                    "done" if series != "response.content_part" && series != "response.reasoning_summary_part" => {
                        let whole = ["text", "arguments", "input"].into_iter().find_map(|member| data[member].as_str());
                        assert_eq!(
                            pieces.get(series).map(String::as_str),
                            whole.filter(|text| !text.is_empty()),
                            "{series}"
                        );
                    }
                    _ => {}
                }
            }
            _ => assert!(data["response"]["id"] == head().id, "{name}"),
        }
    }
    let response = &events.last().unwrap().1["response"];
    assert!(open.is_none() || response["status"] == "failed");
    assert_eq!(response["output"], json!(items));
    response
}

fn text(text: &str) -> Vec<Event> {
    vec![Event::Text(text.into()), Event::BlockEnd]
}

fn called(index: usize, name: &str, arguments: &str) -> Vec<Event> {
    let start = Event::ToolCall { index, id: format!("tooluse_{index}"), name: name.into() };
    vec![start, Event::Arguments { index, json: arguments.into() }, Event::BlockEnd]
}

fn thought(text: &str, signature: &str) -> Vec<Event> {
    vec![Event::Reasoning(text.into()), Event::Signature(signature.into()), Event::BlockEnd]
}

const PATCH: &str = "*** Begin Patch\n+\"ä\"\n*** End Patch\n";

/// Blocks of every kind.
fn blocks() -> Vec<Vec<Event>> {
    vec![
        thought("I should look.", "sig=="),
        vec![Event::Signature("alone".into()), Event::BlockEnd],
        vec![Event::Redacted("AAEC".into()), Event::BlockEnd],
        text("Look: \"ä\"\n"),
        text("more"),
        vec![
            Event::Text("Paris is a city.".into()),
            Event::Citation(Citation { title: "Atlas".into(), url: "https://a.example".into(), ..Citation::default() }),
            Event::Citation(Citation { title: "Map".into(), ..Citation::default() }),
            Event::Text(" Yes.".into()),
            Event::BlockEnd,
        ],
        called(0, "exec_command", "{\"cmd\": \"ls\"}"),
        called(1, "exec_command", ""),
        called(2, "apply_patch", &json!({"input": PATCH}).to_string()),
        called(3, "tool_search", "{\"query\": \"weather\"}"),
        called(4, "mcp__weather__picture", "{}"),
        text("Done."),
    ]
}

/// The same events with the calls numbered in their order.
fn numbered(mut events: Vec<Event>) -> Vec<Event> {
    let mut calls = 0;
    for event in &mut events {
        match event {
            Event::ToolCall { index, .. } => {
                *index = calls;
                calls += 1;
            }
            Event::Arguments { index, .. } => *index = calls - 1,
            _ => {}
        }
    }
    events
}

/// The same events with texts and arguments cut at random places.
fn cut(events: Vec<Event>, random: &mut fastrand::Rng) -> Vec<Event> {
    let mut pieces = Vec::new();
    for event in events {
        let (whole, again): (String, fn(String, usize) -> Event) = match &event {
            Event::Text(text) => (text.clone(), |text, _| Event::Text(text)),
            Event::Reasoning(text) => (text.clone(), |text, _| Event::Reasoning(text)),
            Event::Arguments { json, .. } => (json.clone(), |json, index| Event::Arguments { index, json }),
            _ => {
                pieces.push(event);
                continue;
            }
        };
        let index = if let Event::Arguments { index, .. } = event { index } else { 0 };
        let mut piece = String::new();
        for c in whole.chars() {
            if random.u8(..4) == 0 {
                pieces.push(again(std::mem::take(&mut piece), index));
            }
            piece.push(c);
        }
        pieces.push(again(piece, index));
    }
    pieces
}

#[test]
fn any_order_of_blocks_in_any_pieces_is_the_complete_answer() {
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..300 {
        let mut blocks = blocks();
        random.shuffle(&mut blocks);
        blocks.truncate(random.usize(..=blocks.len()));
        let mut events = cut(numbered(blocks.concat()), &mut random);
        let stops = [StopReason::EndTurn, StopReason::ToolUse, StopReason::MaxTokens, StopReason::StopSequence(None)];
        events.push(Event::Stop(stops[round % stops.len()].clone()));
        let show_reasoning = random.bool();
        let streamed = written(&events, show_reasoning);
        let mut builder = AnswerBuilder::default();
        for event in events {
            builder.add(event);
        }
        let whole = items(&head(), &options(show_reasoning), &builder.finish().unwrap());
        assert_eq!(check(&streamed)["output"], json!(whole), "round {round}");
    }
}

#[test]
fn each_kind_of_block_is_an_item_of_its_own_kind() {
    let mut events = blocks().concat();
    events.push(Event::Stop(StopReason::ToolUse));
    let streamed = written(&events, true);
    let response = check(&streamed);
    let mut output = response["output"].as_array().unwrap().clone();
    for item in &mut output {
        assert!(item["id"].take().as_str().unwrap().ends_with("07") || item["id"].is_null());
        if let Some(carrier) = item.get_mut("encrypted_content") {
            assert!(carrier.take().as_str().unwrap().starts_with("chatrix-reasoning-1:"));
        }
    }
    let reasoning =
        |summary: Value| json!({"id": null, "type": "reasoning", "summary": summary, "encrypted_content": null});
    let message = |text: &str, annotations: Value| {
        let part = json!({"type": "output_text", "text": text, "annotations": annotations, "logprobs": []});
        json!({"id": null, "type": "message", "status": "completed", "role": "assistant", "content": [part]})
    };
    let source = |url: &str, title: &str| json!({"type": "url_citation", "start_index": 0, "end_index": 30, "url": url, "title": title});
    let function = |call_id: &str, arguments: &str| json!({"id": null, "type": "function_call", "call_id": call_id, "name": "exec_command", "arguments": arguments, "status": "completed"});
    let expected = [
        reasoning(json!([{"type": "summary_text", "text": "I should look."}])),
        reasoning(json!([])),
        reasoning(json!([])),
        message(
            "Look: \"ä\"\nmoreParis is a city. Yes.",
            json!([source("https://a.example", "Atlas"), source("document:Map", "Map")]),
        ),
        function("tooluse_0", "{\"cmd\": \"ls\"}"),
        function("tooluse_1", "{}"),
        json!({"id": null, "type": "custom_tool_call", "call_id": "tooluse_2", "name": "apply_patch", "input": PATCH, "status": "completed"}),
        json!({"id": null, "type": "tool_search_call", "call_id": "tooluse_3", "execution": "client", "arguments": {"query": "weather"}, "status": "completed"}),
        json!({"id": null, "type": "function_call", "call_id": "tooluse_4", "name": "picture", "namespace": "mcp__weather", "arguments": "{}", "status": "completed"}),
        message("Done.", json!([])),
    ];
    for (item, expected) in output.iter().zip(&expected) {
        assert_eq!(item, expected);
    }
    assert_eq!(output.len(), expected.len());
    let usage = json!({
        "input_tokens": 21, "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 13}, "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 25,
    });
    assert_eq!((&response["usage"], &response["status"]), (&usage, &json!("completed")));
}

#[test]
fn a_short_answer_has_the_events_of_openai() {
    let events = [
        thought("hm", "s"),
        text("Hi"),
        called(0, "apply_patch", "{\"input\":\"p\"}"),
        vec![Event::Stop(StopReason::ToolUse)],
    ];
    let names: Vec<String> = written(&events.concat(), true).into_iter().map(|(name, _)| name).collect();
    let expected = "created in_progress \
        output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done \
        reasoning_summary_part.done output_item.done \
        output_item.added content_part.added output_text.delta output_text.done content_part.done output_item.done \
        output_item.added custom_tool_call_input.delta custom_tool_call_input.done output_item.done \
        completed";
    let expected: Vec<String> = expected.split_whitespace().map(|word| format!("response.{word}")).collect();
    assert_eq!(names, expected);
    // Reasoning that the client does not want to read keeps its carrier.
    let hidden = written(&thought("hm", "s"), false);
    assert_eq!(hidden.len(), 5);
    assert_eq!(hidden[3].1["item"]["summary"], json!([]));
}

#[test]
fn the_end_says_what_became_of_the_answer() {
    let incomplete = |reason: &str| (json!("incomplete"), json!({"reason": reason}), Value::Null);
    let completed = (json!("completed"), Value::Null, Value::Null);
    let failed = (json!("failed"), Value::Null, json!("invalid_prompt"));
    for (blocks, stop, expected) in [
        (text("a"), StopReason::EndTurn, &completed),
        (text("a"), StopReason::Unknown("new".into()), &completed),
        (text("a"), StopReason::MaxTokens, &incomplete("max_output_tokens")),
        (Vec::new(), StopReason::ContextWindow, &incomplete("max_output_tokens")),
        (text("a"), StopReason::Guardrail, &completed),
        (thought("a", "s"), StopReason::ContentFiltered, &failed),
        (Vec::new(), StopReason::Guardrail, &failed),
        (text("a"), StopReason::Malformed("malformed_tool_use".into()), &failed),
    ] {
        let mut events = blocks;
        events.push(Event::Stop(stop.clone()));
        let streamed = written(&events, true);
        let response = check(&streamed);
        let end =
            (response["status"].clone(), response["incomplete_details"].clone(), response["error"]["code"].clone());
        assert_eq!(&end, expected, "{stop:?}");
        assert_eq!(response["completed_at"].is_null(), end.0 != "completed");
        assert!(response.get("end_turn").is_none());
    }
    let mut cut = text("half");
    cut.push(Event::Stop(StopReason::MaxTokens));
    assert_eq!(check(&written(&cut, true))["output"][0]["status"], "incomplete");
}

#[test]
fn a_failure_ends_the_stream_with_what_is_whole() {
    for (events, kind, code, items) in [
        (Vec::new(), Kind::Throttled, "rate_limit_exceeded", 0),
        (Vec::new(), Kind::Truncated, "invalid_prompt", 0),
        (vec![Event::Text("half".into())], Kind::Throttled, "invalid_prompt", 0),
        (called(0, "f", "{}"), Kind::Truncated, "invalid_prompt", 1),
        (called(0, "f", "{\"a")[..2].to_vec(), Kind::Truncated, "invalid_prompt", 0),
    ] {
        let mut writer = EventWriter::new(head(), options(true));
        let mut frames = Frames::default();
        writer.start(&mut frames);
        for event in &events {
            writer.event(event, &mut frames);
        }
        writer.keep_alive(&mut frames);
        writer.fail(&Error::new(kind, "it broke"), &mut frames);
        let streamed = read(&mut frames);
        let response = check(&streamed);
        assert_eq!((&response["status"], &response["error"]["code"]), (&json!("failed"), &json!(code)));
        assert!(response["error"]["message"].as_str().unwrap().starts_with("it broke"));
        assert_eq!(response["output"].as_array().unwrap().len(), items);
    }
}

#[test]
fn half_a_call_is_never_done() {
    let mut events = called(0, "look", "{\"city\": \"Z");
    events.extend([Event::BlockEnd, Event::Stop(StopReason::MaxTokens)]);
    let written = written(&events, false);
    assert!(written.iter().all(|(name, _)| name.rsplit('.').next() != Some("done")), "{written:?}");
    let response = &written.last().unwrap().1["response"];
    assert_eq!((&response["status"], &response["output"][0]["status"]), (&json!("incomplete"), &json!("incomplete")));
}

#[test]
fn an_event_of_text_takes_no_memory_of_its_own() {
    let mut writer = EventWriter::new(head(), options(true));
    let mut frames = Frames::default();
    let event = Event::Text("a \"word\"\n".into());
    let mut write = || {
        (0..100).for_each(|_| writer.event(&event, &mut frames));
        drop(frames.take());
    };
    // The bytes grow to their size.
    write();
    let counted = allocation_counter::measure(write);
    assert!(counted.count_total <= 8, "100 events take memory {} times", counted.count_total);
}
