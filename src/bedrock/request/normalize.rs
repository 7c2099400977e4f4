//! Rewrites a conversation so that Bedrock accepts it. OpenAI's API allows much that Bedrock refuses
//! (docs/bedrock.md §2.6): turns of the same role are merged, blank text is dropped, every tool call gets a result, and
//! a conversation begins with the user. What Bedrock would refuse in its own form, such as a result without a call, is
//! kept as text.

mod tool_calls;

use super::body::{Block, ReasoningBlock, Source, Turn};
use super::cache_points::cache_point;
use super::tool_names::{self, ToolNames};
use crate::catalog::Features;
use crate::conversation::{Message, Part, Reasoning, Role, ToolResult};
use crate::error::{Error, Field, Kind, Result};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Text for a turn that would otherwise have none, because Bedrock refuses blank text.
const PLACEHOLDER: &str = ".";
/// The user's turn after an unfinished answer, for models that do not accept one as the last turn (docs/cases.md, M4).
const CONTINUE: &str = "Continue from exactly where you stopped.";

/// What the model and the request allow.
pub(super) struct Rules<'a> {
    pub names: &'a ToolNames,
    pub features: Features,
    /// Whether the reasoning of the current tool loop is sent back. Only while reasoning is on.
    pub keep_reasoning: bool,
    /// Whether tool calls and results are sent as such. When `false` they become text, so that no tool can be called.
    pub keep_tools: bool,
}

/// The turns of a conversation, in a form that Bedrock accepts. `has_system`: whether there is a system prompt.
///
/// # Errors
/// `InvalidRequest` when there is neither a turn nor a system prompt.
pub(super) fn turns<'a>(messages: &'a [Message], has_system: bool, rules: &Rules<'_>) -> Result<Vec<Turn<'a>>> {
    let loop_start = messages.iter().rposition(is_question).unwrap_or(0);
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
        turns.push(Turn { role: "user", content: vec![text_block(PLACEHOLDER)] });
    }
    if turns.is_empty() {
        return Err(Error::new(Kind::InvalidRequest, "the conversation is empty").at(Field::Messages));
    }
    // A conversation starts with the user (docs/bedrock.md §2.6.1).
    if turns[0].role == "assistant" {
        turns.insert(0, Turn { role: "user", content: vec![text_block(PLACEHOLDER)] });
    }
    tool_calls::make_ids_unique(&mut turns);
    tool_calls::complete_results(&mut turns);
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
        Part::Text(text) if !text.trim().is_empty() => Some(text_block(text)),
        Part::CachePoint(ttl) if features.cache => Some(Block::CachePoint(cache_point(*ttl))),
        _ => None,
    });
    let mut blocks: Vec<_> = blocks.collect();
    // A cache point with no text before it has nothing to cache.
    while matches!(blocks.first(), Some(Block::CachePoint(_))) {
        blocks.remove(0);
    }
    blocks
}

/// Whether a message is a question of the user's own, without tool results. A tool loop begins at such a message.
fn is_question(message: &Message) -> bool {
    let blank = message.parts.iter().all(|part| matches!(part, Part::Text(text) if text.trim().is_empty()));
    let results = message.parts.iter().any(|part| matches!(part, Part::ToolResult(_)));
    message.role == Role::User && !blank && !results
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

fn text_block(text: &str) -> Block<'_> {
    Block::Text(Cow::Borrowed(text))
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
            Part::Text(text) if text.trim().is_empty() => continue,
            Part::Text(text) => text_block(text),
            Part::Image(media) => Block::Image { format: media.format, source: Source { bytes: &media.base64 } },
            // Never here: the policy refuses an image that was not fetched.
            Part::ImageUrl(_) => continue,
            Part::Document(media, name) => {
                Block::Document { format: media.format, name: name.clone(), source: Source { bytes: &media.base64 } }
            }
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
                tool_use_id: tool_names::legal_id(&call.id),
                name: Cow::Owned(rules.names.legal_name(&call.name).into_owned()),
                input: arguments(&call.arguments),
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
    if content.is_empty() {
        // Empty content is refused, by some models only with an error status (docs/bedrock.md §2.6.8).
        content.push(text_block("(empty)"));
    }
    let status = if result.error { "error" } else { "success" };
    Block::ToolResult { tool_use_id: tool_names::legal_id(&result.id), content, status }
}

