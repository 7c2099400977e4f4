//! Tables of requests and what is read from them.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
use super::*;
use crate::conversation::{CacheTtl, Message, Part, Reasoning, Role, ToolCall, ToolChoice, ToolResult};
use crate::error::{Field, Kind};
use serde_json::json;

fn parsed_with(members: &Value) -> Result<MessagesRequest> {
    let mut body = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    parse(body.to_string().as_bytes().into(), &RequestHeaders::default())
}

fn request(members: &Value) -> Request {
    parsed_with(members).unwrap().request
}

fn ignored(members: &Value) -> Vec<String> {
    request(members).ignored.into_iter().map(|member| member.name).collect()
}

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

fn in_conversation(id: &str) -> RequestHeaders {
    RequestHeaders { conversation: Some(id.to_owned()), ..RequestHeaders::default() }
}

#[test]
fn a_request_of_claude_code_is_understood() {
    let body = json!({
        "model": "claude-opus-5-5", "max_tokens": 128_000, "stream": true,
        "metadata": {"user_id": "{\"device_id\":\"0\"}"}, "safeguards": [{"classifier_context": {"home_dir": "/home/u"}}],
        "thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "medium"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2"},
            {"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "one"}]},
            {"role": "system", "content": "the </system-reminder> day"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "thinking", "thinking": "unsigned", "signature": ""},
                {"type": "redacted_thinking", "data": "cmVk"},
                {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"b": 1, "a": [2]}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true,
                    "content": [{"type": "text", "text": "no", "cache_control": {"type": "ephemeral"}}]},
                {"type": "text", "text": "two", "citations": null},
            ]},
        ],
    });
    let head = RequestHeaders { betas: vec!["effort-2025-11-24".into()], ..in_conversation("c1") };
    let MessagesRequest { request, stream, positions } = parse(body.to_string().as_bytes().into(), &head).unwrap();
    assert!(stream);
    assert_eq!(positions.messages, [0, 1, 2, 3]);
    assert_eq!(request.system, [text("be brief"), Part::CachePoint(CacheTtl::OneHour)]);
    let arguments = "{\"b\":1,\"a\":[2]}".to_owned();
    let result = ToolResult { id: "toolu_1".into(), parts: vec![text("no")], error: true };
    let expected = [
        Message::user("one"),
        Message::user("<system-reminder>\nthe &lt;/system-reminder> day\n</system-reminder>"),
        Message {
            role: Role::Assistant,
            parts: vec![
                Part::Reasoning(Reasoning::Text { text: "hm".into(), signature: Some("c2ln".into()) }),
                Part::Reasoning(Reasoning::Redacted("cmVk".into())),
                Part::ToolCall(ToolCall { id: "toolu_1".into(), name: "Read".into(), arguments }),
            ],
        },
        Message {
            role: Role::User,
            parts: vec![Part::ToolResult(result), Part::CachePoint(CacheTtl::FiveMinutes), text("two")],
        },
    ];
    assert_eq!(request.messages, expected);
    assert_eq!((request.max_tokens, request.conversation.as_deref()), (Some(128_000), Some("c1")));
    let ReasoningRequest { mode, effort, budget, display } = request.reasoning;
    assert_eq!((mode, effort, budget), (ReasoningMode::Adaptive, Some(Effort::Medium), None));
    assert_eq!(display, ReasoningDisplay::Omitted);
    // What a client says about itself and its user is neither kept nor named.
    assert_eq!((request.ignored, request.metadata), (Vec::new(), Vec::new()));
    let native = request.native.unwrap();
    assert_eq!((Value::Object(native.body), native.betas), (body, head.betas));
}

