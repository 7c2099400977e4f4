//! `chatrix completions SHELL` prints a completion script that knows the model names. They are possible values only
//! here: the parser of the command line takes any Bedrock id.

use crate::catalog::Catalog;
use crate::cli::{Cli, Shell};
use crate::terminal::output::print_data;
use clap::CommandFactory;
use clap::builder::PossibleValuesParser;
use clap_complete::{Shell as Generator, generate};

pub(crate) fn run(shell: Shell) -> anyhow::Result<u8> {
    print_data(&script(shell)?)?;
    Ok(0)
}

fn script(shell: Shell) -> anyhow::Result<String> {
    let catalog = Catalog::load(&[])?;
    let names: Vec<String> = catalog.models().filter_map(|model| model.alias.clone()).collect();
    let mut command = Cli::command();
    for name in ["ask", "chat", "serve"] {
        let parser = PossibleValuesParser::new(names.clone());
        command = command.mut_subcommand(name, |sub| sub.mut_arg("model", |arg| arg.value_parser(parser)));
    }
    let generator = match shell {
        Shell::Bash => Generator::Bash,
        Shell::Zsh => Generator::Zsh,
        Shell::Fish => Generator::Fish,
        Shell::Powershell => Generator::PowerShell,
    };
    let mut script = Vec::new();
    generate(generator, &mut command, "chatrix", &mut script);
    Ok(String::from_utf8(script)?)
}
