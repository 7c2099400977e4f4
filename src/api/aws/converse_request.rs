//! Reads from a Converse request what limits and meters a call. The body itself is sent, so a part whose meaning does not
//! matter for that is left out; a part whose cost cannot be bounded is refused
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>).

use crate::api::json::{flag, integer, invalid, missing, number, required_string, strings, unsupported};
use crate::conversation::{
    CacheTtl, Format, Media, Message, Part, Reasoning, ReasoningMode, ReasoningRequest, Request, Role, ServiceTier,
    Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::error::Result;
use serde_json::{Map, Value};

const NULL: &Value = &Value::Null;

/// Parses the members of a body. The path of a call names the model.
///
/// # Errors
/// `InvalidRequest` or `MissingParameter` for a malformed body; `Unsupported` for what Bedrock bills beside the tokens or
/// what cannot be bounded. Each names the member.
pub(super) fn parse(members: &Map<String, Value>) -> Result<Request> {
    let member = |name: &str| members.get(name).unwrap_or(NULL);
    refuse_unbounded(members)?;
    let inference = member("inferenceConfig");
    let fields = member("additionalModelRequestFields");
    let tool_config = member("toolConfig");
    Ok(Request {
        system: parts(member("system"), "system")?,
        messages: messages(member("messages"))?,
        tools: tools(&tool_config["tools"])?,
        tool_choice: tool_choice(&tool_config["toolChoice"]),
        max_tokens: integer(&inference["maxTokens"], "inferenceConfig.maxTokens")?,
        temperature: number(&inference["temperature"], "inferenceConfig.temperature")?,
        top_p: number(&inference["topP"], "inferenceConfig.topP")?,
        stop: strings(&inference["stopSequences"], "inferenceConfig.stopSequences")?,
        reasoning: reasoning(fields),
        format: format(member("outputConfig")),
        service_tier: match member("serviceTier")["type"].as_str() {
            None | Some("default" | "standard") => None,
            Some("flex") => Some(ServiceTier::Flex),
            Some("priority") => Some(ServiceTier::Priority),
            Some(_) => Some(ServiceTier::Other),
        },
        ..Request::default()
    })
}

/// Guardrails and prompts of the account are billed beside the tokens, and nothing in the request bounds them.
fn refuse_unbounded(members: &Map<String, Value>) -> Result<()> {
    for (name, why) in [
        ("guardrailConfig", "its cost cannot be bounded; call Bedrock directly for a guardrail"),
        ("promptVariables", "a stored prompt's length is not known here; send the prompt itself"),
    ] {
        if members.get(name).is_some_and(|value| !value.is_null()) {
            return Err(unsupported(name, why));
        }
    }
    Ok(())
}

fn array<'a>(value: &'a Value, at: &str) -> Result<&'a [Value]> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        _ => Err(invalid(at, "must be an array")),
    }
}

fn messages(value: &Value) -> Result<Vec<Message>> {
    let mut messages = Vec::new();
    for (index, message) in array(value, "messages")?.iter().enumerate() {
        let role = match message["role"].as_str() {
            Some("assistant") => Role::Assistant,
            // A system message is text of the user's side for everything that is decided here.
            Some("user" | "system") => Role::User,
            Some(_) => return Err(invalid(&format!("messages.{index}.role"), "must be user or assistant")),
            None => return Err(missing(&format!("messages.{index}.role"))),
        };
        messages.push(Message { role, parts: parts(&message["content"], &format!("messages.{index}.content"))? });
    }
    Ok(messages)
}

fn parts(content: &Value, at: &str) -> Result<Vec<Part>> {
    let blocks = array(content, at)?.iter().enumerate();
    let mut parts = Vec::new();
    for (index, block) in blocks {
        // What stands beside the first member would be read by Bedrock and not here.
        let mut members = block.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let (Some((kind, value)), None) = (members.next(), members.next()) else {
            return Err(invalid(&format!("{at}.{index}"), "must be an object with one member"));
        };
        parts.extend(part(kind, value, &format!("{at}.{index}.{kind}"))?);
    }
    Ok(parts)
}

