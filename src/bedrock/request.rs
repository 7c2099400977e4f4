//! An admitted request as Converse's JSON body. Pure, and the same request gives the same bytes:
//! the SDK's own documents are hash maps in random order (`bedrock.md` trap 7), so the body is written here
//! and put into the SDK's request before it is signed.

mod body;
mod model_fields;
mod normalize;
mod schema;
pub mod structured_output;
pub mod tool_names;

use crate::catalog::Features;
use crate::conversation::{Message, Part, Request, Tool, ToolChoice};
use crate::error::{Error, Kind, Result};
use crate::policy::{Admitted, ReasoningGrant};
use body::{Block, Body, CachePoint, Inference, InputSchema, ToolConfig, ToolEntry, ToolSpec, Turn};
use bytes::Bytes;
use model_fields::Family;
use normalize::Rules;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use structured_output::{ANSWER_TOOL, Binding};
use tool_names::ToolNames;

/// Cache points per request (`bedrock.md` §2.4).
const CACHE_POINTS: usize = 4;

/// Strict tools per request (`bedrock.md` §2.5).
const STRICT_TOOLS: usize = 20;

/// A body, and what is needed to read its answer.
#[derive(Debug)]
pub struct Encoded {
    /// The body of a Converse or `ConverseStream` call.
    pub body: Bytes,
    /// How the answer must be read.
    pub reading: ResponseOptions,
}

/// What a request means for its answer.
#[derive(Debug, Clone, Default)]
pub struct ResponseOptions {
    /// The tool names, to be restored.
    pub names: ToolNames,
    /// Whether the arguments of [`ANSWER_TOOL`] are the answer's text.
    pub answer_tool: bool,
    /// Whether the text is JSON that a model may have put into a code fence.
    pub bare_json: bool,
    /// Whether thoughts may stand in the text, between tags.
    pub inline_reasoning: bool,
}

/// Whether a request must be asked for in one piece: some models cannot stream tool calls (`bedrock.md` §2.5).
pub fn only_complete(admitted: &Admitted) -> bool {
    let request = admitted.request();
    let tools = !request.tools.is_empty() || has_tool_parts(&request.messages);
    tools && !admitted.model().capabilities.features.streamed_tools
}

/// Encodes a request.
///
/// # Errors
/// `InvalidRequest`, naming the member Bedrock could not take.
pub fn encode(admitted: &Admitted) -> Result<Encoded> {
    let request = admitted.request();
    let capabilities = &admitted.model().capabilities;
    let binding = structured_output::binding(request, capabilities);
    let family = Family::of(&admitted.model().id);

    let history = has_tool_parts(&request.messages);
    let forbidden = *admitted.tool_choice() == ToolChoice::None;
    // Claude can be told not to call; for all others the only sure way is that there is nothing to call (T10).
    let told = family == Family::Claude && history && !matches!(binding, Binding::Tool(_));
    let keep_tools = capabilities.features.tools && (!forbidden || told);
    let in_history = request.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
        Part::ToolCall(call) => Some(call.name.as_str()),
        _ => None,
    });
    let names = ToolNames::new(request.tools.iter().map(|tool| tool.name.as_str()).chain(in_history.clone()));

    let tools = if keep_tools { tools(request, &names, capabilities.features, in_history)? } else { Vec::new() };
    let (tools, choice) = choose(tools, request, &names, admitted, &binding);
    let answer_tool = matches!(binding, Binding::Tool(_));

    let rules = Rules {
        names: &names,
        features: capabilities.features,
        keep_thoughts: admitted.thinking() != ReasoningGrant::Off && family == Family::Claude,
        keep_tools,
    };
    let system = normalize::system(&request.system, capabilities.features);
    let mut body = Body {
        messages: normalize::turns(&request.messages, !system.is_empty(), &rules)?,
        system,
        inference_config: Inference {
            max_tokens: admitted.max_tokens(),
            temperature: admitted.temperature(),
            top_p: admitted.top_p(),
            stop_sequences: admitted.stop(),
        },
        additional_model_request_fields: model_fields::additional_fields(
            admitted,
            keep_tools && !tools.is_empty() && !answer_tool,
        ),
        tool_config: (!tools.is_empty()).then_some(ToolConfig { tools, tool_choice: choice }),
        output_config: None,
        service_tier: admitted.tier().as_str().map(|tier| json!({"type": tier})),
        request_metadata: metadata(&request.metadata),
    };
    match &binding {
        Binding::None => {}
        Binding::Native(config) => body.output_config = Some(config.clone()),
        Binding::Words(words) => body.system.push(Block::Text(Cow::Borrowed(words))),
        Binding::Tool(_) => {
            let words = format!("Give your final answer by calling the tool {ANSWER_TOOL}, once, and in no other way.");
            body.system.push(Block::Text(Cow::Owned(words)));
        }
    }
    let one_hour = admitted.model().prices.is_none_or(|prices| prices.cache_write_1h.is_some());
    limit_cache_points(&mut body, family, one_hour);
    let bytes = serde_json::to_vec(&body).map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
    let reading = ResponseOptions {
        names,
        answer_tool,
        bare_json: matches!(binding, Binding::Words(_)),
        inline_reasoning: family == Family::GptOss,
    };
    Ok(Encoded { body: bytes.into(), reading })
}

