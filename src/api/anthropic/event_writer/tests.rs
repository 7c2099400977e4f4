//! Streams in neutral and in native words.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
use super::*;
use crate::api::anthropic::answer::message;
use crate::conversation::{Answer, AnswerBuilder, Citation, NativeEvent, Passage, PassageUnit};
use bytes::Bytes;

fn head() -> AnswerHead {
    AnswerHead { id: "msg_1".into(), created: 7, model: "asked".into(), expected_input: 40 }
}

const USAGE: Usage = Usage { input: 10, output: 5, cache_read: 3, cache_write_5m: 2, cache_write_1h: 1 };

/// The events of a stream: each name, and its data.
fn read(frames: &mut Frames) -> Vec<(String, Value)> {
    let text = String::from_utf8(frames.take().to_vec()).unwrap();
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"], name);
        (name.to_owned(), data)
    });
    events.collect()
}

fn written(events: &[Event], usage: Option<Usage>, cost: Option<NanoDollars>) -> Vec<(String, Value)> {
    let mut writer = EventWriter::new(head());
    let mut frames = Frames::default();
    writer.start(&mut frames);
    for event in events {
        writer.event(event, &mut frames);
    }
    writer.finish(usage, cost, &mut frames);
    read(&mut frames)
}

/// The message that a client puts together from a stream. It checks the grammar on the way.
fn assembled(events: &[(String, Value)]) -> Value {
    let mut message = Value::Null;
    let mut open: Option<(usize, String)> = None;
    let mut ended = false;
    for (name, data) in events {
        assert!(!ended, "nothing follows the end");
        let index = data["index"].as_u64().map(|index| usize::try_from(index).unwrap());
        match name.as_str() {
            "message_start" => message = data["message"].clone(),
            "ping" => assert!(message.is_object(), "a ping comes after the start"),
            "content_block_start" => {
                assert_eq!((open.take(), index), (None, message["content"].as_array().map(Vec::len)));
                message["content"].as_array_mut().unwrap().push(data["content_block"].clone());
                open = Some((index.unwrap(), String::new()));
            }
            "content_block_delta" => {
                let (place, json) = open.as_mut().unwrap();
                assert_eq!(Some(*place), index);
                let (block, delta) = (&mut message["content"][*place], &data["delta"]);
                let mut append = |member: &str| {
                    let text = format!("{}{}", block[member].as_str().unwrap(), delta[member].as_str().unwrap());
                    block[member] = text.into();
                };
                match delta["type"].as_str().unwrap() {
                    "text_delta" => append("text"),
                    "thinking_delta" => append("thinking"),
                    "signature_delta" => append("signature"),
                    "input_json_delta" => json.push_str(delta["partial_json"].as_str().unwrap()),
                    "citations_delta" => {
                        if block["citations"].is_null() {
                            block["citations"] = json!([]);
                        }
                        block["citations"].as_array_mut().unwrap().push(delta["citation"].clone());
                    }
                    other => panic!("no delta is called {other}"),
                }
            }
            "content_block_stop" => {
                let (place, json) = open.take().unwrap();
                assert_eq!(Some(place), index);
                if !json.is_empty() {
                    message["content"][place]["input"] = serde_json::from_str(&json).unwrap();
                }
            }
            "message_delta" => {
                assert_eq!(open, None);
                for member in ["stop_reason", "stop_sequence"] {
                    message[member] = data["delta"][member].clone();
                }
                message["usage"] = data["usage"].clone();
            }
            "message_stop" => ended = true,
            other => panic!("no event is called {other}"),
        }
    }
    assert!(ended, "a message has its end");
    message
}

fn answer(events: &[Event], usage: Usage) -> Answer {
    let mut builder = AnswerBuilder::default();
    events.iter().cloned().chain([Event::Usage(usage)]).for_each(|event| builder.add(event));
    builder.finish().unwrap()
}

/// Every kind of block, some cut into pieces.
fn blocks() -> Vec<Event> {
    let citation = Citation {
        title: "t".into(),
        quote: "q".into(),
        passage: Some(Passage { document: 0, unit: PassageUnit::Page, start: 1, end: 2 }),
        ..Citation::default()
    };
    vec![
        Event::Reasoning("let ".into()),
        Event::Reasoning("me".into()),
        Event::Signature("c2ln".into()),
        Event::BlockEnd,
        Event::Redacted("cmVk".into()),
        Event::BlockEnd,
        Event::Signature("b25seQ==".into()),
        Event::BlockEnd,
        Event::Text("Grüße, ".into()),
        Event::Text("\"世界\"\n".into()),
        Event::Citation(citation),
        Event::Citation(Citation { url: "https://a".into(), ..Citation::default() }),
        Event::BlockEnd,
        Event::ToolCall { index: 0, id: "toolu_1".into(), name: "look".into() },
        Event::Arguments { index: 0, json: "{\"b\":".into() },
        Event::Arguments { index: 0, json: "1,\"a\":2}".into() },
        Event::BlockEnd,
        Event::ToolCall { index: 1, id: "toolu_2".into(), name: "now".into() },
        Event::Arguments { index: 1, json: "{}".into() },
        Event::BlockEnd,
    ]
}

