//! What the ledger reports: sums by day, model, key, group or command, and the calls whose usage never arrived.

use super::budget::BudgetTotals;
use super::ids::CallId;
use crate::catalog::NanoDollars;

/// What the rows of a report stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Day, in UTC.
    Day,
    /// Bedrock id.
    Model,
    /// API key.
    Key,
    /// Group of API keys.
    Group,
    /// Command.
    Command,
}

impl By {
    /// The name of the JSON member and of the CSV column that names a row.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::Key => "key",
            Self::Group => "group",
            Self::Command => "command",
        }
    }
}

/// The state of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// Of its tables.
    pub version: usize,
    /// What is damaged; empty when nothing is.
    pub problems: Vec<String>,
    pub calls: u64,
    /// The running ones among them.
    pub open: u64,
    /// Those whose usage never arrived.
    pub uncertain: u64,
    /// The sums of all days.
    pub totals: BudgetTotals,
}

/// Sums of some calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Every call that was reserved, settled or not, without those that turned out to cost nothing.
    pub calls: u64,
    /// Those of them whose model has no price, so that no sum of money includes them.
    pub unpriced: u64,
    /// Input tokens, without cached ones.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from the prompt cache.
    pub cache_read: u64,
    /// Input tokens written to the prompt cache.
    pub cache_write: u64,
    /// What settled calls cost.
    pub settled: NanoDollars,
    /// The worst case of running calls.
    pub reserved: NanoDollars,
    /// The worst case of calls whose usage never arrived.
    pub uncertain: NanoDollars,
}

/// A row of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// A day (`2026-11-30`), Bedrock id, name of a key or a group, or command; `None` for calls without a key or a group.
    pub name: Option<String>,
    /// The sums of its calls.
    pub sums: Sums,
}

/// A call whose usage never arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncertainCall {
    pub id: CallId,
    /// When it began (milliseconds since 1970).
    pub began: i64,
    /// The command it came from.
    pub command: String,
    /// The name of its API key.
    pub key: Option<String>,
    /// The Bedrock id it was sent to.
    pub model: String,
    /// Its worst case.
    pub reserved: NanoDollars,
    /// Chatrix's own request id (`req_…`).
    pub chatrix_request_id: Option<String>,
    /// Bedrock's request id.
    pub bedrock_request_id: Option<String>,
}