/// What would be sent.
///
/// # Errors
/// As [`encode`].
pub fn preview(admitted: &Admitted) -> Result<Value> {
    let body = encode(admitted)?.body;
    serde_json::from_slice(&body).map_err(|error| Error::new(Kind::Internal, error.to_string()))
}

/// The body of a CountTokens call (`bedrock.md` §1.6); `None` for what it cannot count.
pub fn to_count(admitted: &Admitted) -> Option<Bytes> {
    let mut body = preview(admitted).ok()?;
    let members = body.as_object_mut()?;
    if members.contains_key("outputConfig") {
        return None;
    }
    let counted = ["messages", "system", "toolConfig", "additionalModelRequestFields"];
    members.retain(|name, _| counted.contains(&name.as_str()));
    Some(json!({"input": {"converse": body}}).to_string().into())
}

fn has_tool_parts(messages: &[Message]) -> bool {
    let mut parts = messages.iter().flat_map(|message| &message.parts);
    parts.any(|part| matches!(part, Part::ToolCall(_) | Part::ToolResult(_)))
}

/// The tools of the request, and specs rebuilt for those that only the history names (cases.md T1).
fn tools<'a>(
    request: &'a Request,
    names: &ToolNames,
    features: Features,
    in_history: impl Iterator<Item = &'a str>,
) -> Result<Vec<ToolEntry<'a>>> {
    let mut entries = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    for (index, tool) in request.tools.iter().enumerate() {
        let Tool { name, description, schema, strict, cache } = tool;
        if known.contains(&name.as_str()) {
            return Err(Error::new(Kind::InvalidRequest, format!("two tools are called {name:?}")).at("tools"));
        }
        known.push(name);
        let schema = schema::of_tool(schema, &format!("tools[{index}].function.parameters"))?;
        let strict = (features.json_schema && *strict == Some(true) && index < STRICT_TOOLS)
            .then(|| schema::strict(&schema))
            .flatten();
        entries.push(ToolEntry::ToolSpec(ToolSpec {
            name: Cow::Owned(names.send(name).into_owned()),
            description: description.as_deref().filter(|text| !text.trim().is_empty()).map(Cow::Borrowed),
            strict: strict.is_some().then_some(true),
            input_schema: InputSchema { json: strict.unwrap_or(schema) },
        }));
        entries.extend(cache.filter(|_| features.cache).map(|ttl| ToolEntry::CachePoint(normalize::cache_point(ttl))));
    }
    let results_only = request.tools.is_empty() && has_tool_parts(&request.messages);
    let mut rebuilt: Vec<&str> = in_history.filter(|name| !known.contains(name)).collect();
    rebuilt.dedup();
    rebuilt.sort_unstable();
    rebuilt.dedup();
    if results_only && rebuilt.is_empty() {
        // Results without any call become text; no tool is needed for them.
        return Ok(entries);
    }
    for name in rebuilt {
        entries.push(ToolEntry::ToolSpec(ToolSpec {
            name: Cow::Owned(names.send(name).into_owned()),
            description: None,
            input_schema: InputSchema { json: json!({"type": "object", "properties": {}}) },
            strict: None,
        }));
    }
    Ok(entries)
}

