//! Tools, and answers bound to a schema.

use super::{asked, call_frames, ended, post, sent, tool, tool_history};
use crate::support::{Bedrock, Reply, Server};
use chatrix::offline::wire;
use serde_json::{Value, json};

#[test]
fn t1_tools_that_only_the_history_names_get_specifications() {
    let body = sent(&asked("claude-haiku", json!({"messages": tool_history()})));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "look");
    assert_eq!(body["messages"][2]["content"][0]["toolResult"]["toolUseId"], "call_1");
}

#[test]
fn t2_t3_streamed_calls_are_numbered_without_gaps_and_stay_apart() {
    let mut frames =
        vec![wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "Let me look."}}))];
    frames.extend(call_frames(1, "a", &["", "{\"q\":", "\"1\"}"]));
    frames.extend(call_frames(3, "b", &["{\"q\":\"2\"}"]));
    let (answer, _) =
        post([ended(frames, "tool_use")], &asked("claude-haiku", json!({"stream": true, "tools": [tool("look")]})));
    let mut arguments = [String::new(), String::new()];
    for chunk in answer.chunks() {
        for call in chunk["choices"][0]["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            arguments[index].push_str(call["function"]["arguments"].as_str().unwrap());
        }
    }
    assert_eq!(arguments, ["{\"q\":\"1\"}", "{\"q\":\"2\"}"]);
    assert!(answer.body.contains("\"finish_reason\":\"tool_calls\""));
}

#[test]
fn t6_a_forced_choice_is_weakened_where_it_is_refused_and_listed() {
    let (answer, calls) =
        post([Reply::text("ok")], &asked("claude-sonnet", json!({"tools": [tool("look")], "tool_choice": "required"})));
    assert!(answer.headers["x-chatrix-policy"].contains("tool_choice required->auto"));
    assert_eq!(calls[0].body["toolConfig"]["toolChoice"], Value::Null);
    let named = json!({"type": "function", "function": {"name": "look"}});
    let body = sent(&asked("claude-haiku", json!({"tools": [tool("look")], "tool_choice": named})));
    assert_eq!(body["toolConfig"]["toolChoice"], json!({"tool": {"name": "look"}}));
}

#[test]
fn t8_the_role_tool_never_reaches_bedrock() {
    let body = sent(&asked("nova-pro", json!({"messages": tool_history(), "tools": [tool("look")]})));
    let roles: Vec<_> =
        body["messages"].as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
}

#[test]
fn t9_a_call_without_arguments_says_so_in_json() {
    for fragments in [&[][..], &[""][..]] {
        let reply = ended(call_frames(0, "a", fragments), "tool_use");
        let (answer, _) = post([reply], &asked("claude-haiku", json!({"stream": true, "tools": [tool("look")]})));
        assert_eq!(answer.body.matches("\"arguments\":\"{}\"").count(), 1, "{}", answer.body);
    }
}

#[test]
fn t10_no_tool_can_be_called_when_none_may() {
    let none = json!({"messages": tool_history(), "tools": [tool("look")], "tool_choice": "none"});
    let claude = sent(&asked("claude-haiku", none.clone()));
    assert_eq!(claude["additionalModelRequestFields"]["tool_choice"], json!({"type": "none"}));
    assert_eq!(claude["toolConfig"]["toolChoice"], Value::Null, "Bedrock refuses both");
    assert!(claude["messages"][1]["content"][0].get("toolUse").is_some());
    let nova = sent(&asked("nova-pro", none));
    assert_eq!(nova["toolConfig"], Value::Null);
    assert!(nova["messages"][1]["content"][0]["text"].as_str().unwrap().contains("look"), "{nova}");
    let fresh = sent(&asked("claude-haiku", json!({"tools": [tool("look")], "tool_choice": "none"})));
    assert_eq!(fresh["toolConfig"], Value::Null);
}

#[test]
fn t11_a_model_without_tools_is_named() {
    for choice in [json!("required"), json!({"type": "function", "function": {"name": "look"}})] {
        let body = asked("deepseek", json!({"tools": [tool("look")], "tool_choice": choice}));
        let (answer, calls) = post([Reply::text("never")], &body);
        assert_eq!((answer.error().0, calls.len()), (400, 0));
        assert!(answer.body.contains("deepseek does not support tools"));
    }
    // Many clients send their tools with every request. Where the model may decide, it answers without them.
    for choice in [Value::Null, json!("auto"), json!("none")] {
        let body = asked("deepseek", json!({"tools": [tool("look")], "tool_choice": choice, "stream": true}));
        let (answer, calls) = post([Reply::text("ok")], &body);
        assert_eq!((answer.status, calls[0].operation.as_str()), (200, "converse-stream"), "{}", answer.body);
        assert_eq!(calls[0].body["toolConfig"], Value::Null);
        assert!(answer.headers["x-chatrix-policy"].contains("tools 1->unset"), "{choice}");
    }
}

