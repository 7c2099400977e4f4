//! Where a member is that a model has refused, by the path in its refusal.

use crate::conversation::{NativeApi, NativeRequest};
use crate::policy::Refusable;
use serde_json::{Map, Value};

/// The members whose content is the client's alone. All others are set by the policy, or beside it.
const CLIENTS_OWN: [&str; 3] = ["messages", "system", "tools"];

/// Whether a request has a part that a model has refused, in another request or in this one. What one client has sent is
/// not left out of the requests of others.
pub(in crate::policy) fn has(native: &NativeRequest, part: &Refusable) -> bool {
    match part {
        Refusable::Member(path) => native.api == NativeApi::Messages && has_member(&native.body, path),
        Refusable::Betas => native.names_betas(),
        Refusable::SystemMessages => items(native.body.get("messages")).any(|message| message["role"] == "system"),
        Refusable::Temperature | Refusable::TopP | Refusable::Stop | Refusable::ReasoningHistory => false,
    }
}

/// Whether a step of a path is the kind of a block or a tool, which is no member.
#[must_use]
pub fn is_kind(members: &Map<String, Value>, step: &str) -> bool {
    members.get("type").map_or(step == "custom", |kind| kind == step)
}

fn has_member(body: &Map<String, Value>, path: &str) -> bool {
    let mut steps = path.split('.');
    let first = steps.next().unwrap_or_default();
    let steps: Vec<&str> = steps.collect();
    !CLIENTS_OWN.contains(&first) || body.get(first).is_some_and(|value| is_at(value, &steps))
}

/// Whether there is something at a path, in any item of a list that it passes.
fn is_at(value: &Value, steps: &[&str]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return true };
    match value {
        Value::Array(items) => {
            step.bytes().all(|byte| byte.is_ascii_digit()) && items.iter().any(|item| is_at(item, rest))
        }
        Value::Object(members) => match members.get(*step) {
            Some(_) if rest.is_empty() => true,
            Some(member @ (Value::Array(_) | Value::Object(_))) => is_at(member, rest),
            Some(_) | None => is_kind(members, step) && !rest.is_empty() && is_at(value, rest),
        },
        _ => false,
    }
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_a_request_has_is_left_out_of_it() {
        let body = json!({
            "messages": [{"role": "user", "content": [{"type": "text", "text": "a", "x": 1}]}],
            "tools": [{"name": "f", "defer_loading": true}],
        });
        let native = NativeRequest {
            api: NativeApi::Messages,
            body: body.as_object().cloned().unwrap_or_default(),
            betas: Vec::new(),
        };
        let member = |path: &str| Refusable::Member(path.to_owned());
        for (part, expected) in [
            (member("messages.7.content.3.text.x"), true),
            (member("messages.7.content.3.tool_result.x"), false),
            (member("messages.7.content.3.text.y"), false),
            (member("tools.0.custom.defer_loading"), true),
            (member("tools.0.custom.strict"), false),
            (member("thinking.adaptive.display"), true),
            (Refusable::Betas, false),
            (Refusable::SystemMessages, false),
        ] {
            assert_eq!(has(&native, &part), expected, "{part:?}");
        }
        let with_betas = NativeRequest { betas: vec!["b".to_owned()], ..native.clone() };
        assert!(has(&with_betas, &Refusable::Betas));
        let converse = NativeRequest { api: NativeApi::Converse, ..native };
        assert!(!has(&converse, &member("messages.7.content.3.text.x")));
    }
}
