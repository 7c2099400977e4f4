//! Encodes an admitted request as the JSON body of a Converse call. The same request always gives the same bytes, or
//! prompt caching would not work (docs/bedrock.md, trap 7).

mod body;
mod cache_points;
mod legal_word;
mod model_fields;
mod native_converse;
mod native_messages;
mod native_parts;
mod native_prompt;
mod normalize;
mod prompt;
mod response_options;
mod schema;
pub(super) mod structured_output;
mod tool_ids;
mod tool_names;
mod tools;

pub use prompt::{Prompt, PromptHash, PromptTurn};
pub(super) use response_options::ResponseOptions;
pub(super) use schema::PropertyNames;

use super::sending::{MAX_TAGS, REQUEST_ID_TAG};
use crate::catalog::Family;
use crate::conversation::{NativeApi, NativeRequest, Request, ToolChoice};
use crate::error::{Error, Kind, Result};
use crate::policy::{Admitted, ReasoningGrant};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use body::{Block, Body, Inference, ToolConfig, ToolEntry};
use bytes::Bytes;
use normalize::Rules;
use response_options::RenamedProperties;
use schema::ToolSchema;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use structured_output::{ANSWER_TOOL, Binding};
use tool_names::ToolNames;

/// An encoded request, and how to read its answer.
#[derive(Debug)]
pub(super) struct EncodedRequest {
    /// The body of a call.
    pub(super) body: Bytes,
    pub(super) answer: AnswerForm,
}

/// The form of the answer to a request, and so the operation that it is sent with.
#[derive(Debug, Clone)]
pub(super) enum AnswerForm {
    /// That of `Converse` and `ConverseStream`.
    Converse(ResponseOptions),
    /// The same, for a client that reads it in the service's own words.
    NativeConverse,
    /// That of Anthropic's Messages, from `InvokeModel`.
    Messages,
}

/// Whether the answer cannot be streamed, because the model cannot stream tool calls (docs/bedrock.md §2.5).
pub(super) fn must_be_complete(admitted: &Admitted) -> bool {
    if admitted.native().is_some() {
        return false;
    }
    let request = admitted.request();
    let with_tools = !request.tools.is_empty() || tools::has_tool_parts(&request.messages);
    let features = admitted.model().capabilities.features;
    with_tools && features.tools && !features.streamed_tools
}

/// Encodes a request. `request_id` is Chatrix's own, and becomes a tag of the invocation log.
///
/// # Errors
/// `InvalidRequest`, naming the part that Bedrock would refuse.
pub(super) fn encode(admitted: &Admitted, request_id: Option<&str>) -> Result<EncodedRequest> {
    if let Some(native) = native_messages(admitted) {
        return Ok(EncodedRequest { body: native_messages::encode(admitted, native)?, answer: AnswerForm::Messages });
    }
    if let Some(native) = native_converse(admitted) {
        let body = native_converse::encode(admitted, native, request_id)?;
        return Ok(EncodedRequest { body, answer: AnswerForm::NativeConverse });
    }
    let prepared = prepare(admitted)?;
    let mut body = encode_body(admitted, &prepared.binding, &prepared.tools())?;
    if let Some(id) = request_id.filter(|_| body.request_metadata.len() < MAX_TAGS) {
        body.request_metadata.entry(REQUEST_ID_TAG.to_owned()).or_insert_with(|| id.to_owned());
    }
    let bytes = serde_json::to_vec(&body).map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
    let Prepared { binding, tool_names, properties, schemas: _ } = prepared;
    let response_options = ResponseOptions {
        tool_names,
        properties,
        answer_tool: matches!(binding, Binding::Tool(_)),
        bare_json: matches!(binding, Binding::Instruction(_)),
        reasoning_tags: admitted.model().capabilities.rules.reasoning_tags,
    };
    Ok(EncodedRequest { body: bytes.into(), answer: AnswerForm::Converse(response_options) })
}

/// What is decided about a request before its body is encoded.
struct Prepared {
    binding: Binding,
    tool_names: ToolNames,
    schemas: Vec<ToolSchema>,
    properties: RenamedProperties,
}

impl Prepared {
    fn tools(&self) -> Tools<'_> {
        Tools { names: &self.tool_names, schemas: &self.schemas, properties: &self.properties }
    }
}

