//! The request fields that differ by model family and have no place in Converse's common members.

use crate::catalog::{Family, ThinkingOff};
use crate::conversation::{Effort, ToolChoice};
use crate::policy::{Admitted, ReasoningGrant};
use serde_json::{Map, Value, json};

/// The value of `additionalModelRequestFields`. It turns reasoning on, or off: some models reason by default, and that
/// counts against `maxTokens` (docs/bedrock.md §2.2). It also holds the tool choices that Converse's own `toolChoice`
/// cannot express. `with_tools` means that tools are sent and that the tool choice is not already taken up by the
/// answer tool.
pub(super) fn additional_fields(admitted: &Admitted, with_tools: bool) -> Map<String, Value> {
    let family = admitted.model().capabilities.family;
    let mut fields = reasoning_fields(admitted);
    if family == Family::Claude && with_tools {
        match (admitted.tool_choice(), admitted.request().parallel_tool_calls) {
            // Converse has no "none" (docs/cases.md, T10), but Claude's own `tool_choice` does. `toolChoice` must then
            // be absent.
            (ToolChoice::None, _) => {
                fields.insert("tool_choice".into(), json!({"type": "none"}));
            }
            // Bedrock refuses `tool_choice` beside `toolChoice`, so the kind of choice is given here
            // (docs/bedrock.md §2.5).
            (choice @ (ToolChoice::Auto | ToolChoice::Required), Some(false)) => {
                let kind = if *choice == ToolChoice::Required { "any" } else { "auto" };
                fields.insert("tool_choice".into(), json!({"type": kind, "disable_parallel_tool_use": true}));
            }
            _ => {}
        }
    }
    fields
}

/// The fields that turn reasoning on or off.
pub(super) fn reasoning_fields(admitted: &Admitted) -> Map<String, Value> {
    let capabilities = &admitted.model().capabilities;
    reasoning(capabilities.family, admitted.reasoning(), capabilities.thinking_off)
}

fn reasoning(family: Family, grant: ReasoningGrant, off: ThinkingOff) -> Map<String, Value> {
    let fields = match (grant, family) {
        (ReasoningGrant::Effort(effort), Family::Claude) => {
            json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": effort.as_str()}})
        }
        (ReasoningGrant::Effort(effort), Family::Nova) => {
            json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort.as_str()}})
        }
        (ReasoningGrant::Effort(effort), Family::DeepSeek | Family::GptOss) => {
            json!({"reasoning_effort": effort.as_str()})
        }
        // Qwen's levels are none, low and high.
        (ReasoningGrant::Effort(effort), Family::Qwen) => {
            json!({"reasoning_config": if effort == Effort::Low { "low" } else { "high" }})
        }
        (ReasoningGrant::Effort(effort), Family::Gpt) => json!({"reasoning": {"effort": effort.as_str()}}),
        (ReasoningGrant::Budget(tokens), _) => json!({"thinking": {"type": "enabled", "budget_tokens": tokens}}),
        (ReasoningGrant::Effort(_), Family::Other) => json!({}),
        (ReasoningGrant::Off, _) => match off {
            ThinkingOff::Nothing => json!({}),
            ThinkingOff::Disabled => json!({"thinking": {"type": "disabled"}}),
            ThinkingOff::BetweenTools => json!({"thinking": {"type": "between_tools"}}),
            ThinkingOff::LowEffort => json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
            ThinkingOff::LowReasoningEffort => json!({"reasoning_effort": "low"}),
        },
    };
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
