//! Requests of every kind, and what they become.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::request::{ResponsesRequest, parse};
use crate::api::dialect::RequestHeaders;
use crate::conversation::{
    Effort, Format, Message, Part, Reasoning, ReasoningDisplay, ReasoningMode, ReasoningRequest, Request, Role,
    ServiceTier, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::error::{Error, Field, Kind};
use serde_json::{Value, json};

fn parsed(body: &Value) -> Result<ResponsesRequest, Error> {
    parse(body.to_string().as_bytes().into(), &RequestHeaders::default())
}

/// The request of these items.
fn with_input(input: &Value) -> Request {
    parsed(&json!({"input": input})).unwrap().request
}

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() })
}

fn result(id: &str, parts: Vec<Part>, error: bool) -> Message {
    Message { role: Role::User, parts: vec![Part::ToolResult(ToolResult { id: id.into(), parts, error })] }
}

fn answer(parts: Vec<Part>) -> Message {
    Message { role: Role::Assistant, parts }
}

fn ignored(request: &Request) -> Vec<(&str, Option<&str>)> {
    request.ignored.iter().map(|member| (member.name.as_str(), member.value.as_deref())).collect()
}

#[test]
fn items_become_messages() {
    let carrier = super::carrier::carrier("m", &Reasoning::Redacted("data".into()));
    let request = with_input(&json!([
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "be brief"}]},
        {"role": "system", "content": "and kind"},
        {"role": "user", "content": "one"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "two"}]},
        {"type": "message", "role": "developer", "content": "late"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": carrier},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Look:", "annotations": []}]},
        {"type": "function_call", "call_id": "1", "name": "ls", "arguments": ""},
        {"type": "function_call", "call_id": "2", "namespace": "mcp", "name": "ls", "arguments": "{\"a\": 1}"},
        {"type": "function_call_output", "call_id": "1", "output": "x"},
        {"type": "function_call_output", "call_id": "2", "output": [{"type": "input_text", "text": "y"}]},
        {"type": "custom_tool_call", "call_id": "3", "name": "apply_patch", "input": "*** \"a\"\n"},
        {"type": "custom_tool_call_output", "call_id": "3", "output": "ok"},
        {"type": "local_shell_call", "id": "4", "action": {"command": ["ls"]}},
        {"type": "local_shell_call_output", "id": "4", "output": "files"},
        {"type": "apply_patch_call", "call_id": "5", "operation": {"type": "delete_file"}},
        {"type": "apply_patch_call_output", "call_id": "5", "status": "failed"},
        {"type": "web_search_call", "id": "ws_1"}, {"type": "web_search_call", "id": "ws_2"},
        {"type": "item_reference", "id": "rs_2"}, {"id": "rs_3"},
        {"type": "reasoning", "id": "rs_4", "summary": [], "encrypted_content": "gAAAA"},
        {"role": "assistant", "content": "Done."},
    ]));
    assert_eq!(request.system, [text("be brief"), text("and kind")]);
    let expected = [
        Message::user("one"),
        Message::user("two"),
        Message::user("<system>late</system>"),
        answer(vec![
            Part::Reasoning(Reasoning::Redacted("data".into())),
            text("Look:"),
            call("1", "ls", ""),
            call("2", "mcp__ls", "{\"a\": 1}"),
        ]),
        result("1", vec![text("x")], false),
        result("2", vec![text("y")], false),
        answer(vec![call("3", "apply_patch", "{\"input\":\"*** \\\"a\\\"\\n\"}")]),
        result("3", vec![text("ok")], false),
        answer(vec![call("4", "local_shell", "{\"command\":[\"ls\"]}")]),
        result("4", vec![text("files")], false),
        answer(vec![call("5", "apply_patch", "{\"type\":\"delete_file\"}")]),
        result("5", vec![text("")], true),
        answer(vec![text("Done.")]),
    ];
    for (message, expected) in request.messages.iter().zip(&expected) {
        assert_eq!(message, expected);
    }
    assert_eq!(request.messages.len(), expected.len());
    assert_eq!(
        ignored(&request),
        [("input.item_reference", Some("2")), ("input.reasoning", Some("1")), ("input.web_search_call", Some("2"))]
    );
    assert_eq!(with_input(&json!("hi")).messages, [Message::user("hi")]);
}

