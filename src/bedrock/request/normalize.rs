//! A conversation as Bedrock takes it. OpenAI allows much that Bedrock refuses (docs/bedrock.md §2.6), and a client
//! cannot know: same roles are merged, blank text is dropped, every tool call gets its result and every result its
//! call, a conversation begins with the user. What cannot stand as it is becomes text; nothing is lost silently.

mod tool_calls;

use super::body::{Block, ReasoningBlock, Source, Turn};
use super::cache_points::cache_point;
use super::tool_names::{self, ToolNames};
use crate::catalog::Features;
use crate::conversation::{Message, Part, Reasoning, Role, ToolResult};
use crate::error::{Error, Field, Kind, Result};
use serde_json::{Value, json};
use std::borrow::Cow;

/// What to send in place of nothing: blank text is refused.
const SOMETHING: &str = ".";
/// What a model hears that may not be left in the middle of its own turn (docs/cases.md, M4).
const GO_ON: &str = "Continue from exactly where you stopped.";
/// What the model and the request allow.
pub(super) struct Rules<'a> {
    /// The tool names.
    pub names: &'a ToolNames,
    /// What the model takes.
    pub features: Features,
    /// Whether thoughts go back into the running tool loop: only while thinking is on.
    pub keep_reasoning: bool,
    /// Whether tool calls and results stay what they are. `false`: they become text, so that no tool can be called.
    pub keep_tools: bool,
}

/// Turns a conversation into what Bedrock takes.
///
/// # Errors
/// `InvalidRequest` when nothing was said at all.
pub(super) fn turns<'a>(messages: &'a [Message], has_system: bool, rules: &Rules<'_>) -> Result<Vec<Turn<'a>>> {
    let loop_start = messages.iter().rposition(is_question).unwrap_or(0);
    let mut turns = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let keep_reasoning = rules.keep_reasoning && index > loop_start;
        let mut content = blocks(&message.parts, rules, keep_reasoning);
        let mut media = Vec::new();
        if message.role == Role::Assistant {
            // Images and documents are the user's to show (docs/bedrock.md §1.2).
            let is_media = |block: &Block<'_>| matches!(block, Block::Image { .. } | Block::Document { .. });
            (media, content) = content.into_iter().partition(is_media);
        }
        push(&mut turns, role(message.role), content);
        push(&mut turns, role(Role::User), media);
    }
    if turns.is_empty() && has_system {
        // Only a system prompt was given (docs/cases.md, M6).
        turns.push(Turn { role: "user", content: vec![text(SOMETHING)] });
    }
    if turns.is_empty() {
        return Err(Error::new(Kind::InvalidRequest, "the conversation holds no text").at(Field::Messages));
    }
    // A conversation starts with the user (docs/bedrock.md §2.6.1).
    if turns[0].role == "assistant" {
        turns.insert(0, Turn { role: "user", content: vec![text(SOMETHING)] });
    }
    tool_calls::tell_apart(&mut turns);
    tool_calls::answer(&mut turns);
    for turn in &mut turns {
        accompany_documents(turn);
    }
    // A model that thinks takes no beginning of its answer (docs/bedrock.md §2.2).
    end(&mut turns, rules.features.prefill && !rules.keep_reasoning);
    Ok(turns)
}

/// Blocks of a system prompt: text and cache points.
pub(super) fn system(parts: &[Part], features: Features) -> Vec<Block<'_>> {
    let blocks = parts.iter().filter_map(|part| match part {
        Part::Text(said) if !said.trim().is_empty() => Some(text(said)),
        Part::CachePoint(ttl) if features.cache => Some(Block::CachePoint(cache_point(*ttl))),
        _ => None,
    });
    let mut blocks: Vec<_> = blocks.collect();
    // A cache point with nothing before it marks nothing.
    while matches!(blocks.first(), Some(Block::CachePoint(_))) {
        blocks.remove(0);
    }
    blocks
}

/// A question of the user's own, not the results of tools: a tool loop begins here.
fn is_question(message: &Message) -> bool {
    let blank = message.parts.iter().all(|part| matches!(part, Part::Text(text) if text.trim().is_empty()));
    let results = message.parts.iter().any(|part| matches!(part, Part::ToolResult(_)));
    message.role == Role::User && !blank && !results
}

fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

fn text(said: &str) -> Block<'_> {
    Block::Text(Cow::Borrowed(said))
}