fn prepare(admitted: &Admitted) -> Result<Prepared> {
    let request = admitted.request();
    let capabilities = &admitted.model().capabilities;
    let binding = structured_output::choose_binding(request, capabilities)?;
    let names = request.tools.iter().map(|tool| tool.name.as_str()).chain(tools::called_names(&request.messages));
    let tool_names = ToolNames::new(names, capabilities.rules.tool_names);
    let schemas =
        if keeps_tools(admitted, &binding) { tools::schemas(&request.tools, capabilities.rules)? } else { Vec::new() };
    let properties = renamed_properties(request, &schemas, &tool_names, &binding);
    Ok(Prepared { binding, tool_names, schemas, properties })
}

/// The client's own words, where they are sent. An answer that only a tool or an instruction binds to a schema is asked
/// for by a translated request.
fn native_messages(admitted: &Admitted) -> Option<&NativeRequest> {
    let native = admitted.native().filter(|native| native.api == NativeApi::Messages)?;
    let request = admitted.request();
    let binding = structured_output::choose_binding(request, &admitted.model().capabilities);
    matches!(binding, Ok(Binding::None | Binding::Native(_))).then_some(native)
}

fn native_converse(admitted: &Admitted) -> Option<&NativeRequest> {
    admitted.native().filter(|native| native.api == NativeApi::Converse)
}

/// What the request's tools are called, and what they take.
struct Tools<'a> {
    names: &'a ToolNames,
    schemas: &'a [ToolSchema],
    properties: &'a RenamedProperties,
}

fn renamed_properties(
    request: &Request,
    schemas: &[ToolSchema],
    names: &ToolNames,
    binding: &Binding,
) -> RenamedProperties {
    let tools =
        request.tools.iter().zip(schemas).map(|(tool, schema)| (names.legal_name(&tool.name).into_owned(), schema));
    let answer = match binding {
        Binding::Tool(schema) => Some((ANSWER_TOOL.to_owned(), schema)),
        _ => None,
    };
    let renamed = tools.chain(answer).filter_map(|(name, schema)| Some((name, schema.names.clone()?)));
    renamed.collect()
}

fn encode_body<'a>(admitted: &'a Admitted, binding: &Binding, tools: &Tools<'_>) -> Result<Body<'a>> {
    let Tools { names, schemas, properties } = *tools;
    let request = admitted.request();
    let capabilities = &admitted.model().capabilities;
    let family = capabilities.family;
    let features = capabilities.features;
    let keep_tools = keeps_tools(admitted, binding);
    let rules = Rules {
        names,
        features,
        family: capabilities.rules,
        properties,
        keep_reasoning: admitted.reasoning() != ReasoningGrant::Off && capabilities.rules.reasoning_history,
        keep_tools,
        // No other family cites documents.
        cite_documents: request.cite_documents && family == Family::Claude,
    };
    let mut system = normalize::system(&request.system, features);
    let mut messages = normalize::turns(&request.messages, !system.is_empty(), &rules)?;
    system.extend(instruction(binding));
    if !capabilities.rules.system {
        normalize::put_into_first_turn(std::mem::take(&mut system), &mut messages);
    }
    let tools = if keep_tools { tools::specifications(request, schemas, names, features)? } else { Vec::new() };
    let with_own_choice = !tools.is_empty() && !matches!(binding, Binding::Tool(_));
    let mut body = Body {
        messages,
        system,
        inference_config: Inference {
            max_tokens: admitted.max_tokens(),
            temperature: admitted.temperature(),
            top_p: admitted.top_p(),
            stop_sequences: admitted.stop(),
        },
        additional_model_request_fields: model_fields::additional_fields(admitted, with_own_choice, names),
        tool_config: tool_config(admitted, binding, names, tools),
        output_config: if let Binding::Native(config) = binding { Some(config.clone()) } else { None },
        service_tier: body::service_tier(admitted.tier()),
        request_metadata: metadata(&request.metadata),
    };
    let one_hour = admitted.model().prices.is_none_or(|prices| prices.cache_write_1h.is_some());
    cache_points::limit(&mut body, family, one_hour);
    Ok(body)
}

