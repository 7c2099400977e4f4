//! Where a conversation is saved. One that cannot be saved goes on.

use crate::sessions::{Entry, Session, SessionFile, SessionId, Sessions};
use std::io;
use std::time::SystemTime;

/// Whether the conversation is saved.
pub(super) enum Recorder {
    /// Nothing is to be saved, for this reason.
    Never(&'static str),
    /// `/save` begins a file: a script must not fill the folder.
    WhenAsked(Sessions),
    /// The first question begins a file.
    FromFirstQuestion(Sessions),
    InFile {
        sessions: Sessions,
        id: SessionId,
        file: SessionFile,
    },
    /// The file could not be written, which was said.
    Failed(Sessions),
}

impl Recorder {
    /// Saves an entry before it is applied to the session. Blocks on the disk.
    ///
    /// # Errors
    /// That of the file system, once: from then on nothing is saved.
    pub(super) fn record(&mut self, session: &Session, entry: &Entry) -> io::Result<()> {
        if matches!((&self, entry), (Self::FromFirstQuestion(_), Entry::Question(_))) {
            self.begin(session)?;
        }
        let Self::InFile { sessions, file, .. } = self else { return Ok(()) };
        let written = file.append(entry);
        if written.is_err() {
            *self = Self::Failed(sessions.clone());
        }
        written
    }

    /// Begins a file with all that the session has come to, unless it has one. Blocks on the disk.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub(super) fn begin(&mut self, session: &Session) -> io::Result<()> {
        let (Self::WhenAsked(sessions) | Self::FromFirstQuestion(sessions) | Self::Failed(sessions)) = self else {
            return Ok(());
        };
        let sessions = sessions.clone();
        match sessions.create(session, now()) {
            Ok((id, file)) => {
                *self = Self::InFile { sessions, id, file };
                Ok(())
            }
            Err(error) => {
                *self = Self::Failed(sessions);
                Err(error)
            }
        }
    }

    /// Lets the first question begin a file, where only `/save` would have.
    pub(super) fn expect_question(&mut self) {
        if let Self::WhenAsked(sessions) | Self::Failed(sessions) = self {
            *self = Self::FromFirstQuestion(sessions.clone());
        }
    }

    /// How a new conversation is saved that a person, or else a script, holds.
    pub(super) fn of(sessions: Sessions, by_person: bool) -> Self {
        if by_person { Self::FromFirstQuestion(sessions) } else { Self::WhenAsked(sessions) }
    }

    /// Leaves the file, for a conversation that begins anew.
    pub(super) fn begin_anew(&mut self, by_person: bool) {
        if let Some(sessions) = self.sessions().cloned() {
            *self = Self::of(sessions, by_person);
        }
    }

    pub(super) fn id(&self) -> Option<SessionId> {
        match self {
            Self::InFile { id, .. } => Some(*id),
            Self::Never(_) | Self::WhenAsked(_) | Self::FromFirstQuestion(_) | Self::Failed(_) => None,
        }
    }

    pub(super) fn sessions(&self) -> Option<&Sessions> {
        match self {
            Self::Never(_) => None,
            Self::WhenAsked(sessions)
            | Self::FromFirstQuestion(sessions)
            | Self::InFile { sessions, .. }
            | Self::Failed(sessions) => Some(sessions),
        }
    }
}

/// The present moment (milliseconds since 1970).
pub(super) fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}
