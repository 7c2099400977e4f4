//! The saved conversations of `chat`: one file each, to which every question and every answer is appended as a line of
//! JSON (docs/terminal.md, "Sessions"). The files hold what a person typed, so only this user may read them.

mod attached;
mod entry;
mod file;
mod folder;
mod id;
mod state;

pub(crate) use attached::Attached;
pub(crate) use entry::{Answer, End, Entry, Question, Spent};
pub(crate) use file::{Opened, SessionFile};
pub(crate) use folder::{Sessions, Summary, make_private_folder};
pub(crate) use id::SessionId;
pub(crate) use state::{Exchange, Session};
