//! What Tab offers in a chat: commands, and for each the argument that it takes.

use super::command::{self, Argument, Command};
use super::words::{self, Word};
use crate::catalog::{Catalog, Model, Rate};
use crate::sessions::Sessions;
use crate::terminal::editor::{Candidate, Complete};
use crate::terminal::printable::Printable;
use std::path::{MAIN_SEPARATOR, Path};
use std::sync::Arc;

/// The most files that are offered. A folder may hold any number.
const MOST_FILES: usize = 500;

pub(super) struct Completion {
    pub(super) catalog: Arc<Catalog>,
    /// `None` where nothing is saved.
    pub(super) sessions: Option<Sessions>,
}

impl Complete for Completion {
    fn candidates(&self, line: &str, position: usize) -> (usize, Vec<Candidate>) {
        let nothing = (position, Vec::new());
        let Some(typed) = line.get(..position).filter(|typed| typed.starts_with('/') && !line.contains('\n')) else {
            return nothing;
        };
        let Some((name, argument)) = typed[1..].split_once(char::is_whitespace) else {
            return (0, commands(typed));
        };
        let Some(command) = command::named(name) else { return nothing };
        let (start, mut candidates) = self.arguments(command, argument);
        if start == 0
            && let Some((word, _)) = command.word
            && word.starts_with(argument)
        {
            candidates.push(plain(word, word.into()));
        }
        (typed.len() - argument.len() + start, candidates)
    }
}

impl Completion {
    /// What may stand at the end of an argument, and where it begins in it.
    fn arguments(&self, command: &Command, argument: &str) -> (usize, Vec<Candidate>) {
        let is_first = !argument.contains(char::is_whitespace);
        match command.argument {
            Argument::Model(_) if is_first => (0, self.models(argument)),
            Argument::Session(_) if is_first => (0, self.ids(argument)),
            Argument::Switch(_) if is_first => {
                let words = ["on", "off"].into_iter().filter(|word| word.starts_with(argument));
                (0, words.map(|word| plain(word, word.into())).collect())
            }
            Argument::Files(_) => files(argument),
            Argument::NewFile(_) => files(argument),
            Argument::Model(_)
            | Argument::Session(_)
            | Argument::Switch(_)
            | Argument::Nothing(_)
            | Argument::Number(_)
            | Argument::Text(_) => (0, Vec::new()),
        }
    }

    /// Models with their prices, the cheapest first.
    fn models(&self, prefix: &str) -> Vec<Candidate> {
        let prefix = prefix.to_lowercase();
        let mut models: Vec<&Arc<Model>> =
            self.catalog.models().filter(|model| model.display_name().to_lowercase().starts_with(&prefix)).collect();
        models.sort_by_key(|model| {
            model.prices.map_or(u64::MAX, |prices| prices.input.0.saturating_add(prices.output.0))
        });
        let width = models.iter().map(|model| model.display_name().chars().count()).max().unwrap_or_default();
        let candidate = |model: &Arc<Model>| {
            let price = match model.prices {
                Some(prices) => format!("${}/${}", Rate::dollars(prices.input), Rate::dollars(prices.output)),
                None => "price unknown".to_owned(),
            };
            let name = model.display_name();
            let blanks = Printable::repeat(" ", width + 2 - name.chars().count());
            plain(name, Printable::join([Printable::line(name), blanks, Printable::line(price)], ""))
        };
        models.into_iter().map(candidate).collect()
    }

    /// Sessions with their titles, the one that was used last first.
    fn ids(&self, prefix: &str) -> Vec<Candidate> {
        let rows = self.sessions.as_ref().and_then(|sessions| sessions.list().ok()).map(|(rows, _)| rows);
        let rows = rows.unwrap_or_default().into_iter().filter(|row| row.id.to_string().starts_with(prefix));
        let candidate = |row: crate::sessions::Summary| {
            let title = Printable::line(row.title.unwrap_or_default()).cut(50);
            plain(&row.id.to_string(), Printable::join([Printable::line(row.id), title], "  "))
        };
        rows.map(candidate).collect()
    }
}

fn commands(typed: &str) -> Vec<Candidate> {
    let fitting: Vec<&Command> = command::all().filter(|command| command.name.starts_with(&typed[1..])).collect();
    let candidate = |command: &&Command| {
        let blank = if command.form.is_empty() { "" } else { " " };
        plain(&format!("/{}{blank}", command.name), Printable::line(command.usage()))
    };
    fitting.iter().map(candidate).collect()
}

/// The files that the last word may mean, and where it begins.
fn files(argument: &str) -> (usize, Vec<Candidate>) {
    let mut words = words::split(argument);
    let ends_with_blank =
        argument.ends_with(char::is_whitespace) && words.last().is_none_or(|word| word.open_quote.is_none());
    let word = if ends_with_blank { None } else { words.pop() };
    let word = word.unwrap_or_else(|| Word { start: argument.len(), ..Word::default() });
    let typed = word.path();
    let (folder, beginning) =
        typed.rsplit_once(MAIN_SEPARATOR).map_or(("", typed.as_str()), |(folder, name)| (folder, name));
    let in_folder = |name: &str| match typed.rfind(MAIN_SEPARATOR) {
        Some(at) => format!("{}{name}", &typed[..=at]),
        None => name.to_owned(),
    };
    let place = match (folder, typed.starts_with(MAIN_SEPARATOR)) {
        ("", true) => Path::new("/"),
        ("", false) => Path::new("."),
        (folder, _) => Path::new(folder),
    };
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let mut names: Vec<(String, bool)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            // Hidden files are offered to those who have typed the dot.
            let is_wanted = name.starts_with(beginning) && (beginning.starts_with('.') || !name.starts_with('.'));
            is_wanted.then(|| (name, entry.path().is_dir()))
        })
        .take(MOST_FILES)
        .collect();
    names.sort();
    let candidate = |(name, is_folder): (String, bool)| {
        let end = if is_folder { std::path::MAIN_SEPARATOR_STR } else { "" };
        let replacement = words::quoted(&in_folder(&format!("{name}{end}")));
        // The quote of a folder stays open, because more of the path follows.
        let replacement = match replacement.strip_suffix('"') {
            Some(open) if is_folder => open.to_owned(),
            _ => replacement,
        };
        plain(&replacement, Printable::join([Printable::line(name), end.into()], ""))
    };
    (word.start, names.into_iter().map(candidate).collect())
}

fn plain(replacement: &str, display: Printable) -> Candidate {
    Candidate { replacement: replacement.to_owned(), display }
}
