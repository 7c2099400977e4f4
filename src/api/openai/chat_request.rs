//! `POST /chat/completions`: the request. Unknown members are ignored; those that would change cost or meaning
//! and are not taken are refused by name, never dropped (`openai-clients.md` §2.3).

use super::messages::conversation;
use super::tools::{choice, format, tools};
use crate::api::json::{flag, integer, invalid, number, texts, unsupported};
use crate::conversation::Request;
use crate::error::{Error, Kind, Result};
use serde::Deserialize;
use serde_json::Value;

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
    parallel_tool_calls: Value,
    functions: Value,
    function_call: Value,
    response_format: Value,
    modalities: Value,
    logprobs: Value,
    reasoning_effort: Value,
    reasoning: Value,
    service_tier: Value,
    user: Value,
    safety_identifier: Value,
    metadata: Value,
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
        tools: tool_list,
        tool_choice,
        parallel_tool_calls,
        functions,
        function_call,
        response_format,
        modalities,
        logprobs,
        reasoning_effort,
        reasoning,
        service_tier,
        user,
        safety_identifier,
        metadata: tags,
    } = wire;

    if integer(&n, "n")?.is_some_and(|n| n != 1) {
        return Err(unsupported("n", "only one answer per request is supported"));
    }
    if flag(&logprobs, "logprobs")? == Some(true) {
        return Err(unsupported("logprobs", "Bedrock gives no log probabilities"));
    }
    let modalities = modalities.as_array().map(Vec::as_slice).unwrap_or_default();
    if modalities.iter().any(|modality| modality.as_str() != Some("text")) {
        return Err(unsupported("modalities", "only text answers are supported"));
    }
    let (system, messages) = conversation(&messages)?;
    let mut tools = tools(&tool_list, &functions)?;
    let tool_choice = choice(&tool_choice, &function_call, &mut tools)?;
    // The stricter of the two names for one thing.
    let max_tokens = [integer(&max_tokens, "max_tokens")?, integer(&max_completion_tokens, "max_completion_tokens")?];
    // OpenRouter's spelling beside OpenAI's.
    let effort = reasoning_effort.as_str().or(reasoning["effort"].as_str());
    Ok(ChatRequest {
        request: Request {
            model: match model {
                Value::Null => String::new(),
                Value::String(name) => name,
                _ => return Err(invalid("model", "must be a string")),
            },
            system,
            messages,
            tools,
            tool_choice,
            parallel_tool_calls: flag(&parallel_tool_calls, "parallel_tool_calls")?,
            format: format(&response_format)?,
            max_tokens: max_tokens.into_iter().flatten().min(),
            temperature: number(&temperature, "temperature")?,
            top_p: number(&top_p, "top_p")?,
            reasoning_effort: effort.filter(|effort| !effort.is_empty()).map(ToOwned::to_owned),
            service_tier: service_tier.as_str().map(ToOwned::to_owned),
            stop: texts(&stop, "stop")?,
            metadata: metadata(&tags, &user, &safety_identifier),
        },
        stream: flag(&stream, "stream")? == Some(true),
        include_usage: flag(&stream_options["include_usage"], "stream_options.include_usage")? == Some(true),
    })
}

/// Tags for the account's invocation logs. What is no text is none of ours.
fn metadata(tags: &Value, user: &Value, safety_identifier: &Value) -> Vec<(String, String)> {
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
    use serde_json::json;

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
        assert_eq!(request.system, [Part::Text("be brief".into()), Part::Text("and kind".into())]);
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
        ] {
            let error = asked(&body).unwrap_err();
            assert_eq!((error.kind, error.param.as_deref()), (kind, Some(param)), "{body}");
        }
        assert_eq!(parse(b"{").unwrap_err().kind, Kind::InvalidRequest);
        assert_eq!(parse(b"[]").unwrap_err().kind, Kind::InvalidRequest);
    }
}
