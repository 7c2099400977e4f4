//! The `[keys.NAME]` tables of the config file: limits of API keys, which win over those that are stored with them.

use super::file;
use crate::catalog::Catalog;
use crate::error::{Error, Kind, Result};
use crate::ledger::KeySettings;
use std::collections::BTreeMap;
use std::path::Path;

/// `path`: the config file.
///
/// # Errors
/// `Config` for a table that allows a model that does not exist.
pub(super) fn settings(tables: BTreeMap<String, file::Key>, catalog: &Catalog, path: &Path) -> Result<KeySettings> {
    for (name, table) in &tables {
        if let Some(error) = table.models.iter().find_map(|model| catalog.check_name(model).err()) {
            let message = format!("{}: [keys.{name}]: {}", path.display(), error.message);
            return Err(Error::new(Kind::Config, message).advise(error.advice()));
        }
    }
    Ok(KeySettings::new(tables.into_iter().map(|(name, table)| (name, table.limits())).collect()))
}
