//! What a person types. Data only: nothing is read, opened or decided here.

use crate::catalog::NanoDollars;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::IpAddr;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    failure on this machine
  2    usage: a wrong flag, model name, request or config file
  3    refused by the cost policy
  4    AWS credentials or permission
  5    Bedrock: throttled, unavailable, retired model, lost answer
  130  interrupted

The operator's limits: $XDG_CONFIG_HOME/chatrix/config.toml (or --config, or CHATRIX_CONFIG).";

/// A dollar-bounded door to AWS Bedrock: ask, chat, and an OpenAI-compatible server.
#[derive(Debug, Parser)]
#[command(name = "chatrix", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Config file to read
    #[arg(long, value_name = "FILE", global = true, value_hint = clap::ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// AWS profile, otherwise the environment's or the default one
    #[arg(long, help = "AWS profile [env: AWS_PROFILE]", value_name = "NAME", global = true)]
    pub profile: Option<String>,
    /// AWS region, otherwise the environment's, the profile's, or us-west-2
    #[arg(
        long,
        help = "AWS region [env: AWS_REGION] [default: the profile's, or us-west-2]",
        value_name = "REGION",
        global = true
    )]
    pub region: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the models: prices per million tokens, abilities, life cycle
    Models(Models),
    /// Ask one question; the answer goes to stdout
    Ask(Ask),
    /// Talk, with a memory of what was said
    Chat(Chat),
    /// Serve the OpenAI API for Jan and other apps
    Serve(Serve),
    /// Show what was spent, and what is left of the budgets
    Usage(Usage),
    /// Make, list and revoke API keys of `serve`
    Keys(Keys),
    /// Print a shell's completion script
    Completions(Completions),
}

/// `chatrix models`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Models {
    /// Only models whose name, id or provider holds this
    pub filter: Option<String>,
    /// Everything, as JSON
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,
    /// Names only
    #[arg(short, long)]
    pub quiet: bool,
    /// Also every other Bedrock id whose price is known
    #[arg(long)]
    pub all: bool,
    /// Also Bedrock ids, and where each row comes from
    #[arg(short, long, conflicts_with_all = ["json", "quiet"])]
    pub verbose: bool,
}

/// Flags of a question.
#[derive(Debug, Args)]
pub struct Question {
    /// A name from `chatrix models`, or any Bedrock id, inference-profile id or ARN
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<String>,
    /// System prompt
    #[arg(short, long, value_name = "TEXT")]
    pub system: Option<String>,
    /// Longest answer, in tokens; the policy's limit holds
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub max_tokens: Option<i64>,
    /// Talk to a small Bedrock inside this process: no AWS account, no cost
    #[arg(long)]
    pub offline: bool,
}

/// `chatrix ask`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Ask {
    /// The question; text on stdin is added after it
    pub prompt: Vec<String>,
    /// Model, system prompt, limits.
    #[command(flatten)]
    pub question: Question,
    /// Attach a file: an image, a document or text, by its content. Repeatable
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: Vec<PathBuf>,
    /// Answer with JSON that follows the JSON schema in this file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub schema: Option<PathBuf>,
    /// Cost at most this many dollars; the answer is shortened to what fits
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub max_cost: Option<NanoDollars>,
    /// Show what would be sent, and what it can cost; send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object: text, model, usage, cost, stop reason, what the policy changed
    #[arg(long)]
    pub json: bool,
    /// Wait for the whole answer
    #[arg(long)]
    pub no_stream: bool,
    /// Do not read stdin
    #[arg(long)]
    pub no_stdin: bool,
    /// Nothing on stderr but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what the policy changed, and what it cost, also into a pipe
    #[arg(short, long)]
    pub verbose: bool,
}

/// `chatrix chat`
#[derive(Debug, Args)]
pub struct Chat {
    /// Model, system prompt, limits.
    #[command(flatten)]
    pub question: Question,
    /// Spend at most this many dollars in this session
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub max_cost: Option<NanoDollars>,
    /// Say what the policy changed
    #[arg(short, long)]
    pub verbose: bool,
}

/// `chatrix serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Model of a request that names none
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<IpAddr>,
    /// Port to listen on; 0 for any [default: 3000]
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<u16>,
    /// A web origin that may use the server besides local ones; * for all. Repeatable
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// Answer only to API keys made with `chatrix keys add`
    #[arg(long)]
    pub require_key: bool,
    /// Listen beyond this machine, where anyone who can connect spends your money
    #[arg(long)]
    pub i_know_this_is_open: bool,
    /// Talk to a small Bedrock inside this process: no AWS account, no cost
    #[arg(long)]
    pub offline: bool,
}

/// `chatrix usage`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Usage {
    /// What to do instead of showing.
    #[command(subcommand)]
    pub action: Option<UsageAction>,
    /// A row for each day, model, key or command
    #[arg(long, value_name = "WHAT", default_value = "day")]
    pub by: By,
    /// From this day on, in UTC: 2026-11-01, 7d, or all
    #[arg(long, value_name = "DAY", default_value = "30d")]
    pub since: String,
    /// Everything, as JSON
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// The rows, as CSV
    #[arg(long)]
    pub csv: bool,
    /// The calls whose usage never came, which AWS may have billed
    #[arg(long, conflicts_with_all = ["csv", "by", "since"])]
    pub uncertain: bool,
    /// The calls of --offline, which cost nothing
    #[arg(long)]
    pub offline: bool,
}

/// `chatrix usage …`
#[derive(Debug, Subcommand)]
pub enum UsageAction {
    /// Book what an uncertain call has really cost
    Settle(Settle),
}

/// `chatrix usage settle`
#[derive(Debug, Args)]
pub struct Settle {
    /// The call's number, from `chatrix usage --uncertain`
    pub id: i64,
    /// What AWS billed for it, in dollars
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub usd: NanoDollars,
    /// The call is one of --offline
    #[arg(long)]
    pub offline: bool,
}

/// What `chatrix usage` has a row for each of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words say it")]
pub enum By {
    Day,
    Model,
    Key,
    Command,
}

/// `chatrix keys`
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Keys {
    /// What to do.
    #[command(subcommand)]
    pub action: KeysAction,
}

/// `chatrix keys …`
#[derive(Debug, Subcommand)]
pub enum KeysAction {
    /// Make a key; its token is shown once, and kept only as a hash
    Add(KeysAdd),
    /// List the keys, what they may spend and what they have spent
    List(KeysList),
    /// Revoke a key at once
    Revoke(KeysRevoke),
}

/// `chatrix keys add`
#[derive(Debug, Args)]
pub struct KeysAdd {
    /// A name for it: letters, digits, `.`, `_`, `-`
    pub name: String,
    /// Most dollars for one call
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub request_usd: Option<NanoDollars>,
    /// Most dollars in a day (UTC)
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub day_usd: Option<NanoDollars>,
    /// Most dollars in a month (UTC)
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub month_usd: Option<NanoDollars>,
    /// Only these models, by name or id
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    pub models: Vec<String>,
    /// For `serve --offline`
    #[arg(long)]
    pub offline: bool,
}

/// `chatrix keys list`
#[derive(Debug, Args)]
pub struct KeysList {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// For `serve --offline`
    #[arg(long)]
    pub offline: bool,
}

/// `chatrix keys revoke`
#[derive(Debug, Args)]
pub struct KeysRevoke {
    /// Its name
    pub name: String,
    /// For `serve --offline`
    #[arg(long)]
    pub offline: bool,
}

/// `chatrix completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    pub shell: Shell,
}

/// The shells with a completion script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// fish
    Fish,
    /// `PowerShell`
    Powershell,
}