/// A request that offers tools in each way.
fn body_with_tools() -> Value {
    let weather = json!({"type": "namespace", "name": "mcp__weather", "description": "Weather.", "tools": [
        {"type": "function", "name": "get", "description": "By city", "parameters": {"type": "object"}, "strict": true},
        {"type": "custom", "name": "draw"},
    ]});
    json!({
        "tools": [
            {"type": "function", "name": "ls", "parameters": null},
            {"type": "custom", "name": "apply_patch", "description": "Edits.",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: /./"}},
            {"type": "tool_search", "execution": "client", "description": "Finds.", "parameters": {"type": "object"}},
            {"type": "web_search"}, {"type": "tool_search", "execution": "server"}, {"type": "brand_new"},
        ],
        "input": [
            {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "wait"}]},
            {"role": "user", "content": "hi"},
            {"type": "tool_search_call", "call_id": "1", "execution": "client", "arguments": {"query": "weather"}},
            {"type": "tool_search_output", "call_id": "1", "tools": [weather]},
            {"type": "tool_search_call", "call_id": "2", "execution": "client", "arguments": {"query": "again"}},
            {"type": "tool_search_output", "call_id": "2", "tools": [weather]},
            {"type": "tool_search_call", "call_id": "3", "execution": "client", "arguments": {"query": "more"}},
            {"type": "tool_search_output", "call_id": "3", "tools": []},
        ],
    })
}

#[test]
fn tools_come_from_several_places() {
    let ResponsesRequest { request, places, .. } = parsed(&body_with_tools()).unwrap();
    let tool = |name: &str, description: Option<&str>, schema: Value, strict| Tool {
        name: name.into(),
        description: description.map(Into::into),
        schema,
        strict,
        cache: None,
    };
    let input = json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]});
    let grammar = "Edits.\n\nThe input is plain text and must match this lark grammar:\nstart: /./";
    let object = json!({"type": "object"});
    let expected = [
        tool("ls", None, Value::Null, None),
        tool("apply_patch", Some(grammar), input.clone(), None),
        tool("tool_search", Some("Finds."), object.clone(), None),
        tool("wait", None, Value::Null, None),
        tool("mcp__weather__get", Some("Weather.\n\nBy city"), object, Some(true)),
        tool("mcp__weather__draw", None, input, None),
    ];
    assert_eq!(request.tools, expected);
    assert_eq!(
        ignored(&request),
        [("tools.brand_new", Some("1")), ("tools.tool_search", Some("1")), ("tools.web_search", Some("1"))]
    );
    let found = text("Found tools: mcp__weather__get, mcp__weather__draw");
    assert_eq!(request.messages[1], answer(vec![call("1", "tool_search", "{\"query\":\"weather\"}")]));
    assert_eq!(request.messages[2], result("1", vec![found.clone()], false));
    assert_eq!(request.messages[4], result("2", vec![found], false));
    assert_eq!(request.messages[6], result("3", vec![text("No tools were found.")], false));
    for (field, path) in [
        (Field::ToolSchema(1), "tools[1].parameters"),
        (Field::ToolSchema(3), "input[0].tools[0].parameters"),
        (Field::ToolSchema(4), "input[3].tools[0].tools[0].parameters"),
        (Field::Message(0), "input[1].content"),
        (Field::Message(1), "input[2]"),
        (Field::Message(2), "input[3].output"),
        (Field::MaxTokens, "max_output_tokens"),
        (Field::Messages, "input"),
        (Field::ResponseFormat, "text.format"),
    ] {
        assert_eq!(places.path(&field), path);
    }
}

