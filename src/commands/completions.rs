//! `chatrix completions SHELL` prints a completion script. The scripts are short: they ask `chatrix complete` at each
//! Tab, which knows the models, API keys and sessions of this moment.

use crate::cli::Shell;
use crate::terminal::output::print_data;

pub(crate) fn run(shell: Shell) -> anyhow::Result<u8> {
    print_data(match shell {
        Shell::Bash => include_str!("../../completions/chatrix.bash"),
        Shell::Zsh => include_str!("../../completions/_chatrix"),
        Shell::Fish => include_str!("../../completions/chatrix.fish"),
        Shell::Powershell => include_str!("../../completions/_chatrix.ps1"),
    })?;
    Ok(0)
}
