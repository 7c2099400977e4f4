//! `POST /chat/completions`: the request in, a complete answer out. Unknown members are ignored;
//! those that would change cost or meaning and are not built are refused by name, never dropped.

use super::{finish_reason, usage};
use crate::conversation::{Answer, Message, Part, Request, Role};
use crate::error::{Error, Kind, Result};
use serde::Deserialize;
use serde_json::{Value, json};

/// A parsed request, and how its answer is wanted.
#[derive(Debug, PartialEq)]
pub struct ChatRequest {
    /// What is asked.
    pub request: Request,
    /// `stream`
    pub stream: bool,
    /// `stream_options.include_usage`
    pub include_usage: bool,
}

/// The members that mean something to us, as they are sent. Everything is a `Value`: clients send numbers as text,
/// null for nothing, and more (`openai-clients.md` §1.4).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire {
    model: Value,
    messages: Value,
    stream: Value,
    stream_options: Value,
    max_tokens: Value,
    max_completion_tokens: Value,
    temperature: Value,
    top_p: Value,
    stop: Value,
    n: Value,
    tools: Value,
    tool_choice: Value,
    functions: Value,
    function_call: Value,
    response_format: Value,
    modalities: Value,
    logprobs: Value,
    reasoning_effort: Value,
}

/// Parses a body.
///
/// # Errors
/// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member.
pub fn parse(body: &[u8]) -> Result<ChatRequest> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Error::new(Kind::InvalidRequest, format!("the request body is not valid JSON: {error}")))?;
    if !value.is_object() {
        return Err(Error::new(Kind::InvalidRequest, "the request body is not a JSON object"));
    }
    let wire: Wire =
        serde_json::from_value(value).map_err(|error| Error::new(Kind::InvalidRequest, error.to_string()))?;
    let Wire {
        model,
        messages,
        stream,
        stream_options,
        max_tokens,
        max_completion_tokens,
        temperature,
        top_p,
        stop,
        n,
        tools,
        tool_choice,
        functions,
        function_call,
        response_format,
        modalities,
        logprobs,
        reasoning_effort,
    } = wire;

    refuse_unbuilt(&tools, &tool_choice, &functions, &function_call, &response_format, &modalities)?;
    if integer(&n, "n")?.is_some_and(|n| n != 1) {
        return Err(unsupported("n", "only one answer per request is supported"));
    }
    if flag(&logprobs, "logprobs")? {
        return Err(unsupported("logprobs", "Bedrock gives no log probabilities"));
    }
    let (system, messages) = conversation(&messages)?;
    // The stricter of the two names for one thing.
    let max_tokens = [integer(&max_tokens, "max_tokens")?, integer(&max_completion_tokens, "max_completion_tokens")?];
    Ok(ChatRequest {
        request: Request {
            model: match model {
                Value::Null => String::new(),
                Value::String(name) => name,
                _ => return Err(invalid("model", "must be a string")),
            },
            system,
            messages,
            max_tokens: max_tokens.into_iter().flatten().min(),
            temperature: number(&temperature, "temperature")?,
            top_p: number(&top_p, "top_p")?,
            reasoning_effort: match reasoning_effort {
                Value::String(effort) if !effort.is_empty() => Some(effort),
                _ => None,
            },
            stop: texts(&stop, "stop")?,
        },
        stream: flag(&stream, "stream")?,
        include_usage: flag(&stream_options["include_usage"], "stream_options.include_usage")?,
    })
}

/// A complete answer. `created` is in seconds since 1970.
#[must_use]
pub fn completion(id: &str, created: u64, model: &str, answer: &Answer) -> Value {
    let Answer { text, reasoning, stop, usage: tokens } = answer;
    let mut message = json!({"role": "assistant", "content": text, "refusal": null, "annotations": []});
    if !reasoning.is_empty() {
        message["reasoning_content"] = reasoning.as_str().into();
    }
    let mut completion = json!({
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "system_fingerprint": super::chunk::FINGERPRINT,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(stop)}],
    });
    if let Some(tokens) = tokens {
        completion["usage"] = usage(tokens);
    }
    completion
}

