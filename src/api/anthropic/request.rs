//! Parses the members of a request (docs/anthropic.md §2). Unknown members are left out of the neutral form and listed:
//! Claude Code sends new ones with every release, and a refusal would stop it.

use super::content::ContentParser;
use super::ignored::Ignored;
use super::{tools, turns};
use crate::api::dialect::RequestHeaders;
use crate::api::json::{
    body_members, flag, ignored_members, integer, invalid, is_absent, missing, model_name, number, required_string,
    strings, take, unsupported,
};
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{
    Effort, Format, NativeApi, NativeRequest, ReasoningDisplay, ReasoningMode, ReasoningRequest, Request, ServiceTier,
};
use crate::error::Result;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// A parsed request, and what its answer depends on.
#[derive(Debug, PartialEq)]
pub(super) struct MessagesRequest {
    pub(super) request: Request,
    /// Whether the client wants a stream.
    pub(super) stream: bool,
    pub(super) positions: Positions,
}

/// Where the messages and tools of a parsed request were in the client's own lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Positions {
    pub(super) messages: Vec<usize>,
    pub(super) tools: Vec<usize>,
}

/// Parses a body.
///
/// # Errors
/// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member.
pub(super) fn parse(body: JsonBlocks, head: &RequestHeaders) -> Result<MessagesRequest> {
    let parsed = parse_for_count(body, head)?;
    if parsed.request.max_tokens.is_none() {
        return Err(missing("max_tokens"));
    }
    Ok(parsed)
}

/// Parses a body that needs no `max_tokens`.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_for_count(body: JsonBlocks, head: &RequestHeaders) -> Result<MessagesRequest> {
    let members = body_members(body)?;
    let native = NativeRequest { api: NativeApi::Messages, betas: betas(&members, head), body: members.clone() };
    let mut parsed = from_members(members)?;
    parsed.request.native = Some(native);
    parsed.request.conversation.clone_from(&head.conversation);
    Ok(parsed)
}

fn from_members(mut members: Map<String, Value>) -> Result<MessagesRequest> {
    let mut ignored = Ignored::default();
    let mut member = |name: &str| take(&mut members, name);
    refuse_threads(&member("thread"))?;
    let mut content = ContentParser::new(&mut ignored);
    let turns = turns::parse(&member("system"), &member("messages"), &member("cache_control"), &mut content)?;
    let (cite_documents, tool_names) = content.finish();
    let tools = tools::parse(&member("tools"), &member("tool_choice"), tool_names, &mut ignored)?;
    let output = member("output_config");
    let reasoning = reasoning_request(&member("thinking"), &output["effort"], &mut ignored)?;
    let older_format = member("output_format");
    let format = if is_absent(&output["format"]) {
        parse_format(&older_format, "output_format")?
    } else {
        parse_format(&output["format"], "output_config.format")?
    };
    let stream = flag(&member("stream"), "stream")? == Some(true);
    list_context_edits(&member("context_management"), &mut ignored);
    // What a client says about itself and its user has no place in the answer, and is not even listed: Claude Code's
    // safeguards name the user's folders.
    for name in ["safeguards", "anthropic_beta", "anthropic_version", "user_profile_id"] {
        member(name);
    }
    let mut request = Request {
        model: model_name(&member("model"))?.unwrap_or_default().to_owned(),
        system: turns.system,
        messages: turns.messages,
        tools: tools.offered,
        tool_choice: tools.choice,
        parallel_tool_calls: tools.parallel,
        format,
        cite_documents,
        max_tokens: integer(&member("max_tokens"), "max_tokens")?,
        temperature: number(&member("temperature"), "temperature")?,
        top_p: number(&member("top_p"), "top_p")?,
        reasoning,
        service_tier: service_tier(&member("service_tier")),
        stop: strings(&member("stop_sequences"), "stop_sequences")?,
        metadata: user_tag(&member("metadata")),
        conversation: None,
        native: None,
        ignored: ignored.into_members(),
    };
    request.ignored.extend(ignored_members(&members));
    let positions = Positions { messages: turns.positions, tools: tools.positions };
    Ok(MessagesRequest { request, stream, positions })
}

/// A thread goes on with messages that Anthropic has stored. To ignore it would lose the conversation.
fn refuse_threads(thread: &Value) -> Result<()> {
    let goes_on = !thread["previous_message_id"].is_null() || thread["type"] == "continue";
    if goes_on {
        Err(unsupported("thread", "no messages are stored here; send the whole conversation"))
    } else {
        Ok(())
    }
}

