//! `chatrix setup`.

use super::values::{server_url, variable_name};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Setup {
    #[command(subcommand)]
    pub(crate) client: SetupClient,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SetupClient {
    /// Print the environment variables for Claude Code
    ClaudeCode(SetupClaudeCode),
    /// Print the lines for Codex's config file, and write its model catalog
    Codex(SetupCodex),
    /// Print what to fill in in Jan
    Jan(SetupJan),
}

/// The server as a client sees it.
#[derive(Debug, Args)]
pub(crate) struct ServerAddress {
    /// Address of the server [default: the configured one, http://127.0.0.1:3000]
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub(crate) url: Option<String>,
    /// Environment variable that holds the token of the API key
    #[arg(long, value_name = "NAME", default_value = "CHATRIX_KEY", value_parser = variable_name)]
    pub(crate) key_env: String,
}

/// What a coding agent asks, and with which API key.
#[derive(Debug, Args)]
pub(crate) struct AgentModel {
    /// API key whose limits count [default: one made with `chatrix keys add NAME --for agents`]
    #[arg(long, value_name = "NAME")]
    pub(crate) key: Option<String>,
    /// Model to ask [default: claude-sonnet-4-6, if the key allows it]
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SetupClaudeCode {
    #[command(flatten)]
    pub(crate) server: ServerAddress,
    #[command(flatten)]
    pub(crate) agent: AgentModel,
    /// Model for titles and other small work [default: claude-haiku-4-5, if the key allows it]
    #[arg(long, value_name = "MODEL")]
    pub(crate) small_model: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SetupCodex {
    #[command(flatten)]
    pub(crate) server: ServerAddress,
    #[command(flatten)]
    pub(crate) agent: AgentModel,
    /// Write the model catalog to this file, without which Codex knows little of the model
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) catalog: Option<PathBuf>,
    /// Replace the catalog file if there is one
    #[arg(long, requires = "catalog")]
    pub(crate) overwrite: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SetupJan {
    #[command(flatten)]
    pub(crate) server: ServerAddress,
}
