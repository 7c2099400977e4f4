//! Parses the request of `/chat/completions`. A member that would change what a client gets so that it could not work
//! with it, such as a second answer, is refused by name; any other that has no meaning here is ignored and listed
//! (docs/openai.md §2.3).

use super::messages::parse_messages;
use super::tools::{parse_format, parse_tool_choice, parse_tools};
use crate::api::json::{
    body_members, flag, ignored_members, integer, invalid, is_absent, model_name, number, strings, take, unsupported,
};
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{Effort, ReasoningDisplay, ReasoningMode, ReasoningRequest, Request, ServiceTier};
use crate::error::Result;
use serde_json::{Map, Value};

/// A parsed request, and what its answer depends on.
#[derive(Debug, PartialEq)]
pub(super) struct ChatRequest {
    pub(super) request: Request,
    /// Whether the client wants a stream.
    pub(super) stream: bool,
    pub(super) options: AnswerOptions,
    pub(super) positions: Positions,
}

/// Which optional parts of an answer the client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct AnswerOptions {
    /// Whether a stream reports its usage at the end.
    pub(super) include_usage: bool,
    /// Whether reasoning is left out.
    pub(super) omit_reasoning: bool,
    /// Whether a tool call is answered in the form that `functions` had before there were `tools`.
    pub(super) legacy_functions: bool,
}

/// Where the messages and tools of a parsed request were in the client's own lists. The two can differ, because system
/// messages are taken out, tool results are merged and tools are filtered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Positions {
    /// The index of each message in the client's list.
    pub(super) messages: Vec<usize>,
    /// The path of each tool's schema in the client's request.
    pub(super) tool_schemas: Vec<String>,
}

/// Parses a body.
///
/// # Errors
/// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member.
pub(super) fn parse(body: JsonBlocks) -> Result<ChatRequest> {
    from_members(body_members(body)?)
}

/// Parses a request from its members. Each is read as it comes, because clients send numbers as text, null for a missing
/// member, and more (docs/openai.md §1.4).
///
/// # Errors
/// As [`parse`].
pub(super) fn from_members(mut members: Map<String, Value>) -> Result<ChatRequest> {
    let mut member = |name: &str| take(&mut members, name);
    refuse_unsupported(&member("n"), &member("modalities"))?;
    let conversation = parse_messages(&mut member("messages"))?;
    let (tools_member, functions) = (member("tools"), member("functions"));
    let mut tools = parse_tools(&tools_member, &functions)?;
    let tool_choice = parse_tool_choice(&member("tool_choice"), &member("function_call"), &mut tools)?;
    let (tools, tool_schemas) = tools.into_iter().map(|located| (located.tool, located.schema_path)).unzip();
    let reasoning = reasoning_request(&member("reasoning_effort"), &member("reasoning"))?;
    let include_usage = flag(&member("stream_options")["include_usage"], "stream_options.include_usage")?;
    let legacy_functions = !is_absent(&functions) && is_absent(&tools_member);
    // A legacy answer has room for one call.
    let parallel_tool_calls =
        if legacy_functions { Some(false) } else { flag(&member("parallel_tool_calls"), "parallel_tool_calls")? };
    Ok(ChatRequest {
        stream: flag(&member("stream"), "stream")? == Some(true),
        options: AnswerOptions {
            include_usage: include_usage == Some(true),
            omit_reasoning: reasoning.display == ReasoningDisplay::Omitted,
            legacy_functions,
        },
        positions: Positions { messages: conversation.positions, tool_schemas },
        request: Request {
            model: model_name(&member("model"))?.unwrap_or_default().to_owned(),
            system: conversation.system,
            messages: conversation.messages,
            tools,
            tool_choice,
            parallel_tool_calls,
            format: parse_format(&member("response_format"))?,
            cite_documents: false,
            max_tokens: max_tokens(&member("max_tokens"), &member("max_completion_tokens"))?,
            temperature: number(&member("temperature"), "temperature")?,
            top_p: number(&member("top_p"), "top_p")?,
            reasoning,
            service_tier: service_tier(&member("service_tier"))?,
            stop: strings(&member("stop"), "stop")?,
            metadata: metadata(&member("metadata"), &member("user"), &member("safety_identifier")),
            conversation: None,
            native: None,
            ignored: ignored_members(&members),
        },
    })
}

fn refuse_unsupported(n: &Value, modalities: &Value) -> Result<()> {
    if integer(n, "n")?.is_some_and(|n| n != 1) {
        return Err(unsupported("n", "only one answer per request is supported"));
    }
    let modalities = modalities.as_array().map(Vec::as_slice).unwrap_or_default();
    if modalities.iter().any(|modality| modality.as_str() != Some("text")) {
        return Err(unsupported("modalities", "only text answers are supported"));
    }
    Ok(())
}

