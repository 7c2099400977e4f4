//! `chatrix run`.

use crate::catalog::NanoDollars;
use clap::{Args, ValueEnum};
use std::ffi::OsString;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Run {
    /// Agent to run: Claude Code or Codex, as it is installed
    #[arg(value_name = "PROGRAM")]
    pub(crate) agent: RunAgent,
    /// Spend at most this many dollars, all subagents together
    #[arg(long, value_name = "USD", default_value = "5", allow_negative_numbers = true)]
    pub(crate) max_cost: NanoDollars,
    /// Model to ask [default: claude-sonnet-4-6]
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Arguments of the program
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunAgent {
    Claude,
    Codex,
}
