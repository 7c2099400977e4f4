//! `chatrix complete SHELL -- WORDS` prints what the last word may become, one candidate a line, with an explanation
//! behind a tab. The scripts of `chatrix completions` call it at each Tab. It must be quick, and silent when something is
//! wrong: an error in the middle of a line that is being typed helps nobody.

mod candidate;
mod values;
mod words;

use super::pages::command;
use crate::cli::{self, Shell};
use crate::terminal::output::print_data;
use candidate::Candidate;
use clap::{Arg, ArgAction, Command, ValueHint};
use values::{Kind, Values};
use words::Words;

/// The exit code that asks the shell to complete the name of a file.
const FILES: u8 = 1;

#[derive(Debug, PartialEq, Eq)]
enum Completion {
    Candidates(Vec<Candidate>),
    /// The name of a file, which shells complete best themselves.
    Files,
}

pub(crate) fn run(args: &cli::Complete) -> anyhow::Result<u8> {
    let words = Words::of(args.shell, &args.words);
    let values = Values::new(&words.before);
    match complete(&command(), &words, &values) {
        Completion::Files => Ok(FILES),
        Completion::Candidates(candidates) => {
            let shown = |text: &str| text.chars().all(|c| !c.is_control() && !c.is_whitespace());
            let mut text = String::new();
            for Candidate { text: candidate, help } in candidates.iter().filter(|candidate| shown(&candidate.text)) {
                let Some(rest) = candidate.strip_prefix(&words.kept_by_shell) else { continue };
                text.push_str(rest);
                // Bash has no place for explanations.
                if !help.is_empty() && args.shell != Shell::Bash {
                    text.push('\t');
                    text.push_str(help);
                }
                text.push('\n');
            }
            print_data(&text)?;
            Ok(0)
        }
    }
}

/// What the words before the last one leave open.
struct Place<'a> {
    command: &'a Command,
    /// The option that the word is a value of.
    option: Option<&'a Arg>,
    /// How many arguments without a dash stand before the word.
    positionals: usize,
    /// Whether `--` stands before it.
    only_positionals: bool,
}

fn complete(root: &Command, words: &Words, values: &Values) -> Completion {
    let place = place(root, &words.before);
    let last = &words.last;
    if let Some(option) = place.option {
        return of_argument(place.command, option, "", last, values);
    }
    if !place.only_positionals
        && let Some((option, value)) = last.split_once('=').filter(|_| last.starts_with("--"))
    {
        return match by_long(place.command, option) {
            Some(arg) => of_argument(place.command, arg, &format!("{option}="), value, values),
            None => Completion::Candidates(Vec::new()),
        };
    }
    if !place.only_positionals && last.starts_with('-') {
        return Completion::Candidates(options(place.command, last));
    }
    let mut candidates = subcommands(&place, last);
    if let Some(positional) = positional(&place) {
        match of_argument(place.command, positional, "", last, values) {
            Completion::Files if candidates.is_empty() => return Completion::Files,
            Completion::Files => {}
            Completion::Candidates(more) => candidates.extend(more),
        }
    }
    Completion::Candidates(candidates)
}

fn place<'a>(root: &'a Command, before: &[String]) -> Place<'a> {
    let mut place = Place { command: root, option: None, positionals: 0, only_positionals: false };
    for word in before {
        if place.option.take().is_some() {
            continue;
        }
        if place.only_positionals || word == "-" || !word.starts_with('-') {
            match place.command.find_subcommand(word).filter(|_| place.positionals == 0 && !place.only_positionals) {
                Some(sub) => place.command = sub,
                None => place.positionals += 1,
            }
        } else if word == "--" {
            place.only_positionals = true;
        } else if word.starts_with("--") {
            place.option = by_long(place.command, word).filter(|arg| takes_value(arg));
        } else {
            place.option = waiting_short(place.command, word);
        }
    }
    place
}

/// The option of a group such as `-qm` that waits for its value; `None` where the value stands in the same word.
fn waiting_short<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let mut letters = word.chars().skip(1);
    let option = letters
        .by_ref()
        .find_map(|letter| command.get_arguments().find(|arg| arg.get_short() == Some(letter) && takes_value(arg)))?;
    letters.next().is_none().then_some(option)
}

fn by_long<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long)))
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn positional<'a>(place: &Place<'a>) -> Option<&'a Arg> {
    let all: Vec<&Arg> = place.command.get_positionals().collect();
    let repeats = |arg: &&&Arg| matches!(arg.get_action(), ArgAction::Append);
    let found = all.get(place.positionals).or_else(|| all.last().filter(repeats)).copied()?;
    (place.only_positionals || !found.is_last_set()).then_some(found)
}

/// The values of an argument. `prefix`: what stands before the value in the same word.
fn of_argument(command: &Command, arg: &Arg, prefix: &str, typed: &str, values: &Values) -> Completion {
    let (listed, typed) = match arg.get_value_delimiter().and_then(|delimiter| typed.rfind(delimiter)) {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let possible: Vec<Candidate> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| Candidate {
            text: value.get_name().to_owned(),
            help: value.get_help().map(ToString::to_string).unwrap_or_default(),
        })
        .collect();
    let all = match Kind::of(command.get_name(), arg.get_id().as_str()) {
        Some(kind) => values.of(kind),
        None if possible.is_empty() && matches!(arg.get_value_hint(), ValueHint::FilePath | ValueHint::DirPath) => {
            return Completion::Files;
        }
        None => possible,
    };
    let fitting = all.into_iter().filter(|candidate| candidate.text.starts_with(typed));
    Completion::Candidates(
        fitting.map(|Candidate { text, help }| Candidate { text: format!("{prefix}{listed}{text}"), help }).collect(),
    )
}

fn options(command: &Command, typed: &str) -> Vec<Candidate> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_positional());
    let long = shown.filter_map(|arg| {
        let text = format!("--{}", arg.get_long()?);
        let help = arg.get_help().map(|help| help.to_string().lines().next().unwrap_or_default().to_owned());
        Some(Candidate { text, help: help.unwrap_or_default() })
    });
    long.filter(|candidate| candidate.text.starts_with(typed)).collect()
}

fn subcommands(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    if place.positionals > 0 || place.only_positionals {
        return Vec::new();
    }
    let shown = place.command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name().starts_with(typed));
    shown
        .map(|sub| Candidate {
            text: sub.get_name().to_owned(),
            help: sub.get_about().map(ToString::to_string).unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
