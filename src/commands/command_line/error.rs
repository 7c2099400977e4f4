//! What is wrong with a command line. clap knows what that is and in which words; an argument that it quotes may hold
//! anything, and is sanitized first.

use crate::catalog::closest;
use crate::terminal::printable::Printable;
use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use std::ffi::OsString;

/// The error with a better tip than clap's, where there is one.
pub(super) fn with_tip(mut error: Error, command: &Command, args: &[OsString]) -> Error {
    let invalid = |error: &Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let option = invalid(&error, ContextKind::InvalidArg);
    if error.kind() == ErrorKind::UnknownArgument && ["--temperature", "--top-p", "--top_p"].contains(&option.as_str())
    {
        let tip = "the policy fixes temperature and top_p; the config file sets them, under [limits]";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    if error.kind() == ErrorKind::MissingSubcommand {
        // The list would name the commands that are for programs only.
        drop(error.remove(ContextKind::ValidSubcommand));
    }
    if error.kind() == ErrorKind::InvalidValue
        && let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue)
        && let Some(name) = closest(&invalid(&error, ContextKind::InvalidValue), valid.iter().map(String::as_str))
    {
        let name = name.to_owned();
        error.insert(ContextKind::SuggestedValue, ContextValue::String(name));
    }
    let typed = invalid(&error, ContextKind::InvalidSubcommand);
    if error.kind() == ErrorKind::InvalidSubcommand {
        // clap does not count letters that changed places as one mistake, neither here nor above.
        let parent = parent(command, args, &typed);
        let names = parent.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name);
        match closest(&typed, names) {
            Some(name) => {
                error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![name.to_owned()]));
            }
            None => drop(error.remove(ContextKind::SuggestedSubcommand)),
        }
    }
    error
}

/// The command that has no subcommand of a name, as far as the arguments before it show.
fn parent<'a>(command: &'a Command, args: &[OsString], typed: &str) -> &'a Command {
    let before = args.iter().skip(1).take_while(|arg| **arg != *typed);
    before.fold(command, |command, arg| command.find_subcommand(arg).unwrap_or(command))
}

/// The error with every argument that it quotes made one printable line.
pub(super) fn sanitized(mut error: Error) -> Error {
    let line = |text: &String| Printable::line(text).as_str().to_owned();
    let context: Vec<(ContextKind, ContextValue)> =
        error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        match value {
            ContextValue::String(text) => drop(error.insert(kind, ContextValue::String(line(&text)))),
            ContextValue::Strings(texts) => {
                drop(error.insert(kind, ContextValue::Strings(texts.iter().map(line).collect())));
            }
            // A tip may quote an argument among its styles.
            ContextValue::StyledStrs(_) => drop(error.remove(kind)),
            // A usage line names arguments, and does not quote their values.
            _ => {}
        }
    }
    error
}
