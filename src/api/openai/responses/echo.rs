//! The members of a response that repeat the request (docs/openai.md §5.4). A stream repeats a request three times, so it
//! leaves out the tools and the instructions, which are most of what an agent sends.

use crate::api::json::is_absent;
use serde_json::{Map, Value, json};

/// The members, in the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct Echo(pub(super) Map<String, Value>);

impl Echo {
    /// Takes what is repeated of a request's members.
    pub(super) fn of(members: &Map<String, Value>, stream: bool) -> Self {
        let given = |name: &str| members.get(name).filter(|value| !value.is_null()).cloned();
        let or = |name: &str, default: Value| given(name).filter(|value| !is_absent(value)).unwrap_or(default);
        let whole = |name: &str, default: Value| if stream { default } else { or(name, default) };
        let text = |name: &str| given(name).filter(Value::is_string).unwrap_or_default();
        let number = |name: &str, default: Value| given(name).filter(Value::is_number).unwrap_or(default);
        let mut text_member = or("text", json!({}));
        if let Some(members) = text_member.as_object_mut() {
            members.entry("format").or_insert_with(|| json!({"type": "text"}));
        }
        let mut echo = Map::new();
        for (name, value) in [
            ("instructions", whole("instructions", Value::Null)),
            ("max_output_tokens", number("max_output_tokens", Value::Null)),
            ("max_tool_calls", number("max_tool_calls", Value::Null)),
            (
                "parallel_tool_calls",
                given("parallel_tool_calls").filter(Value::is_boolean).unwrap_or(Value::Bool(true)),
            ),
            ("previous_response_id", Value::Null),
            ("prompt_cache_key", text("prompt_cache_key")),
            ("reasoning", or("reasoning", json!({"effort": null, "summary": null}))),
            ("safety_identifier", text("safety_identifier")),
            ("service_tier", given("service_tier").filter(is_named_tier).unwrap_or_else(|| "default".into())),
            ("store", Value::Bool(false)),
            ("background", Value::Bool(false)),
            // The defaults of OpenAI's API. What the policy has sent stands in a header.
            ("temperature", number("temperature", json!(1.0))),
            ("text", text_member),
            ("tool_choice", or("tool_choice", "auto".into())),
            ("tools", whole("tools", json!([]))),
            ("top_logprobs", json!(0)),
            ("top_p", number("top_p", json!(1.0))),
            ("presence_penalty", json!(0.0)),
            ("frequency_penalty", json!(0.0)),
            ("truncation", "disabled".into()),
            ("metadata", or("metadata", json!({}))),
        ] {
            echo.insert(name.to_owned(), value);
        }
        // Null is no legal value.
        if let Some(user) = given("user").filter(Value::is_string) {
            echo.insert("user".to_owned(), user);
        }
        Self(echo)
    }
}

fn is_named_tier(tier: &Value) -> bool {
    matches!(tier.as_str(), Some("flex" | "priority"))
}