/// Whether tools and earlier tool calls are sent as such. When no tool may be called, Claude has a tool choice that
/// forbids it; for all other models the only sure way is to send no tools (docs/cases.md, T10).
fn keeps_tools(admitted: &Admitted, binding: &Binding) -> bool {
    let capabilities = &admitted.model().capabilities;
    let forbidden = *admitted.tool_choice() == ToolChoice::None;
    let history = tools::has_tool_parts(&admitted.request().messages);
    let has_own_none = capabilities.family == Family::Claude && history && !matches!(binding, Binding::Tool(_));
    capabilities.features.tools && (!forbidden || has_own_none)
}

/// The instruction that is added to the system prompt when the answer is bound to JSON by an instruction or by a tool.
fn instruction(binding: &Binding) -> Option<Block<'static>> {
    match binding {
        Binding::None | Binding::Native(_) => None,
        Binding::Instruction(text) => Some(Block::Text(Cow::Owned(text.clone()))),
        Binding::Tool(_) => Some(Block::Text(Cow::Owned(format!(
            "Give your final answer by calling the tool {ANSWER_TOOL}, once, and in no other way."
        )))),
    }
}

fn tool_config<'a>(
    admitted: &Admitted,
    binding: &Binding,
    names: &ToolNames,
    mut tools: Vec<ToolEntry<'a>>,
) -> Option<ToolConfig<'a>> {
    let alone = tools.is_empty();
    if let Binding::Tool(schema) = binding {
        tools.push(tools::answer_tool(schema));
    }
    if tools.is_empty() {
        return None;
    }
    Some(ToolConfig { tools, tool_choice: tools::tool_choice(admitted, names, binding, alone) })
}

/// The body that would be sent.
///
/// # Errors
/// As [`encode`].
pub fn preview(admitted: &Admitted) -> Result<Value> {
    let body = encode(admitted, None)?.body;
    serde_json::from_slice(&body).map_err(|error| Error::new(Kind::Internal, error.to_string()))
}

/// The prompt of a request as it is sent. `None` for one that cannot be encoded, that names images which are yet to be
/// fetched, that a client of Converse has written itself, or whose model is none of Claude's: how the services of others
/// write a prompt, and what they leave out of a longer one, is not documented.
#[must_use]
pub fn prompt(admitted: &Admitted) -> Option<Prompt> {
    if admitted.model().capabilities.family != Family::Claude || !admitted.image_urls().is_empty() {
        return None;
    }
    if let Some(native) = native_messages(admitted) {
        return native_prompt::of_request(admitted, native);
    }
    if native_converse(admitted).is_some() {
        return None;
    }
    let prepared = prepare(admitted).ok()?;
    let body = encode_body(admitted, &prepared.binding, &prepared.tools()).ok()?;
    prompt::of_body(&admitted.model().id, &body)
}

/// The body of a `CountTokens` call (docs/bedrock.md §1.6). `None` for a request that `CountTokens` does not support.
pub(super) fn count_tokens_body(admitted: &Admitted) -> Option<Bytes> {
    if native_messages(admitted).is_some() {
        let body = encode(admitted, None).ok()?.body;
        return Some(json!({"input": {"invokeModel": {"body": STANDARD.encode(&body)}}}).to_string().into());
    }
    let mut body = preview(admitted).ok()?;
    let members = body.as_object_mut()?;
    if members.contains_key("outputConfig") {
        return None;
    }
    let counted = ["messages", "system", "toolConfig", "additionalModelRequestFields"];
    members.retain(|name, _| counted.contains(&name.as_str()));
    Some(json!({"input": {"converse": body}}).to_string().into())
}

/// At most 16 tags. A character outside Bedrock's alphabet (docs/bedrock.md §1.2) becomes `_`.
fn metadata(tags: &[(String, String)]) -> BTreeMap<String, String> {
    let legal = |text: &str| -> String {
        let chars = text.chars().take(256);
        chars.map(|c| if c.is_ascii_alphanumeric() || " :_@$#=/+,-.".contains(c) { c } else { '_' }).collect()
    };
    let tags = tags.iter().filter(|(name, _)| !name.is_empty()).take(MAX_TAGS);
    tags.map(|(name, value)| (legal(name), legal(value))).collect()
}