fn conversation(messages: &Value) -> Result<(Vec<String>, Vec<Message>)> {
    let messages = match messages {
        Value::Null => {
            return Err(Error::new(Kind::MissingParameter, "`messages` is missing").at("messages"));
        }
        Value::Array(messages) if messages.is_empty() => {
            return Err(invalid("messages", "must hold at least one message"));
        }
        Value::Array(messages) => messages,
        _ => return Err(invalid("messages", "must be an array")),
    };
    let (mut system, mut turns) = (Vec::new(), Vec::new());
    for (index, message) in messages.iter().enumerate() {
        let at = |member: &str| format!("messages[{index}].{member}");
        let parts = || content(&message["content"], &at("content"));
        match message["role"].as_str() {
            Some("system" | "developer") => {
                system.extend(parts()?.into_iter().map(|Part::Text(text)| text));
            }
            Some("user") => turns.push(Message { role: Role::User, parts: parts()? }),
            Some("assistant") => {
                for member in ["tool_calls", "function_call"] {
                    if !is_nothing(&message[member]) {
                        return Err(unsupported(&at(member), "tool calls are not supported yet"));
                    }
                }
                turns.push(Message { role: Role::Assistant, parts: parts()? });
            }
            Some("tool" | "function") => {
                return Err(unsupported(&at("role"), "tool results are not supported yet"));
            }
            Some(other) => {
                return Err(invalid(&at("role"), &format!("is {other:?}; use system, user or assistant")));
            }
            None => {
                return Err(Error::new(Kind::MissingParameter, format!("`{}` is missing", at("role"))).at(at("role")));
            }
        }
    }
    Ok((system, turns))
}

fn content(content: &Value, at: &str) -> Result<Vec<Part>> {
    match content {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![Part::Text(text.clone())]),
        Value::Array(parts) => parts
            .iter()
            .enumerate()
            .map(|(index, part)| match (part["type"].as_str(), &part["text"], &part["refusal"]) {
                (Some("text" | "input_text" | "output_text"), Value::String(text), _)
                | (Some("refusal"), _, Value::String(text)) => Ok(Part::Text(text.clone())),
                (Some("text"), _, _) => Err(invalid(&format!("{at}[{index}].text"), "must be a string")),
                (Some(other), _, _) => Err(unsupported(
                    &format!("{at}[{index}].type"),
                    &format!("parts of type {other:?} are not supported yet"),
                )),
                (None, _, _) => Err(invalid(&format!("{at}[{index}].type"), "must be a string")),
            })
            .collect(),
        _ => Err(invalid(at, "must be a string or an array of parts")),
    }
}

fn refuse_unbuilt(
    tools: &Value,
    tool_choice: &Value,
    functions: &Value,
    function_call: &Value,
    response_format: &Value,
    modalities: &Value,
) -> Result<()> {
    for (member, value) in [("tools", tools), ("functions", functions)] {
        if !is_nothing(value) {
            return Err(unsupported(member, "tools are not supported yet"));
        }
    }
    for (member, value) in [("tool_choice", tool_choice), ("function_call", function_call)] {
        if !matches!(value.as_str(), Some("auto" | "none")) && !is_nothing(value) {
            return Err(unsupported(member, "tools are not supported yet"));
        }
    }
    if !is_nothing(response_format) && response_format["type"].as_str() != Some("text") {
        return Err(unsupported("response_format", "only text answers are supported yet"));
    }
    let modalities = modalities.as_array().map(Vec::as_slice).unwrap_or_default();
    if modalities.iter().any(|modality| modality.as_str() != Some("text")) {
        return Err(unsupported("modalities", "only text answers are supported"));
    }
    Ok(())
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Some clients send numbers as text, and whole numbers as `100.0`.
fn number(value: &Value, at: &str) -> Result<Option<f64>> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number.filter(|number| number.is_finite()) {
        Some(number) => Ok(Some(number)),
        None => Err(invalid(at, "must be a number")),
    }
}

