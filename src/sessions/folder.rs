//! The folder of the sessions: begins, finds, lists and removes them.

use super::entry::Spent;
use super::file::{self, Opened, SessionFile};
use super::id::{SessionId, as_typed};
use super::state::Session;
use crate::error::{Error, Kind, Result};
use std::cmp::Reverse;
use std::fs::{DirBuilder, File};
use std::io;
use std::path::{Path, PathBuf};

/// How many ids are tried for a new session. Others begin in the same second only where a script begins them.
const ATTEMPTS: usize = 1000;
/// How many sessions an error lists at most.
const MOST_CANDIDATES: usize = 8;

/// The sessions of this user.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    folder: PathBuf,
}

/// What a list shows of a session.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) id: SessionId,
    pub(crate) title: Option<String>,
    /// The model of its next question.
    pub(crate) model: String,
    pub(crate) offline: bool,
    /// The questions that have an answer.
    pub(crate) exchanges: usize,
    pub(crate) spent: Spent,
    /// The time of the last question or answer (milliseconds since 1970).
    pub(crate) last: i64,
}

impl Sessions {
    pub(crate) fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, id: SessionId) -> PathBuf {
        self.folder.join(format!("{id}.jsonl"))
    }

    /// Begins a file for a session. `now`: milliseconds since 1970.
    ///
    /// # Errors
    /// That of the file system.
    pub(crate) fn create(&self, session: &Session, now: i64) -> io::Result<(SessionId, SessionFile)> {
        make_private_folder(&self.folder)?;
        let mut id = SessionId::at(now);
        for _ in 0..ATTEMPTS {
            match SessionFile::create(&self.path(id), session, now) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => id = id.next(),
                created => return created.map(|file| (id, file)),
            }
        }
        Err(io::Error::other("too many sessions begin at once"))
    }

    /// Opens a session in order to go on with it.
    ///
    /// # Errors
    /// As [`SessionFile::open`].
    pub(crate) fn open(&self, id: SessionId) -> Result<(SessionFile, Opened)> {
        SessionFile::open(&self.path(id))
    }

    /// The sessions by the beginning of an id, which must fit one only.
    ///
    /// # Errors
    /// `InvalidRequest`, with the sessions that it may mean.
    pub(crate) fn find(&self, prefix: &str) -> Result<SessionId> {
        let typed = as_typed(prefix);
        let all = self.ids()?;
        let mut fitting: Vec<SessionId> = all.iter().copied().filter(|id| id.to_string().starts_with(&typed)).collect();
        if let ([id], false) = (fitting.as_slice(), typed.is_empty()) {
            return Ok(*id);
        }
        let message = if all.is_empty() {
            return Err(Error::new(Kind::InvalidRequest, "there are no saved sessions"));
        } else if fitting.is_empty() {
            fitting = all;
            format!("no session has an id that begins with {prefix:?}")
        } else {
            format!("{} sessions have an id that begins with {prefix:?}", fitting.len())
        };
        Err(Error::new(Kind::InvalidRequest, message).advise(self.candidates(fitting)))
    }

    /// The newest of some sessions, with their titles.
    fn candidates(&self, mut ids: Vec<SessionId>) -> String {
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let more = ids.len().saturating_sub(MOST_CANDIDATES);
        let rows = ids.iter().take(MOST_CANDIDATES).map(|id| {
            let title = self.summary(*id).ok().and_then(|summary| summary.title).unwrap_or_default();
            let title = title.split_whitespace().take(5).collect::<Vec<_>>().join(" ");
            format!("{id} ({})", title.chars().take(40).collect::<String>())
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("there are {rows}{rest}; `chatrix chat --list` shows them all")
    }

    /// The session that was used last among those that AWS, or the offline model, answered.
    ///
    /// # Errors
    /// `InvalidRequest` when there is none.
    pub(crate) fn last(&self, offline: bool) -> Result<SessionId> {
        let used = |id: &SessionId| std::fs::metadata(self.path(*id)).and_then(|metadata| metadata.modified()).ok();
        let mut ids: Vec<_> = self.ids()?.into_iter().map(|id| (used(&id), id)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let is_wanted = |id: &SessionId| self.summary(*id).is_ok_and(|summary| summary.offline == offline);
        ids.into_iter().map(|(_, id)| id).find(is_wanted).ok_or_else(|| {
            let kind = if offline { "offline session" } else { "session" };
            Error::new(Kind::InvalidRequest, format!("there is no saved {kind} to continue"))
                .advise("`chatrix chat` begins one, and `chatrix chat --list` shows those that there are")
        })
    }

    /// Every session that can be read, the one that was used last first; and what the others are refused for.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn list(&self) -> Result<(Vec<Summary>, Vec<Error>)> {
        let (mut rows, mut refused) = (Vec::new(), Vec::new());
        for id in self.ids()? {
            match self.summary(id) {
                Ok(summary) => rows.push(summary),
                Err(error) => refused.push(error),
            }
        }
        rows.sort_by_key(|row| Reverse((row.last, row.id)));
        Ok((rows, refused))
    }

    /// # Errors
    /// As [`SessionFile::open`], but for a session that another chat has open.
    pub(crate) fn summary(&self, id: SessionId) -> Result<Summary> {
        let path = self.path(id);
        let file = File::open(&path).map_err(|error| unusable(&path, &error))?;
        let Opened { session, last, .. } = file::read(file, &path)?;
        Ok(Summary {
            id,
            title: session.title().map(ToOwned::to_owned),
            offline: session.offline,
            exchanges: session.exchanges().len(),
            spent: session.spent(),
            last,
            model: session.model,
        })
    }

    /// Removes a session.
    ///
    /// # Errors
    /// `InvalidRequest` for one that another chat has open; otherwise `Io`.
    pub(crate) fn remove(&self, id: SessionId) -> Result<()> {
        let path = self.path(id);
        let file = File::open(&path).map_err(|error| unusable(&path, &error))?;
        file::lock(&file, &path)?;
        std::fs::remove_file(&path).map_err(|error| unusable(&path, &error))
    }

    /// The ids of all sessions. Other files are none of ours.
    fn ids(&self) -> Result<Vec<SessionId>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unusable(&self.folder, &error)),
        };
        let id = |entry: std::fs::DirEntry| {
            // A link or a device could be anything.
            entry.file_type().ok().filter(std::fs::FileType::is_file)?;
            entry.file_name().to_str()?.strip_suffix(".jsonl")?.parse().ok()
        };
        Ok(entries.filter_map(|entry| id(entry.ok()?)).collect())
    }
}

/// Makes a folder that only this user may look into.
///
/// # Errors
/// That of the file system.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Io, format!("cannot use {}: {error}", path.display()))
}
