//! Parses the request of `/responses` (docs/openai.md §5.2). Members that name what is stored at OpenAI are refused,
//! because without it the answer would be to another conversation. Members without a meaning here are ignored.

use super::echo::Echo;
use super::ignored::Ignored;
use super::input_items::{add_tools, parse_input};
use super::names::ToolNames;
use super::places::Places;
use super::tool_choice::parse_tool_choice;
use super::tools::{Source, ToolList};
use crate::api::dialect::RequestHeaders;
use crate::api::json::{
    body_members, flag, ignored_members, integer, invalid, is_absent, model_name, number, take, unsupported,
};
use crate::api::openai::chat_request::{metadata, reasoning_with_effort, service_tier};
use crate::api::openai::tools::format_of;
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{
    Message, Part, ReasoningDisplay, ReasoningMode, ReasoningRequest, Request, Role, ToolChoice,
};
use crate::error::Result;
use serde_json::{Map, Value};

/// The member that names an earlier response.
pub(super) const PREVIOUS_RESPONSE: &str = "previous_response_id";

/// Members that every client or most of them send, and that change nothing for the client here.
const WITHOUT_EFFECT: [&str; 10] = [
    "store",
    "background",
    "include",
    "prompt_cache_options",
    "prompt_cache_retention",
    "client_metadata",
    "stream_options",
    "moderation",
    "access_programs",
    "personality",
];

/// A parsed request, and what its answer depends on.
#[derive(Debug)]
pub(super) struct ResponsesRequest {
    pub(super) request: Request,
    /// Whether the client wants a stream.
    pub(super) stream: bool,
    /// Whether the client wants to read the reasoning.
    pub(super) show_reasoning: bool,
    pub(super) names: ToolNames,
    pub(super) places: Places,
    pub(super) echo: Echo,
}

/// Parses a body.
///
/// # Errors
/// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member.
pub(super) fn parse(body: JsonBlocks, head: &RequestHeaders) -> Result<ResponsesRequest> {
    let mut members = body_members(body)?;
    let stream = flag(&take(&mut members, "stream"), "stream")? == Some(true);
    let echo = Echo::of(&members, stream);
    refuse_stored(&mut members)?;
    for name in WITHOUT_EFFECT {
        take(&mut members, name);
    }
    let mut member = |name: &str| take(&mut members, name);
    let mut ignored = Ignored::default();
    let mut list = ToolList::default();
    let mut input = member("input");
    list.add(&mut member("tools"), "tools", Source::Request, &mut ignored)?;
    add_tools(&mut input, &mut list, &mut ignored)?;
    list.check()?;
    let choice = parse_tool_choice(&member("tool_choice"), &mut list, &mut ignored)?;
    let parsed = parse_input(member("instructions"), &mut input, &mut list.names, &mut ignored)?;
    let ToolList { tools, schema_paths, names, .. } = list;
    let text = member("text");
    let reasoning = reasoning_request(&member("reasoning"))?;
    let parallel_tool_calls = flag(&member("parallel_tool_calls"), "parallel_tool_calls")?;
    let cache_key = member("prompt_cache_key");
    let conversation = cache_key.as_str().filter(|key| !key.is_empty()).map(ToOwned::to_owned);
    if member("truncation") == "auto" {
        // Nothing is ever truncated.
        ignored.add("truncation", "auto");
    }
    let mut request = Request {
        model: model_name(&member("model"))?.unwrap_or_default().to_owned(),
        system: parsed.system,
        tool_choice: tool_choice(choice, tools.is_empty(), &parsed.messages),
        messages: parsed.messages,
        parallel_tool_calls: parallel_tool_calls.filter(|_| !tools.is_empty()),
        tools,
        format: format_of(&text["format"], &text["format"], "text.format", "text.format")?,
        max_tokens: integer(&member("max_output_tokens"), "max_output_tokens")?,
        temperature: number(&member("temperature"), "temperature")?,
        top_p: number(&member("top_p"), "top_p")?,
        reasoning,
        service_tier: service_tier(&member("service_tier"))?,
        stop: Vec::new(),
        metadata: metadata(&member("metadata"), &member("user"), &member("safety_identifier")),
        conversation: conversation.or_else(|| head.conversation.clone()),
        native: None,
        cite_documents: false,
        ignored: ignored_members(&members),
    };
    request.ignored.extend(ignored.members());
    let places = Places { messages: parsed.places, tool_schemas: schema_paths };
    let show_reasoning = reasoning.display == ReasoningDisplay::Summarized;
    Ok(ResponsesRequest { request, stream, show_reasoning, names, places, echo })
}

/// Refuses what would need an earlier response, a conversation or a prompt that is stored at OpenAI.
fn refuse_stored(members: &mut Map<String, Value>) -> Result<()> {
    match take(members, PREVIOUS_RESPONSE) {
        Value::Null => {}
        Value::String(id) => {
            let message = format!("names the response {id:?}, which was not found: no responses are stored here");
            return Err(invalid(PREVIOUS_RESPONSE, &message).advise("send the whole input"));
        }
        _ => return Err(invalid(PREVIOUS_RESPONSE, "must be a string")),
    }
    if flag(members.get("background").unwrap_or(&Value::Null), "background")? == Some(true) {
        return Err(unsupported("background", "no responses are stored here, so none can be fetched later"));
    }
    for (name, why) in [
        ("conversation", "no conversations are stored here; send the whole input"),
        ("prompt", "no prompts are stored here; send the instructions and the input"),
        ("context_management", "the conversation is sent as it is; shorten it yourself"),
    ] {
        if !is_absent(&take(members, name)) {
            return Err(unsupported(name, why));
        }
    }
    Ok(())
}

/// The tool choice to request. A client that offers no tools wants no call, even where its history is full of them.
fn tool_choice(choice: ToolChoice, without_tools: bool, messages: &[Message]) -> ToolChoice {
    let has_calls = || {
        let answers = messages.iter().filter(|message| message.role == Role::Assistant);
        answers.flat_map(|message| &message.parts).any(|part| matches!(part, Part::ToolCall(_)))
    };
    if without_tools && has_calls() { ToolChoice::None } else { choice }
}

/// Parses `reasoning`. The text of the reasoning is shown where a summary is requested.
fn reasoning_request(reasoning: &Value) -> Result<ReasoningRequest> {
    let mut requested = match &reasoning["effort"] {
        Value::Null => ReasoningRequest::default(),
        Value::String(word) => reasoning_with_effort(word),
        // An effort of another service (docs/cases.md, R7).
        Value::Number(_) => ReasoningRequest { mode: ReasoningMode::Unknown, ..ReasoningRequest::default() },
        _ => return Err(invalid("reasoning.effort", "must be a string")),
    };
    let summary = [&reasoning["summary"], &reasoning["generate_summary"]].into_iter().find(|word| !word.is_null());
    let omits = summary.is_none_or(|word| word == "none");
    requested.display = if omits { ReasoningDisplay::Omitted } else { ReasoningDisplay::Summarized };
    Ok(requested)
}
