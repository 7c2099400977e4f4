//! The command line as clap parses it. Data only: nothing is read, opened or decided here.
//! The doc comments of fields and variants are the help texts.
#![expect(clippy::doc_markdown, reason = "a terminal shows the help texts, and does not render Markdown")]

mod doctor;
mod groups;
mod keys;
mod ledger;
mod run;
mod setup;
mod values;

pub(crate) use doctor::Doctor;
pub(crate) use groups::{Groups, GroupsAction, GroupsAdd, GroupsSet};
pub(crate) use keys::{Keys, KeysAction, KeysAdd, KeysMove, KeysRotate, PromptCache};
pub(crate) use ledger::{Ledger, LedgerAction, LedgerAudit, LedgerCopy};
pub(crate) use run::{Run, RunAgent};
pub(crate) use setup::{AgentModel, ServerAddress, Setup, SetupClaudeCode, SetupClient, SetupCodex};

use crate::catalog::{Features, NanoDollars};
use crate::config::Host;
use crate::telemetry::LogFormat;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use values::{at_least_one, call_id, port, tokens};

/// Below the help of the commands whose exit codes scripts ask for.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    failure on this machine
  2    usage error: a wrong flag, model name, request or config file
  3    refused by the cost policy
  4    AWS credentials or permissions
  5    Bedrock: throttled, unavailable, retired model, lost connection
  6    the answer is incomplete: cut off, filtered, empty, or not JSON
  130  interrupted
A chat from a pipe exits with the code of its last failure.

Limits and budgets are set in the config file ~/.config/chatrix/config.toml
(below $XDG_CONFIG_HOME, if set), or in the one that --config or CHATRIX_CONFIG
names.";

/// A dollar-bounded gateway to AWS Bedrock: ask, chat, and a server for apps
#[derive(Debug, Parser)]
#[command(name = "chatrix", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Use the built-in model, which costs nothing and has its own ledger and keys [env: CHATRIX_OFFLINE]
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Config file [env: CHATRIX_CONFIG]
    #[arg(long, value_name = "FILE", global = true, value_hint = clap::ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// AWS profile [env: AWS_PROFILE]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) profile: Option<String>,
    /// AWS region [env: AWS_REGION] [default: the profile's, or us-west-2]
    #[arg(long, value_name = "REGION", global = true)]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List models with prices and features, or show one in full
    Models(Models),
    /// Ask one question and print the answer
    Ask(Ask),
    /// Hold a conversation in the terminal
    Chat(Chat),
    /// Serve the OpenAI API to Jan and other apps
    Serve(Serve),
    /// Run Claude Code or Codex with a budget of its own
    Run(Run),
    /// Check settings, AWS account and ledger, and say what to do
    Doctor(Doctor),
    /// Show what was spent and what is left of each budget
    Usage(Usage),
    /// Create, list, rotate and revoke API keys for `chatrix serve`
    Keys(Keys),
    /// Create, list, change and remove groups of API keys, which share a budget
    Groups(Groups),
    /// Print what lets Claude Code, Codex or Jan use `chatrix serve`
    Setup(Setup),
    /// Check the ledger, or accept another one after it was lost
    Ledger(Ledger),
    /// Print a shell completion script
    Completions(Completions),
    /// Print the man page, or write all of them to a folder
    Man(Man),
    /// Print what the last of the words may become. Completion scripts call it
    #[command(hide = true)]
    Complete(Complete),
}

#[derive(Debug, Args)]
#[command(after_help = models_legend())]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Models {
    /// Show the model of this name, or list those whose name, id or provider contains the text, or that have the feature
    #[arg(value_name = "NAME")]
    pub(crate) filter: Option<String>,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) json: bool,
    /// Print names only
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Ask AWS which models this account and region can call, and list those
    #[arg(long, conflicts_with = "offline")]
    pub(crate) available: bool,
    /// Include every other Bedrock id with a known price
    #[arg(long)]
    pub(crate) all: bool,
    /// Show Bedrock ids, and the source and date of each row
    #[arg(short, long, conflicts_with_all = ["json", "quiet"])]
    pub(crate) verbose: bool,
}

