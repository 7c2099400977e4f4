//! A streamed answer in the service's own words, which are those of this API. Its events are passed on as they come, with
//! a few changes.

use super::answer::{add_cost, other_stop_reason, usage_object};
use crate::api::frames::Frames;
use crate::catalog::NanoDollars;
use crate::conversation::{NativeEvent, StopReason, Usage};
use serde_json::{Value, json};

/// Passes the events of one answer on.
#[derive(Debug)]
pub(super) struct NativeEvents {
    /// The model as the client named it.
    model: String,
    /// The events that wait until the cost is known.
    delta: Option<Value>,
    end: Option<Value>,
}

impl NativeEvents {
    pub(super) fn new(model: String) -> Self {
        Self { model, delta: None, end: None }
    }

    /// Passes an event on. Returns whether it was the first of the answer.
    pub(super) fn event(&mut self, event: &NativeEvent, frames: &mut Frames) -> bool {
        let parsed = || serde_json::from_slice::<Value>(&event.json).ok();
        match event.kind.as_str() {
            "message_start" => {
                if let Some(mut start) = parsed() {
                    start["message"]["model"] = self.model.as_str().into();
                    frames.event(Some("message_start"), |data| data.json(&start));
                }
                return true;
            }
            "message_delta" => self.delta = parsed(),
            "message_stop" => self.end = parsed(),
            kind => {
                // The name of an event is a word; anything else could end its line.
                let is_word = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                if is_word {
                    frames.event(Some(kind), |data| {
                        data.text(&String::from_utf8_lossy(&event.json).replace(['\n', '\r'], " "));
                    });
                }
            }
        }
        false
    }

    /// Adds the end of the answer. `stop` is the reason that the client is told. Some clients read the usage only here, so
    /// counts that the service has given elsewhere are added.
    pub(super) fn finish(
        &mut self,
        stop: Option<&StopReason>,
        usage: Option<&Usage>,
        cost: Option<NanoDollars>,
        frames: &mut Frames,
    ) {
        let mut delta = self.delta.take().filter(Value::is_object).unwrap_or_else(
            || json!({"type": "message_delta", "delta": {"stop_reason": null, "stop_sequence": null}, "usage": {}}),
        );
        if let Some(reason) = stop.and_then(|stop| other_stop_reason(stop, &delta["delta"]["stop_reason"])) {
            delta["delta"]["stop_reason"] = reason.into();
        }
        add_counts(&mut delta["usage"], usage);
        add_cost(&mut delta["usage"], cost);
        frames.event(Some("message_delta"), |data| data.json(&delta));
        let end = self.end.take().unwrap_or_else(|| json!({"type": "message_stop"}));
        frames.event(Some("message_stop"), |data| data.json(&end));
    }
}

/// Adds the counts that a usage lacks. SDKs read the number of output tokens here without asking whether there is one.
fn add_counts(told: &mut Value, usage: Option<&Usage>) {
    const COUNTS: [&str; 4] =
        ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"];
    if !told.is_object() {
        *told = json!({});
    }
    let Value::Object(told) = told else { return };
    let Some(usage) = usage else {
        told.entry("output_tokens").or_insert_with(|| 0.into());
        return;
    };
    let counts = usage_object(usage, None);
    for name in COUNTS {
        let count = told.entry(name).or_insert(Value::Null);
        if count.is_null() {
            *count = counts[name].clone();
        }
    }
}
