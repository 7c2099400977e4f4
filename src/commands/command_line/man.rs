//! `chatrix man` prints a man page, which is made from the command line as it is.

use super::pages::command;
use crate::catalog::did_you_mean;
use crate::cli;
use crate::error::{Error, Kind};
use crate::terminal::output::print_data;
use anyhow::Context;
use clap::Command;
use clap_mangen::Man;
use std::path::Path;

/// Prints a page, or writes all of them to a folder.
pub(crate) fn run(args: &cli::Man) -> anyhow::Result<u8> {
    let mut root = command();
    root.build();
    if let Some(folder) = &args.to {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        write_all(&root, folder)?;
        return Ok(0);
    }
    let mut command = &root;
    for word in args.command.iter().flat_map(|word| word.split_whitespace()) {
        command = command.find_subcommand(word).ok_or_else(|| no_such_command(word, command))?;
    }
    print_data(&page(command)?)?;
    Ok(0)
}

fn no_such_command(word: &str, parent: &Command) -> Error {
    let names = parent.get_subcommands().map(Command::get_name);
    let advice = did_you_mean(word, names, "`chatrix help` lists the commands");
    Error::new(Kind::InvalidRequest, format!("{} has no command {word:?}", full_name(parent))).advise(advice)
}

/// The page of a command, and those of its subcommands: `chatrix-keys-add.1`.
fn write_all(command: &Command, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(format!("{}.1", full_name(command)));
    std::fs::write(&path, page(command)?).with_context(|| format!("cannot write {}", path.display()))?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        write_all(sub, folder)?;
    }
    Ok(())
}

fn page(command: &Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    Man::new(command.clone()).title(full_name(command)).source("Chatrix").render(&mut page)?;
    Ok(String::from_utf8(page)?)
}

/// The command with those that it belongs to: `chatrix-keys-add`.
fn full_name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}