fn part(kind: &str, value: &Value, at: &str) -> Result<Option<Part>> {
    let text = |value: &Value| value.as_str().map(|text| Part::Text(text.to_owned()));
    Ok(match kind {
        "text" => Some(Part::Text(required_string(value, at)?.to_owned())),
        "image" => Some(Part::Image(media(value, at)?)),
        "document" => Some(document(value, at)?),
        "toolUse" => Some(Part::ToolCall(ToolCall {
            id: required_string(&value["toolUseId"], &format!("{at}.toolUseId"))?.to_owned(),
            name: required_string(&value["name"], &format!("{at}.name"))?.to_owned(),
            arguments: value["input"].to_string(),
        })),
        "toolResult" => Some(Part::ToolResult(ToolResult {
            id: required_string(&value["toolUseId"], &format!("{at}.toolUseId"))?.to_owned(),
            parts: parts(&value["content"], &format!("{at}.content"))?,
            error: value["status"] == "error",
        })),
        "json" => Some(Part::Text(value.to_string())),
        "reasoningContent" => reasoning_part(value),
        "cachePoint" => {
            let one_hour = value["ttl"] == "1h";
            Some(Part::CachePoint(if one_hour { CacheTtl::OneHour } else { CacheTtl::FiveMinutes }))
        }
        "guardContent" if value["image"].is_object() => {
            Some(Part::Image(media(&value["image"], &format!("{at}.image"))?))
        }
        "guardContent" => text(&value["text"]["text"]),
        // The bound of the input counts the body itself, so these need no part of their own.
        "citationsContent" | "searchResult" => None,
        "video" | "audio" => return Err(unsupported(at, "the tokens of video and sound cannot be bounded")),
        _ => return Err(unsupported(at, "what such a block costs is not known here")),
    })
}

fn reasoning_part(value: &Value) -> Option<Part> {
    if let Some(data) = value["redactedContent"].as_str() {
        return Some(Part::Reasoning(Reasoning::Redacted(data.to_owned())));
    }
    let signature = value["reasoningText"]["signature"].as_str().map(ToOwned::to_owned);
    let text = value["reasoningText"]["text"].as_str()?.to_owned();
    Some(Part::Reasoning(Reasoning::Text { text, signature }))
}

