//! The file of one session. It is locked while a chat writes it, which the kernel ends however the chat ends.

use super::entry::{Entry, Header, VERSION};
use super::state::Session;
use crate::error::{Error, Kind, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The longest line that is read (bytes). A question with as many files as a model takes is shorter.
const LONGEST_LINE: u64 = 256 << 20;

/// The open file of a session, to which its entries are appended.
#[derive(Debug)]
pub(crate) struct SessionFile {
    file: File,
    /// The length of the file without an entry that is half written (bytes).
    length: u64,
}

/// A session that was read from its file.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) session: Session,
    /// How many lines could not be read, and were left out.
    pub(crate) damaged: usize,
    /// The time of the last question or answer, or else of the beginning (milliseconds since 1970).
    pub(super) last: i64,
}

impl SessionFile {
    /// Makes a new file of all that the session has come to.
    ///
    /// # Errors
    /// `AlreadyExists`; otherwise that of the file system. Then there is no file.
    pub(super) fn create(path: &Path, session: &Session, now: i64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let mut created = Self { file, length: 0 };
        let written = created.write_beginning(session, now);
        if written.is_err() {
            let _ = std::fs::remove_file(path);
        }
        written.map(|()| created)
    }

    fn write_beginning(&mut self, session: &Session, now: i64) -> io::Result<()> {
        self.file.try_lock()?;
        let header = Header {
            version: VERSION,
            created: now,
            offline: session.offline,
            model: session.model.clone(),
            system: session.system.clone(),
            title: session.title.clone(),
            spent: session.spent_besides(),
        };
        self.write_line(serde_json::to_vec(&header)?)?;
        session.entries().try_for_each(|entry| self.append(&entry))
    }

    /// Opens the file of a session in order to go on with it.
    ///
    /// # Errors
    /// `InvalidRequest` for a session that another chat has open, and for a file that is no session or whose version is
    /// newer; otherwise `Io`.
    pub(super) fn open(path: &Path) -> Result<(Self, Opened)> {
        let unreadable = |error: io::Error| unreadable(path, &error);
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(unreadable)?;
        lock(&file, path)?;
        let opened = read(&mut file, path)?;
        let mut length = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        // A line that was half written must not swallow the next one.
        if length > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(unreadable)?;
            if last != *b"\n" {
                file.write_all(b"\n").map_err(unreadable)?;
                length += 1;
            }
        }
        Ok((Self { file, length }, opened))
    }

    /// Adds an entry. It is with the operating system when this returns, so that killing the process does not lose it.
    ///
    /// # Errors
    /// That of the file system. The file is then as it was before.
    pub(crate) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        self.write_line(serde_json::to_vec(entry)?)
    }

    fn write_line(&mut self, mut line: Vec<u8>) -> io::Result<()> {
        line.push(b'\n');
        let written = self.file.write_all(&line);
        match &written {
            Ok(()) => self.length += line.len() as u64,
            // Where there is no room for the line, there is none for half of it either.
            Err(_) => _ = self.file.set_len(self.length).and_then(|()| self.file.seek(SeekFrom::End(0))),
        }
        written
    }
}

/// Locks the file of a session until it is closed.
///
/// # Errors
/// `InvalidRequest` when another chat has locked it; otherwise `Io`.
pub(super) fn lock(file: &File, path: &Path) -> Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            let id = path.file_stem().unwrap_or_default().display();
            Error::new(Kind::InvalidRequest, format!("session {id} is open in another chat"))
                .advise("end that chat first, or begin a new one with `chatrix chat`")
        }
        TryLockError::Error(error) => unreadable(path, &error),
    })
}

/// Reads a session from its beginning.
///
/// # Errors
/// As [`SessionFile::open`].
pub(super) fn read(source: impl Read, path: &Path) -> Result<Opened> {
    let mut lines = BufReader::new(source);
    let mut line = Vec::new();
    next_line(&mut lines, &mut line).map_err(|error| unreadable(path, &error))?;
    let header = header(&line, path)?;
    let mut opened = Opened { last: header.created, session: Session::begun(header), damaged: 0 };
    while next_line(&mut lines, &mut line).map_err(|error| unreadable(path, &error))? {
        match serde_json::from_slice::<Entry>(&line) {
            Ok(entry) => {
                if let Entry::Question(super::Question { at, .. }) | Entry::Answer(super::Answer { at, .. }) = entry {
                    opened.last = at;
                }
                opened.session.apply(entry);
            }
            Err(_) => opened.damaged += usize::from(!line.trim_ascii().is_empty()),
        }
    }
    Ok(opened)
}

/// The next line; `false` at the end of the file. Of a line that is too long only the beginning is read, which is
/// damaged.
fn next_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let length = lines.take(LONGEST_LINE).read_until(b'\n', line)?;
    if length as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
        lines.skip_until(b'\n')?;
    }
    Ok(length > 0)
}

fn header(line: &[u8], path: &Path) -> Result<Header> {
    #[derive(serde::Deserialize)]
    struct Version {
        chatrix_session: u32,
    }
    let refused = |what: &str| Error::new(Kind::InvalidRequest, format!("{} {what}", path.display()));
    match serde_json::from_slice::<Version>(line) {
        Ok(Version { chatrix_session: version }) if version > VERSION => {
            return Err(refused(&format!(
                "was written by a newer chatrix (version {version}; this one reads {VERSION})"
            ))
            .advise("update chatrix to go on with it"));
        }
        Ok(_) => {}
        Err(_) => return Err(refused("is no session of chatrix")),
    }
    serde_json::from_slice(line).map_err(|_| refused("is damaged in its first line"))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Io, format!("cannot read the session {}: {error}", path.display()))
}
