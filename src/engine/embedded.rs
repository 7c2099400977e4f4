//! The answer to a request for embeddings, and its settlement.

use super::reserved_call::Warning;
use crate::catalog::NanoDollars;
use crate::conversation::{Embeddings, Usage};
use crate::ledger::{RateStatus, Reservation};
use crate::policy::Edit;

/// Embeddings, and what they cost.
#[derive(Debug)]
pub struct Embedded {
    /// The Bedrock id that answered.
    pub model: String,
    /// Bedrock's id for the first of the calls.
    pub bedrock_request_id: Option<String>,
    pub embeddings: Embeddings,
    /// `None` when the service did not report the tokens.
    pub cost: Option<NanoDollars>,
    /// Every change that the policy made to the request.
    pub edits: Vec<Edit>,
    /// What is left of the tightest budget; `None` without one.
    pub left: Option<NanoDollars>,
    /// What was left of the key's limits on requests and tokens when the call began; `None` where it has none.
    pub rates: Option<RateStatus>,
    /// Warnings about budgets that are nearly used up, and about a ledger that cannot be written.
    pub warnings: Vec<Warning>,
}

/// Settles the cost of embeddings. When the service has not reported the tokens, the worst case is the best estimate.
pub(super) fn settle(reservation: &mut Reservation, embeddings: &Embeddings, cost: Option<NanoDollars>) {
    match (embeddings.input_tokens, cost) {
        (Some(input), cost) => reservation.settle(Usage { input, ..Usage::default() }, cost),
        (None, _) => reservation.estimate(reservation.amount()),
    }
}