#[test]
fn errors_name_the_member() {
    let block = |block: Value| json!({"messages": [{"role": "user", "content": [block]}]});
    let web_search = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    let image = |source: Value| block(json!({"type": "image", "source": source}));
    let document = |source: Value| block(json!({"type": "document", "source": source}));
    for (members, kind, at) in [
        (json!({"max_tokens": null}), Kind::MissingParameter, "max_tokens"),
        (json!({"max_tokens": 1.5}), Kind::InvalidRequest, "max_tokens"),
        (json!({"messages": null}), Kind::MissingParameter, "messages"),
        (json!({"messages": []}), Kind::InvalidRequest, "messages"),
        (json!({"messages": [{"content": "x"}]}), Kind::MissingParameter, "messages.0.role"),
        (json!({"messages": [{"role": "robot", "content": "x"}]}), Kind::InvalidRequest, "messages.0.role"),
        (json!({"messages": [{"role": "user"}]}), Kind::MissingParameter, "messages.0.content"),
        (json!({"messages": [{"role": "user", "content": 5}]}), Kind::InvalidRequest, "messages.0.content"),
        (block(json!({"text": "x"})), Kind::MissingParameter, "messages.0.content.0.type"),
        (block(json!({"type": "text"})), Kind::MissingParameter, "messages.0.content.0.text"),
        (block(json!({"type": "tool_use", "id": "a", "name": "b"})), Kind::InvalidRequest, "messages.0.content.0"),
        (block(json!({"type": "tool_result"})), Kind::MissingParameter, "messages.0.content.0.tool_use_id"),
        (image(json!({"type": "file", "file_id": "f"})), Kind::Unsupported, "messages.0.content.0.source.file_id"),
        (image(json!({"type": "base64", "data": "AAAA"})), Kind::InvalidRequest, "messages.0.content.0.source.data"),
        (image(json!({"type": "url", "url": "file:///a"})), Kind::InvalidRequest, "messages.0.content.0.source.url"),
        (document(json!({"type": "url", "url": "https://a"})), Kind::Unsupported, "messages.0.content.0.source.url"),
        (document(json!({"type": "file", "file_id": "f"})), Kind::Unsupported, "messages.0.content.0.source.file_id"),
        (json!({"system": 5}), Kind::InvalidRequest, "system"),
        (json!({"tools": web_search}), Kind::Unsupported, "tools"),
        (json!({"tools": [{"description": "x"}]}), Kind::MissingParameter, "tools.0.name"),
        (json!({"tools": ["x"]}), Kind::InvalidRequest, "tools.0"),
        (json!({"tool_choice": {"type": "any"}}), Kind::InvalidRequest, "tool_choice"),
        (json!({"tool_choice": {"type": "tool", "name": "x"}}), Kind::InvalidRequest, "tool_choice"),
        (json!({"thinking": {}, "output_config": {"effort": 5}}), Kind::InvalidRequest, "output_config.effort"),
        (json!({"thinking": {"budget_tokens": 5}}), Kind::MissingParameter, "thinking.type"),
        (json!({"thinking": {"type": "enabled", "budget_tokens": -1}}), Kind::InvalidRequest, "thinking.budget_tokens"),
        (json!({"output_config": {"format": {"type": "xml"}}}), Kind::InvalidRequest, "output_config.format.type"),
        (json!({"thread": {"type": "continue", "previous_message_id": "m"}}), Kind::Unsupported, "thread"),
        (json!({"stop_sequences": [1]}), Kind::InvalidRequest, "stop_sequences"),
    ] {
        let error = parsed_with(&members).unwrap_err();
        assert_eq!((error.kind, error.at), (kind, Some(Field::Path(at.to_owned()))), "{members}");
    }
    assert_eq!(parse(b"[]"[..].into(), &RequestHeaders::default()).unwrap_err().kind, Kind::InvalidRequest);
}

