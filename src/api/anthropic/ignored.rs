//! What a client sent that the neutral form of its request has no words for.

use crate::conversation::IgnoredMember;
use std::collections::HashSet;

/// The kinds of blocks and the members that were left out, each once, in the client's order.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    members: Vec<IgnoredMember>,
    known: HashSet<String>,
}

impl Ignored {
    /// Adds the client's own word. Its value is never kept: it may hold a user's text.
    pub(super) fn add(&mut self, name: &str) {
        if self.known.insert(name.to_owned()) {
            self.members.push(IgnoredMember { name: name.to_owned(), value: None });
        }
    }

    pub(super) fn into_members(self) -> Vec<IgnoredMember> {
        self.members
    }
}
