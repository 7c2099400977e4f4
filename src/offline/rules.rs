//! What Bedrock refuses, with Bedrock's own messages (docs/bedrock.md §1.5, §2.1, §2.6). The rules do not use the
//! catalog on purpose: if both used the same data, the offline Bedrock could not reveal a mistake in it.

use serde_json::Value;
use std::collections::HashSet;

/// Checks a Converse body for a model.
///
/// # Errors
/// The message of the `ValidationException` that Bedrock would answer.
pub(super) fn check(id: &str, body: &Value) -> Result<(), String> {
    let none = Vec::new();
    let messages = body.get("messages").and_then(Value::as_array).unwrap_or(&none);
    if messages.is_empty() {
        return Err("The conversation must have at least one message.".into());
    }
    for (index, message) in messages.iter().enumerate() {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        let expected = if index % 2 == 0 { "user" } else { "assistant" };
        if role != expected && index == 0 {
            return Err("A conversation must start with a user message. Try again with a conversation that starts with a user message.".into());
        }
        if role != expected {
            return Err("A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.".into());
        }
        let content = message.get("content").and_then(Value::as_array).unwrap_or(&none);
        if content.is_empty() {
            return Err(format!(
                "The content field in the Message object at messages.{index} is empty. Add a ContentBlock object to the content field and try again."
            ));
        }
        for (block_index, block) in content.iter().enumerate() {
            check_block(role, block, &format!("messages.{index}.content.{block_index}"))?;
        }
        let last = content.last().and_then(|block| block.get("text")).and_then(Value::as_str).unwrap_or_default();
        if role == "assistant" && index + 1 == messages.len() && last.ends_with(char::is_whitespace) {
            return Err("The model returned the following errors: messages: final assistant content cannot end with trailing whitespace".into());
        }
    }
    let system = body.get("system").and_then(Value::as_array).unwrap_or(&none);
    for block in system.iter().filter(|block| block.get("cachePoint").is_none()) {
        if block.get("text").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
            return Err(
                "The text field in the SystemContentBlock object is blank. Add text to the text field, and try again."
                    .into(),
            );
        }
    }
    check_tools(body, messages)?;
    check_inference_config(id, body)?;
    check_model_fields(id, body)
}

fn check_block(role: &str, block: &Value, path: &str) -> Result<(), String> {
    let Some((kind, content)) = block.as_object().and_then(|block| block.iter().next()) else {
        return Err(format!("The content block at {path} is empty."));
    };
    match (kind.as_str(), role) {
        ("text", _) => match content.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(()),
            _ => Err(format!(
                "The text field in the ContentBlock object at {path} is blank. Add text to the text field, and try again."
            )),
        },
        ("image" | "document", "user") => match content.pointer("/source/bytes").and_then(Value::as_str) {
            Some(bytes) if !bytes.is_empty() => Ok(()),
            _ => Err(format!("The source at {path} holds no bytes.")),
        },
        ("toolUse", "assistant") if content.get("input").is_some_and(Value::is_object) => check_id(content, path),
        ("toolResult", "user") => match content.get("content").and_then(Value::as_array) {
            Some(content_blocks) if !content_blocks.is_empty() => {
                content_blocks.iter().try_for_each(|block| check_block(role, block, path))?;
                check_id(content, path)
            }
            _ => Err(format!("The content field at {path} cannot be empty.")),
        },
        ("reasoningContent", "assistant") if content.get("redactedContent").is_some() => Ok(()),
        ("reasoningContent", "assistant") => {
            match content.pointer("/reasoningText/signature").and_then(Value::as_str) {
                Some("b2ZmbGluZQ==") => Ok(()),
                Some(_) => Err(format!(
                    "The model returned the following errors: {path}: Invalid `signature` in `thinking` block"
                )),
                None => {
                    Err(format!("The model returned the following errors: {path}: thinking.signature: Field required"))
                }
            }
        }
        ("cachePoint", _) => Ok(()),
        _ => Err("This model doesn't support the content block that you provided.".into()),
    }
}