fn ended(mut events: Vec<Event>, stop: StopReason) -> Vec<Event> {
    events.push(Event::Stop(stop));
    events
}

#[test]
fn a_stream_says_what_the_complete_answer_says() {
    let events = ended(blocks(), StopReason::ToolUse);
    let cost = Some(NanoDollars(1_500_000));
    let streamed = assembled(&written(&events, Some(USAGE), cost));
    assert_eq!(streamed, message(&head(), &answer(&events, USAGE), cost));
    let expected = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "asked",
        "content": [
            {"type": "thinking", "thinking": "let me", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "cmVk"},
            {"type": "thinking", "thinking": "", "signature": "b25seQ=="},
            {"type": "text", "text": "Grüße, \"世界\"\n", "citations": [{"type": "page_location", "cited_text": "q",
                "document_index": 0, "document_title": "t", "start_page_number": 1, "end_page_number": 2}]},
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"b": 1, "a": 2}},
            {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {"input_tokens": 10, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 3,
            "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 1},
            "output_tokens": 5, "cost": 0.0015},
    });
    assert_eq!(streamed, expected);
}

#[test]
fn the_grammar_holds_wherever_the_pieces_are_cut_and_ends_are_missing() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..500 {
        let mut events = Vec::new();
        for event in blocks() {
            match event {
                // The end of a block may be missing: the next kind then ends it.
                Event::BlockEnd if random.u8(..4) == 0 => {}
                Event::Text(text) => events.extend(text.chars().map(|c| Event::Text(c.into()))),
                other => events.push(other),
            }
        }
        events.truncate(random.usize(..=events.len()));
        // Arguments that were cut never leave, because the engine holds them back.
        if let Some(call) = events.iter().rposition(|event| matches!(event, Event::ToolCall { .. })) {
            let json: String = events[call..]
                .iter()
                .filter_map(|event| match event {
                    Event::Arguments { json, .. } => Some(json.as_str()),
                    _ => None,
                })
                .collect();
            if serde_json::from_str::<Value>(&json).is_err() {
                events.truncate(call);
            }
        }
        let message = assembled(&written(&ended(events, StopReason::MaxTokens), None, None));
        assert_eq!(message["stop_reason"], "max_tokens");
        assert_eq!(message["usage"]["input_tokens"], 40, "without a usage, the expected one stands");
    }
    assert_eq!(assembled(&written(&[Event::Stop(StopReason::EndTurn)], None, None))["content"], json!([]));
}

#[test]
fn every_stop_reason_is_one_that_clients_know() {
    for (stop, reason, sequence) in [
        (StopReason::EndTurn, "end_turn", Value::Null),
        (StopReason::StopSequence(Some("END".into())), "stop_sequence", "END".into()),
        (StopReason::StopSequence(None), "stop_sequence", Value::Null),
        (StopReason::MaxTokens, "max_tokens", Value::Null),
        (StopReason::ContextWindow, "model_context_window_exceeded", Value::Null),
        (StopReason::ToolUse, "tool_use", Value::Null),
        (StopReason::Guardrail, "refusal", Value::Null),
        (StopReason::ContentFiltered, "refusal", Value::Null),
        (StopReason::Unknown("refusal".into()), "refusal", Value::Null),
        (StopReason::Unknown("pause_turn".into()), "pause_turn", Value::Null),
        (StopReason::Unknown("new".into()), "end_turn", Value::Null),
    ] {
        let events = ended(vec![Event::Text("a".into())], stop);
        let streamed = assembled(&written(&events, Some(USAGE), None));
        assert_eq!((&streamed["stop_reason"], &streamed["stop_sequence"]), (&reason.into(), &sequence));
        assert_eq!(streamed, message(&head(), &answer(&events, USAGE), None));
    }
    let malformed = ended(vec![Event::Text("a".into())], StopReason::Malformed("malformed_model_output".into()));
    let (name, data) = written(&malformed, Some(USAGE), None).pop().unwrap();
    assert_eq!((name.as_str(), &data["error"]["type"]), ("error", &json!("api_error")));
}

