//! The parts of a native request that a model, or the policy, leaves out of the client's own words.

use crate::conversation::NativeRequest;
use crate::policy::{Admitted, Refusable, is_kind, mark_for_cache};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Members that need a beta, with the beginning of its name. They go together: Bedrock refuses either alone.
const MEMBER_BETAS: [(&str, &str); 6] = [
    ("context_management", "context-management-"),
    ("defer_loading", "tool-search-tool-"),
    ("input_examples", "tool-examples-"),
    ("strict", "structured-outputs-"),
    ("effort", "effort-"),
    ("display", "thinking-display-updates-"),
];

/// The betas to send.
pub(super) fn betas<'a>(admitted: &Admitted, native: &'a NativeRequest) -> Vec<&'a str> {
    if admitted.refused().contains(&Refusable::Betas) {
        return Vec::new();
    }
    let is_refused = |beta: &str| {
        let tied = MEMBER_BETAS.iter().filter(|(_, beginning)| beta.starts_with(beginning));
        tied.clone().any(|(member, _)| refused_members(admitted).any(|path| last_name(path) == *member))
    };
    native.betas.iter().map(String::as_str).filter(|beta| !is_refused(beta)).collect()
}

/// A member as it is sent. It is copied only where something has to be left out or added.
pub(super) fn allowed<'a>(admitted: &Admitted, name: &str, value: &'a Value) -> Cow<'a, Value> {
    let mut value = Cow::Borrowed(value);
    let capabilities = admitted.model().capabilities;
    if !capabilities.features.cache {
        strip_cache_points(&mut value, name, "cache_control");
    } else if admitted.model().prices.is_some_and(|prices| prices.cache_write_1h.is_none()) {
        strip_cache_points(&mut value, name, "ttl");
    }
    if admitted.refused().contains(&Refusable::Betas) {
        for (member, _) in MEMBER_BETAS.iter().filter(|(member, _)| *member != "effort") {
            remove(&mut value, name, &format!("tools.0.{member}"));
        }
    }
    for path in refused_members(admitted) {
        remove(&mut value, name, path);
    }
    if name == "messages" {
        if admitted.leaves_out_reasoning_history() {
            leave_out_reasoning(value.to_mut());
        }
        if admitted.refused().contains(&Refusable::SystemMessages) {
            system_as_user(value.to_mut());
        }
        if admitted.adds_cache_point() {
            let last = value.to_mut().as_array_mut().and_then(|messages| messages.last_mut());
            if let Some(content) = last.and_then(|message| message.get_mut("content")) {
                mark_for_cache(content, &json!({"type": "ephemeral"}));
            }
        }
    }
    value
}

fn refused_members(admitted: &Admitted) -> impl Iterator<Item = &str> {
    admitted.refused().iter().filter_map(|part| match part {
        Refusable::Member(path) => Some(path.as_str()),
        _ => None,
    })
}

fn last_name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

/// Removes what a path names from the member with this name, in every item of a list that the path passes.
fn remove(value: &mut Cow<'_, Value>, name: &str, path: &str) {
    let Some((first, rest)) = path.split_once('.') else {
        if path == name {
            *value = Cow::Owned(Value::Null);
        }
        return;
    };
    if first == name {
        let steps: Vec<&str> = rest.split('.').collect();
        remove_at(value.to_mut(), &steps);
    }
}

/// The service's paths also name the kind of a block or a tool, which is no member. Such a step chooses the blocks of that
/// kind: what one kind may not have is another's text, input or result.
fn remove_at(value: &mut Value, steps: &[&str]) {
    let Some((step, rest)) = steps.split_first() else { return };
    match value {
        Value::Array(items) if step.bytes().all(|byte| byte.is_ascii_digit()) => {
            for item in items {
                remove_at(item, rest);
            }
        }
        Value::Object(members) if rest.is_empty() => {
            members.shift_remove(*step);
        }
        Value::Object(members) => {
            let is_kind = is_kind(members, step);
            match members.get_mut(*step) {
                Some(member @ (Value::Array(_) | Value::Object(_))) => remove_at(member, rest),
                Some(_) | None if is_kind => remove_at(value, rest),
                Some(_) | None => {}
            }
        }
        _ => {}
    }
}

