//! The request fields that differ by model family and have no place in Converse's common members.

use super::tool_names::ToolNames;
use crate::catalog::{Family, ThinkingOff};
use crate::conversation::{Effort, ReasoningDisplay, ToolChoice};
use crate::policy::{Admitted, ReasoningGrant};
use serde_json::{Map, Value, json};

/// The value of `additionalModelRequestFields`. It turns reasoning on, or off: some models reason by default, and that
/// counts against `maxTokens` (docs/bedrock.md §2.2). It also holds the tool choices that Converse's own `toolChoice`
/// cannot express. `with_tools` means that tools are sent and that the tool choice is not already taken up by the
/// answer tool; `names` has their names.
pub(super) fn additional_fields(admitted: &Admitted, with_tools: bool, names: &ToolNames) -> Map<String, Value> {
    let family = admitted.model().capabilities.family;
    let mut fields = reasoning_fields(admitted);
    set_display(&mut fields, admitted.request().reasoning.display, family);
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
            (ToolChoice::Named(name), Some(false)) => {
                let name = names.legal_name(name);
                let choice = json!({"type": "tool", "name": name, "disable_parallel_tool_use": true});
                fields.insert("tool_choice".into(), choice);
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

/// Says whether Claude shows its reasoning, where it reasons and the client has a wish
/// (<https://platform.claude.com/docs/en/build-with-claude/extended-thinking>).
fn set_display(fields: &mut Map<String, Value>, display: ReasoningDisplay, family: Family) {
    let word = match display {
        ReasoningDisplay::Unspecified => return,
        ReasoningDisplay::Summarized => "summarized",
        ReasoningDisplay::Omitted => "omitted",
    };
    if family == Family::Claude
        && let Some(Value::Object(thinking)) = fields.get_mut("thinking")
        && thinking.get("type").is_some_and(|kind| kind == "adaptive" || kind == "enabled")
    {
        thinking.insert("display".into(), word.into());
    }
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
