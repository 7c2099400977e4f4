//! Whether a process is still there. Each process that books calls holds a lock on a file of its own for as long as it
//! lives; the kernel lets go of it however the process ends, `kill -9` included. Process numbers would be used again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The sign that this process is there.
#[derive(Debug)]
pub struct ProcessLock {
    name: String,
    path: PathBuf,
    /// Held, not read: the lock goes with it.
    _lock: File,
}

impl ProcessLock {
    /// Shows that this process is there, in a folder of such signs.
    pub fn show(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let name = crate::ledger::key::random_hex(8)?;
        let path = folder.join(&name);
        // Locked before it has its name: nobody sees it unlocked.
        let unnamed = folder.join(format!(".{name}"));
        let file = OpenOptions::new().write(true).create_new(true).open(&unnamed)?;
        file.lock()?;
        fs::rename(&unnamed, &path)?;
        Ok(Self { name, path, _lock: file })
    }

    /// The name that calls are booked under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // A sign left behind is unlocked, and taken away by whoever sees that.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the process that booked under a name is there. In doubt it is: its reservations stay booked either way.
pub fn is_there(folder: &Path, name: &str) -> bool {
    match File::open(folder.join(name)) {
        Ok(file) => match file.try_lock() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
        },
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Takes the signs of ended processes away.
pub fn tidy(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // A name that begins with a dot is one that is being made.
        if !name.starts_with('.') && !is_there(folder, &name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