#[test]
fn a_tool_choice_is_one_of_the_tools() {
    let tools = json!([
        {"type": "function", "name": "a"}, {"type": "custom", "name": "b"}, {"type": "web_search"},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "a"}, {"type": "function", "name": "c"}]},
    ]);
    let named = |name: &str| ToolChoice::Named(name.into());
    let all = &["a", "b", "n__a", "n__c"][..];
    let allowed = |mode: &str| json!({"type": "allowed_tools", "mode": mode, "tools": [{"type": "custom", "name": "b"}, {"type": "namespace", "name": "n"}]});
    for (choice, expected, left) in [
        (Value::Null, ToolChoice::Auto, all),
        (json!("none"), ToolChoice::None, all),
        (json!("required"), ToolChoice::Required, all),
        (json!({"type": "function", "name": "a"}), named("a"), all),
        (json!({"type": "function", "namespace": "n", "name": "a"}), named("n__a"), all),
        (json!({"type": "custom", "name": "b"}), named("b"), all),
        (allowed("auto"), ToolChoice::Auto, &["b", "n__a", "n__c"]),
        (allowed("required"), ToolChoice::Required, &["b", "n__a", "n__c"]),
        (json!({"type": "brand_new"}), ToolChoice::Auto, all),
    ] {
        let parsed = parsed(&json!({"input": "x", "tools": tools, "tool_choice": choice})).unwrap();
        assert_eq!(parsed.request.tool_choice, expected, "{choice}");
        let offered: Vec<&str> = parsed.request.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(offered, left, "{choice}");
        assert_eq!(parsed.places.tool_schemas.len(), left.len());
    }
    // A client that offers no tools wants no call, whatever its history.
    let history = json!([{"role": "user", "content": "x"}, {"type": "function_call", "call_id": "1", "name": "a", "arguments": "{}"}]);
    let compaction =
        parsed(&json!({"input": history, "tools": [], "tool_choice": "auto", "parallel_tool_calls": false})).unwrap();
    assert_eq!((compaction.request.tool_choice, compaction.request.parallel_tool_calls), (ToolChoice::None, None));
}

#[test]
fn members_are_read_as_the_api_describes_them() {
    let body = json!({
        "model": "claude-haiku", "instructions": "be brief", "input": "hi", "stream": true, "max_output_tokens": 2048,
        "temperature": 0.8, "top_p": 0.9, "service_tier": "flex", "metadata": {"a": "b"}, "user": "u",
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "P!", "strict": true, "schema": {"type": "object"}}},
        "store": true, "background": false, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k",
        "client_metadata": {"x": "y"}, "stream_options": {"include_obfuscation": false}, "truncation": "auto",
        "previous_response_id": null, "conversation": null, "prompt": null, "top_logprobs": 3, "made_up": 1,
    });
    let head = RequestHeaders { conversation: Some("session".into()), ..RequestHeaders::default() };
    let ResponsesRequest { request, stream, echo, .. } = parse(body.to_string().as_bytes().into(), &head).unwrap();
    assert!(stream);
    assert_eq!((request.model.as_str(), request.system), ("claude-haiku", vec![text("be brief")]));
    assert_eq!((request.max_tokens, request.temperature, request.top_p), (Some(2048), Some(0.8), Some(0.9)));
    assert_eq!(request.service_tier, Some(ServiceTier::Flex));
    assert_eq!(request.metadata, [("user".to_owned(), "u".to_owned()), ("a".to_owned(), "b".to_owned())]);
    let format = Format::JsonSchema { name: "P_".into(), description: None, schema: json!({"type": "object"}) };
    assert_eq!(request.format, format);
    assert_eq!(request.conversation.as_deref(), Some("k"));
    let other = parse(json!({"input": "x"}).to_string().as_bytes().into(), &head).unwrap();
    assert_eq!(other.request.conversation.as_deref(), Some("session"));
    let names: Vec<&str> = request.ignored.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["top_logprobs", "made_up", "truncation.auto"]);
    // A stream repeats neither the instructions nor the tools.
    assert_eq!((&echo.0["instructions"], &echo.0["store"]), (&Value::Null, &Value::Bool(false)));
    assert_eq!((&echo.0["metadata"], &echo.0["user"]), (&json!({"a": "b"}), &json!("u")));
    let tools = json!([{"type": "function", "name": "a", "parameters": {"type": "object"}, "strict": false}]);
    let whole = parsed(&json!({"input": "x", "instructions": "i", "tools": tools})).unwrap();
    assert_eq!((&whole.echo.0["instructions"], &whole.echo.0["tools"]), (&json!("i"), &tools));
    assert!(!whole.echo.0.contains_key("user"));
}

#[test]
fn reasoning_is_shown_where_a_summary_is_requested() {
    let of = |mode, effort, display| ReasoningRequest { mode, effort, budget: None, display };
    let (shown, omitted) = (ReasoningDisplay::Summarized, ReasoningDisplay::Omitted);
    for (reasoning, expected) in [
        (Value::Null, of(ReasoningMode::Unspecified, None, omitted)),
        (json!({"summary": "auto"}), of(ReasoningMode::Unspecified, None, shown)),
        (json!({"effort": "high", "summary": "none"}), of(ReasoningMode::On, Some(Effort::High), omitted)),
        (json!({"effort": "max", "generate_summary": "auto"}), of(ReasoningMode::On, Some(Effort::Max), shown)),
        (json!({"effort": "minimal"}), of(ReasoningMode::Off, None, omitted)),
        (json!({"effort": "ultra"}), of(ReasoningMode::Unknown, None, omitted)),
        (json!({"effort": 7, "context": "all_turns"}), of(ReasoningMode::Unknown, None, omitted)),
    ] {
        assert_eq!(parsed(&json!({"input": "x", "reasoning": reasoning})).unwrap().request.reasoning, expected);
    }
}