/// Adds a turn, merged with the one before where the role is the same (docs/bedrock.md §2.6.2).
fn push<'a>(turns: &mut Vec<Turn<'a>>, role: &'static str, content: Vec<Block<'a>>) {
    if content.is_empty() {
        return;
    }
    match turns.last_mut() {
        Some(last) if last.role == role => last.content.extend(content),
        _ => turns.push(Turn { role, content }),
    }
}

fn blocks<'a>(parts: &'a [Part], rules: &Rules<'_>, keep_reasoning: bool) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::with_capacity(parts.len());
    for part in parts {
        let block = match part {
            Part::Text(said) if said.trim().is_empty() => continue,
            Part::Text(said) => text(said),
            Part::Image(media) => Block::Image { format: media.format, source: Source { bytes: &media.base64 } },
            // The policy refuses what was not fetched.
            Part::ImageUrl(_) => continue,
            Part::Document(media, name) => {
                Block::Document { format: media.format, name: name.clone(), source: Source { bytes: &media.base64 } }
            }
            // Claude takes its thoughts back only signed (docs/bedrock.md §2.6.13); nobody else takes them at all.
            Part::Reasoning(Reasoning::Text { text, signature: Some(signature) }) if keep_reasoning => {
                Block::ReasoningContent(ReasoningBlock::ReasoningText { text, signature })
            }
            Part::Reasoning(Reasoning::Redacted(data)) if keep_reasoning => {
                Block::ReasoningContent(ReasoningBlock::RedactedContent(data))
            }
            Part::Reasoning(_) => continue,
            Part::ToolCall(call) if rules.keep_tools => Block::ToolUse {
                tool_use_id: tool_names::id(&call.id),
                name: Cow::Owned(rules.names.send(&call.name).into_owned()),
                input: arguments(&call.arguments),
            },
            Part::ToolCall(call) => Block::Text(Cow::Owned(format!("[called {} with {}]", call.name, call.arguments))),
            Part::ToolResult(result) if rules.keep_tools => tool_result(result, rules),
            Part::ToolResult(result) => {
                blocks.push(Block::Text(Cow::Owned(format!("[result of {}:]", result.id))));
                blocks.extend(self::blocks(&result.parts, rules, false));
                continue;
            }
            // A cache point after a thought is refused (docs/cases.md, R5), and one with nothing before it marks nothing.
            Part::CachePoint(ttl) => match blocks.last() {
                Some(Block::ReasoningContent(_) | Block::CachePoint(_)) | None => continue,
                Some(_) if !rules.features.cache => continue,
                Some(_) => Block::CachePoint(cache_point(*ttl)),
            },
        };
        blocks.push(block);
    }
    // A turn that thinks begins with its thoughts.
    blocks.sort_by_key(|block| !matches!(block, Block::ReasoningContent(_)));
    blocks
}

fn tool_result<'a>(result: &'a ToolResult, rules: &Rules<'_>) -> Block<'a> {
    let mut content = blocks(&result.parts, rules, false);
    content.retain(|block| !matches!(block, Block::CachePoint(_)));
    if content.is_empty() {
        // Empty content is refused, at the latest with an error status (docs/bedrock.md §2.6.8).
        content.push(text("(empty)"));
    }
    let status = if result.error { "error" } else { "success" };
    Block::ToolResult { tool_use_id: tool_names::id(&result.id), content, status }
}

/// A call's arguments must be an object; what was cut off or is none is kept inside one (docs/bedrock.md §2.6.9).
fn arguments(json: &str) -> Value {
    match serde_json::from_str(json) {
        Ok(Value::Object(members)) => Value::Object(members),
        Err(_) if json.trim().is_empty() => json!({}),
        Ok(other) => json!({"arguments": other}),
        Err(_) => json!({"arguments": json}),
    }
}