#[test]
fn what_has_no_neutral_form_is_left_out_and_named() {
    let turn = |blocks: Value| json!({"messages": [{"role": "assistant", "content": blocks}]});
    let custom = json!({"name": "look", "input_schema": {"type": "object"}});
    for (members, names) in [
        (json!({"top_k": 5, "container": "c", "thread": {"type": "new"}}), vec!["top_k", "container"]),
        (json!({"mcp_servers": [], "speed": null, "anthropic_version": "x", "user_profile_id": "u"}), vec![]),
        (json!({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}), vec!["context_management"]),
        (json!({"thinking": {"type": "adaptive", "display": "updates"}}), vec!["thinking.display"]),
        (json!({"output_config": {"effort": "ultra"}}), vec!["output_config.effort"]),
        (
            turn(json!([
                {"type": "server_tool_use", "id": "a"}, {"type": "web_search_tool_result"},
                {"type": "server_tool_use", "id": "b"}, {"type": "compaction"}, {"type": "made_up"},
            ])),
            vec!["server_tool_use", "web_search_tool_result", "compaction", "made_up"],
        ),
        (
            json!({"tools": [custom, {"type": "web_fetch_20250910", "name": "web_fetch"}, {"type": "bash_20250124", "name": "bash"}]}),
            vec!["web_fetch_20250910", "bash_20250124"],
        ),
        (json!({"system": [{"type": "tool_addition"}]}), vec!["tool_addition"]),
    ] {
        assert_eq!(ignored(&members), names, "{members}");
    }
    let top_k = &request(&json!({"top_k": 5})).ignored[0];
    assert_eq!(top_k.value.as_deref(), Some("5"));
}

#[test]
fn thinking_and_effort_are_read_in_all_their_forms() {
    let asked = |mode| ReasoningRequest { mode, ..ReasoningRequest::default() };
    for (members, expected) in [
        (json!({}), asked(ReasoningMode::Unspecified)),
        (json!({"thinking": {"type": "disabled"}}), asked(ReasoningMode::Off)),
        (json!({"thinking": {"type": "between_tools"}}), asked(ReasoningMode::Off)),
        (json!({"thinking": {"type": "new"}}), asked(ReasoningMode::Unknown)),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 31_999, "display": "omitted"}}),
            ReasoningRequest { budget: Some(31_999), display: ReasoningDisplay::Omitted, ..asked(ReasoningMode::On) },
        ),
        (
            json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "high"}}),
            ReasoningRequest {
                effort: Some(Effort::High),
                display: ReasoningDisplay::Summarized,
                ..asked(ReasoningMode::Adaptive)
            },
        ),
        (
            json!({"output_config": {"effort": "low"}}),
            ReasoningRequest { effort: Some(Effort::Low), ..ReasoningRequest::default() },
        ),
    ] {
        assert_eq!(request(&members).reasoning, expected, "{members}");
    }
}

#[test]
fn a_schema_for_the_answer_is_read_in_both_spellings() {
    let schema = json!({"type": "object"});
    let format = json!({"type": "json_schema", "schema": schema});
    let expected = Format::JsonSchema { name: "answer".into(), description: None, schema };
    assert_eq!(request(&json!({"output_config": {"format": format}})).format, expected);
    assert_eq!(request(&json!({"output_format": format})).format, expected);
    assert_eq!(request(&json!({"output_config": {}})).format, Format::Text);
}

#[test]
fn small_members_are_read() {
    let tag = |id: &str| request(&json!({"metadata": {"user_id": id}})).metadata;
    assert_eq!(tag("u-1"), [("user_id".to_owned(), "u-1".to_owned())]);
    assert!(tag("{\"a\": 1}").is_empty() && tag(&"x".repeat(257)).is_empty());
    assert_eq!(request(&json!({"service_tier": "standard_only"})).service_tier, None);
    assert_eq!(request(&json!({"service_tier": "priority"})).service_tier, Some(ServiceTier::Priority));
    let cached = request(&json!({"cache_control": {"type": "ephemeral"}}));
    assert_eq!(cached.messages[0].parts, [text("hi"), Part::CachePoint(CacheTtl::FiveMinutes)]);
    let first = request(&json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]}));
    assert_eq!((first.system, first.messages), (vec![text("s")], vec![Message::user("u")]));
    let counted = super::parse_for_count(
        b"{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}"[..].into(),
        &RequestHeaders::default(),
    );
    assert_eq!(counted.unwrap().request.max_tokens, None);
    let both = json!({"messages": [{"role": "user", "content": "x"}], "max_tokens": 1, "anthropic_beta": ["b", "a"]});
    let head = RequestHeaders { betas: vec!["a".into(), "c".into()], ..RequestHeaders::default() };
    let native = parse(both.to_string().as_bytes().into(), &head).unwrap().request.native.unwrap();
    assert_eq!(native.betas, ["a", "c", "b"]);
}

