//! The object `response`: the answer as a whole, which a stream repeats at its beginning and its end
//! (docs/openai.md §5.4).

use super::echo::Echo;
use super::error::FINAL;
use crate::api::dialect::AnswerHead;
use crate::catalog::NanoDollars;
use crate::conversation::{StopReason, Usage};
use serde_json::{Map, Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// How far a response has come.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Status {
    InProgress,
    Completed,
    /// The reason, in OpenAI's words.
    Incomplete(&'static str),
    /// `error`.
    Failed(Value),
}

impl Status {
    /// The status of an answer that has its end.
    pub(super) fn of(stop: &StopReason) -> Self {
        match stop {
            StopReason::EndTurn | StopReason::StopSequence(_) | StopReason::ToolUse | StopReason::Unknown(_) => {
                Self::Completed
            }
            StopReason::MaxTokens | StopReason::ContextWindow => Self::Incomplete("max_output_tokens"),
            StopReason::Guardrail | StopReason::ContentFiltered => Self::Incomplete("content_filter"),
            // The answer is paid for, so it must not be requested again.
            StopReason::Malformed(word) => {
                failed(&format!("the model has written an answer that cannot be used ({word})"))
            }
        }
    }

    /// As [`Status::of`], for a stream. Codex sends the request again after a filtered answer, up to five times. So one of
    /// which it has seen a part counts as complete, and any other as failed for good.
    pub(super) fn of_stream(stop: &StopReason, has_output: bool) -> Self {
        match Self::of(stop) {
            Self::Incomplete("content_filter") if has_output => Self::Completed,
            Self::Incomplete("content_filter") => {
                let what = match stop {
                    StopReason::Guardrail => "a guardrail of the AWS account has withheld the answer",
                    _ => "the service has withheld the answer",
                };
                failed(what)
            }
            status => status,
        }
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) => "failed",
        }
    }

    /// The event of a stream that reports this status.
    pub(super) fn event(&self) -> &'static str {
        match self {
            Self::InProgress => "response.in_progress",
            Self::Completed => "response.completed",
            Self::Incomplete(_) => "response.incomplete",
            Self::Failed(_) => "response.failed",
        }
    }
}

fn failed(message: &str) -> Status {
    Status::Failed(json!({"code": FINAL, "message": message}))
}

/// The response. `usage` is null until it is known, as OpenAI writes it.
pub(super) fn response(head: &AnswerHead, echo: &Echo, status: Status, output: Vec<Value>, usage: Value) -> Value {
    let mut response = Map::new();
    let completed_at = if status == Status::Completed { seconds_since_1970().into() } else { Value::Null };
    let word = status.as_str();
    let (error, incomplete_details) = match status {
        Status::Failed(error) => (error, Value::Null),
        Status::Incomplete(reason) => (Value::Null, json!({"reason": reason})),
        Status::InProgress | Status::Completed => (Value::Null, Value::Null),
    };
    for (name, value) in [
        ("id", head.id.as_str().into()),
        ("object", "response".into()),
        ("created_at", head.created.into()),
        ("completed_at", completed_at),
        ("status", word.into()),
        ("error", error),
        ("incomplete_details", incomplete_details),
        ("model", head.model.as_str().into()),
        ("output", output.into()),
        ("usage", usage),
    ] {
        response.insert(name.to_owned(), value);
    }
    response.extend(echo.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    response.into()
}

/// `usage`. `input_tokens` includes cached tokens. Bedrock does not count reasoning tokens separately, but OpenAI's member
/// for them must be there.
pub(super) fn usage_object(usage: Option<Usage>, cost: Option<NanoDollars>) -> Value {
    let Some(usage) = usage else { return Value::Null };
    let mut value = json!({
        "input_tokens": usage.prompt(),
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write()},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt().saturating_add(usage.output),
    });
    if let Some(cost) = cost {
        value["cost"] = cost.number().into();
    }
    value
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
