//! What of a request has no meaning here, counted by its kind, so that a long history does not fill the list of changes.

use crate::conversation::IgnoredMember;
use std::collections::BTreeMap;

/// How often each kind was left out. The kinds are sorted, so that the same request gives the same list.
#[derive(Debug, Default)]
pub(super) struct Ignored(BTreeMap<String, usize>);

impl Ignored {
    /// Counts one more of a kind, which is the path of a list and the type of its item.
    pub(super) fn add(&mut self, list: &str, kind: &str) {
        *self.0.entry(format!("{list}.{kind}")).or_default() += 1;
    }

    /// The kinds as ignored members, whose value is their number.
    pub(super) fn members(self) -> impl Iterator<Item = IgnoredMember> {
        self.0.into_iter().map(|(name, count)| IgnoredMember { name, value: Some(count.to_string()) })
    }
}
