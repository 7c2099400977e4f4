//! Parses the command line, and says what is wrong with it. clap knows what that is and in which words; an argument
//! that it quotes may hold anything, and is sanitized first.

use crate::cli::Cli;
use crate::terminal::output::note;
use crate::terminal::printable::Printable;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{CommandFactory, Parser};
use std::ffi::OsString;

/// What was typed, or the exit code after help or an error has been written.
///
/// # Errors
/// The exit code of the process: 0 after help, 2 after an error.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, u8> {
    let args: Vec<OsString> = args.into_iter().collect();
    let error = match Cli::try_parse_from(&args) {
        Ok(cli) => return Ok(cli),
        Err(error) => with_tip(error, &args),
    };
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if is_help || args.iter().all(|arg| is_printable_line(&arg.to_string_lossy())) {
        // Nothing that clap may quote is dangerous, so it prints in its own colours. A closed stream is no reason to
        // fail.
        let _ = error.print();
    } else {
        note(Printable::lines(sanitized(error).render()).trim_end());
    }
    Err(if is_help { 0 } else { 2 })
}

/// The error with a better tip than clap's, where there is one.
fn with_tip(mut error: Error, args: &[OsString]) -> Error {
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
    let command = invalid(&error, ContextKind::InvalidSubcommand);
    let first = args.iter().skip(1).find(|arg| !arg.to_string_lossy().starts_with('-'));
    if error.kind() == ErrorKind::InvalidSubcommand && first.is_some_and(|arg| *arg == *command) {
        // clap does not count letters that changed places as one mistake.
        let commands = Cli::command();
        let mut names = commands.get_subcommands().map(|command| command.get_name().to_owned());
        if let Some(name) = names.find(|name| strsim::osa_distance(name, &command) == 1) {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![name]));
        }
    }
    error
}

fn is_printable_line(text: &str) -> bool {
    Printable::line(text).as_str() == text
}

/// The error with every argument that it quotes made one printable line.
fn sanitized(mut error: Error) -> Error {
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
