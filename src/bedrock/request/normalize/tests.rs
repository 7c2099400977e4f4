//! Conversations before and after they are made acceptable to Bedrock.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::tool_calls::NO_RESULT;
use super::*;
use crate::conversation::{CacheTtl, Media, ToolCall};
use serde_json::{Value, json};

fn normalized(messages: &[Message], features: Features, keep_reasoning: bool, keep_tools: bool) -> Value {
    let names = ToolNames::default();
    let rules = Rules {
        names: &names,
        features,
        family: FamilyRules::default(),
        properties: &RenamedProperties::new(),
        keep_reasoning,
        keep_tools,
        cite_documents: false,
    };
    serde_json::to_value(turns(messages, false, &rules).unwrap()).unwrap()
}

fn normalized_by_default(messages: &[Message]) -> Value {
    normalized(messages, Features { tools: true, cache: true, ..Features::default() }, false, true)
}

fn call(id: &str) -> Part {
    Part::ToolCall(ToolCall { id: id.into(), name: "look".into(), arguments: "{\"b\":1,\"a\":2}".into() })
}

fn result(id: &str, text: &str) -> Part {
    Part::ToolResult(ToolResult { id: id.into(), parts: vec![Part::Text(text.into())], error: false })
}

fn turn(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

#[test]
fn m1_m2_m6_m7_roles_alternate_begin_with_the_user_and_hold_no_blank() {
    let messages = [
        Message::assistant("first"),
        Message::user("a"),
        Message::user(" \n"),
        Message::assistant(""),
        Message::user("b"),
    ];
    let expected = json!([
        {"role": "user", "content": [{"text": "."}]},
        {"role": "assistant", "content": [{"text": "first"}]},
        {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
    ]);
    assert_eq!(normalized_by_default(&messages), expected);
    let rules = Rules {
        names: &ToolNames::default(),
        features: Features::default(),
        family: FamilyRules::default(),
        properties: &RenamedProperties::new(),
        keep_reasoning: false,
        keep_tools: true,
        cite_documents: false,
    };
    assert_eq!(turns(&[Message::user(" ")], false, &rules).unwrap_err().kind, Kind::InvalidRequest);
}

#[test]
fn m3_m4_an_unfinished_answer_is_trimmed_or_followed_by_a_user_turn() {
    let messages = [Message::user("a"), Message::assistant("It is \n")];
    let prefill = Features { prefill: true, ..Features::default() };
    assert_eq!(normalized(&messages, prefill, false, true)[1]["content"], json!([{"text": "It is"}]));
    assert_eq!(normalized_by_default(&messages)[2], json!({"role": "user", "content": [{"text": CONTINUE}]}));
}

#[test]
fn t7_every_call_gets_a_result_and_stray_results_become_text() {
    let messages = [
        Message::user("go"),
        turn(Role::Assistant, vec![call("1"), call("2")]),
        turn(Role::User, vec![Part::Text("and?".into()), result("2", "two"), result("9", "nine")]),
        turn(Role::Assistant, vec![call("3")]),
    ];
    let turns = normalized_by_default(&messages);
    assert_eq!(turns[1]["content"][0]["toolUse"]["input"].to_string(), r#"{"b":1,"a":2}"#, "in its own order");
    let answers = &turns[2]["content"];
    assert_eq!(answers[0]["toolResult"], json!({"toolUseId": "2", "content": [{"text": "two"}], "status": "success"}));
    assert_eq!(
        answers[1]["toolResult"],
        json!({"toolUseId": "1", "content": [{"text": NO_RESULT}], "status": "error"})
    );
    assert_eq!(answers[2], json!({"text": "and?"}));
    assert_eq!(answers[3], json!({"text": "[result of an unknown tool call, 9:]"}));
    assert_eq!(answers[4], json!({"text": "nine"}));
    assert_eq!(turns[4]["content"][0]["toolResult"]["toolUseId"], "3");
}

#[test]
fn t10_without_tools_earlier_calls_become_text() {
    let messages =
        [Message::user("go"), turn(Role::Assistant, vec![call("1")]), turn(Role::User, vec![result("1", "one")])];
    let turns = normalized(&messages, Features::default(), false, false);
    assert_eq!(turns[1]["content"], json!([{"text": "[called look with {\"b\":1,\"a\":2}]"}]));
    assert_eq!(turns[2]["content"], json!([{"text": "[result of 1:]"}, {"text": "one"}]));
}

#[test]
fn r1_r3_r5_reasoning_goes_back_signed_first_and_only_inside_the_loop() {
    let reasoning = |signature: Option<&str>| {
        Part::Reasoning(Reasoning::Text { text: "hm".into(), signature: signature.map(Into::into) })
    };
    let messages = [
        Message::user("one"),
        turn(Role::Assistant, vec![reasoning(Some("old")), Part::Text("done".into())]),
        Message::user("two"),
        turn(
            Role::Assistant,
            vec![call("1"), reasoning(Some("sig")), reasoning(None), Part::CachePoint(CacheTtl::FiveMinutes)],
        ),
        turn(Role::User, vec![result("1", "x")]),
    ];
    let features = Features { tools: true, cache: true, ..Features::default() };
    let turns = normalized(&messages, features, true, true);
    assert_eq!(turns[1]["content"], json!([{"text": "done"}]));
    let content = turns[3]["content"].as_array().unwrap();
    assert_eq!(content[0], json!({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}}));
    assert!(content[1].get("toolUse").is_some() && content.len() == 2, "{content:?}");
    let without = normalized(&messages, features, false, true)[3]["content"].to_string();
    assert!(without.contains("toolUse") && !without.contains("reasoning"), "{without}");
}

#[test]
fn a_note_beside_tool_results_does_not_end_the_tool_loop() {
    let signed = Part::Reasoning(Reasoning::Text { text: "hm".into(), signature: Some("sig".into()) });
    let called = turn(Role::Assistant, vec![signed, call("1")]);
    let result = turn(Role::User, vec![result("1", "x")]);
    let note = Message::user("<system>Be quick.</system>");
    let features = Features { tools: true, ..Features::default() };
    for messages in [
        vec![Message::user("go"), called.clone(), result.clone(), note.clone()],
        vec![Message::user("go"), called.clone(), note, result.clone()],
    ] {
        assert!(normalized(&messages, features, true, true)[1].to_string().contains("reasoningText"));
    }
    let ended = [Message::user("go"), called, result, Message::assistant("done"), Message::user("next")];
    assert!(!normalized(&ended, features, true, true)[1].to_string().contains("reasoningText"));
}

#[test]
fn calls_that_share_an_id_get_ids_of_their_own() {
    let messages = [
        Message::user("go"),
        turn(Role::Assistant, vec![call("c"), call("c")]),
        turn(Role::User, vec![result("c", "one"), result("c", "two")]),
        turn(Role::Assistant, vec![call("c")]),
        turn(Role::User, vec![result("c", "three")]),
    ];
    let turns = normalized_by_default(&messages).to_string();
    for (id, text) in [("c", "one"), ("c-2", "two"), ("c-3", "three")] {
        let answered =
            format!(r#"{{"toolResult":{{"toolUseId":"{id}","content":[{{"text":"{text}"}}],"status":"success"}}}}"#);
        assert!(turns.contains(&answered), "{turns}");
    }
}

#[test]
fn images_of_an_assistant_move_to_a_user_turn() {
    let media = Media { format: "png", base64: "iVBORw==".into() };
    let drawn = turn(Role::Assistant, vec![Part::Text("here".into()), Part::Image(media)]);
    let turns = normalized_by_default(&[Message::user("draw"), drawn, Message::user("nice")]);
    assert_eq!(turns[1]["content"], json!([{"text": "here"}]));
    assert!(turns[2]["content"][0].get("image").is_some() && turns[2]["content"][1]["text"] == "nice");
}

#[test]
fn d5_a_document_gets_a_text_beside_it() {
    let media = Media { format: "pdf", base64: "JVBERg==".into() };
    let turns = normalized_by_default(&[turn(Role::User, vec![Part::Document(media, "report".into())])]);
    assert_eq!(turns[0]["content"][1], json!({"text": "."}));
}

#[test]
fn arguments_are_always_an_object() {
    for (json, expected) in [
        ("", json!({})),
        ("{\"a\":1}", json!({"a": 1})),
        ("[1]", json!({"arguments": [1]})),
        ("{\"a\":", json!({"arguments": "{\"a\":"})),
    ] {
        assert_eq!(serde_json::to_value(ToolInput::new(json)).unwrap(), expected);
    }
}