#[test]
fn parallel_calls_can_be_switched_off_for_claude() {
    let body = sent(&asked(
        "claude-haiku",
        json!({"tools": [tool("look")], "parallel_tool_calls": false, "tool_choice": "required"}),
    ));
    let choice = &body["additionalModelRequestFields"]["tool_choice"];
    assert_eq!(choice, &json!({"type": "any", "disable_parallel_tool_use": true}));
    assert_eq!(body["toolConfig"]["toolChoice"], Value::Null);
}

#[test]
fn structured_answers_by_what_the_model_can() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let format = json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": true}});
    let native = sent(&asked("claude-haiku-4-5", json!({"response_format": format})));
    let bound = &native["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
    assert_eq!(bound["name"], "answer");
    assert!(bound["schema"].as_str().unwrap().contains("\"additionalProperties\":false"));

    let call = json!([{"toolUse": {"toolUseId": "t", "name": "json_answer", "input": {"n": 7}}}]);
    let (answer, calls) = post([Reply::Blocks(call)], &asked("claude-haiku", json!({"response_format": format})));
    assert_eq!(calls[0].body["toolConfig"]["toolChoice"], json!({"tool": {"name": "json_answer"}}));
    let choice = &answer.json()["choices"][0];
    assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&json!("{\"n\":7}"), &json!("stop")));
    assert!(choice["message"].get("tool_calls").is_none());

    let alone = json!({"response_format": format, "parallel_tool_calls": false});
    assert_eq!(
        sent(&asked("claude-haiku", alone))["additionalModelRequestFields"]["tool_choice"],
        Value::Null,
        "one choice"
    );

    let unforced = sent(&asked("claude-sonnet", json!({"response_format": format})));
    assert_eq!(unforced["toolConfig"]["toolChoice"], Value::Null, "Sonnet 5.5 refuses to be forced");

    let fenced = Reply::Text(vec!["```json\n{\"n\"".into(), ": 7}\n```".into()], "end_turn", (1, 1));
    let (answer, calls) = post([fenced], &asked("deepseek", json!({"response_format": {"type": "json_object"}})));
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "{\"n\": 7}");
    assert!(calls[0].body["system"].to_string().contains("JSON"));

    let mut frames =
        vec![wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "Sure."}}))];
    frames.push(wire::event(
        "contentBlockStart",
        json!({"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t", "name": "json_answer"}}}),
    ));
    for piece in ["{\"n\"", ":7}"] {
        frames.push(wire::event(
            "contentBlockDelta",
            json!({"contentBlockIndex": 1, "delta": {"toolUse": {"input": piece}}}),
        ));
    }
    let (answer, _) =
        post([ended(frames, "tool_use")], &asked("claude-haiku", json!({"response_format": format, "stream": true})));
    let text: String = answer
        .chunks()
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(ToOwned::to_owned))
        .collect();
    assert_eq!(text, "{\"n\":7}");
}

#[test]
fn tool_names_outside_the_alphabet_come_back_as_they_were() {
    let name = "mcp.server/look up — with a name that is much longer than the sixty-four characters";
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    server.chat(&asked("claude-haiku", json!({"tools": [tool(name)]})));
    let legal = bedrock.call().body["toolConfig"]["tools"][0]["toolSpec"]["name"].as_str().unwrap().to_owned();
    assert!(legal.len() <= 64 && legal.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{legal}");
    bedrock.answer_with(Reply::Blocks(json!([{"toolUse": {"toolUseId": "t", "name": legal, "input": {}}}])));
    let answer = server.chat(&asked("claude-haiku", json!({"tools": [tool(name)]}))).json();
    assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"], name);
}

#[test]
fn legacy_functions_are_tools() {
    let function = tool("look")["function"].clone();
    let messages = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": null, "function_call": {"name": "look", "arguments": "{}"}},
        {"role": "function", "name": "look", "content": "found"},
    ]);
    let body =
        sent(&asked("claude-haiku", json!({"functions": [function], "function_call": "auto", "messages": messages})));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "look");
    let result = &body["messages"][2]["content"][0]["toolResult"];
    assert_eq!(result["toolUseId"], body["messages"][1]["content"][0]["toolUse"]["toolUseId"]);
}
