//! The lines of a session file.

use super::attached::Attached;
use crate::catalog::NanoDollars;
use crate::conversation::{StopReason, Usage};
use serde::{Deserialize, Serialize};

/// The version of the format that this build writes. A newer one may mean what this build cannot read.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    #[serde(rename = "chatrix_session")]
    pub(super) version: u32,
    /// Milliseconds since 1970.
    pub(super) created: i64,
    #[serde(default)]
    pub(super) offline: bool,
    pub(super) model: String,
    #[serde(default)]
    pub(super) system: Option<String>,
    #[serde(default)]
    pub(super) title: Option<String>,
    /// What the session has cost besides the answers in this file.
    #[serde(default)]
    pub(super) spent: Spent,
}

/// Every other line: something that happened in the conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// It is written before the question is sent, so that a killed chat does not lose it.
    Question(Question),
    /// It is written when the answer has ended, whatever has ended it.
    Answer(Answer),
    /// The last question was taken back, with its answer if it had one.
    Undo,
    /// The model of the next questions.
    Model { name: String },
    /// The system prompt of the next questions; `None` for none.
    System { text: Option<String> },
    /// The name that the person gave to the session.
    Title { text: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attachments: Vec<Attached>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// The whole text. A question with an answer of blanks is not part of the conversation, but its cost counts.
    pub(crate) text: String,
    pub(crate) end: End,
    /// The Bedrock id of the model that answered.
    pub(crate) model: String,
    /// `None` when the usage never came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Tokens>,
    pub(crate) cost: Spent,
    /// Whether it takes the place of the last answer: it was asked for again, or is its continuation. The text holds
    /// what it continues; the usage and the cost are those of the last call alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) replaces: bool,
}

/// How an answer ended: Bedrock's word for the stop reason, or one of the two constants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End(String);

impl End {
    /// Ctrl-C.
    pub(crate) fn stopped() -> Self {
        Self("stopped".to_owned())
    }

    /// The call failed, before or in the middle of its answer.
    pub(crate) fn failed() -> Self {
        Self("failed".to_owned())
    }

    pub(crate) fn of(stop: &StopReason) -> Self {
        Self(stop.as_str().to_owned())
    }

    /// Whether the model has said all that it wanted to say.
    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.0.as_str(), "end_turn" | "stop_sequence" | "tool_use")
    }
}

/// The tokens that one call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    /// The input, cached tokens included.
    pub(crate) input: u64,
    pub(crate) output: u64,
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        Self { input: usage.prompt(), output: usage.output }
    }
}

/// What calls have cost (nano-dollars).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spent {
    #[serde(rename = "settled_nano_usd")]
    settled: u64,
    /// The worst case of calls whose usage never came.
    #[serde(rename = "at_most_nano_usd", default, skip_serializing_if = "is_zero")]
    uncertain: u64,
    /// How many calls went to models without a price.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) unpriced: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Spent {
    pub(crate) fn new(settled: NanoDollars, uncertain: NanoDollars, unpriced: u64) -> Self {
        Self { settled: settled.0, uncertain: uncertain.0, unpriced }
    }

    pub(crate) fn settled(self) -> NanoDollars {
        NanoDollars(self.settled)
    }

    pub(crate) fn uncertain(self) -> NanoDollars {
        NanoDollars(self.uncertain)
    }

    /// The sum of two.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            settled: self.settled.saturating_add(other.settled),
            uncertain: self.uncertain.saturating_add(other.uncertain),
            unpriced: self.unpriced.saturating_add(other.unpriced),
        }
    }

    /// What was added since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            settled: self.settled.saturating_sub(before.settled),
            uncertain: self.uncertain.saturating_sub(before.uncertain),
            unpriced: self.unpriced.saturating_sub(before.unpriced),
        }
    }
}
