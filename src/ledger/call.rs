//! A call as the ledger knows it: how it begins, and how it ends.

use crate::catalog::NanoDollars;
use crate::conversation::Usage;

/// A call that wants to be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// `ask`, `chat` or `serve`.
    pub command: &'static str,
    /// The API key it came with, by id; 0 for none.
    pub key: i64,
    /// The model as it was asked for.
    pub asked: String,
    /// The Bedrock id it is sent to.
    pub model: String,
}

/// How a call can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its usage came. The cost is `None` where the model has no price.
    Settled(Usage, Option<NanoDollars>),
    /// It was answered whole, by a service that does not count: booked at this much.
    Estimated(NanoDollars),
    /// Its usage never came; AWS may bill it whole.
    Uncertain,
    /// Nothing was generated.
    Released,
}

/// A call that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Which call.
    pub id: i64,
    /// What it was and what it had promised, where that could not be written when it began.
    pub late: Option<(NewCall, NanoDollars)>,
    /// How it ended.
    pub outcome: Outcome,
    /// The Bedrock id that answered.
    pub model: String,
    /// Bedrock's request id.
    pub request_id: Option<String>,
    /// How long it took (milliseconds).
    pub milliseconds: u64,
    /// What the policy changed.
    pub edits: String,
}
