//! `chatrix doctor`.

use clap::Args;

/// What the exit code says.
const EXIT_CODES: &str = "\
The exit code is 0 if a call could be made, and otherwise that of the first
check that has failed; `chatrix --help` lists the codes.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Doctor {
    /// Model to check, in place of the default model [env: CHATRIX_MODEL]
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Also make the smallest real call, and show what it cost
    #[arg(long)]
    pub(crate) call: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
