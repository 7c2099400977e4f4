//! The `[models.NAME]` tables of the config file: the operator's own models, limits for single models, and prices of
//! embedding models.

use super::file::{self, File};
use crate::catalog::{Catalog, OwnModel, Rate, embedding_model};
use crate::error::{Error, Kind, Result};
use crate::policy::ModelLimits;
use std::collections::BTreeMap;
use std::path::Path;

/// Takes the tables of embedding models out of the file: they cannot be asked, so they are not in the catalog.
/// Only a table with a price and without an id is read as one.
pub(crate) fn take_embedding_prices(file: &mut File) -> Vec<(String, Rate)> {
    let mut prices = Vec::new();
    file.models.retain(|name, table| {
        let Some(price) = table.price.filter(|_| table.id.is_none()) else { return true };
        let Ok(model) = embedding_model(name) else { return true };
        prices.push((model.id, price.input));
        false
    });
    prices
}

/// The models that the file defines or sets a price for.
///
/// # Errors
/// `Config` for a table without an `id` whose name is not a model's.
pub(crate) fn own_models(file: &File, path: &Path) -> Result<Vec<OwnModel>> {
    let mut own = Vec::new();
    for (name, table) in &file.models {
        if table.id.is_none() && table.price.is_none() && table.like.is_none() {
            continue; // It only sets limits, which `limits` reads.
        }
        let id = match &table.id {
            Some(id) => id.clone(),
            // The built-in catalog is read only for such a table: most files have none.
            None => Catalog::load(&[])?.resolve(name).map_err(|_| unknown(name, path))?.id.clone(),
        };
        own.push(OwnModel { alias: name.clone(), id, like: table.like.clone(), prices: table.price });
    }
    Ok(own)
}

fn unknown(name: &str, path: &Path) -> Error {
    let message = format!("{}: [models.{name}] has no `id`, and no model is called {name}", path.display());
    Error::new(Kind::Config, message).advise("add id = \"…\" with its Bedrock id or ARN")
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
        let model = catalog.resolve(name).map_err(|error| {
            Error::new(Kind::Config, format!("{}: [models.{name}]: {}", path.display(), error.message))
                .advise(error.advice())
        })?;
        limits.push(ModelLimits { name: name.clone(), id: model.id.clone(), overrides: table.overrides() });
    }
    Ok(limits)
}