/// What `ask` and `chat` have in common.
#[derive(Debug, Args)]
pub(crate) struct Question {
    /// Name from `chatrix models`, Bedrock model id, inference-profile id or ARN [env: CHATRIX_MODEL]
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// System prompt
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// Maximum length of an answer in tokens; the policy's limit still applies
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = tokens)]
    pub(crate) max_tokens: Option<i64>,
    /// Show Markdown as the model wrote it; a pipe gets it so anyway
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Ask {
    /// The question, and text from stdin after it; `-` is stdin only
    pub(crate) prompt: Vec<String>,
    #[command(flatten)]
    pub(crate) question: Question,
    /// Attach an image, a document or text; `-` is stdin
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: Vec<PathBuf>,
    /// Answer with JSON that matches the JSON Schema in this file; whether it is JSON is checked, nothing else
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) schema: Option<PathBuf>,
    /// Spend at most this many dollars; the answer is shortened to fit
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub(crate) max_cost: Option<NanoDollars>,
    /// Show what would be sent and what it could cost at most, but send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the answer to this file, whole or not at all, instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Print only the first code block of the answer
    #[arg(long, conflicts_with_all = ["json", "jsonl", "schema"])]
    pub(crate) code: bool,
    /// Print one JSON object: text, reasoning, model, usage, cost, stop reason, policy edits
    #[arg(long, conflicts_with = "jsonl")]
    pub(crate) json: bool,
    /// Print one JSON object for each event of the answer, as they come
    #[arg(long)]
    pub(crate) jsonl: bool,
    /// Exit with 0, and not with 6, when the answer was cut off, filtered or empty
    #[arg(long)]
    pub(crate) allow_cut: bool,
    /// Print the answer only once it is complete
    #[arg(long)]
    pub(crate) no_stream: bool,
    /// Do not read stdin
    #[arg(long)]
    pub(crate) no_stdin: bool,
    /// Print nothing but errors to stderr
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print the model, policy edits and worst-case cost to stderr, with the footer that a terminal gets anyway
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Chat {
    #[command(flatten)]
    pub(crate) question: Question,
    /// Spend at most this many dollars until the chat ends; what a resumed session has cost before does not count
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub(crate) max_cost: Option<NanoDollars>,
    /// Continue the session that was used last
    #[arg(short, long = "continue", conflicts_with = "ephemeral")]
    pub(crate) continue_last: bool,
    /// Resume a saved session, by its id or the beginning of it
    #[arg(short, long, value_name = "ID", conflicts_with_all = ["continue_last", "ephemeral"])]
    pub(crate) resume: Option<String>,
    /// List the saved sessions
    #[arg(long, conflicts_with_all = ["continue_last", "resume", "ephemeral", "delete"])]
    pub(crate) list: bool,
    /// Print the list as JSON
    #[arg(long, requires = "list")]
    pub(crate) json: bool,
    /// Delete a saved session, by its id or the beginning of it
    #[arg(long, value_name = "ID", conflicts_with_all = ["continue_last", "resume", "ephemeral"])]
    pub(crate) delete: Option<String>,
    /// Save nothing: no session and no typed line
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Show the model, policy edits and worst-case cost before each answer
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Model for requests that name none [env: CHATRIX_MODEL]
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Address to listen on, an IP address or localhost [env: CHATRIX_HOST] [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) host: Option<Host>,
    /// Port to listen on, or 0 for any free port [env: CHATRIX_PORT] [default: 3000]
    #[arg(short, long, value_name = "PORT", value_parser = port)]
    pub(crate) port: Option<u16>,
    /// Maximum length of an answer, in tokens, for requests that set none [default: 512]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) max_tokens: Option<NonZeroU32>,
    /// Highest maximum that a request may set, in tokens [default: 1024]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) max_tokens_limit: Option<NonZeroU32>,
    /// Allow a web origin besides local ones, or * for all of them; repeatable
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// Accept only API keys created with `chatrix keys add`
    #[arg(long)]
    pub(crate) require_key: bool,
    /// Most connections at once [default: 1024, or what the file limit allows]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) max_connections: Option<NonZeroU32>,
    /// Most answers at once; as many requests again wait up to 5 seconds, others get 503 [default: 256]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) max_in_flight: Option<NonZeroU32>,
    /// Listen beyond this machine without API keys: anyone who can connect spends your money
    #[arg(long, alias = "i-know-this-is-open")]
    pub(crate) allow_unauthenticated: bool,
    /// Also answer /metrics, /readyz and /healthz on this address and port, without asking for a key
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics_addr: Option<SocketAddr>,
    /// How requests are logged on stderr, one line each: off, text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// Once switched the log on, which is on now. Kept so that scripts with it still run
    #[arg(long, hide = true)]
    log: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Usage {
    #[command(subcommand)]
    pub(crate) action: Option<UsageAction>,
    /// Print one row per day, model, key, group of keys or command
    #[arg(long, value_name = "GROUP", default_value = "day")]
    pub(crate) by: By,
    /// First day to include, in UTC: 2026-11-01, 7d, or all
    #[arg(long, value_name = "DAY", default_value = "30d")]
    pub(crate) since: String,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Print the rows as CSV
    #[arg(long)]
    pub(crate) csv: bool,
    /// Draw the report again every 2 seconds, until Ctrl-C
    #[arg(long, conflicts_with_all = ["json", "csv", "uncertain"])]
    pub(crate) watch: bool,
    /// List the calls whose usage never arrived and which AWS may have billed
    #[arg(long, conflicts_with_all = ["csv", "by", "since"])]
    pub(crate) uncertain: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsageAction {
    /// Record what AWS billed for an uncertain call
    Settle(Settle),
}

#[derive(Debug, Args)]
pub(crate) struct Settle {
    /// Number of the call, from `chatrix usage --uncertain`
    #[arg(value_parser = call_id)]
    pub(crate) id: i64,
    /// What AWS billed for it, in dollars
    #[arg(long, value_name = "USD", allow_negative_numbers = true)]
    pub(crate) usd: NanoDollars,
    /// Record it even if it is more than was reserved for the call
    #[arg(long)]
    pub(crate) above_reserved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    Day,
    Model,
    Key,
    Group,
    Command,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell to print the script for
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Command whose page to print, such as `ask` or `keys add` [default: that of chatrix]
    #[arg(conflicts_with = "to")]
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands to this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Complete {
    /// The shell that asks
    pub(crate) shell: Shell,
    /// The words of the command line after `chatrix`, up to the cursor
    #[arg(last = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<String>,
}

/// What the columns and words of `chatrix models` mean.
fn models_legend() -> String {
    let mut text = "\
The cheapest stands first, by the sum of its prices for a million tokens in and
a million out. $/M IN and $/M OUT are dollars for a million tokens, CACHED for
input that the prompt cache has, and CACHING for input that it takes in for five
minutes. * is the default model. The words under TAKES:"
        .to_owned();
    for (word, meaning) in Features::words() {
        text.push_str(&format!("\n  {word:<7} {meaning}"));
    }
    text
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}
