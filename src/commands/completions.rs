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
    let known = PossibleValuesParser::new(names);
    for name in ["ask", "chat", "serve", "run"] {
        command = command.mut_subcommand(name, |sub| sub.mut_arg("model", |arg| arg.value_parser(known.clone())));
    }
    command = command.mut_subcommand("keys", |keys| {
        keys.mut_subcommand("add", |add| add.mut_arg("models", |arg| arg.value_parser(known)))
    });
    let generator = match shell {
        Shell::Bash => Generator::Bash,
        Shell::Zsh => Generator::Zsh,
        Shell::Fish => Generator::Fish,
        Shell::Powershell => Generator::PowerShell,
    };
    let mut script = Vec::new();
    generate(generator, &mut command, "chatrix", &mut script);
    let script = String::from_utf8(script)?;
    // Bash takes `--model=NAME` for three words, so that the option is not the one before the name.
    let option = "    prev=\"$3\"\n";
    let before_equals =
        "    if [[ \"${prev}\" == \"=\" ]]; then\n        prev=\"${COMP_WORDS[COMP_CWORD-2]}\"\n    fi\n";
    Ok(if shell == Shell::Bash { script.replacen(option, &format!("{option}{before_equals}"), 1) } else { script })
}
