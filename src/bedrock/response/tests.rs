//! The events of complete and streamed answers.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
use super::stop_reason::stop_reason;
use super::*;
use crate::catalog::ReasoningTags;
use crate::conversation::StopReason;
use crate::error::Kind;
use serde_json::{Value, json};

fn complete(options: &ResponseOptions, body: &str) -> Vec<Event> {
    let mut events = VecDeque::new();
    Decoder::new(options.clone()).complete(body.as_bytes(), &mut events).unwrap();
    events.into()
}

/// Decodes the frames of a stream, each given by its event type and payload.
fn streamed(options: &ResponseOptions, frames: &[(&str, Value)]) -> Vec<Event> {
    let mut decoder = Decoder::new(options.clone());
    let mut events = VecDeque::new();
    for (kind, payload) in frames {
        decoder.event(kind, payload.to_string().as_bytes(), &mut events).unwrap();
    }
    events.into()
}

#[test]
fn one_answer_gives_the_same_events_complete_and_streamed() {
    let options = ResponseOptions::default();
    let at = |index: u32, name: &str, value: Value| json!({"contentBlockIndex": index, name: value});
    let frames = [
        ("messageStart", json!({"role": "assistant", "p": "abc"})),
        ("contentBlockDelta", at(0, "delta", json!({"reasoningContent": {"text": "hm"}}))),
        ("contentBlockDelta", at(0, "delta", json!({"reasoningContent": {"signature": "sig"}}))),
        ("contentBlockStop", json!({"contentBlockIndex": 0})),
        ("contentBlockDelta", at(1, "delta", json!({"text": "Look."}))),
        ("contentBlockStop", json!({"contentBlockIndex": 1})),
        ("contentBlockStart", at(2, "start", json!({"toolUse": {"toolUseId": "t", "name": "look"}}))),
        ("contentBlockDelta", at(2, "delta", json!({"toolUse": {"input": "{\"a\":1}"}}))),
        ("contentBlockStop", json!({"contentBlockIndex": 2})),
        ("contentBlockStart", at(3, "start", json!({"toolUse": {"toolUseId": "u", "name": "rest"}}))),
        ("contentBlockStop", json!({"contentBlockIndex": 3})),
        ("newerThanThisBuild", json!({"x": 1})),
        ("messageStop", json!({"stopReason": "tool_use"})),
        ("metadata", json!({"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}})),
    ];
    let body = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
            {"text": "Look."},
            {"toolUse": {"toolUseId": "t", "name": "look", "input": {"a": 1}}},
            {"toolUse": {"toolUseId": "u", "name": "rest", "input": {}}},
        ]}},
        "stopReason": "tool_use", "usage": {"inputTokens": 3, "outputTokens": 4},
    });
    let events = streamed(&options, &frames);
    assert_eq!(events, complete(&options, &body.to_string()));
    assert_eq!(events.iter().filter(|event| **event == Event::BlockEnd).count(), 4);
    assert_eq!(events[9], Event::Arguments { index: 1, json: "{}".into() });
}

#[test]
fn the_matched_stop_sequence_is_reported_where_the_service_reports_it() {
    let stop = |fields: Value| {
        let payload = json!({"stopReason": "stop_sequence", "additionalModelResponseFields": fields});
        streamed(&ResponseOptions::default(), &[("messageStop", payload)])
    };
    let matched = |text: Option<&str>| vec![Event::Stop(StopReason::StopSequence(text.map(Into::into)))];
    assert_eq!(stop(json!({"stop_sequence": "END"})), matched(Some("END")));
    assert_eq!(stop(Value::Null), matched(None));
}

#[test]
fn a_payload_that_cannot_be_read_is_an_error() {
    let mut decoder = Decoder::new(ResponseOptions::default());
    let error = decoder.event("contentBlockDelta", b"{", &mut VecDeque::new()).unwrap_err();
    assert_eq!(error.kind, Kind::InvalidUpstreamResponse);
}

#[test]
fn the_answer_tool_is_the_answer() {
    let options = ResponseOptions { answer_tool: true, ..ResponseOptions::default() };
    let body = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Sure."},
        {"toolUse":{"toolUseId":"t","name":"json_answer","input":{"z":1,"a":[2]}}}]}},"stopReason":"tool_use"}"#;
    let events = complete(&options, body);
    assert_eq!(events, [Event::Text(r#"{"z":1,"a":[2]}"#.into()), Event::BlockEnd, Event::Stop(StopReason::EndTurn)]);
    let plain = r#"{"output":{"message":{"role":"assistant","content":[{"text":"{}"}]}},"stopReason":"end_turn"}"#;
    let events = complete(&options, plain);
    assert_eq!(events, [Event::Text("{}".into()), Event::BlockEnd, Event::Stop(StopReason::EndTurn)]);
}

#[test]
fn x5_every_stop_reason_has_a_meaning() {
    for (reason, expected) in [
        ("model_context_window_exceeded", StopReason::ContextWindow),
        ("malformed_tool_use", StopReason::Malformed("malformed_tool_use".into())),
        ("something_new", StopReason::Unknown("something_new".into())),
    ] {
        assert_eq!(stop_reason(reason, &Value::Null), expected);
    }
}

#[test]
fn blocks_of_another_kind_are_told_apart_where_bedrock_does_not() {
    let options = ResponseOptions { reasoning_tags: Some(ReasoningTags::Reasoning), ..ResponseOptions::default() };
    let delta = |text: &str| ("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": text}}));
    let frames = [
        delta("<reasoning>h"),
        delta("m</reasoning>4"),
        delta("2"),
        ("contentBlockStop", json!({"contentBlockIndex": 0})),
        ("messageStop", json!({"stopReason": "end_turn"})),
    ];
    let expected = [
        Event::Reasoning("h".into()),
        Event::Reasoning("m".into()),
        Event::BlockEnd,
        Event::Text("4".into()),
        Event::Text("2".into()),
        Event::BlockEnd,
        Event::Stop(StopReason::EndTurn),
    ];
    assert_eq!(streamed(&options, &frames), expected);
}

#[test]
fn an_event_of_text_takes_memory_for_its_text_only() {
    let mut decoder = Decoder::new(ResponseOptions::default());
    let mut events = VecDeque::with_capacity(8);
    let payload = json!({"contentBlockIndex": 0, "delta": {"text": "a word "}, "p": "abcdefgh"}).to_string();
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            decoder.event("contentBlockDelta", payload.as_bytes(), &mut events).unwrap();
            events.clear();
        }
    });
    assert!(counted.count_total <= 110, "100 events take memory {} times", counted.count_total);
}
