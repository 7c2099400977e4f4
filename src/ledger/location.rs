//! Where a ledger is: in a file of this machine, or in a PostgreSQL database that many machines share.

use super::postgres::Address;
use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file.
    File(PathBuf),
    /// A database, and the folder in which ends of calls are kept while it cannot be reached; `None` keeps them in
    /// memory only.
    Database { address: Box<Address>, spool: Option<PathBuf> },
}

impl Location {
    /// A database where there is its URL, and a file otherwise. `environment` looks a variable up, for the password.
    ///
    /// # Errors
    /// What is wrong with the URL, as the end of a sentence. It never holds the password.
    pub fn parse(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        if !text.contains("://") {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let address = Address::parse(text, None, environment)?;
        Ok(Self::Database { address: Box::new(address), spool: None })
    }

    /// Whether there is something to read. A database that cannot be reached counts as there.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.file().is_none_or(Path::exists)
    }

    /// What to do where it cannot be used.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::File(_) => "make it readable and writable, or move it away and run: chatrix ledger accept",
            Self::Database { .. } => "check the address and the password, and that PostgreSQL runs",
        }
    }

    /// The file, where the ledger is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Database { .. } => None,
        }
    }
}

impl fmt::Display for Location {
    /// A path, or an address without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Database { address, .. } => address.fmt(f),
        }
    }
}
