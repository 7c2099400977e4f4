//! Finds out whether a process is still running. Each process that books calls holds a lock on a file of its own, which
//! the kernel releases however the process ends, even by `kill -9`. Process ids would not do, because they are reused.

use crate::ledger::key::random_hex;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The lock that shows that this process is running.
#[derive(Debug)]
pub(super) struct ProcessLock {
    name: String,
    path: PathBuf,
    /// Never read. Closing the file releases the lock.
    _file: File,
}

impl ProcessLock {
    /// Creates and locks a file in the folder of such files.
    pub(super) fn take(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let name = random_hex(8)?;
        let path = folder.join(&name);
        // The file is locked before it gets its name, so that no other process sees it unlocked.
        let unnamed = folder.join(format!(".{name}"));
        let file = OpenOptions::new().write(true).create_new(true).open(&unnamed)?;
        file.lock()?;
        fs::rename(&unnamed, &path)?;
        Ok(Self { name, path, _file: file })
    }

    /// The name that calls are booked under.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // If the file stays, another process sees that it is unlocked and removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the process that booked under a name is running. `true` in case of doubt: its reservations stay booked
/// either way.
pub(super) fn is_running(folder: &Path, name: &str) -> bool {
    match File::open(folder.join(name)) {
        Ok(file) => match file.try_lock() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
        },
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Removes the lock files of ended processes.
pub(super) fn remove_stale(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // A file whose name begins with a dot is still being created.
        if !name.starts_with('.') && !is_running(folder, &name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
