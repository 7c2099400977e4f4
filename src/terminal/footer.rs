//! The line under an answer: `312→204 tok · $0.0021 · 1.4 s · session $0.014`.

use super::printable::Printable;
use crate::catalog::NanoDollars;
use crate::conversation::{StopReason, Usage};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Footer {
    /// `None` when the answer ended before its usage arrived.
    pub(crate) usage: Option<Usage>,
    /// `None` without usage or without a price.
    pub(crate) cost: Option<NanoDollars>,
    /// What the answer can have cost at most, shown when its cost is unknown.
    pub(crate) at_most: Option<NanoDollars>,
    pub(crate) took: Duration,
    /// The cost of the whole session, in a chat.
    pub(crate) session: Option<NanoDollars>,
    /// What answers of unknown cost add to it at most.
    pub(crate) unsettled: NanoDollars,
    /// How the answer ended, unless it was completed.
    pub(crate) note: Option<Printable>,
}

impl Footer {
    pub(crate) fn line(&self) -> Printable {
        let tokens = match self.usage {
            Some(usage) => format!("{}→{} tok", grouped(usage.prompt()), grouped(usage.output)),
            None => "tokens unknown".to_owned(),
        };
        let cost = match (self.cost, self.at_most) {
            (Some(cost), _) => cost.to_string(),
            (None, Some(at_most)) => format!("at most {at_most}"),
            (None, None) => "cost unknown".to_owned(),
        };
        let mut line = Printable::line(format_args!("{tokens} · {cost} · {:.1} s", self.took.as_secs_f32()));
        if let Some(session) = self.session {
            let unsettled = (self.unsettled > NanoDollars(0)).then(|| format!(" + at most {}", self.unsettled));
            line.push(" · ");
            line.push(Printable::line(format_args!("session {session}{}", unsettled.unwrap_or_default())));
        }
        if let Some(note) = &self.note {
            line.push(" · ");
            line.push(note.clone());
        }
        line
    }
}

/// What a person must know about the end of an answer; `None` when it is complete.
pub(crate) fn stop_note(stop: &StopReason) -> Option<Printable> {
    let note = match stop {
        StopReason::EndTurn | StopReason::StopSequence(_) | StopReason::ToolUse => return None,
        StopReason::MaxTokens => "cut off at the token limit; --max-tokens raises it, up to the policy's limit",
        StopReason::ContextWindow => "the context window is full",
        StopReason::Guardrail => "a guardrail intervened",
        StopReason::ContentFiltered => "the answer was blocked by a content filter",
        StopReason::Malformed(reason) | StopReason::Unknown(reason) => {
            // Bedrock's own words.
            return Some(Printable::line(format_args!("stopped: {reason}")));
        }
    };
    Some(note.into())
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
        assert_eq!(footer.line().as_str(), "312→1,204 tok · $0.0021 · 1.4 s · session $0.014");
        assert_eq!(Footer::default().line().as_str(), "tokens unknown · cost unknown · 0.0 s");
    }
}
