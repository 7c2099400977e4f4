//! The file of a ledger: which one it is, how long it is, and how it is made.

use std::fs::{Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Identifies a file independently of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

pub(super) fn identity(path: &Path) -> Option<FileIdentity> {
    std::fs::metadata(path).ok().and_then(|file| identity_of(&file))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
pub(super) fn identity_of(file: &Metadata) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt;
    Some(FileIdentity { device: file.dev(), inode: file.ino() })
}

/// On other systems an open file cannot be removed.
#[cfg(not(unix))]
pub(super) fn identity_of(_: &Metadata) -> Option<FileIdentity> {
    None
}

/// The length of a file (bytes); 0 when there is none.
pub(super) fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Creates the file and its folder. Only this user can read the file, and SQLite gives its helper files the same
/// rights.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
