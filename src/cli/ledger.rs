//! `chatrix ledger`.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    pub(crate) action: LedgerAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerAction {
    /// Look for damage, and show what is booked
    Check,
    /// Declare the present ledger, or a new one, to be right, so that running servers go on with it
    Accept,
    /// List what was changed by hand, and by whom: keys, groups, and what is booked
    Audit(LedgerAudit),
    /// Copy all of a ledger into an empty PostgreSQL database, and prove that the sums are equal
    Copy(LedgerCopy),
}

#[derive(Debug, Args)]
pub(crate) struct LedgerCopy {
    /// Ledger to copy: a file, or the URL of a database. Stop what uses it first
    #[arg(value_name = "FROM", value_hint = clap::ValueHint::FilePath)]
    pub(crate) from: String,
    /// URL of the database to copy it into [default: the ledger that is set]
    #[arg(value_name = "TO")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerAudit {
    /// First day to include, in UTC: 2026-11-01, 7d, or all
    #[arg(long, value_name = "DAY", default_value = "30d")]
    pub(crate) since: String,
    /// Print the changes as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
