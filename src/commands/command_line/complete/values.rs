//! The values that only a running program knows: models with the operator's own, API keys, groups, sessions of `chat`.

use super::candidate::Candidate;
use crate::catalog::{Features, Prices};
use crate::commands::setup::load_settings;
use crate::config::{Flags, Settings};
use crate::ledger::store::Store;
use crate::ledger::{self, Clock};
use crate::sessions::Sessions;
use crate::terminal::printable::Printable;

/// The most columns of a session's title.
const WIDEST_TITLE: usize = 50;

/// What an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Model,
    /// A model, or the word for a feature.
    ModelOrFeature,
    Key,
    Group,
    Session,
}

impl Kind {
    /// `command` is the last word of a command's name, such as `revoke`; `argument` the id of one of its arguments.
    pub(super) fn of(command: &str, argument: &str) -> Option<Self> {
        match (command, argument) {
            (_, "model" | "small_model" | "models") => Some(Self::Model),
            ("models", "filter") => Some(Self::ModelOrFeature),
            ("rotate" | "revoke" | "move", "name") | (_, "key") => Some(Self::Key),
            ("set" | "remove", "name") | (_, "group") => Some(Self::Group),
            ("chat", "resume" | "delete") => Some(Self::Session),
            _ => None,
        }
    }
}

/// Where the values are found.
#[derive(Debug)]
pub(super) struct Values {
    flags: Flags,
}

impl Values {
    /// `before`: the words before the one that is completed, with the options that choose the ledger and the config file.
    pub(super) fn new(before: &[String]) -> Self {
        let config = before.iter().position(|word| word == "--config").and_then(|at| before.get(at + 1));
        let joined = before.iter().find_map(|word| word.strip_prefix("--config="));
        let config = config.map(String::as_str).or(joined).map(Into::into);
        Self { flags: Flags { offline: before.iter().any(|word| word == "--offline"), config, ..Flags::default() } }
    }

    /// All values of a kind; none where they cannot be read.
    pub(super) fn of(&self, kind: Kind) -> Vec<Candidate> {
        let Ok(settings) = load_settings(&self.flags) else { return Vec::new() };
        match kind {
            Kind::Model => models(&settings),
            Kind::ModelOrFeature => {
                let features = Features::words().map(|(word, meaning)| Candidate::new(word, meaning));
                models(&settings).into_iter().chain(features).collect()
            }
            Kind::Key => keys(&settings).unwrap_or_default(),
            Kind::Group => groups(&settings).unwrap_or_default(),
            Kind::Session => sessions(&settings).unwrap_or_default(),
        }
    }
}

/// The models with a name, cheapest first, each with its prices for a million tokens.
fn models(settings: &Settings) -> Vec<Candidate> {
    let mut models: Vec<_> = settings.catalog().models().filter(|model| model.alias.is_some()).collect();
    models.sort_by_key(|model| (Prices::sort_key(model.prices), model.display_name()));
    let described = models.into_iter().map(|model| {
        let help = match model.prices {
            Some(prices) => format!("${} in, ${} out", prices.input.dollars(), prices.output.dollars()),
            None => "price unknown".to_owned(),
        };
        Candidate::new(model.display_name(), help)
    });
    described.collect()
}

/// The keys that can still be used.
fn keys(settings: &Settings) -> Option<Vec<Candidate>> {
    let keys = present_ledger(settings)?.keys().ok()?;
    let usable = keys.into_iter().filter(|key| key.revoked.is_none());
    Some(usable.map(|key| Candidate::new(key.name, "API key")).collect())
}

fn groups(settings: &Settings) -> Option<Vec<Candidate>> {
    let groups = present_ledger(settings)?.groups().ok()?;
    let present = groups.into_iter().filter(|group| group.removed.is_none());
    Some(present.map(|group| Candidate::new(group.name, "group of API keys")).collect())
}

/// The ledger is only read: where there is none, a Tab makes none.
fn present_ledger(settings: &Settings) -> Option<Box<dyn Store>> {
    let location = settings.ledger_location().filter(|location| location.exists())?;
    ledger::open(location, Clock::system()).ok()
}

/// The saved sessions with their titles, the one that was used last first.
fn sessions(settings: &Settings) -> Option<Vec<Candidate>> {
    let (rows, _) = Sessions::in_folder(settings.sessions.clone()?).list().ok()?;
    let title =
        |title: Option<String>| Printable::line(title.unwrap_or_default()).cut(WIDEST_TITLE).as_str().to_owned();
    Some(rows.into_iter().map(|row| Candidate::new(row.id.to_string(), title(row.title))).collect())
}
