//! Leaves out of a Converse request what the policy does not grant.

use super::accepted::{BETAS, left_out};
use crate::conversation::{IgnoredMember, NativeRequest};
use serde_json::Value;

/// The members that are passed on. Any other is left out, also because it might change the price.
const MEMBERS: [&str; 8] = [
    "messages",
    "system",
    "inferenceConfig",
    "toolConfig",
    "outputConfig",
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "requestMetadata",
];

/// Members that are left out without a word, because the policy writes its own.
const SET_BY_POLICY: [&str; 1] = ["serviceTier"];

/// The model's own fields that are passed on. The others are the policy's: a limit or a way to reason could hide there.
const FIELDS: [&str; 2] = ["anthropic_beta", "tool_choice"];

/// Fields that are left out without a word, because the policy decides them and lists that.
const FIELDS_SET_BY_POLICY: [&str; 2] = ["thinking", "output_config"];

/// Leaves out what the policy does not grant, and returns what the client is told of it.
pub(super) fn reduce(request: &mut NativeRequest) -> Vec<IgnoredMember> {
    let mut ignored = Vec::new();
    let known = |name: &str| MEMBERS.contains(&name) || SET_BY_POLICY.contains(&name);
    for (name, value) in request.body.iter().filter(|(name, _)| !known(name)) {
        ignored.push(left_out(name.clone(), value));
    }
    request.body.retain(|name, value| MEMBERS.contains(&name.as_str()) && !value.is_null());
    if let Some(Value::Object(fields)) = request.body.get_mut("additionalModelRequestFields") {
        let known = |name: &str| FIELDS.contains(&name) || FIELDS_SET_BY_POLICY.contains(&name);
        for (name, value) in fields.iter().filter(|(name, _)| !known(name)) {
            ignored.push(left_out(format!("additionalModelRequestFields.{name}"), value));
        }
        fields.retain(|name, _| FIELDS.contains(&name.as_str()));
        if let Some(Value::Array(betas)) = fields.get_mut("anthropic_beta") {
            betas.retain(|beta| beta.as_str().is_some_and(|beta| BETAS.contains(&beta)));
        }
        fields.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
    }
    ignored
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::conversation::NativeApi;
    use serde_json::json;

    #[test]
    fn no_limit_hides_in_a_models_own_fields() {
        let body = json!({
            "messages": [],
            "serviceTier": {"type": "priority"},
            "performanceConfig": {"latency": "optimized"},
            "additionalModelRequestFields": {"max_tokens": 100_000, "thinking": {"type": "enabled"},
                "tool_choice": {"type": "none"}, "anthropic_beta": ["made-up", "context-1m-2025-08-07"]},
        });
        let body = body.as_object().unwrap().clone();
        let mut request = NativeRequest { api: NativeApi::Converse, body, betas: Vec::new() };
        let ignored: Vec<String> = reduce(&mut request).into_iter().map(|member| member.name).collect();
        assert_eq!(ignored, ["performanceConfig", "additionalModelRequestFields.max_tokens"]);
        let fields = json!({"tool_choice": {"type": "none"}, "anthropic_beta": ["context-1m-2025-08-07"]});
        assert_eq!(Value::from(request.body), json!({"messages": [], "additionalModelRequestFields": fields}));
    }
}
