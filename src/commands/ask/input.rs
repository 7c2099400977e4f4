//! Reads what `ask` is given: files and stdin. Nothing is read without an end: a device or a pipe that is named as a file
//! is refused before it is opened, and so is a file that is too large for any model.

use crate::conversation::media::MAX_DOCUMENT_BYTES;
use crate::error::{Error, Kind};
use crate::terminal::output::note;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// The most bytes of one file, and of stdin. Text of this size fills the largest context window.
const MAX_BYTES: usize = MAX_DOCUMENT_BYTES;

/// The bytes of a regular file.
///
/// # Errors
/// `InvalidRequest` for anything that is not a regular file, and for one that is too large.
pub(super) fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    check(path, &metadata)?;
    read_limited(path, File::open(path).map_err(|error| unreadable(path, &error))?)
}

/// The bytes of a file or of a pipe, such as a shell makes with `<(…)`.
///
/// # Errors
/// `InvalidRequest` for one that is too large.
pub(super) fn read_file_or_pipe(path: &Path) -> anyhow::Result<Vec<u8>> {
    read_limited(path, File::open(path).map_err(|error| unreadable(path, &error))?)
}

fn read_limited(path: &Path, file: File) -> anyhow::Result<Vec<u8>> {
    let bytes = limited(file).map_err(|error| unreadable(path, &error))?;
    // The size that the file system tells is 0 for some files, and a file may grow.
    bytes.ok_or_else(|| too_large(&path.display().to_string()).into())
}

/// What can be read, `None` when it is more than the limit.
fn limited(source: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= MAX_BYTES).then_some(bytes))
}

fn check(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    let refused = |what: &str| {
        Err(Error::new(Kind::InvalidRequest, format!("{} is {what}, and only files can be attached", path.display())))
    };
    if metadata.is_dir() {
        return refused("a directory");
    }
    if !metadata.is_file() {
        return refused("a device or a pipe").map_err(|error| error.advise("`-f -` attaches what is on stdin"));
    }
    if metadata.len() > u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) {
        return Err(too_large(&path.display().to_string()));
    }
    Ok(())
}

fn too_large(what: &str) -> Error {
    Error::new(Kind::InvalidRequest, format!("{what} is too large: at most {MAX_BYTES} bytes can be attached"))
}

fn unreadable(path: &Path, error: &io::Error) -> anyhow::Error {
    let cause = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    };
    anyhow::anyhow!("cannot read {}: {cause}", path.display())
}

/// All of stdin. A person who forgot it is told what is waited for.
///
/// # Errors
/// `InvalidRequest` when it is too much, and `Interrupted`.
pub(super) async fn read_stdin(may_note: bool) -> anyhow::Result<Vec<u8>> {
    let mut reading = tokio::task::spawn_blocking(|| limited(io::stdin().lock()));
    let bytes = tokio::select! {
        bytes = &mut reading => bytes,
        () = tokio::time::sleep(Duration::from_secs(2)) => {
            if may_note {
                note("waiting for stdin to end; --no-stdin skips it");
            }
            tokio::select! {
                bytes = &mut reading => bytes,
                _ = tokio::signal::ctrl_c() => {
                    return Err(Error::new(Kind::Interrupted, "interrupted while reading stdin").into());
                }
            }
        }
    };
    let bytes = bytes.map_err(io::Error::other).and_then(|bytes| bytes);
    let bytes = bytes.map_err(|error| anyhow::anyhow!("cannot read stdin: {error}"))?;
    bytes.ok_or_else(|| too_large("what is on stdin").into())
}