fn integer(value: &Value, at: &str) -> Result<Option<i64>> {
    if let Some(whole) = value.as_i64() {
        return Ok(Some(whole));
    }
    match number(value, at)? {
        None => Ok(None),
        #[expect(clippy::cast_possible_truncation, reason = "a float-to-int cast saturates, which keeps its order")]
        Some(number) if number.fract() == 0.0 => Ok(Some(number as i64)),
        Some(_) => Err(invalid(at, "must be a whole number")),
    }
}

fn flag(value: &Value, at: &str) -> Result<bool> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text == "true" || text == "false" => Ok(text == "true"),
        _ => Err(invalid(at, "must be true or false")),
    }
}

/// One text or many; empty ones are refused upstream and mean nothing.
fn texts(value: &Value, at: &str) -> Result<Vec<String>> {
    let texts: Option<Vec<String>> = match value {
        Value::Null => return Ok(Vec::new()),
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(texts) => texts.iter().map(|text| text.as_str().map(ToOwned::to_owned)).collect(),
        _ => None,
    };
    let mut texts = texts.ok_or_else(|| invalid(at, "must be a string or an array of strings"))?;
    texts.retain(|text| !text.is_empty());
    Ok(texts)
}

fn invalid(at: &str, what: &str) -> Error {
    Error::new(Kind::InvalidRequest, format!("`{at}` {what}")).at(at)
}

fn unsupported(at: &str, why: &str) -> Error {
    Error::new(Kind::Unsupported, format!("Unsupported parameter: '{at}': {why}")).at(at)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn asked(body: &Value) -> Result<ChatRequest> {
        parse(body.to_string().as_bytes())
    }

    #[test]
    fn a_jan_request_is_understood() {
        let parsed = asked(&json!({
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
        assert!(parsed.stream && parsed.include_usage);
        assert_eq!(request.system, ["be brief", "and kind"]);
        assert_eq!(request.messages.len(), 3);
        assert_eq!(request.messages[0].parts.len(), 2);
        assert_eq!((request.max_tokens, request.temperature, request.top_p), (Some(2048), Some(0.8), Some(0.95)));
        assert_eq!(request.stop, ["END"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let user = json!([{"role": "user", "content": "x"}]);
        for (body, kind, param) in [
            (json!({"model": "m"}), Kind::MissingParameter, "messages"),
            (json!({"messages": []}), Kind::InvalidRequest, "messages"),
            (json!({"messages": [{"content": "x"}]}), Kind::MissingParameter, "messages[0].role"),
            (json!({"messages": [{"role": "robot"}]}), Kind::InvalidRequest, "messages[0].role"),
            (json!({"messages": [{"role": "user", "content": 5}]}), Kind::InvalidRequest, "messages[0].content"),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]}),
                Kind::Unsupported,
                "messages[0].content[0].type",
            ),
            (json!({"messages": user, "tools": [{"type": "function"}]}), Kind::Unsupported, "tools"),
            (json!({"messages": user, "tool_choice": "required"}), Kind::Unsupported, "tool_choice"),
            (json!({"messages": user, "n": 2}), Kind::Unsupported, "n"),
            (
                json!({"messages": user, "response_format": {"type": "json_object"}}),
                Kind::Unsupported,
                "response_format",
            ),
            (json!({"messages": user, "max_tokens": 1.5}), Kind::InvalidRequest, "max_tokens"),
            (json!({"messages": user, "temperature": []}), Kind::InvalidRequest, "temperature"),
            (json!({"messages": user, "stop": [1]}), Kind::InvalidRequest, "stop"),
        ] {
            let error = asked(&body).unwrap_err();
            assert_eq!((error.kind, error.param.as_deref()), (kind, Some(param)), "{body}");
        }
        assert_eq!(parse(b"{").unwrap_err().kind, Kind::InvalidRequest);
        assert_eq!(parse(b"[]").unwrap_err().kind, Kind::InvalidRequest);
    }
}