#[test]
fn the_start_has_an_estimate_and_a_failure_is_an_event() {
    let mut writer = EventWriter::new(AnswerHead { expected_input: 0, ..head() });
    let mut frames = Frames::default();
    writer.start(&mut frames);
    assert!(frames.is_empty(), "the first event tells whose words the answer is in");
    writer.keep_alive(&mut frames);
    writer.event(&Event::Text("a".into()), &mut frames);
    writer.fail(&Error::new(Kind::Unavailable, "busy"), &mut frames);
    let events = read(&mut frames);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ping", "message_start", "ping", "content_block_start", "content_block_delta", "error"]);
    assert_eq!(events[1].1["message"]["usage"]["input_tokens"], 1, "never 0");
    let error = json!({"type": "overloaded_error", "message": "busy; try again in a few seconds"});
    assert_eq!(events[5].1, json!({"type": "error", "error": error}));
}

fn native(kind: &str, json: &Value) -> Event {
    Event::Native(NativeEvent { kind: kind.into(), json: Bytes::from(json.to_string()) })
}

/// A native answer, each event after the neutral ones that say the same.
fn native_answer(stop: StopReason, reason: &str) -> Vec<Event> {
    let usage = json!({"input_tokens": 9, "output_tokens": 1, "new": {"kept": true}});
    vec![
        native(
            "message_start",
            &json!({"type": "message_start", "message": {"id": "msg_bdrk", "model": "claude-x",
            "content": [], "usage": usage, "new": 1}}),
        ),
        native(
            "content_block_start",
            &json!({"type": "content_block_start", "index": 4,
            "content_block": {"type": "new_kind", "a": 1}}),
        ),
        Event::Text("ignored".into()),
        native("content_block_stop", &json!({"type": "content_block_stop", "index": 4})),
        native("bad\nname", &json!({})),
        Event::Stop(stop),
        native(
            "message_delta",
            &json!({"type": "message_delta", "usage": usage,
            "delta": {"stop_reason": reason, "stop_sequence": "x"}}),
        ),
        native("message_stop", &json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"a": 1}})),
    ]
}

#[test]
fn a_native_stream_passes_with_the_model_the_cost_and_the_stop_reason_changed() {
    let events =
        written(&native_answer(StopReason::MaxTokens, "tool_use"), Some(USAGE), Some(NanoDollars(2_000_000_000)));
    let usage = json!({"input_tokens": 9, "output_tokens": 1, "new": {"kept": true}});
    let costly = json!({"input_tokens": 9, "output_tokens": 1, "new": {"kept": true},
        "cache_creation_input_tokens": 3, "cache_read_input_tokens": 3, "cost": 2.0});
    let expected = [
        json!({"type": "message_start", "message": {"id": "msg_bdrk", "model": "asked", "content": [], "usage": usage, "new": 1}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_start", "index": 4, "content_block": {"type": "new_kind", "a": 1}}),
        json!({"type": "content_block_stop", "index": 4}),
        json!({"type": "message_delta", "usage": costly, "delta": {"stop_reason": "max_tokens", "stop_sequence": "x"}}),
        json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"a": 1}}),
    ];
    assert_eq!(events.into_iter().map(|(_, data)| data).collect::<Vec<_>>(), expected);
    // A reason that only the service knows stays.
    for (stop, reason) in [(StopReason::Unknown("new".into()), "new"), (StopReason::ContentFiltered, "refusal")] {
        let events = written(&native_answer(stop, reason), None, None);
        assert_eq!(events[4].1["delta"]["stop_reason"], reason);
        assert_eq!(events[4].1["usage"], usage);
    }
    // Without its last events, the answer still has its end.
    let events = written(&native_answer(StopReason::EndTurn, "end_turn")[..6], Some(USAGE), None);
    assert_eq!(events[4].1["delta"]["stop_reason"], "end_turn");
    assert_eq!((events[4].1["usage"]["output_tokens"].as_u64(), events.len()), (Some(5), 6));
}

#[test]
fn a_native_answer_loses_the_calls_that_were_cut() {
    let call = |index: usize, id: &str| Event::ToolCall { index, id: id.into(), name: "look".into() };
    let events = [call(0, "toolu_1"), Event::BlockEnd, Event::Stop(StopReason::MaxTokens)];
    let whole = json!({"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}, "caller": "new"});
    let cut = json!({"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}});
    let json = json!({"id": "msg_bdrk", "model": "claude-x", "content": [whole, cut], "stop_reason": "tool_use",
        "usage": {"input_tokens": 9, "output_tokens": 1}});
    let mut answer = answer(&events, USAGE);
    answer.native = Some(Bytes::from(json.to_string()));
    let expected = json!({"id": "msg_bdrk", "model": "asked", "content": [whole], "stop_reason": "max_tokens",
        "usage": {"input_tokens": 9, "output_tokens": 1, "cost": 0.5}});
    assert_eq!(message(&head(), &answer, Some(NanoDollars(500_000_000))), expected);
}
