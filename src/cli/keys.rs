//! `chatrix keys`.

use super::values::at_least_one;
use crate::catalog::NanoDollars;
use crate::ledger::key_profile;
use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::num::NonZeroU32;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) action: KeysAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysAction {
    /// Create a key; its token is shown once and stored only as a hash
    Add(KeysAdd),
    /// List the keys with their limits and what they have spent
    List(KeysList),
    /// Replace the token of a key; its limits and what it has spent stay
    Rotate(KeysRotate),
    /// Move a key to a group, or out of its group
    Move(KeysMove),
    /// Revoke a key immediately
    Revoke(KeysRevoke),
}

#[derive(Debug, Args)]
pub(crate) struct KeysAdd {
    /// Name of the key: letters, digits, `.`, `_` and `-`
    pub(crate) name: String,
    /// Take the limits that fit a kind of client; other options win over them
    // `--profile` is a global option.
    #[arg(id = "for", long = "for", value_name = "PROFILE", value_parser = PossibleValuesParser::new(key_profile::names()))]
    pub(crate) profile: Option<String>,
    /// Maximum length of an answer, in tokens, for requests that set none
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) max_tokens: Option<NonZeroU32>,
    /// Highest maximum that a request may set, in tokens
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) max_tokens_limit: Option<NonZeroU32>,
    /// Whether the prompt cache is used where it saves money, for requests that do not ask for it
    #[arg(long, value_name = "WHEN")]
    pub(crate) prompt_cache: Option<PromptCache>,
    /// Spend at most this many dollars per call
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub(crate) request_usd: Option<NanoDollars>,
    /// Spend at most this many dollars per day (UTC)
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub(crate) day_usd: Option<NanoDollars>,
    /// Spend at most this many dollars per week, which begins on Monday (UTC)
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub(crate) week_usd: Option<NanoDollars>,
    /// Spend at most this many dollars per month (UTC)
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub(crate) month_usd: Option<NanoDollars>,
    /// Begin at most this many calls in any 60 seconds
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) rpm: Option<NonZeroU32>,
    /// Use at most this many tokens in any 60 seconds; a running call counts at the most that it can use
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) tpm: Option<NonZeroU32>,
    /// Run at most this many calls at once
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) max_running: Option<NonZeroU32>,
    /// Allow only these models, by name or id, separated by commas
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    pub(crate) models: Vec<String>,
    /// Refuse the key from then on: after a time such as 90d or 12h, or on a date (UTC)
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    /// Put the key in this group: it shares the group's budget, and takes its limits for each key where it has none
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("place").required(true))]
pub(crate) struct KeysMove {
    /// Name of the key
    pub(crate) name: String,
    /// Group that it is in from now on
    #[arg(long, value_name = "GROUP", group = "place")]
    pub(crate) group: Option<String>,
    /// Take it out of its group
    #[arg(long, group = "place")]
    pub(crate) no_group: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PromptCache {
    Auto,
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct KeysRotate {
    /// Name of the key
    pub(crate) name: String,
    /// Accept the present token for this long, such as 24h, 30m or 7d; 0 ends it at once
    #[arg(long, value_name = "TIME", default_value = "24h", allow_hyphen_values = true)]
    pub(crate) overlap: String,
    /// Let the key expire then, instead of when it would have: after a time such as 90d or 12h, or on a date (UTC)
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct KeysList {
    /// Print the keys as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeysRevoke {
    /// Name of the key
    pub(crate) name: String,
}
