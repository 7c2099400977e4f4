//! The line after an answer: `312→204 tok · $0.0021 · 1.4 s · session $0.014`.

use crate::catalog::NanoDollars;
use crate::conversation::{StopReason, Usage};
use std::time::Duration;

/// What the line is made of.
#[derive(Debug, Default)]
pub struct Footer {
    /// Tokens; `None` when the answer was stopped before they came.
    pub usage: Option<Usage>,
    /// Cost; `None` when unknown.
    pub cost: Option<NanoDollars>,
    /// What it cost at most, shown when the cost never came.
    pub at_most: Option<NanoDollars>,
    /// Wall time.
    pub took: Duration,
    /// Cost of the whole session, in a chat.
    pub session: Option<NanoDollars>,
    /// What answers without a known cost may add to it at most.
    pub unsettled: NanoDollars,
    /// Anything the answer did not end by itself with.
    pub note: Option<String>,
}

impl Footer {
    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        let tokens = match self.usage {
            Some(usage) => format!("{}→{} tok", grouped(usage.prompt()), grouped(usage.output)),
            None => "tokens unknown".to_owned(),
        };
        let cost = match (self.cost, self.at_most) {
            (Some(cost), _) => cost.to_string(),
            (None, Some(at_most)) => format!("at most {at_most}"),
            (None, None) => "cost unknown".to_owned(),
        };
        let mut line = format!("{tokens} · {cost} · {:.1} s", self.took.as_secs_f32());
        if let Some(session) = self.session {
            let unsettled = (self.unsettled > NanoDollars(0)).then(|| format!(" + at most {}", self.unsettled));
            line.push_str(&format!(" · session {session}{}", unsettled.unwrap_or_default()));
        }
        if let Some(note) = &self.note {
            line.push_str(&format!(" · {note}"));
        }
        line
    }
}

/// What to say of an answer that did not simply end.
#[must_use]
pub fn stop_note(stop: &StopReason) -> Option<String> {
    let note = match stop {
        StopReason::EndTurn | StopReason::StopSequence(_) | StopReason::ToolUse => return None,
        StopReason::MaxTokens => "cut off at the token limit (--max-tokens, up to the policy's limit)",
        StopReason::ContextWindow => "the context window is full",
        StopReason::Guardrail => "a guardrail stepped in",
        StopReason::ContentFiltered => "the answer was filtered",
        StopReason::Malformed(reason) | StopReason::Unknown(reason) => {
            return Some(format!("stopped: {reason}"));
        }
    };
    Some(note.to_owned())
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_promised() {
        let footer = Footer {
            usage: Some(Usage { input: 312, output: 1204, ..Usage::default() }),
            cost: Some(NanoDollars(2_100_000)),
            took: Duration::from_millis(1420),
            session: Some(NanoDollars(14_000_000)),
            ..Footer::default()
        };
        assert_eq!(footer.line(), "312→1,204 tok · $0.0021 · 1.4 s · session $0.014");
        assert_eq!(Footer::default().line(), "tokens unknown · cost unknown · 0.0 s");
    }
}