/// The arguments of a call as an object, which Bedrock requires (docs/bedrock.md §2.6.9). Arguments that are not an
/// object, or that were cut off, are put inside one.
fn arguments(json: &str) -> Value {
    match serde_json::from_str(json) {
        Ok(Value::Object(members)) => Value::Object(members),
        Err(_) if json.trim().is_empty() => json!({}),
        Ok(other) => json!({"arguments": other}),
        Err(_) => json!({"arguments": json}),
    }
}

/// A turn with a document must also contain text (docs/cases.md, D5).
fn add_text_to_documents(turn: &mut Turn<'_>) {
    let has = |kind: fn(&Block<'_>) -> bool| turn.content.iter().any(kind);
    if has(|block| matches!(block, Block::Document { .. })) && !has(|block| matches!(block, Block::Text(_))) {
        turn.content.push(text_block(PLACEHOLDER));
    }
}

/// Makes the last turn acceptable: the user's, or with `prefill` the beginning of an answer without trailing white
/// space (docs/bedrock.md §2.6.4).
fn finish_last_turn(turns: &mut Vec<Turn<'_>>, prefill: bool) {
    let Some(Turn { role: "assistant", content }) = turns.last_mut() else { return };
    if !prefill {
        turns.push(Turn { role: "user", content: vec![text_block(CONTINUE)] });
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
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::tool_calls::NO_RESULT;
    use super::*;
    use crate::conversation::{CacheTtl, Media, ToolCall};

    fn normalized(messages: &[Message], features: Features, keep_reasoning: bool, keep_tools: bool) -> Value {
        let names = ToolNames::default();
        let rules = Rules { names: &names, features, keep_reasoning, keep_tools };
        serde_json::to_value(turns(messages, false, &rules).unwrap()).unwrap()
    }

    fn normalized_by_default(messages: &[Message]) -> Value {
        normalized(messages, Features { tools: true, cache: true, ..Features::default() }, false, true)
    }

    fn call(id: &str) -> Part {
        Part::ToolCall(ToolCall { id: id.into(), name: "look".into(), arguments: "{\"b\":1,\"a\":2}".into() })
    }

    fn result(id: &str, text: &str) -> Part {
        Part::ToolResult(ToolResult { id: id.into(), parts: vec![Part::Text(text.into())], error: false })
    }

    fn turn(role: Role, parts: Vec<Part>) -> Message {
        Message { role, parts }
    }

    #[test]
    fn m1_m2_m6_m7_roles_alternate_begin_with_the_user_and_hold_no_blank() {
        let messages = [
            Message::assistant("first"),
            Message::user("a"),
            Message::user(" \n"),
            Message::assistant(""),
            Message::user("b"),
        ];
        let expected = json!([
            {"role": "user", "content": [{"text": "."}]},
            {"role": "assistant", "content": [{"text": "first"}]},
            {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
        ]);
        assert_eq!(normalized_by_default(&messages), expected);
        let rules = Rules {
            names: &ToolNames::default(),
            features: Features::default(),
            keep_reasoning: false,
            keep_tools: true,
        };
        assert_eq!(turns(&[Message::user(" ")], false, &rules).unwrap_err().kind, Kind::InvalidRequest);
    }

    #[test]
    fn m3_m4_an_unfinished_answer_is_trimmed_or_followed_by_a_user_turn() {
        let messages = [Message::user("a"), Message::assistant("It is \n")];
        let prefill = Features { prefill: true, ..Features::default() };
        assert_eq!(normalized(&messages, prefill, false, true)[1]["content"], json!([{"text": "It is"}]));
        assert_eq!(normalized_by_default(&messages)[2], json!({"role": "user", "content": [{"text": CONTINUE}]}));
    }

    #[test]
    fn t7_every_call_gets_a_result_and_stray_results_become_text() {
        let messages = [
            Message::user("go"),
            turn(Role::Assistant, vec![call("1"), call("2")]),
            turn(Role::User, vec![Part::Text("and?".into()), result("2", "two"), result("9", "nine")]),
            turn(Role::Assistant, vec![call("3")]),
        ];
        let turns = normalized_by_default(&messages);
        assert_eq!(turns[1]["content"][0]["toolUse"]["input"].to_string(), r#"{"b":1,"a":2}"#, "in its own order");
        let answers = &turns[2]["content"];
        assert_eq!(
            answers[0]["toolResult"],
            json!({"toolUseId": "2", "content": [{"text": "two"}], "status": "success"})
        );
        assert_eq!(
            answers[1]["toolResult"],
            json!({"toolUseId": "1", "content": [{"text": NO_RESULT}], "status": "error"})
        );
        assert_eq!(answers[2], json!({"text": "and?"}));
        assert_eq!(answers[3], json!({"text": "[result of an unknown tool call, 9:]"}));
        assert_eq!(answers[4], json!({"text": "nine"}));
        assert_eq!(turns[4]["content"][0]["toolResult"]["toolUseId"], "3");
    }

    #[test]
    fn t10_without_tools_earlier_calls_become_text() {
        let messages =
            [Message::user("go"), turn(Role::Assistant, vec![call("1")]), turn(Role::User, vec![result("1", "one")])];
        let turns = normalized(&messages, Features::default(), false, false);
        assert_eq!(turns[1]["content"], json!([{"text": "[called look with {\"b\":1,\"a\":2}]"}]));
        assert_eq!(turns[2]["content"], json!([{"text": "[result of 1:]"}, {"text": "one"}]));
    }

    #[test]
    fn r1_r3_r5_reasoning_goes_back_signed_first_and_only_inside_the_loop() {
        let reasoning = |signature: Option<&str>| {
            Part::Reasoning(Reasoning::Text { text: "hm".into(), signature: signature.map(Into::into) })
        };
        let messages = [
            Message::user("one"),
            turn(Role::Assistant, vec![reasoning(Some("old")), Part::Text("done".into())]),
            Message::user("two"),
            turn(
                Role::Assistant,
                vec![call("1"), reasoning(Some("sig")), reasoning(None), Part::CachePoint(CacheTtl::FiveMinutes)],
            ),
            turn(Role::User, vec![result("1", "x")]),
        ];
        let features = Features { tools: true, cache: true, ..Features::default() };
        let turns = normalized(&messages, features, true, true);
        assert_eq!(turns[1]["content"], json!([{"text": "done"}]));
        let content = turns[3]["content"].as_array().unwrap();
        assert_eq!(content[0], json!({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}}));
        assert!(content[1].get("toolUse").is_some() && content.len() == 2, "{content:?}");
        let without = normalized(&messages, features, false, true)[3]["content"].to_string();
        assert!(without.contains("toolUse") && !without.contains("reasoning"), "{without}");
    }

    #[test]
    fn calls_that_share_an_id_get_ids_of_their_own() {
        let messages = [
            Message::user("go"),
            turn(Role::Assistant, vec![call("c"), call("c")]),
            turn(Role::User, vec![result("c", "one"), result("c", "two")]),
            turn(Role::Assistant, vec![call("c")]),
            turn(Role::User, vec![result("c", "three")]),
        ];
        let turns = normalized_by_default(&messages).to_string();
        for (id, text) in [("c", "one"), ("c-2", "two"), ("c-3", "three")] {
            let answered = format!(
                r#"{{"toolResult":{{"toolUseId":"{id}","content":[{{"text":"{text}"}}],"status":"success"}}}}"#
            );
            assert!(turns.contains(&answered), "{turns}");
        }
    }

    #[test]
    fn images_of_an_assistant_move_to_a_user_turn() {
        let media = Media { format: "png", base64: "iVBORw==".into() };
        let drawn = turn(Role::Assistant, vec![Part::Text("here".into()), Part::Image(media)]);
        let turns = normalized_by_default(&[Message::user("draw"), drawn, Message::user("nice")]);
        assert_eq!(turns[1]["content"], json!([{"text": "here"}]));
        assert!(turns[2]["content"][0].get("image").is_some() && turns[2]["content"][1]["text"] == "nice");
    }

    #[test]
    fn d5_a_document_gets_a_text_beside_it() {
        let media = Media { format: "pdf", base64: "JVBERg==".into() };
        let turns = normalized_by_default(&[turn(Role::User, vec![Part::Document(media, "report".into())])]);
        assert_eq!(turns[0]["content"][1], json!({"text": "."}));
    }

    #[test]
    fn arguments_are_always_an_object() {
        for (json, expected) in [
            ("", json!({})),
            ("{\"a\":1}", json!({"a": 1})),
            ("[1]", json!({"arguments": [1]})),
            ("{\"a\":", json!({"arguments": "{\"a\":"})),
        ] {
            assert_eq!(arguments(json), expected);
        }
    }
}
