//! What a check has found, and what all of them mean for a call.

use crate::error::{Error, Kind};
use serde_json::{Value, json};

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    /// A call can be made all the same.
    Warning,
    /// A call would fail in this way.
    Failed(Kind),
    /// It depends on something that has failed, or nobody can be asked.
    NotChecked,
}

impl Status {
    /// The word on the screen and in JSON.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed(_) => "failed",
            Self::NotChecked => "skipped",
        }
    }
}

/// A check and what it has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) status: Status,
    pub(super) message: String,
    /// What to do. Empty where there is nothing to do.
    pub(super) advice: String,
}

impl Check {
    pub(super) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, message: message.into(), advice: String::new() }
    }

    pub(super) fn warning(name: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, status: Status::Warning, message: message.into(), advice: advice.into() }
    }

    pub(super) fn failed(name: &'static str, error: &Error) -> Self {
        let advice = error.advice().to_owned();
        Self { name, status: Status::Failed(error.kind), message: error.message.clone(), advice }
    }

    pub(super) fn not_checked(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, status: Status::NotChecked, message: why.into(), advice: String::new() }
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.status, Status::Failed(_))
    }

    fn json(&self) -> Value {
        let Self { name, status, message, advice } = self;
        let advice = Some(advice).filter(|advice| !advice.is_empty());
        json!({"name": name, "status": status.as_str(), "message": message, "advice": advice})
    }
}

/// A setting, and who has set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SettingLine {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// Empty where there is nothing to say.
    pub(super) source: String,
}

/// The exit code: that of the first failure, because a call would meet it first.
pub(super) fn exit_code(checks: &[Check]) -> u8 {
    let failure = checks.iter().find_map(|check| match check.status {
        Status::Failed(kind) => Some(kind),
        _ => None,
    });
    failure.map_or(0, |kind| kind.spec().exit)
}

/// The object that `--json` prints.
pub(super) fn json(settings: &[SettingLine], checks: &[Check]) -> Value {
    let exit_code = exit_code(checks);
    let settings = settings.iter().map(|SettingLine { name, value, source }| {
        let source = Some(source).filter(|source| !source.is_empty());
        json!({"name": name, "value": value, "source": source})
    });
    json!({
        "can_call": exit_code == 0,
        "exit_code": exit_code,
        "settings": settings.collect::<Vec<_>>(),
        "checks": checks.iter().map(Check::json).collect::<Vec<_>>(),
    })
}