/// The beta features of the header, and then those of the body, each once.
fn betas(members: &Map<String, Value>, head: &RequestHeaders) -> Vec<String> {
    let in_body = members.get("anthropic_beta").and_then(Value::as_array).into_iter().flatten();
    let names = head.betas.iter().map(String::as_str).chain(in_body.filter_map(Value::as_str));
    let mut known = HashSet::new();
    names.filter(|name| known.insert(*name)).map(ToOwned::to_owned).collect()
}

/// Parses `thinking`, and the effort of `output_config`.
fn reasoning_request(thinking: &Value, effort: &Value, ignored: &mut Ignored) -> Result<ReasoningRequest> {
    let mut requested = ReasoningRequest { effort: wanted_effort(effort, ignored)?, ..ReasoningRequest::default() };
    if is_absent(thinking) {
        return Ok(requested);
    }
    requested.mode = match required_string(&thinking["type"], "thinking.type")? {
        "enabled" => ReasoningMode::On,
        "adaptive" => ReasoningMode::Adaptive,
        "disabled" | "between_tools" => ReasoningMode::Off,
        _ => ReasoningMode::Unknown,
    };
    if let Some(budget) = integer(&thinking["budget_tokens"], "thinking.budget_tokens")? {
        let budget = u32::try_from(budget).map_err(|_| invalid("thinking.budget_tokens", "must be 0 or more"))?;
        requested.budget = Some(budget);
    }
    requested.display = match thinking["display"].as_str() {
        None => ReasoningDisplay::Unspecified,
        Some("summarized") => ReasoningDisplay::Summarized,
        Some("omitted") => ReasoningDisplay::Omitted,
        // `updates` needs a beta feature that Converse does not know.
        Some(_) => {
            ignored.add("thinking.display");
            ReasoningDisplay::Omitted
        }
    };
    Ok(requested)
}

fn wanted_effort(effort: &Value, ignored: &mut Ignored) -> Result<Option<Effort>> {
    match effort {
        Value::Null => Ok(None),
        Value::String(word) => {
            let effort = Effort::from_word(word);
            if effort.is_none() {
                ignored.add("output_config.effort");
            }
            Ok(effort)
        }
        _ => Err(invalid("output_config.effort", "must be a string")),
    }
}

/// Parses the format of the answer, which has no name in this API.
fn parse_format(format: &Value, at: &str) -> Result<Format> {
    if is_absent(format) {
        return Ok(Format::Text);
    }
    let kind = format!("{at}.type");
    match required_string(&format["type"], &kind)? {
        "text" => Ok(Format::Text),
        "json_schema" if format["schema"].is_object() => {
            let schema = format["schema"].clone();
            Ok(Format::JsonSchema { name: "answer".to_owned(), description: None, schema })
        }
        "json_schema" => Err(missing(&format!("{at}.schema"))),
        _ => Err(invalid(&kind, "must be json_schema")),
    }
}

/// `clear_thinking` that keeps everything asks for what happens anyway. All other edits are left out.
fn list_context_edits(management: &Value, ignored: &mut Ignored) {
    let keeps_all = |edit: &Value| {
        edit["type"].as_str().is_some_and(|kind| kind.starts_with("clear_thinking_")) && edit["keep"] == "all"
    };
    let edits = management["edits"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !edits.iter().all(keeps_all) {
        ignored.add("context_management");
    }
}

/// Anthropic's own tiers are all served as the standard one; the others are Bedrock's.
fn service_tier(tier: &Value) -> Option<ServiceTier> {
    match tier.as_str()? {
        "" | "auto" | "standard_only" | "standard" | "default" => None,
        "flex" => Some(ServiceTier::Flex),
        "priority" => Some(ServiceTier::Priority),
        _ => Some(ServiceTier::Other),
    }
}

/// A tag for the account's invocation log, where the user's id can be one as it is. Claude Code's is a JSON text, which
/// cannot, and is left out.
fn user_tag(metadata: &Value) -> Vec<(String, String)> {
    const LONGEST: usize = 256;
    let is_legal =
        |id: &&str| id.len() <= LONGEST && id.chars().all(|c| c.is_ascii_alphanumeric() || " :_@$#=/+,-.".contains(c));
    let id = metadata["user_id"].as_str().filter(is_legal);
    id.map(|id| ("user_id".to_owned(), id.to_owned())).into_iter().collect()
}

#[cfg(test)]
mod tests;
