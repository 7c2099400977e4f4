//! What `/help` shows.

use super::command::{self, Command, GROUPS};
use crate::terminal::printable::Printable;

/// What is no command.
const KEYS: &str = "\
Ctrl-C stops an answer and keeps what has arrived; Ctrl-D leaves the chat.
Ctrl-J and Alt-Enter begin a new line; lines between \"\"\" and \"\"\" are one text;
Ctrl-X Ctrl-E edits it in $EDITOR; Tab completes commands, models and files.
A line that begins with a blank is always a question.";

/// The commands by groups, with their names in a column.
pub(super) fn text() -> Printable {
    let width = command::all().map(|command| command.usage().chars().count()).max().unwrap_or_default();
    let row = |command: &Command| format!("  {:width$}  {}\n", command.usage(), command.help);
    let groups = GROUPS.iter().map(|(title, commands)| {
        let rows: String = commands.iter().map(row).collect();
        format!("{title}\n{rows}")
    });
    Printable::lines(format!("{}{KEYS}", groups.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_fits_80_columns_and_24_lines_twice() {
        let text = text();
        for line in text.as_str().lines() {
            assert!(Printable::lines(line).width() <= 80, "{line}");
        }
        for command in command::all() {
            assert!(text.as_str().contains(&command.usage()), "{}", command.name);
        }
        assert!(text.as_str().lines().count() <= 30);
    }
}
