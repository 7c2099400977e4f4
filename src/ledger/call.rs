//! A call as the ledger knows it: how it begins, and how it ends.

use super::ids::{CallId, GroupId, KeyId};
use super::rate::RateRequest;
use crate::catalog::NanoDollars;
use crate::conversation::Usage;

/// A call that is about to be reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// `ask`, `chat` or `serve`.
    pub command: &'static str,
    /// The API key it came with.
    pub key: Option<KeyId>,
    /// The group that its key was in. It stays booked there if the key is moved meanwhile.
    pub group: Option<GroupId>,
    /// The model name the client gave.
    pub requested_model: String,
    /// The Bedrock id it is sent to.
    pub model: String,
    /// Chatrix's own request id (`req_…`), which the client sees; not Bedrock's.
    pub request_id: Option<String>,
    /// What it asks of its key's limits on requests, tokens and running calls; `None` where the key has none.
    pub rate: Option<RateRequest>,
}

impl NewCall {
    /// The commands that make calls.
    pub(super) const COMMANDS: [&'static str; 3] = ["ask", "chat", "serve"];
}

/// How a call can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its usage arrived. The cost is `None` where the model has no price.
    Settled(Usage, Option<NanoDollars>),
    /// It was answered in full by a service that does not report usage. It is booked at this amount.
    Estimated(NanoDollars),
    /// Its usage never arrived. AWS may bill it in full.
    Uncertain,
    /// Nothing was generated.
    Released,
}

/// Tells calls apart that are written together with their end, so that each is written once, however often it is sent to
/// the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt(pub u128);

impl Receipt {
    /// One that nothing else has.
    #[must_use]
    pub fn new() -> Self {
        Self(fastrand::u128(..))
    }
}

impl Default for Receipt {
    fn default() -> Self {
        Self::new()
    }
}

/// Which call a settlement is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettledCall {
    /// A call that is in the ledger.
    Booked(CallId),
    /// A call that a process has booked under its name: this one, or one that has ended.
    BookedBy { process: String, id: CallId },
    /// A call that could not be written when it began. It is written together with its end.
    Unwritten {
        call: NewCall,
        /// Its worst case.
        reserved: NanoDollars,
        receipt: Receipt,
    },
}

/// The end of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub call: SettledCall,
    pub outcome: Outcome,
    /// The Bedrock id that answered.
    pub model: String,
    /// Bedrock's request id.
    pub bedrock_request_id: Option<String>,
    /// How long it took (milliseconds).
    pub milliseconds: u64,
    /// What the policy changed.
    pub edits: String,
}
