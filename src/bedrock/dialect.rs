//! What differs from family to family and has no place in Converse's common form. Pure.

use crate::catalog::OffSwitch;
use serde_json::{Map, Value, json};

/// `additionalModelRequestFields` that keep a model from thinking a small answer away
/// (`bedrock.md` §2.2: thinking counts against `maxTokens`). `None` when there is nothing to send.
pub fn additional_fields(off: OffSwitch) -> Option<Map<String, Value>> {
    let fields = match off {
        OffSwitch::Nothing => return None,
        OffSwitch::Disabled => json!({"thinking": {"type": "disabled"}}),
        OffSwitch::BetweenTools => json!({"thinking": {"type": "between_tools"}}),
        OffSwitch::LowEffort => {
            json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}})
        }
        OffSwitch::LowReasoningEffort => json!({"reasoning_effort": "low"}),
    };
    match fields {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}
