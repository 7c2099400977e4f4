//! What differs from family to family and has no place in Converse's common form. Pure.

use crate::catalog::{Family, ThinkingOff};
use crate::conversation::{Effort, ToolChoice};
use crate::policy::{Admitted, ReasoningGrant};
use serde_json::{Map, Value, json};

/// `additionalModelRequestFields`: reasoning, or its off switch, because reasoning counts against `maxTokens`
/// (docs/bedrock.md §2.2); and what Converse's tool choice cannot say. `with_tools`: tools are sent, and Converse's own
/// choice does not speak for the answer tool already.
pub(super) fn additional_fields(admitted: &Admitted, with_tools: bool) -> Map<String, Value> {
    let family = admitted.model().capabilities.family;
    let mut fields = reasoning(family, admitted.reasoning(), admitted.model().capabilities.thinking_off);
    if family == Family::Claude && with_tools {
        match (admitted.tool_choice(), admitted.request().parallel_tool_calls) {
            // Converse has no "none" (docs/cases.md, T10); Claude has, and then Converse's own choice must be absent.
            (ToolChoice::None, _) => {
                fields.insert("tool_choice".into(), json!({"type": "none"}));
            }
            // Bedrock refuses Claude's choice beside Converse's, so both are said here (docs/bedrock.md §2.5).
            (choice @ (ToolChoice::Auto | ToolChoice::Required), Some(false)) => {
                let kind = if *choice == ToolChoice::Required { "any" } else { "auto" };
                fields.insert("tool_choice".into(), json!({"type": kind, "disable_parallel_tool_use": true}));
            }
            _ => {}
        }
    }
    fields
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
        // Qwen knows none, low and high.
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
