//! The events of `--jsonl`, one JSON object a line: `start`, then `reasoning` and `text` as they come, then `end`; or
//! `error` in place of what did not come.

use crate::catalog::NanoDollars;
use crate::conversation::{Answer, Event, Usage};
use crate::engine::Call;
use crate::error::Error;
use serde_json::{Value, json};

/// What is known before the answer.
pub(super) fn start(call: &Call) -> Value {
    json!({
        "type": "start",
        "model": call.model().id,
        "edits": edits(call),
        "worst_case_usd": call.reserved().map(NanoDollars::number),
    })
}

/// A piece of the answer; `None` for an event that holds none.
pub(super) fn piece(event: &Event) -> Option<Value> {
    match event {
        Event::Text(text) => Some(json!({"type": "text", "text": text})),
        Event::Reasoning(text) => Some(json!({"type": "reasoning", "text": text})),
        // `ask` offers no tools; the stop and the usage are in the last event.
        _ => None,
    }
}

/// What is known after the answer.
pub(super) fn end(call: &Call, stop_reason: &str) -> Value {
    json!({
        "type": "end",
        "stop_reason": stop_reason,
        "usage": call.usage().map(usage),
        "cost_usd": call.cost().map(NanoDollars::number),
    })
}

/// What stands in the place of an answer, or of its rest; `None` for a success.
pub(super) fn failure(result: &anyhow::Result<u8>) -> Option<Value> {
    let (message, exit_code) = match result {
        Ok(0) => return None,
        Ok(exit_code) => ("stopped".to_owned(), *exit_code),
        Err(error) => (format!("{error:#}"), error.downcast_ref::<Error>().map_or(1, |error| error.kind.spec().exit)),
    };
    Some(json!({"type": "error", "message": message, "exit_code": exit_code}))
}

/// What `--json` prints.
pub(super) fn object(call: &Call, answer: &Answer) -> Value {
    json!({
        "text": answer.text(),
        "reasoning": Some(answer.reasoning_text()).filter(|text| !text.is_empty()),
        "model": call.model().id,
        "usage": answer.usage.map(usage),
        "cost_usd": call.cost().map(NanoDollars::number),
        "stop_reason": answer.stop.as_str(),
        "edits": edits(call),
    })
}

fn usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input, "output_tokens": usage.output, "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write(),
    })
}

fn edits(call: &Call) -> Vec<String> {
    call.edits().iter().map(ToString::to_string).collect()
}
