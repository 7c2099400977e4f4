//! Rewrites a conversation so that Bedrock accepts it. OpenAI's API allows much that Bedrock refuses
//! (docs/bedrock.md §2.6): turns of the same role are merged, blank text is dropped, every tool call gets a result, and
//! a conversation begins with the user. What Bedrock would refuse in its own form, such as a result without a call, is
//! kept as text. What only some models refuse is in the catalog ([`FamilyRules`]).

mod media_limits;
mod tool_calls;

use super::body::{Block, Citations, PLACEHOLDER, ReasoningBlock, Source, ToolInput, Turn, result_status};
use super::cache_points::cache_point;
use super::response_options::RenamedProperties;
use super::tool_names::ToolNames;
use crate::catalog::{FamilyRules, Features};
use crate::conversation::{Message, Part, Reasoning, Role, ToolResult, is_blank};
use crate::error::{Error, Field, Kind, Result};
use std::borrow::Cow;

/// The user's turn after an unfinished answer, for models that do not accept one as the last turn (docs/cases.md, M4).
const CONTINUE: &str = "Continue from exactly where you stopped.";

/// What the model and the request allow.
pub(super) struct Rules<'a> {
    pub names: &'a ToolNames,
    pub features: Features,
    pub family: FamilyRules,
    /// The tools with renamed properties, by the name that is sent.
    pub properties: &'a RenamedProperties,
    /// Whether the reasoning of the current tool loop is sent back. Only while reasoning is on.
    pub keep_reasoning: bool,
    /// Whether tool calls and results are sent as such. When `false` they become text, so that no tool can be called.
    pub keep_tools: bool,
    /// Whether the answer is to cite the documents.
    pub cite_documents: bool,
}

/// The turns of a conversation, in a form that Bedrock accepts. `has_system`: whether there is a system prompt.
///
/// # Errors
/// `InvalidRequest` when there is neither a turn nor a system prompt, and when the last message alone has more images or
/// documents than the model takes.
pub(super) fn turns<'a>(messages: &'a [Message], has_system: bool, rules: &Rules<'_>) -> Result<Vec<Turn<'a>>> {
    media_limits::check_last(messages, rules.family)?;
    let loop_start = loop_start(messages);
    let mut turns = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let keep_reasoning = rules.keep_reasoning && index > loop_start;
        let mut content = content_blocks(&message.parts, rules, keep_reasoning);
        let mut media = Vec::new();
        if message.role == Role::Assistant {
            // Only a user's turn may contain images and documents (docs/bedrock.md §1.2).
            let is_media = |block: &Block<'_>| matches!(block, Block::Image { .. } | Block::Document { .. });
            (media, content) = content.into_iter().partition(is_media);
        }
        push_turn(&mut turns, role_name(message.role), content);
        push_turn(&mut turns, role_name(Role::User), media);
    }
    if turns.is_empty() && has_system {
        // The request has a system prompt and nothing else (docs/cases.md, M6).
        turns.push(Turn { role: "user", content: vec![Block::text(PLACEHOLDER)] });
    }
    if turns.is_empty() {
        return Err(Error::new(Kind::InvalidRequest, "the conversation is empty").at(Field::Messages));
    }
    // A conversation starts with the user (docs/bedrock.md §2.6.1).
    if turns[0].role == "assistant" {
        turns.insert(0, Turn { role: "user", content: vec![Block::text(PLACEHOLDER)] });
    }
    tool_calls::pair_results(&mut turns, rules.family);
    media_limits::replace_oldest(&mut turns, rules.family);
    if rules.family.results_alone {
        tool_calls::separate_results(&mut turns);
    }
    for turn in &mut turns {
        add_text_to_documents(turn);
    }
    // While a model reasons, it does not accept the beginning of its answer (docs/bedrock.md §2.2).
    finish_last_turn(&mut turns, rules.features.prefill && !rules.keep_reasoning);
    Ok(turns)
}

/// The blocks of a system prompt: text and cache points.
pub(super) fn system(parts: &[Part], features: Features) -> Vec<Block<'_>> {
    let blocks = parts.iter().filter_map(|part| match part {
        Part::Text(text) if !is_blank(text) => Some(Block::text(text)),
        Part::CachePoint(ttl) if features.cache => Some(Block::CachePoint(cache_point(*ttl))),
        _ => None,
    });
    // A cache point with no text before it has nothing to cache.
    blocks.skip_while(|block| matches!(block, Block::CachePoint(_))).collect()
}

/// Puts a system prompt at the start of the first turn, which is the user's, for models that have none
/// (docs/bedrock.md §2.6.5).
pub(super) fn put_into_first_turn<'a>(mut system: Vec<Block<'a>>, turns: &mut [Turn<'a>]) {
    let Some(first) = turns.first_mut() else { return };
    system.retain(|block| matches!(block, Block::Text(_)));
    if system.is_empty() {
        return;
    }
    if first.content == [Block::text(PLACEHOLDER)] {
        first.content.clear();
    }
    system.append(&mut first.content);
    first.content = system;
}

