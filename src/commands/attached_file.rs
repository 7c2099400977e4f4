//! Files that a person attaches to a question. Nothing is read without an end: a device or a pipe that is named as a file
//! is refused before it is opened, and so is a file that is too large for any model.

use crate::conversation::Part;
use crate::conversation::media::{Attachment, DocumentNames, MAX_DOCUMENT_BYTES};
use crate::error::{Error, Kind};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// The most bytes of one file, and of stdin. Text of this size fills the largest context window.
const MAX_BYTES: usize = MAX_DOCUMENT_BYTES;

/// The bytes of a regular file. `instead_of_pipe`: what to do where a device or a pipe was meant.
///
/// # Errors
/// `InvalidRequest` for anything that is not a regular file, and for one that is too large.
pub(crate) fn read_file(path: &Path, instead_of_pipe: &str) -> anyhow::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    check(path, &metadata, instead_of_pipe)?;
    read_limited(path, File::open(path).map_err(|error| unreadable(path, &error))?)
}

/// The bytes of a file or of a pipe, such as a shell makes with `<(…)`.
///
/// # Errors
/// `InvalidRequest` for one that is too large.
pub(crate) fn read_file_or_pipe(path: &Path) -> anyhow::Result<Vec<u8>> {
    read_limited(path, File::open(path).map_err(|error| unreadable(path, &error))?)
}

fn read_limited(path: &Path, file: File) -> anyhow::Result<Vec<u8>> {
    let bytes = limited(file).map_err(|error| unreadable(path, &error))?;
    // The size that the file system tells is 0 for some files, and a file may grow.
    bytes.ok_or_else(|| too_large(&path.display().to_string()).into())
}

/// What can be read, `None` when it is more than the limit.
pub(crate) fn limited(source: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= MAX_BYTES).then_some(bytes))
}

fn check(path: &Path, metadata: &Metadata, instead_of_pipe: &str) -> Result<(), Error> {
    let refused = |what: &str| {
        Err(Error::new(Kind::InvalidRequest, format!("{} is {what}, and only files can be attached", path.display())))
    };
    if metadata.is_dir() {
        return refused("a directory");
    }
    if !metadata.is_file() {
        return refused("a device or a pipe").map_err(|error| error.advise(instead_of_pipe));
    }
    if metadata.len() > u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) {
        return Err(too_large(&path.display().to_string()));
    }
    Ok(())
}

pub(crate) fn too_large(what: &str) -> Error {
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

/// A file, by its content: an image, a document, or text. `place` is where it comes from, for errors.
///
/// # Errors
/// `InvalidRequest` for a file that no model takes.
pub(crate) fn attached(bytes: &[u8], name: &str, place: &str, names: &mut DocumentNames) -> anyhow::Result<Part> {
    let attachment = Attachment::recognize(bytes, name, "")
        .map_err(|error| Error::new(error.kind, format!("{place}: {}", error.message)))?;
    Ok(match attachment {
        Attachment::Image(image) => Part::Image(image),
        Attachment::Document(document) => Part::Document(document, names.unique(name)),
        Attachment::Text(_, text) => {
            let name = names.distinct(name.to_owned());
            Part::Text(format!("<file name=\"{name}\">\n{}\n</file>", text.trim_end_matches('\n')))
        }
    })
}
