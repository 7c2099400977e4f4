//! `chatrix setup CLIENT`: what a person pastes to let a client use the server. That goes to stdout, and everything
//! that explains it to stderr.

mod address;
mod agent;
mod catalog_file;
mod claude_code;
mod codex;

pub(crate) use claude_code::environment as claude_code_environment;
pub(crate) use codex::arguments as codex_arguments;

use crate::cli::{ServerAddress, SetupClient};
use crate::config::Settings;
use crate::terminal::output::{note, print_data};
use address::url;

/// Prints what sets a client up.
pub(crate) fn run(client: &SetupClient, settings: &Settings) -> anyhow::Result<u8> {
    match client {
        SetupClient::ClaudeCode(args) => claude_code::run(args, settings),
        SetupClient::Codex(args) => codex::run(args, settings),
        SetupClient::Jan(args) => jan(&args.server, settings),
    }
}

fn jan(server: &ServerAddress, settings: &Settings) -> anyhow::Result<u8> {
    note("in Jan, open Settings › Model Providers, add a provider, and fill in:");
    let (url, key_env) = (url(server, settings), &server.key_env);
    print_data(&format!("Name: Chatrix\nBase URL: {url}/v1\nAPI key: the token in {key_env}\n"))?;
    if !settings.serve.require_key {
        note("a server without --require-key takes anything as the key; Jan does not fetch models without one");
    }
    note("then refresh the models, and switch on Tools and Vision for those that have them (`chatrix models`)");
    Ok(0)
}