fn check_id(content: &Value, path: &str) -> Result<(), String> {
    let id = content.get("toolUseId").and_then(Value::as_str).unwrap_or_default();
    let legal = (1..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
    if legal {
        Ok(())
    } else {
        Err(format!("1 validation error detected: Value '{id}' at '{path}.toolUseId' failed to satisfy constraint"))
    }
}

/// Tool blocks need a tool configuration, and every call needs a result in the next message (docs/bedrock.md §2.6).
fn check_tools(body: &Value, messages: &[Value]) -> Result<(), String> {
    fn ids<'b>(turn: Option<&'b Value>, kind: &str) -> HashSet<&'b str> {
        let blocks = turn.and_then(|turn| turn.get("content")).and_then(Value::as_array).into_iter().flatten();
        blocks.filter_map(|block| block.get(kind)?.get("toolUseId")?.as_str()).collect()
    }
    let used =
        messages.iter().any(|turn| !ids(Some(turn), "toolUse").is_empty() || !ids(Some(turn), "toolResult").is_empty());
    let specs = body.pointer("/toolConfig/tools").and_then(Value::as_array);
    if used && specs.is_none_or(Vec::is_empty) {
        return Err("The toolConfig field must be defined when using toolUse and toolResult content blocks.".into());
    }
    for (index, turn) in messages.iter().enumerate() {
        let calls = ids(Some(turn), "toolUse");
        let results = ids(messages.get(index + 1), "toolResult");
        if let Some(missing) = calls.difference(&results).min() {
            return Err(format!(
                "Expected toolResult blocks at messages.{}.content for the following Ids: {missing}",
                index + 1
            ));
        }
        let before = if index == 0 { HashSet::new() } else { ids(messages.get(index - 1), "toolUse") };
        if !ids(Some(turn), "toolResult").is_subset(&before) {
            return Err(format!(
                "The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of previous turn."
            ));
        }
    }
    for spec in specs.into_iter().flatten().filter_map(|tool| tool.get("toolSpec")) {
        let name = spec.get("name").and_then(Value::as_str).unwrap_or_default();
        let legal =
            (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !legal {
            return Err(format!(
                "1 validation error detected: Value '{name}' at 'toolConfig.tools.toolSpec.name' failed to satisfy constraint"
            ));
        }
        if spec.pointer("/inputSchema/json/type").and_then(Value::as_str) != Some("object") {
            return Err(format!(
                "The value at toolConfig.tools.{name}.toolSpec.inputSchema.json.type must be one of the following: object."
            ));
        }
    }
    Ok(())
}

fn check_inference_config(id: &str, body: &Value) -> Result<(), String> {
    let member = |name: &str| body.get("inferenceConfig").and_then(|config| config.get(name));
    if let Some(tokens) = member("maxTokens")
        && tokens.as_i64().is_none_or(|tokens| tokens < 1)
    {
        return Err(format!(
            "1 validation error detected: Value '{tokens}' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1"
        ));
    }
    for name in ["temperature", "topP"] {
        if let Some(value) = member(name)
            && value.as_f64().is_none_or(|value| !(0.0..=1.0).contains(&value))
        {
            return Err(format!(
                "1 validation error detected: Value '{value}' at 'inferenceConfig.{name}' failed to satisfy constraint: Member must have value between 0 and 1"
            ));
        }
    }
    let temperature = member("temperature").is_some();
    let top_p = member("topP").is_some();
    if refuses_sampling(id) && (temperature || top_p) {
        let name = if temperature { "temperature" } else { "top_p" };
        return Err(format!("The model returned the following errors: `{name}` is deprecated for this model."));
    }
    if takes_one_sampling_parameter(id) && temperature && top_p {
        return Err("The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.".into());
    }
    let stops = member("stopSequences").and_then(Value::as_array);
    if stops.is_some_and(|stops| stops.iter().any(|stop| stop.as_str().is_none_or(str::is_empty))) {
        return Err("1 validation error detected: Value at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must have length greater than or equal to 1".into());
    }
    Ok(())
}

fn check_model_fields(id: &str, body: &Value) -> Result<(), String> {
    let Some(fields) = body.get("additionalModelRequestFields").and_then(Value::as_object) else {
        return Ok(());
    };
    let claude = id.contains("anthropic.");
    // The ARN of an application inference profile does not show the model.
    let opaque = id.starts_with("arn:") && id.contains(":application-inference-profile/");
    for name in fields.keys() {
        let known = match name.as_str() {
            "thinking" | "output_config" | "tool_choice" => claude || opaque,
            "reasoning_effort" | "reasoning_config" | "reasoningConfig" => !claude,
            _ => false,
        };
        if !known {
            return Err(format!(
                "The model returned the following errors: Malformed input request: #: extraneous key [{name}] is not permitted, please reformat your input and try again."
            ));
        }
    }
    let kind = fields.get("thinking").and_then(|thinking| thinking.get("type")).and_then(Value::as_str);
    let refused = match kind {
        Some("disabled") => ["sonnet-5-5", "opus-5-5", "fable", "mythos"].iter().any(|name| id.contains(name)),
        Some("between_tools") => !id.contains("sonnet-5-5"),
        _ => false,
    };
    match (refused, kind) {
        (true, Some(kind)) => Err(format!(
            "The model returned the following errors: thinking.type: `{kind}` is not supported for this model."
        )),
        _ => Ok(()),
    }
}

/// Whether a model accepts no sampling parameter: Claude Opus 4.7 and later, Claude 5, GPT and Grok.
fn refuses_sampling(id: &str) -> bool {
    [
        "opus-4-7",
        "opus-4-8",
        "opus-5",
        "sonnet-5",
        "haiku-5",
        "fable",
        "mythos",
        "openai.gpt-5",
        "openai.gpt-6",
        "xai.grok",
    ]
    .iter()
    .any(|name| id.contains(name))
}

/// Whether a model accepts only one of the sampling parameters: Claude from Opus 4.1 to 4.6.
fn takes_one_sampling_parameter(id: &str) -> bool {
    ["opus-4-1", "opus-4-5", "opus-4-6", "sonnet-4-5", "sonnet-4-6", "haiku-4-5"].iter().any(|name| id.contains(name))
}