/// A medium whose bytes are in the request. Bedrock itself checks them.
fn media(value: &Value, at: &str) -> Result<Media> {
    const FORMATS: [&str; 13] =
        ["png", "jpeg", "gif", "webp", "pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];
    let format = required_string(&value["format"], &format!("{at}.format"))?;
    let stored =
        value["source"].as_object().into_iter().flatten().any(|(name, value)| name != "bytes" && !value.is_null());
    let known = FORMATS.into_iter().find(|known| *known == format);
    let format = known.ok_or_else(|| invalid(&format!("{at}.format"), "is no format that Bedrock knows"))?;
    match value["source"]["bytes"].as_str() {
        Some(base64) if !stored => Ok(Media { format, base64: base64.to_owned() }),
        _ => Err(unsupported(
            &format!("{at}.source"),
            "a file that is stored elsewhere has no known length; send its bytes",
        )),
    }
}

fn document(value: &Value, at: &str) -> Result<Part> {
    let is_stored = !value["source"]["s3Location"].is_null();
    if let Some(text) = value["source"]["text"].as_str().filter(|_| !is_stored) {
        return Ok(Part::Text(text.to_owned()));
    }
    if value["source"]["content"].is_array() && !is_stored {
        return Ok(Part::Text(value["source"]["content"].to_string()));
    }
    let name = value["name"].as_str().unwrap_or("document").to_owned();
    Ok(Part::Document(media(value, at)?, name))
}

fn tools(value: &Value) -> Result<Vec<Tool>> {
    let mut specifications = Vec::new();
    for (index, entry) in array(value, "toolConfig.tools")?.iter().enumerate() {
        let members = entry.as_object().into_iter().flatten();
        for (kind, value) in members.filter(|(_, value)| !value.is_null()) {
            match kind.as_str() {
                "toolSpec" => specifications.push((index, value)),
                "cachePoint" => {}
                // Bedrock runs it, and bills that beside the tokens.
                _ => {
                    return Err(unsupported(&format!("toolConfig.tools.{index}.{kind}"), "its cost cannot be bounded"));
                }
            }
        }
    }
    let tool = |(index, specification): (usize, &Value)| {
        let at = format!("toolConfig.tools.{index}.toolSpec");
        Ok(Tool {
            name: required_string(&specification["name"], &format!("{at}.name"))?.to_owned(),
            description: specification["description"].as_str().map(ToOwned::to_owned),
            schema: specification["inputSchema"]["json"].clone(),
            strict: flag(&specification["strict"], &format!("{at}.strict"))?,
            cache: None,
        })
    };
    specifications.into_iter().map(tool).collect()
}

fn tool_choice(value: &Value) -> ToolChoice {
    match (value["tool"]["name"].as_str(), value.get("any")) {
        (Some(name), _) => ToolChoice::Named(name.to_owned()),
        (None, Some(_)) => ToolChoice::Required,
        (None, None) => ToolChoice::Auto,
    }
}

/// What Claude's own fields ask for. The fields of other families are the policy's.
fn reasoning(fields: &Value) -> ReasoningRequest {
    let thinking = &fields["thinking"];
    let mode = match thinking["type"].as_str() {
        Some("enabled") => ReasoningMode::On,
        Some("adaptive") => ReasoningMode::Adaptive,
        Some("disabled") => ReasoningMode::Off,
        _ => ReasoningMode::Unspecified,
    };
    let budget = thinking["budget_tokens"].as_u64().and_then(|tokens| u32::try_from(tokens).ok());
    let effort = fields["output_config"]["effort"].as_str().and_then(crate::conversation::Effort::from_word);
    ReasoningRequest { mode, effort, budget, ..ReasoningRequest::default() }
}

fn format(output: &Value) -> Format {
    let bound = &output["textFormat"]["structure"]["jsonSchema"];
    match bound["schema"].as_str().and_then(|schema| serde_json::from_str(schema).ok()) {
        Some(schema) => Format::JsonSchema {
            name: bound["name"].as_str().unwrap_or("answer").to_owned(),
            description: bound["description"].as_str().map(ToOwned::to_owned),
            schema,
        },
        None => Format::Text,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::error::Kind;
    use serde_json::json;

    fn parsed(body: &Value) -> Result<Request> {
        parse(body.as_object().unwrap())
    }

    #[test]
    fn a_request_is_read_for_what_it_may_cost() {
        let request = parsed(&json!({
            "system": [{"text": "s"}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
            "messages": [
                {"role": "user", "content": [{"text": "a"}, {"image": {"format": "png", "source": {"bytes": "aGk="}}}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {"x": 1}}}]},
                {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"json": {"y": 2}}]}}]},
            ],
            "inferenceConfig": {"maxTokens": 4096, "temperature": 1.0},
            "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}],
                "toolChoice": {"any": {}}},
            "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        }))
        .unwrap();
        assert_eq!(request.system, [Part::Text("s".into()), Part::CachePoint(CacheTtl::OneHour)]);
        assert_eq!(request.messages.len(), 3);
        assert_eq!((request.max_tokens, request.temperature), (Some(4096), Some(1.0)));
        assert_eq!((request.tools.len(), &request.tool_choice), (1, &ToolChoice::Required));
        assert_eq!((request.reasoning.mode, request.reasoning.budget), (ReasoningMode::On, Some(2048)));
    }

    #[test]
    fn what_cannot_be_bounded_is_refused_by_name() {
        let message = |block: Value| json!({"messages": [{"role": "user", "content": [block]}]});
        for (body, kind, words) in [
            (json!({"guardrailConfig": {"guardrailIdentifier": "g"}}), Kind::Unsupported, "guardrailConfig"),
            (message(json!({"video": {}})), Kind::Unsupported, "messages.0.content.0.video"),
            (
                message(
                    json!({"document": {"format": "pdf", "name": "d", "source": {"s3Location": {"uri": "s3://x"}}}}),
                ),
                Kind::Unsupported,
                "messages.0.content.0.document.source",
            ),
            (
                json!({"messages": [], "toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}}),
                Kind::Unsupported,
                "toolConfig.tools.0.systemTool",
            ),
            (
                message(
                    json!({"image": {"format": "png", "source": {"bytes": "aGk=", "s3Location": {"uri": "s3://x"}}}}),
                ),
                Kind::Unsupported,
                "messages.0.content.0.image.source",
            ),
            (
                message(
                    json!({"document": {"format": "txt", "source": {"text": "a", "s3Location": {"uri": "s3://x"}}}}),
                ),
                Kind::Unsupported,
                "messages.0.content.0.document.source",
            ),
            (message(json!("x")), Kind::InvalidRequest, "messages.0.content.0"),
            (message(json!({"text": "a", "video": {}})), Kind::InvalidRequest, "messages.0.content.0"),
            (message(json!({"hologram": {}})), Kind::Unsupported, "messages.0.content.0.hologram"),
            (json!({"messages": [{"content": []}]}), Kind::MissingParameter, "messages.0.role"),
        ] {
            let error = parsed(&body).unwrap_err();
            assert_eq!(error.kind, kind, "{body}");
            assert!(error.message.contains(words), "{}", error.message);
        }
    }
}