/// Removes cache points, or a member of them, from the blocks of a member.
fn strip_cache_points(value: &mut Cow<'_, Value>, name: &str, member: &str) {
    if !["system", "tools", "messages"].contains(&name) {
        return;
    }
    strip_blocks(value.to_mut(), member);
}

fn strip_blocks(content: &mut Value, member: &str) {
    let Value::Array(blocks) = content else { return };
    for block in blocks {
        strip_block(block, member);
        if let Some(content) = block.get_mut("content") {
            strip_blocks(content, member);
        }
    }
}

fn strip_block(block: &mut Value, member: &str) {
    let Value::Object(members) = block else { return };
    if member == "cache_control" {
        members.shift_remove(member);
    } else if let Some(Value::Object(control)) = members.get_mut("cache_control") {
        control.shift_remove(member);
    }
}

fn leave_out_reasoning(messages: &mut Value) {
    let Value::Array(messages) = messages else { return };
    for message in messages.iter_mut() {
        if let Some(Value::Array(blocks)) = message.get_mut("content") {
            blocks.retain(|block| block["type"] != "thinking" && block["type"] != "redacted_thinking");
        }
    }
    messages.retain(|message| message["content"] != json!([]));
}

/// Gives the system messages within a conversation to the model as text of the user, marked as what they are.
fn system_as_user(messages: &mut Value) {
    let Value::Array(messages) = messages else { return };
    let marked = |text: &str| format!("<system-reminder>\n{text}\n</system-reminder>");
    for message in messages.iter_mut().filter(|message| message["role"] == "system") {
        message["role"] = "user".into();
        match &mut message["content"] {
            Value::String(text) => *text = marked(text),
            Value::Array(blocks) => {
                for block in blocks {
                    if let Some(text) = block["text"].as_str().map(marked) {
                        block["text"] = text.into();
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_path_is_left_out_of_every_item() {
        let tools = json!([{"name": "a", "defer_loading": true}, {"name": "b", "defer_loading": false}]);
        let point = json!({"type": "ephemeral", "scope": "g", "ttl": "1h"});
        let messages = json!([{"content": [{"type": "text", "text": "x", "cache_control": point}]}]);
        for (name, value, path, left) in [
            ("tools", &tools, "tools.0.custom.defer_loading", json!([{"name": "a"}, {"name": "b"}])),
            ("tools", &tools, "tools.1.defer_loading", json!([{"name": "a"}, {"name": "b"}])),
            ("context_management", &json!({"edits": []}), "context_management", Value::Null),
            ("tools", &tools, "context_management", tools.clone()),
            (
                "messages",
                &messages,
                "messages.4.content.0.text.cache_control.ephemeral.scope",
                json!([{"content": [
                    {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}]),
            ),
        ] {
            let mut value = Cow::Borrowed(value);
            remove(&mut value, name, path);
            assert_eq!(*value, left, "{path}");
        }
    }

    #[test]
    fn what_one_kind_of_block_may_not_have_stays_in_the_others() {
        let blocks = json!([{"content": [
            {"type": "text", "text": "a", "input": 1, "content": 2},
            {"type": "tool_use", "id": "t", "name": "n", "input": {"x": 1}, "text": 3},
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "b"}], "text": 4},
        ]}]);
        for (path, block, member) in [
            ("messages.0.content.0.text.input", 0, "input"),
            ("messages.0.content.0.text.content", 0, "content"),
            ("messages.7.content.3.tool_use.text", 1, "text"),
            ("messages.0.content.2.tool_result.text", 2, "text"),
        ] {
            let mut expected = blocks.clone();
            if let Value::Object(members) = &mut expected[0]["content"][block] {
                members.shift_remove(member);
            }
            let mut value = Cow::Borrowed(&blocks);
            remove(&mut value, "messages", path);
            assert_eq!(*value, expected, "{path}");
        }
    }

    #[test]
    fn system_messages_keep_their_place_as_text_of_the_user() {
        let mut messages = json!([
            {"role": "user", "content": "a"},
            {"role": "system", "content": "b"},
            {"role": "system", "content": [{"type": "text", "text": "c", "cache_control": {"type": "ephemeral"}}]},
        ]);
        system_as_user(&mut messages);
        assert_eq!(messages[1], json!({"role": "user", "content": "<system-reminder>\nb\n</system-reminder>"}));
        let text = "<system-reminder>\nc\n</system-reminder>";
        assert_eq!(messages[2]["content"][0]["text"], text);
    }
}