/// A document needs a text beside it (docs/cases.md, D5).
fn accompany_documents(turn: &mut Turn<'_>) {
    let has = |kind: fn(&Block<'_>) -> bool| turn.content.iter().any(kind);
    if has(|block| matches!(block, Block::Document { .. })) && !has(|block| matches!(block, Block::Text(_))) {
        turn.content.push(text(SOMETHING));
    }
}

/// The last turn: the user's, or a beginning of the answer without trailing white space (docs/bedrock.md §2.6.4).
fn end(turns: &mut Vec<Turn<'_>>, prefill: bool) {
    let Some(Turn { role: "assistant", content }) = turns.last_mut() else { return };
    if !prefill {
        turns.push(Turn { role: "user", content: vec![text(GO_ON)] });
        return;
    }
    while matches!(content.last(), Some(Block::CachePoint(_))) {
        content.pop();
    }
    if let Some(Block::Text(said)) = content.last_mut() {
        *said = Cow::Owned(said.trim_end().to_owned());
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

    fn usual(messages: &[Message]) -> Value {
        normalized(messages, Features { tools: true, cache: true, ..Features::default() }, false, true)
    }

    fn call(id: &str) -> Part {
        Part::ToolCall(ToolCall { id: id.into(), name: "look".into(), arguments: "{\"b\":1,\"a\":2}".into() })
    }

    fn result(id: &str, said: &str) -> Part {
        Part::ToolResult(ToolResult { id: id.into(), parts: vec![Part::Text(said.into())], error: false })
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
        assert_eq!(usual(&messages), expected);
        let rules = Rules {
            names: &ToolNames::default(),
            features: Features::default(),
            keep_reasoning: false,
            keep_tools: true,
        };
        assert_eq!(turns(&[Message::user(" ")], false, &rules).unwrap_err().kind, Kind::InvalidRequest);
    }

    #[test]
    fn m3_m4_an_answer_begun_goes_on_or_is_handed_back() {
        let messages = [Message::user("a"), Message::assistant("It is \n")];
        let prefill = Features { prefill: true, ..Features::default() };
        assert_eq!(normalized(&messages, prefill, false, true)[1]["content"], json!([{"text": "It is"}]));
        assert_eq!(usual(&messages)[2], json!({"role": "user", "content": [{"text": GO_ON}]}));
    }

    #[test]
    fn t7_every_call_has_its_result_and_every_result_its_call() {
        let messages = [
            Message::user("go"),
            turn(Role::Assistant, vec![call("1"), call("2")]),
            turn(Role::User, vec![Part::Text("and?".into()), result("2", "two"), result("9", "nine")]),
            turn(Role::Assistant, vec![call("3")]),
        ];
        let turns = usual(&messages);
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
    fn t10_without_tools_their_history_is_told_as_text() {
        let messages =
            [Message::user("go"), turn(Role::Assistant, vec![call("1")]), turn(Role::User, vec![result("1", "one")])];
        let turns = normalized(&messages, Features::default(), false, false);
        assert_eq!(turns[1]["content"], json!([{"text": "[called look with {\"b\":1,\"a\":2}]"}]));
        assert_eq!(turns[2]["content"], json!([{"text": "[result of 1:]"}, {"text": "one"}]));
    }

    #[test]
    fn r1_r3_r5_thoughts_go_back_signed_first_and_only_inside_the_loop() {
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
    fn calls_that_share_an_id_are_told_apart() {
        let messages = [
            Message::user("go"),
            turn(Role::Assistant, vec![call("c"), call("c")]),
            turn(Role::User, vec![result("c", "one"), result("c", "two")]),
            turn(Role::Assistant, vec![call("c")]),
            turn(Role::User, vec![result("c", "three")]),
        ];
        let turns = usual(&messages).to_string();
        for (id, said) in [("c", "one"), ("c-2", "two"), ("c-3", "three")] {
            let answered = format!(
                r#"{{"toolResult":{{"toolUseId":"{id}","content":[{{"text":"{said}"}}],"status":"success"}}}}"#
            );
            assert!(turns.contains(&answered), "{turns}");
        }
    }

    #[test]
    fn what_an_assistant_shows_is_shown_by_the_user() {
        let media = Media { format: "png", base64: "iVBORw==".into() };
        let drawn = turn(Role::Assistant, vec![Part::Text("here".into()), Part::Image(media)]);
        let turns = usual(&[Message::user("draw"), drawn, Message::user("nice")]);
        assert_eq!(turns[1]["content"], json!([{"text": "here"}]));
        assert!(turns[2]["content"][0].get("image").is_some() && turns[2]["content"][1]["text"] == "nice");
    }

    #[test]
    fn d5_a_document_alone_gets_a_text() {
        let media = Media { format: "pdf", base64: "JVBERg==".into() };
        let turns = usual(&[turn(Role::User, vec![Part::Document(media, "report".into())])]);
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
