//! The `[models.NAME]` tables of the config file: the operator's own models, limits for single models, and prices of
//! embedding models.

use super::file::{self, File};
use crate::catalog::{Catalog, OwnModel};
use crate::error::{Error, Kind, Result};
use crate::policy::ModelLimits;
use std::collections::BTreeMap;
use std::path::Path;

/// This build's models, with those that the file defines or sets a price for.
///
/// # Errors
/// `Config`, naming the file, for a table that defines no model.
pub(crate) fn catalog(file: &File, path: &Path) -> Result<Catalog> {
    // A table that only sets limits adds no model; `limits` reads it.
    let tables =
        file.models.iter().filter(|(_, table)| table.id.is_some() || table.price.is_some() || table.like.is_some());
    let own: Vec<OwnModel> = tables
        .map(|(name, table)| OwnModel {
            alias: name.clone(),
            id: table.id.clone(),
            like: table.like.clone(),
            prices: table.price,
        })
        .collect();
    Catalog::load(&own).map_err(|mut error| {
        if error.kind == Kind::Config {
            error.message = format!("{}: {}", path.display(), error.message);
        }
        error
    })
}

/// The limits that the file sets for single models.
///
/// # Errors
/// `Config` for a table whose name is not a model's.
pub(crate) fn limits(
    tables: &BTreeMap<String, file::Model>,
    catalog: &Catalog,
    path: &Path,
) -> Result<Vec<ModelLimits>> {
    let mut limits = Vec::new();
    for (name, table) in tables {
        let sets_only_a_price = table.id.is_none() && table.price.is_some();
        if sets_only_a_price && catalog.resolve_embedding(name).is_ok() {
            continue; // An embedding model has no limits on its answers.
        }
        let model = catalog.resolve(name).map_err(|error| {
            Error::new(Kind::Config, format!("{}: [models.{name}]: {}", path.display(), error.message))
                .advise(error.advice())
        })?;
        limits.push(ModelLimits { name: name.clone(), id: model.id.clone(), overrides: table.overrides() });
    }
    Ok(limits)
}