/// `max_tokens` and `max_completion_tokens` are two names for the same limit. The lower one counts.
fn max_tokens(older: &Value, newer: &Value) -> Result<Option<i64>> {
    let older = integer(older, "max_tokens")?;
    let newer = integer(newer, "max_completion_tokens")?;
    Ok([older, newer].into_iter().flatten().min())
}

/// Parses OpenAI's `reasoning_effort`, and OpenRouter's `reasoning` with effort, budget and display
/// (<https://openrouter.ai/docs/use-cases/reasoning-tokens>).
fn reasoning_request(effort: &Value, reasoning: &Value) -> Result<ReasoningRequest> {
    let (word, at) = match (effort, &reasoning["effort"]) {
        (Value::Null, word) => (word, "reasoning.effort"),
        (word, _) => (word, "reasoning_effort"),
    };
    let mut requested = match word {
        Value::Null => ReasoningRequest::default(),
        Value::String(word) => reasoning_with_effort(word),
        _ => return Err(invalid(at, "must be a string")),
    };
    match flag(&reasoning["enabled"], "reasoning.enabled")? {
        Some(true) if requested.mode == ReasoningMode::Unspecified => requested.mode = ReasoningMode::On,
        Some(false) => requested.mode = ReasoningMode::Off,
        _ => {}
    }
    if let Some(budget) = integer(&reasoning["max_tokens"], "reasoning.max_tokens")? {
        let budget = u32::try_from(budget).map_err(|_| invalid("reasoning.max_tokens", "must be 0 or more"))?;
        requested.budget = Some(budget);
        if requested.mode == ReasoningMode::Unspecified && budget > 0 {
            requested.mode = ReasoningMode::On;
        }
    }
    if flag(&reasoning["exclude"], "reasoning.exclude")? == Some(true) {
        requested.display = ReasoningDisplay::Omitted;
    }
    Ok(requested)
}

/// The reasoning that a word for an effort asks for.
pub(super) fn reasoning_with_effort(word: &str) -> ReasoningRequest {
    match word {
        "" | "auto" | "default" => ReasoningRequest::default(),
        "none" | "minimal" => ReasoningRequest { mode: ReasoningMode::Off, ..ReasoningRequest::default() },
        // Clients send effort levels of other services. An unknown one is ignored, and the policy lists that as an edit
        // (docs/cases.md, R7).
        other => Effort::from_word(other).map_or(
            ReasoningRequest { mode: ReasoningMode::Unknown, ..ReasoningRequest::default() },
            ReasoningRequest::with_effort,
        ),
    }
}

pub(super) fn service_tier(tier: &Value) -> Result<Option<ServiceTier>> {
    match tier {
        value if is_absent(value) => Ok(None),
        Value::String(word) => match word.as_str() {
            "" | "auto" | "default" | "standard" => Ok(None),
            "flex" => Ok(Some(ServiceTier::Flex)),
            "priority" => Ok(Some(ServiceTier::Priority)),
            _ => Ok(Some(ServiceTier::Other)),
        },
        _ => Err(invalid("service_tier", "must be a string")),
    }
}