#[test]
fn errors_name_the_member() {
    let item = |item: Value| json!({"input": [item]});
    let message = |part: Value| json!({"input": [{"role": "user", "content": [part]}]});
    for (body, kind, param) in [
        (json!({}), Kind::MissingParameter, "input"),
        (json!({"input": 5}), Kind::InvalidRequest, "input"),
        (item(json!({})), Kind::MissingParameter, "input[0].type"),
        (item(json!("x")), Kind::MissingParameter, "input[0].type"),
        (item(json!({"type": "brand_new"})), Kind::Unsupported, "input[0].type"),
        (item(json!({"type": "compaction", "encrypted_content": "x"})), Kind::Unsupported, "input[0].type"),
        (item(json!({"type": "item_reference", "id": "msg_1"})), Kind::InvalidRequest, "input[0].id"),
        (item(json!({"type": "message"})), Kind::MissingParameter, "input[0].role"),
        (item(json!({"role": "robot"})), Kind::InvalidRequest, "input[0].role"),
        (item(json!({"type": "function_call", "name": "f"})), Kind::MissingParameter, "input[0].call_id"),
        (item(json!({"type": "function_call", "call_id": "1"})), Kind::MissingParameter, "input[0].name"),
        (item(json!({"type": "function_call_output"})), Kind::MissingParameter, "input[0].call_id"),
        (message(json!({"type": "input_image", "file_id": "f"})), Kind::Unsupported, "input[0].content[0].file_id"),
        (
            message(json!({"type": "input_image", "image_url": "x"})),
            Kind::InvalidRequest,
            "input[0].content[0].image_url",
        ),
        (message(json!({"type": "input_file", "file_url": "x"})), Kind::Unsupported, "input[0].content[0].file_url"),
        (message(json!({"type": "input_file", "file_id": "x"})), Kind::Unsupported, "input[0].content[0].file_id"),
        (message(json!({"type": "input_audio"})), Kind::Unsupported, "input[0].content[0].type"),
        (json!({"input": "x", "instructions": []}), Kind::InvalidRequest, "instructions"),
        (json!({"input": "x", "tools": [{"type": "web_search"}]}), Kind::Unsupported, "tools[0].type"),
        (json!({"input": "x", "tools": [{"type": "function"}]}), Kind::MissingParameter, "tools[0].name"),
        (
            json!({"input": "x", "tools": [{"type": "custom", "name": "a"}, {"type": "function", "name": "a"}]}),
            Kind::InvalidRequest,
            "tools[1].name",
        ),
        (json!({"input": "x", "tool_choice": "required"}), Kind::InvalidRequest, "tool_choice"),
        (json!({"input": "x", "tool_choice": {"type": "web_search_preview"}}), Kind::Unsupported, "tool_choice"),
        (json!({"input": "x", "tool_choice": {"type": "function", "name": "b"}}), Kind::InvalidRequest, "tool_choice"),
        (
            json!({"input": "x", "text": {"format": {"type": "json_schema"}}}),
            Kind::MissingParameter,
            "text.format.schema",
        ),
        (json!({"input": "x", "reasoning": {"effort": []}}), Kind::InvalidRequest, "reasoning.effort"),
        (json!({"input": "x", "max_output_tokens": 1.5}), Kind::InvalidRequest, "max_output_tokens"),
        (json!({"input": "x", "previous_response_id": "resp_1"}), Kind::InvalidRequest, "previous_response_id"),
        (json!({"input": "x", "background": true}), Kind::Unsupported, "background"),
        (json!({"input": "x", "conversation": "conv_1"}), Kind::Unsupported, "conversation"),
        (json!({"input": "x", "prompt": {"id": "p"}}), Kind::Unsupported, "prompt"),
        (
            json!({"input": "x", "context_management": [{"type": "compaction"}]}),
            Kind::Unsupported,
            "context_management",
        ),
    ] {
        let error = parsed(&body).unwrap_err();
        assert_eq!((error.kind, error.at), (kind, Some(Field::Path(param.to_owned()))), "{body}");
    }
}
