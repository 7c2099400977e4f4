//! What the server tells its operator on stderr. Each notice is shown once, or once an hour.

use crate::engine::{Call, Warning};
use crate::telemetry::Telemetry;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a notice that comes back is not repeated.
const HOUR: Duration = Duration::from_hours(1);
/// The most notices that are remembered. A server that runs for long has warned of many periods of many budgets.
const MAX_NOTICES: usize = 1000;
/// How many of those may be about what clients send in the name of strangers: foreign origins and hosts.
const MAX_FOREIGN: usize = 100;
/// The longest such name that is told apart from others (characters).
const MAX_NAME: usize = 200;

/// The notices of one server. Clones share what was already shown.
#[derive(Debug, Clone)]
pub(super) struct Console {
    telemetry: Telemetry,
    /// When each notice was shown last, by what it is about.
    shown: Arc<Mutex<HashMap<String, Instant>>>,
    /// The same for notices about strangers.
    foreign: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Console {
    pub(super) fn new(telemetry: Telemetry) -> Self {
        Self { telemetry, shown: Arc::default(), foreign: Arc::default() }
    }

    /// Says, once each, that a successor answers for a retired model, and the warnings of a call.
    pub(super) fn announce(&self, call: &Call) {
        if let Some(text) = call.successor_notice() {
            self.say(text.clone(), None, &text);
        }
        self.warn(&call.warnings());
    }

    /// Warns, once for each period and threshold, that a budget is nearly used up.
    pub(super) fn warn(&self, warnings: &[Warning]) {
        for warning in warnings {
            self.say(warning.about.clone(), None, &warning.text);
        }
    }

    /// Says, once an hour for each API key, that an answer was cut at the token limit, and how to raise it. `key` is the
    /// name of the key.
    pub(super) fn announce_cut(&self, call: &Call, key: Option<&str>) {
        if let Some(text) = call.cut_notice() {
            let (about, text) = match key {
                Some(key) => (format!("a cut for key {key}"), format!("key {key}: {text}")),
                None => ("a cut without a key".to_owned(), text),
            };
            self.say(about, Some(HOUR), &text);
        }
    }

    /// Says, once an hour for each origin, that web pages were refused. The browser hides the reason from the page.
    pub(super) fn announce_refused_origin(&self, origin: &str, reason: &str) {
        self.say_foreign("origin", origin, reason);
    }

    /// Says, once an hour for each host, that requests to it were refused.
    pub(super) fn announce_refused_host(&self, host: &str, reason: &str) {
        self.say_foreign("host", host, reason);
    }

    /// Says, once an hour for each reason, that connections cannot be accepted.
    pub(super) fn announce_accept_error(&self, error: &std::io::Error) {
        let text = format!("connections cannot be accepted for the moment: {error}");
        self.say(format!("accepting: {:?}", error.kind()), Some(HOUR), &text);
    }

    /// Shows a text about a stranger's name. Any number of names can be sent, so only few are remembered for an hour, and
    /// they take no place from other notices.
    fn say_foreign(&self, what: &str, name: &str, text: &str) {
        let name: String = name.chars().take(MAX_NAME).collect();
        let mut foreign = self.foreign.lock().unwrap_or_else(PoisonError::into_inner);
        foreign.retain(|_, last| last.elapsed() < HOUR);
        let about = format!("{what} {name}");
        if foreign.len() >= MAX_FOREIGN || foreign.contains_key(&about) {
            return;
        }
        foreign.insert(about, Instant::now());
        self.telemetry.notice(text);
    }

    /// Shows a text unless one about the same was shown already, within `again` if that is given.
    fn say(&self, about: String, again: Option<Duration>, text: &str) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if is_new(&mut shown, about, again) {
            self.telemetry.notice(text);
        }
    }
}

/// Whether something is to be shown, because nothing about the same was shown yet, within `again` if that is given. It is
/// remembered then, and where there are too many, the oldest is forgotten.
fn is_new(shown: &mut HashMap<String, Instant>, about: String, again: Option<Duration>) -> bool {
    if shown.get(&about).is_some_and(|last| again.is_none_or(|again| last.elapsed() < again)) {
        return false;
    }
    if shown.len() >= MAX_NOTICES
        && !shown.contains_key(&about)
        && let Some(oldest) = shown.iter().min_by_key(|(_, last)| **last).map(|(about, _)| about.clone())
    {
        shown.remove(&oldest);
    }
    shown.insert(about, Instant::now());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_shown_once_however_many_others_there_were() {
        let mut shown = HashMap::new();
        for n in 0..3 * MAX_NOTICES {
            assert!(is_new(&mut shown, n.to_string(), None), "{n}");
            assert!(!is_new(&mut shown, n.to_string(), None), "{n}");
            assert!(is_new(&mut shown, n.to_string(), Some(Duration::ZERO)), "{n}");
        }
        assert_eq!(shown.len(), MAX_NOTICES);
        assert!(!is_new(&mut shown, (2 * MAX_NOTICES).to_string(), None), "only the oldest are forgotten");
    }
}