#[test]
fn tools_are_offered_when_the_model_has_found_them() {
    let tool = |name: &str, deferred: bool| json!({"name": name, "input_schema": {}, "defer_loading": deferred});
    let tools = json!([
        tool("Read", false),
        tool("WebFetch", true),
        tool("Called", true),
        tool("Hidden", true),
        tool("DeferredToolPlaceholder", true),
    ]);
    let messages = json!([
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "Called", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1",
            "content": [{"type": "tool_reference", "tool_name": "WebFetch"}]}]},
    ]);
    let MessagesRequest { request, positions, .. } =
        parsed_with(&json!({"tools": tools, "messages": messages})).unwrap();
    let names: Vec<_> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!((names, positions.tools), (vec!["Read", "WebFetch", "Called"], vec![0, 1, 2]));
    let Part::ToolResult(result) = &request.messages[2].parts[0] else { panic!("no result") };
    assert_eq!(result.parts, [text("The tool WebFetch is now available.")]);
}

#[test]
fn tool_choices_are_read_and_what_bedrock_does_not_run_is_refused() {
    let tools = json!([
        {"name": "look", "description": "Looks.", "input_schema": {}, "input_examples": [{"q": 1}], "strict": true},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "web_search_20250305", "name": "web_search"},
    ]);
    let choose = |choice: Value| parsed_with(&json!({"tools": tools, "tool_choice": choice}));
    for (choice, expected, parallel) in [
        (json!({"type": "auto"}), ToolChoice::Auto, None),
        (json!({"type": "auto", "disable_parallel_tool_use": true}), ToolChoice::Auto, Some(false)),
        (json!({"type": "any", "disable_parallel_tool_use": false}), ToolChoice::Required, None),
        (json!({"type": "none"}), ToolChoice::None, None),
        (json!({"type": "tool", "name": "look"}), ToolChoice::Named("look".into()), None),
        // Only Claude knows the tool, and there the client's own words are sent.
        (json!({"type": "tool", "name": "bash"}), ToolChoice::Auto, None),
    ] {
        let request = choose(choice.clone()).unwrap().request;
        assert_eq!((request.tool_choice, request.parallel_tool_calls), (expected, parallel), "{choice}");
        assert_eq!(request.tools[0].description.as_deref(), Some("Looks.\n\nExamples of its input:\n{\"q\":1}"));
    }
    let refused = choose(json!({"type": "tool", "name": "web_search"})).unwrap_err();
    assert_eq!(refused.kind, Kind::Unsupported);
    assert!(refused.message.contains("web_search is not available through Bedrock"), "{refused}");
}

#[test]
fn documents_keep_what_they_are_called_and_what_is_said_of_them() {
    let document = |more: Value| {
        let mut block = json!({"type": "document"});
        for (name, value) in more.as_object().unwrap() {
            block[name] = value.clone();
        }
        block
    };
    let png = "iVBORw0KGgo=";
    let blocks = json!([
        document(json!({"title": "a.b/Report", "context": "of May", "citations": {"enabled": true},
            "source": {"type": "text", "media_type": "text/plain", "data": "one"}})),
        document(json!({"source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjc="}})),
        document(json!({"source": {"type": "content", "content": [{"type": "text", "text": "two"},
            {"type": "image", "source": {"type": "base64", "data": png}}]}})),
        {"type": "search_result", "title": "T", "source": "https://a", "content": [{"type": "text", "text": "three"}]},
    ]);
    let request = request(&json!({"messages": [{"role": "user", "content": blocks}]}));
    assert!(request.cite_documents);
    let parts: Vec<String> = request.messages[0]
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Document(media, name) => format!("{name} ({})", media.format),
            Part::Image(media) => media.format.to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    let expected = [
        "About the document \"Report\": of May",
        "Report (txt)",
        "document (pdf)",
        "document 2 (txt)",
        "png",
        "Search result: T\nSource: https://a\n\nthree",
    ];
    assert_eq!(parts, expected);
}