/// Tags for the account's invocation logs. Values that are not strings are ignored.
pub(super) fn metadata(tags: &Value, user: &Value, safety_identifier: &Value) -> Vec<(String, String)> {
    let tags = tags.as_object().into_iter().flatten();
    let tags = tags.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let own = [("user", user), ("safety_identifier", safety_identifier)];
    let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())));
    own.chain(tags).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::conversation::Part;
    use crate::error::{Field, Kind};
    use serde_json::json;

    fn parsed(body: &Value) -> Result<ChatRequest> {
        parse(body.to_string().as_bytes().into())
    }

    #[test]
    fn a_jan_request_is_understood() {
        let parsed = parsed(&json!({
            "model": "claude-haiku",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
                {"role": "assistant", "content": null, "reasoning_content": "hm", "refusal": null},
                {"role": "developer", "content": "and kind"},
                {"role": "user", "content": "three"},
            ],
            "stream": true, "stream_options": {"include_usage": true},
            "temperature": "0.8", "top_p": 0.95, "top_k": 40, "max_tokens": 2048.0, "stop": "END",
            "frequency_penalty": 0, "tools": [], "tool_choice": "auto", "n": 1, "made_up": {"x": []},
        }))
        .unwrap();
        let request = parsed.request;
        assert!(parsed.stream && parsed.options.include_usage);
        assert_eq!(request.system, [Part::Text("be brief".into())]);
        assert_eq!(request.messages.len(), 4);
        assert_eq!(request.messages[2].parts, [Part::Text("<system>and kind</system>".into())]);
        assert_eq!(request.messages[0].parts.len(), 2);
        assert_eq!((request.max_tokens, request.temperature, request.top_p), (Some(2048), Some(0.8), Some(0.95)));
        assert_eq!(request.stop, ["END"]);
    }

    #[test]
    fn errors_name_the_member() {
        let user = json!([{"role": "user", "content": "x"}]);
        for (body, kind, param) in [
            (json!({"model": "m"}), Kind::MissingParameter, "messages"),
            (json!({"messages": []}), Kind::InvalidRequest, "messages"),
            (json!({"messages": [{"content": "x"}]}), Kind::MissingParameter, "messages[0].role"),
            (json!({"messages": [{"role": "robot"}]}), Kind::InvalidRequest, "messages[0].role"),
            (json!({"messages": [{"role": "user", "content": 5}]}), Kind::InvalidRequest, "messages[0].content"),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]}),
                Kind::InvalidRequest,
                "messages[0].content[0].image_url.url",
            ),
            (json!({"messages": user, "tools": [{"type": "function"}]}), Kind::MissingParameter, "tools[0].function"),
            (json!({"messages": user, "tool_choice": "required"}), Kind::InvalidRequest, "tool_choice"),
            (json!({"messages": user, "n": 2}), Kind::Unsupported, "n"),
            (json!({"messages": user, "response_format": {"type": "x"}}), Kind::InvalidRequest, "response_format.type"),
            (json!({"messages": user, "max_tokens": 1.5}), Kind::InvalidRequest, "max_tokens"),
            (json!({"messages": user, "temperature": []}), Kind::InvalidRequest, "temperature"),
            (json!({"messages": user, "stop": [1]}), Kind::InvalidRequest, "stop"),
            (json!({"messages": user, "reasoning": {"effort": 5}}), Kind::InvalidRequest, "reasoning.effort"),
            (json!({"messages": user, "service_tier": 5}), Kind::InvalidRequest, "service_tier"),
        ] {
            let error = parsed(&body).unwrap_err();
            assert_eq!((error.kind, error.at), (kind, Some(Field::Path(param.to_owned()))), "{body}");
        }
        assert_eq!(parse(b"{"[..].into()).unwrap_err().kind, Kind::InvalidRequest);
        assert_eq!(parse(b"[]"[..].into()).unwrap_err().kind, Kind::InvalidRequest);
    }

    #[test]
    fn reasoning_comes_in_two_spellings() {
        let user = json!([{"role": "user", "content": "x"}]);
        let on = |effort| ReasoningRequest { mode: ReasoningMode::On, effort, ..ReasoningRequest::default() };
        let off = ReasoningRequest { mode: ReasoningMode::Off, ..ReasoningRequest::default() };
        for (members, expected) in [
            (json!({}), ReasoningRequest::default()),
            (json!({"reasoning_effort": null, "reasoning": null}), ReasoningRequest::default()),
            (json!({"reasoning_effort": "none"}), off),
            (json!({"reasoning_effort": "ultra"}), ReasoningRequest { mode: ReasoningMode::Unknown, ..on(None) }),
            (json!({"reasoning_effort": "xhigh"}), on(Some(Effort::Xhigh))),
            (json!({"reasoning": {"effort": "low"}}), on(Some(Effort::Low))),
            (json!({"reasoning": {"enabled": true}}), on(None)),
            (
                json!({"reasoning": {"effort": "high", "enabled": false}}),
                ReasoningRequest { mode: ReasoningMode::Off, ..on(Some(Effort::High)) },
            ),
            (json!({"reasoning": {"max_tokens": 2000}}), ReasoningRequest { budget: Some(2000), ..on(None) }),
            (
                json!({"reasoning": {"effort": "low", "exclude": true}}),
                ReasoningRequest { display: ReasoningDisplay::Omitted, ..on(Some(Effort::Low)) },
            ),
        ] {
            let mut body = members.clone();
            body["messages"] = user.clone();
            assert_eq!(parsed(&body).unwrap().request.reasoning, expected, "{members}");
        }
    }

    #[test]
    fn positions_refer_to_the_clients_own_lists() {
        let parsed = parsed(&json!({
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "a"},
                {"role": "assistant", "tool_calls": [
                    {"id": "1", "function": {"name": "f"}}, {"id": "2", "function": {"name": "f"}}]},
                {"role": "tool", "tool_call_id": "1", "content": "x"},
                {"role": "tool", "tool_call_id": "2", "content": "y"},
                {"role": "user", "content": "b"},
            ],
            "tools": [{"type": "function", "function": {"name": "e"}}, {"type": "function", "function": {"name": "f"}}],
            "functions": [{"name": "g"}],
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto",
                "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}]}},
        }))
        .unwrap();
        assert_eq!(parsed.positions.messages, [1, 2, 3, 5]);
        assert_eq!(parsed.positions.tool_schemas, ["tools[1].function.parameters", "functions[0].parameters"]);
    }
}
