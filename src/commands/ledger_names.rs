//! The names of API keys and of groups, as people type them.

use crate::catalog::did_you_mean;
use crate::error::{Error, Kind};
use crate::ledger::group::Group;
use crate::ledger::key::Key;

/// Refuses a name that is hard to type or to read. `what` has it: `key` or `group`.
pub(super) fn check(name: &str, what: &str) -> Result<(), Error> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
        return Err(Error::new(Kind::InvalidRequest, format!("{name:?} is not a valid name for a {what}"))
            .advise("use up to 64 letters, digits, `.`, `_` and `-`"));
    }
    Ok(())
}

/// The error for a key that is not there. `verb`: what was to be done with it.
pub(super) fn no_such_key(name: &str, verb: &str, keys: &[Key]) -> Error {
    let names = keys.iter().filter(|key| key.revoked.is_none()).map(|key| key.name.as_str());
    Error::new(Kind::InvalidRequest, format!("there is no key {name:?} to {verb}")).advise(did_you_mean(
        name,
        names,
        "`chatrix keys list` shows the keys",
    ))
}

/// The error for a group that is not there.
pub(super) fn no_such_group(name: &str, groups: &[Group]) -> Error {
    let names = groups.iter().filter(|group| group.removed.is_none()).map(|group| group.name.as_str());
    Error::new(Kind::InvalidRequest, format!("there is no group {name:?}")).advise(did_you_mean(
        name,
        names,
        "`chatrix groups list` shows the groups, and `chatrix groups add` makes one",
    ))
}
