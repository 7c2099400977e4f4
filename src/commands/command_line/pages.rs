//! The command line as clap builds it, with everything that its help pages, man pages and completions show.

use crate::cli::Cli;
use crate::terminal::printable::Printable;
use crate::terminal::size;
use crate::terminal::table::{words, wrapped};
use clap::builder::styling::Style;
use clap::{Command, CommandFactory};

/// The width of help pages: that of the terminal, within what is pleasant to read, and this in a pipe.
const PAGE: usize = 80;
const WIDEST_PAGE: usize = 100;

/// The commands by which people talk to models. All others are for those who look after Chatrix.
const USE: [&str; 5] = ["ask", "chat", "serve", "run", "models"];

/// The commands that take none of the global options, and those that need no AWS.
const WITHOUT_GLOBAL_OPTIONS: [&str; 4] = ["completions", "man", "complete", "help"];
const WITHOUT_AWS: [&str; 5] = ["usage", "keys", "groups", "ledger", "setup"];
const GLOBAL_OPTIONS: [&str; 4] = ["offline", "config", "profile", "region"];
const AWS_OPTIONS: [&str; 2] = ["profile", "region"];

/// The command line with everything that its help pages, man pages and completions show.
pub(super) fn command() -> Command {
    let width = size::columns().map_or(PAGE, |columns| columns.min(WIDEST_PAGE));
    let mut command = Cli::command().term_width(width);
    // From here on the global options are those of each command too.
    command.build();
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let hidden: &[&str] = match name.as_str() {
            name if WITHOUT_GLOBAL_OPTIONS.contains(&name) => &GLOBAL_OPTIONS,
            name if WITHOUT_AWS.contains(&name) => &AWS_OPTIONS,
            _ => &[],
        };
        command = command.mut_subcommand(name, |sub| hide(sub, hidden));
    }
    let template = template(&command, width);
    command.help_template(template)
}

/// The same command with some options left out of its help and that of its subcommands. They can still be given.
fn hide(command: Command, options: &[&str]) -> Command {
    let command = command.mut_args(|arg| {
        let is_hidden = options.contains(&arg.get_id().as_str());
        if is_hidden { arg.hide(true) } else { arg }
    });
    command.mut_subcommands(|sub| hide(sub, options))
}

/// The command line for `-h`, which shows what is of a command itself.
pub(super) fn without_details(command: Command) -> Command {
    fn without_notes(command: Command) -> Command {
        command.after_help("--help shows more.").mut_subcommands(without_notes)
    }
    without_notes(hide(command, &GLOBAL_OPTIONS))
}

/// The commands of the two groups that people see.
pub(super) fn names(command: &Command) -> (Vec<&str>, Vec<&str>) {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name);
    (USE.to_vec(), shown.filter(|name| !USE.contains(name)).collect())
}

/// The help page of the program, with its commands in two groups. `width`: the columns of the page.
fn template(command: &Command, width: usize) -> String {
    const NAMES: usize = 11;
    const ABOUT: usize = 2 + NAMES + 2;
    let head: Style = *command.get_styles().get_header();
    let name: Style = *command.get_styles().get_literal();
    let group = |title: &str, names: &[&str]| {
        let mut text = format!("{head}{title}:{head:#}\n");
        for sub in names.iter().filter_map(|name| command.find_subcommand(name)) {
            let about = Printable::line(sub.get_about().map(ToString::to_string).unwrap_or_default());
            let about = wrapped(words(&about), " ", ABOUT, ABOUT, Some(width));
            text.push_str(&format!("  {name}{:<NAMES$}{name:#}  {}\n", sub.get_name(), about.as_str()));
        }
        text
    };
    let (to_use, to_operate) = names(command);
    let (to_use, to_operate) = (group("Use", &to_use), group("Operate", &to_operate));
    format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{to_use}\n{to_operate}\n{head}Options:{head:#}\n{{options}}{{after-help}}"
    )
}