/// The index of the message with which the current tool loop begins: the user's last turn without tool results. A note
/// beside results, such as a system message, does not end the loop.
fn loop_start(messages: &[Message]) -> usize {
    let mut start = 0;
    let mut question = None;
    let mut has_results = false;
    for (index, message) in messages.iter().enumerate() {
        if message.role == Role::Assistant {
            if let (Some(asked), false) = (question, has_results) {
                start = asked;
            }
            (question, has_results) = (None, false);
            continue;
        }
        has_results |= message.parts.iter().any(|part| matches!(part, Part::ToolResult(_)));
        if !message.parts.iter().all(|part| matches!(part, Part::Text(text) if is_blank(text))) {
            question = Some(index);
        }
    }
    match (question, has_results) {
        (Some(asked), false) => asked,
        _ => start,
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

/// Adds a turn, or adds its content to the last turn where that has the same role (docs/bedrock.md §2.6.2).
fn push_turn<'a>(turns: &mut Vec<Turn<'a>>, role: &'static str, content: Vec<Block<'a>>) {
    if content.is_empty() {
        return;
    }
    match turns.last_mut() {
        Some(last) if last.role == role => last.content.extend(content),
        _ => turns.push(Turn { role, content }),
    }
}

fn content_blocks<'a>(parts: &'a [Part], rules: &Rules<'_>, keep_reasoning: bool) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::with_capacity(parts.len());
    for part in parts {
        let block = match part {
            Part::Text(text) if is_blank(text) => continue,
            Part::Text(text) => Block::text(text),
            Part::Image(media) => Block::Image { format: media.format, source: Source { bytes: &media.base64 } },
            // Never here: the policy refuses an image that was not fetched.
            Part::ImageUrl(_) => continue,
            Part::Document(media, name) => Block::Document {
                format: media.format,
                name: name.clone(),
                source: Source { bytes: &media.base64 },
                citations: rules.cite_documents.then_some(Citations { enabled: true }),
            },
            // Claude accepts its reasoning back only with its signature (docs/bedrock.md §2.6.13). No other family
            // accepts it at all.
            Part::Reasoning(Reasoning::Text { text, signature: Some(signature) }) if keep_reasoning => {
                Block::ReasoningContent(ReasoningBlock::ReasoningText { text, signature })
            }
            Part::Reasoning(Reasoning::Redacted(data)) if keep_reasoning => {
                Block::ReasoningContent(ReasoningBlock::RedactedContent(data))
            }
            Part::Reasoning(_) => continue,
            Part::ToolCall(call) if rules.keep_tools => Block::ToolUse {
                // The ids become legal when calls and results are paired.
                tool_use_id: call.id.clone(),
                name: Cow::Owned(rules.names.legal_name(&call.name).into_owned()),
                input: match rules.properties.get(&*rules.names.legal_name(&call.name)) {
                    Some(properties) => ToolInput::new(&properties.to_model(&call.arguments)),
                    None => ToolInput::new(&call.arguments),
                },
            },
            Part::ToolCall(call) => Block::Text(Cow::Owned(format!("[called {} with {}]", call.name, call.arguments))),
            Part::ToolResult(result) if rules.keep_tools => tool_result(result, rules),
            Part::ToolResult(result) => {
                blocks.push(Block::Text(Cow::Owned(format!("[result of {}:]", result.id))));
                blocks.extend(content_blocks(&result.parts, rules, false));
                continue;
            }
            // Bedrock refuses a cache point after reasoning (docs/cases.md, R5). One with nothing before it has nothing
            // to cache.
            Part::CachePoint(ttl) => match blocks.last() {
                Some(Block::ReasoningContent(_) | Block::CachePoint(_)) | None => continue,
                Some(_) if !rules.features.cache => continue,
                Some(_) => Block::CachePoint(cache_point(*ttl)),
            },
        };
        blocks.push(block);
    }
    // Reasoning must come first in its turn.
    blocks.sort_by_key(|block| !matches!(block, Block::ReasoningContent(_)));
    blocks
}

fn tool_result<'a>(result: &'a ToolResult, rules: &Rules<'_>) -> Block<'a> {
    let mut content = content_blocks(&result.parts, rules, false);
    content.retain(|block| !matches!(block, Block::CachePoint(_)));
    if result.error && !rules.family.result_status {
        content.insert(0, Block::text("(the tool failed)"));
    }
    if content.is_empty() {
        // Empty content is refused, by some models only with an error status (docs/bedrock.md §2.6.8).
        content.push(Block::text("(empty)"));
    }
    Block::ToolResult { tool_use_id: result.id.clone(), content, status: result_status(result.error, rules.family) }
}

/// A turn with a document must also contain text (docs/cases.md, D5).
fn add_text_to_documents(turn: &mut Turn<'_>) {
    let has = |kind: fn(&Block<'_>) -> bool| turn.content.iter().any(kind);
    if has(|block| matches!(block, Block::Document { .. })) && !has(|block| matches!(block, Block::Text(_))) {
        turn.content.push(Block::text(PLACEHOLDER));
    }
}

/// Makes the last turn acceptable: the user's, or with `prefill` the beginning of an answer without trailing white
/// space (docs/bedrock.md §2.6.4).
fn finish_last_turn(turns: &mut Vec<Turn<'_>>, prefill: bool) {
    let Some(Turn { role: "assistant", content }) = turns.last_mut() else { return };
    if !prefill {
        turns.push(Turn { role: "user", content: vec![Block::text(CONTINUE)] });
        return;
    }
    while matches!(content.last(), Some(Block::CachePoint(_))) {
        content.pop();
    }
    if let Some(Block::Text(text)) = content.last_mut() {
        *text = Cow::Owned(text.trim_end().to_owned());
    }
}

#[cfg(test)]
mod tests;