/// Adds the answer tool where there is one, and says which tool must be called. The policy has already asked
/// whether the model lets itself be forced; for the answer tool it is asked here.
fn choose<'a>(
    mut tools: Vec<ToolEntry<'a>>,
    request: &Request,
    names: &ToolNames,
    admitted: &Admitted,
    binding: &Binding,
) -> (Vec<ToolEntry<'a>>, Option<Value>) {
    let features = admitted.model().capabilities.features;
    let forcible = features.forced_tool_choice && !matches!(admitted.thinking(), ReasoningGrant::Budget(_));
    let alone = tools.is_empty();
    if let Binding::Tool(schema) = binding {
        tools.push(ToolEntry::ToolSpec(ToolSpec {
            name: Cow::Borrowed(ANSWER_TOOL),
            description: Some(Cow::Borrowed("Gives the final answer.")),
            input_schema: InputSchema { json: schema.clone() },
            strict: None,
        }));
    }
    if tools.is_empty() {
        return (tools, None);
    }
    let claude_says_it = Family::of(&admitted.model().id) == Family::Claude
        && (*admitted.tool_choice() == ToolChoice::None
            || (request.parallel_tool_calls == Some(false) && !matches!(admitted.tool_choice(), ToolChoice::Named(_))));
    let choice = match (admitted.tool_choice(), binding) {
        (ToolChoice::Named(name), _) => Some(json!({"tool": {"name": names.send(name)}})),
        (_, Binding::Tool(_)) if forcible && alone => Some(json!({"tool": {"name": ANSWER_TOOL}})),
        (_, Binding::Tool(_)) if forcible || features.any_tool_choice => Some(json!({"any": {}})),
        _ if claude_says_it => None,
        (ToolChoice::Required, _) => Some(json!({"any": {}})),
        _ => None,
    };
    (tools, choice)
}

/// At most four cache points, the earliest kept; Nova takes none among tools (cases.md C5); an hour only where the
/// model has it, and never after five minutes (`bedrock.md` §2.4).
fn limit_cache_points(body: &mut Body<'_>, family: Family, one_hour: bool) {
    let (mut left, mut hour) = (CACHE_POINTS, one_hour);
    let mut keep = |point: &mut CachePoint| {
        if left == 0 {
            return false;
        }
        left -= 1;
        hour &= point.ttl.is_some();
        if !hour {
            point.ttl = None;
        }
        true
    };
    if let Some(config) = &mut body.tool_config {
        config.tools.retain_mut(|entry| match entry {
            ToolEntry::CachePoint(point) => family != Family::Nova && keep(point),
            ToolEntry::ToolSpec(_) => true,
        });
    }
    let mut blocks = |content: &mut Vec<Block<'_>>| {
        content.retain_mut(|block| match block {
            Block::CachePoint(point) => keep(point),
            _ => true,
        });
    };
    blocks(&mut body.system);
    for Turn { content, .. } in &mut body.messages {
        blocks(content);
    }
}

/// At most 16 tags in Bedrock's alphabet (`bedrock.md` §1.2); what is not in it becomes `_`.
fn metadata(tags: &[(String, String)]) -> BTreeMap<String, String> {
    let legal = |text: &str| -> String {
        let chars = text.chars().take(256);
        chars.map(|c| if c.is_ascii_alphanumeric() || " :_@$#=/+,-.".contains(c) { c } else { '_' }).collect()
    };
    let tags = tags.iter().filter(|(name, _)| !name.is_empty()).take(16);
    tags.map(|(name, value)| (legal(name), legal(value))).collect()
}
