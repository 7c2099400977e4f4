//! The report as a person reads it: one line for each setting and each check, wrapped to the width of the terminal.

use super::check::{Check, SettingLine, Status, exit_code};
use crate::terminal::look::Colour;
use crate::terminal::printable::Printable;

/// The column in which the names of checks begin, after the longest status and two blanks.
const NAMES: usize = 9;
/// The column in which messages begin, after the longest name and two blanks.
const MESSAGES: usize = NAMES + 14;
/// The columns in which the names and the values of settings begin.
const SETTINGS: usize = 2;
const VALUES: usize = SETTINGS + 18;
/// A narrower terminal wraps by itself.
const NARROWEST: usize = 40;

/// Where the report is shown.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    columns: usize,
    colour: bool,
    /// The home folder, which is shown as `~`.
    home: Option<String>,
}

impl Screen {
    /// Lines have at most 80 columns, and fewer where the terminal has fewer.
    pub(super) fn new(columns: Option<usize>, colour: bool) -> Self {
        let home = std::env::var("HOME").ok().filter(|home| home.starts_with('/') && home.len() > 1);
        Self { columns: columns.unwrap_or(80).clamp(NARROWEST, 80), colour, home }
    }

    fn line(&self, text: &str) -> Printable {
        Printable::line(match &self.home {
            Some(home) => with_tilde(text, home.trim_end_matches('/')),
            None => text.to_owned(),
        })
    }

    pub(super) fn settings(&self, settings: &[SettingLine]) -> Printable {
        let mut text = Printable::from("Settings").bold(self.colour);
        text.push("\n");
        for SettingLine { name, value, source } in settings {
            let value = if source.is_empty() { value.clone() } else { format!("{value} ({source})") };
            let name = Printable::join([Printable::repeat(" ", SETTINGS), (*name).into()], "");
            let name = padded(name, VALUES);
            text.push(self.entry(name, VALUES, &self.line(&value)));
        }
        text.push("\n");
        text
    }

    pub(super) fn checks(&self, checks: &[Check]) -> Printable {
        let mut text = Printable::from("Checks").bold(self.colour);
        text.push("\n");
        for check in checks {
            text.push(self.check(check));
        }
        text.push("\n");
        text.push(match exit_code(checks) {
            0 => "A call can be made.\n",
            _ => "A call would fail: mend what has failed, from the top.\n",
        });
        text
    }

    fn check(&self, check: &Check) -> Printable {
        let Check { name, status, message, advice } = check;
        let word = Printable::from(status.as_str());
        let space = Printable::repeat(" ", NAMES - word.width());
        let word = match status {
            Status::Ok => word.coloured(Colour::Green, self.colour),
            Status::Warning => word.coloured(Colour::Magenta, self.colour),
            Status::Failed(_) => word.coloured(Colour::Red, self.colour),
            Status::NotChecked => word.dim(self.colour),
        };
        let name = padded((*name).into(), MESSAGES - NAMES);
        let mut text = Printable::join([word, space], "");
        text.push(self.entry(name, MESSAGES, &self.line(message)));
        if !advice.is_empty() {
            for (index, line) in self.line(advice).wrapped(self.columns - MESSAGES - 2).into_iter().enumerate() {
                text.push(Printable::repeat(" ", MESSAGES));
                text.push(if index == 0 { "→ " } else { "  " });
                text.push(line);
                text.push("\n");
            }
        }
        text
    }

    /// A name, and a text beside it whose lines begin in a column.
    fn entry(&self, name: Printable, column: usize, text: &Printable) -> Printable {
        let mut entry = name;
        for (index, line) in text.wrapped(self.columns - column).into_iter().enumerate() {
            if index > 0 {
                entry.push(Printable::repeat(" ", column));
            }
            entry.push(line);
            entry.push("\n");
        }
        entry
    }
}

fn padded(text: Printable, width: usize) -> Printable {
    let space = Printable::repeat(" ", width.saturating_sub(text.width()));
    Printable::join([text, space], "")
}

/// The text with `~` for the home folder wherever a path begins with it.
fn with_tilde(text: &str, home: &str) -> String {
    let begins_path = |before: &str| before.chars().last().is_none_or(|c| c.is_whitespace() || "(\"'`".contains(c));
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(home) {
        let (before, found) = rest.split_at(at);
        let after = &found[home.len()..];
        result.push_str(before);
        result.push_str(if begins_path(&result) && after.starts_with('/') { "~" } else { home });
        rest = after;
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_is_a_tilde_where_a_path_begins() {
        for (text, expected) in [
            ("/home/ann/x", "~/x"),
            ("no /home/ann/x, (/home/ann/y) /home/ann/z", "no ~/x, (~/y) ~/z"),
            ("/mnt/home/ann/x /home/anna/x /home/ann", "/mnt/home/ann/x /home/anna/x /home/ann"),
        ] {
            assert_eq!(with_tilde(text, "/home/ann"), expected);
        }
    }
}
