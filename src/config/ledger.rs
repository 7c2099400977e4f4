//! Where the ledger is: in the state folder of this machine, unless the environment or the config file names a database.

use super::file;
use super::source::{Setting, Source};
use crate::error::{Error, Kind, Result};
use crate::ledger::{Address, Location};
use std::path::{Path, PathBuf};

const VARIABLE: &str = "CHATRIX_LEDGER";

/// `folder`: the state folder. `path`: the config file. `environment` looks a variable up. `None` where there is no
/// folder for a file.
///
/// # Errors
/// `Config`, without the password.
pub(super) fn location(
    table: file::Ledger,
    folder: Option<&Path>,
    offline: bool,
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Setting<Location>>> {
    let file::Ledger { url, password_file, keep_days: _ } = table;
    // Offline calls have a ledger of their own, on this machine: they are never billed.
    let name = if offline { "offline.db" } else { "ledger.db" };
    let default = folder.map(|folder| Setting { value: Location::File(folder.join(name)), source: Source::Default });
    // A password file belongs to the URL beside it, and where there is none, to that of the variable.
    let (url, password_file, source) = match (environment(VARIABLE), url) {
        _ if offline => return Ok(default),
        (Some(url), beside) => (url, password_file.filter(|_| beside.is_none()), Source::Environment(VARIABLE)),
        (None, Some(url)) => (url, password_file, Source::ConfigFile(path.to_owned())),
        (None, None) => return Ok(default),
    };
    let address = Address::parse(&url, password_file.as_deref(), environment).map_err(|what| {
        let place = match &source {
            Source::Environment(name) => (*name).to_owned(),
            other => format!("{other}: [ledger] url"),
        };
        Error::new(Kind::Config, format!("{place} {what}"))
    })?;
    let spool = folder.map(PathBuf::from);
    Ok(Some(Setting { value: Location::Database { address: Box::new(address), spool }, source }))
}
