//! A file that is written whole or not at all: a new one is written beside it and takes its place. That it can be written
//! is found out before an answer is paid for.

use crate::error::{Error, Kind};
use anyhow::Context;
use std::fs::{Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that can be written, as far as that is known without writing it.
pub(crate) struct WholeFile {
    /// The name that was given, for messages.
    named: PathBuf,
    target: Target,
}

enum Target {
    /// A file in a folder; links are followed, so that they stay. `replaced`: the file that is there already.
    InFolder { path: PathBuf, folder: PathBuf, replaced: Option<Metadata> },
    /// A device or a pipe, such as /dev/null, in whose place no file can be put.
    Device(PathBuf),
}

impl WholeFile {
    /// Finds out whether the file can be written. A file that is there already will be replaced.
    ///
    /// # Errors
    /// `InvalidRequest` for a folder; otherwise that of the file system.
    pub(crate) fn prepare(named: &Path) -> anyhow::Result<Self> {
        let target = Self::target(named).with_context(|| cannot_write(named))?;
        if let Target::InFolder { folder, .. } = &target {
            beside(folder).map_err(|error| in_words(folder, &error)).with_context(|| cannot_write(named))?;
        }
        Ok(Self { named: named.to_owned(), target })
    }

    /// As [`WholeFile::prepare`], for a file that must not be there yet. `advice`: what to do when it is.
    ///
    /// # Errors
    /// `InvalidRequest` for a file that is there already, and for a folder; otherwise that of the file system.
    pub(crate) fn prepare_new(named: &Path, advice: &str) -> anyhow::Result<Self> {
        if named.symlink_metadata().is_ok() && !named.is_dir() {
            return Err(Error::new(Kind::InvalidRequest, format!("there is already a file {}", named.display()))
                .advise(advice)
                .into());
        }
        Self::prepare(named)
    }

    fn target(named: &Path) -> anyhow::Result<Target> {
        let (path, replaced) = match std::fs::metadata(named) {
            Ok(found) if found.is_dir() => {
                return Err(Error::new(Kind::InvalidRequest, "it is a folder").into());
            }
            Ok(found) if !found.is_file() => return Ok(Target::Device(named.to_owned())),
            Ok(found) => {
                // A file that must not be changed is not replaced either.
                OpenOptions::new().append(true).open(named)?;
                (named.canonicalize()?, Some(found))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (named.to_owned(), None),
            Err(error) => return Err(error.into()),
        };
        if path.file_name().is_none() {
            return Err(Error::new(Kind::InvalidRequest, "it is no name of a file").into());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Target::InFolder { folder: folder.to_owned(), path, replaced })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// That of the file system. The file is then as it was before.
    pub(crate) fn write(&self, text: &str) -> anyhow::Result<()> {
        let written: io::Result<()> = match &self.target {
            Target::Device(path) => OpenOptions::new().write(true).open(path).and_then(|file| write(file, text)),
            Target::InFolder { path, folder, replaced } => (|| {
                let new = beside(folder)?;
                write(new.as_file(), text)?;
                if let Some(replaced) = replaced {
                    new.as_file().set_permissions(replaced.permissions())?;
                }
                new.as_file().sync_all()?;
                new.persist(path)?;
                Ok(())
            })(),
        };
        written.with_context(|| cannot_write(&self.named))
    }
}

fn write(mut file: impl Write, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Why no file can be made in a folder. The name of the file that was tried says nothing to a person.
fn in_words(folder: &Path, error: &io::Error) -> anyhow::Error {
    let folder = folder.display();
    match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!("there is no folder {folder}"),
        io::ErrorKind::NotADirectory => anyhow::anyhow!("{folder} is no folder"),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!("the folder {folder} may not be written"),
        kind => anyhow::anyhow!("{kind}"),
    }
}

/// A new file that is removed unless it takes the place of another one. Others may read it as far as the user's mask of
/// permissions lets them, as any file that a program writes.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".chatrix-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode_and_the_links_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old and longer").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        WholeFile::prepare(&link).unwrap().write("new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        WholeFile::prepare(&folder.path().join("other")).unwrap().write("more").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside them");
    }

    #[test]
    fn what_cannot_be_written_is_refused_before() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "old").unwrap();
        for (path, why) in [
            (folder.path().to_owned(), "it is a folder"),
            (folder.path().join("none/file"), "there is no folder "),
            (file.join("below"), "Not a directory"),
            (PathBuf::from(""), "it is no name of a file"),
        ] {
            let error = format!("{:#}", WholeFile::prepare(&path).err().unwrap());
            assert!(error.starts_with("cannot write ") && error.contains(why), "{error}");
        }
        assert!(WholeFile::prepare_new(&file, "choose another name").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        WholeFile::prepare(Path::new("/dev/null")).unwrap().write("gone").unwrap();
    }
}
