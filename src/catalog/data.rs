//! The structure of the catalog's data files.

use super::model::{Capabilities, Lifecycle, Prices};
use crate::error::{Error, Kind, Result};
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelsFile {
    pub default: String,
    pub model: Vec<ModelRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelRow {
    pub alias: String,
    pub id: String,
    pub name: String,
    pub provider: String,
    pub lifecycle: Lifecycle,
    pub end_of_life: Option<String>,
    pub successor: Option<String>,
    pub context_window: u64,
    pub max_output: u64,
    pub price: Prices,
    pub source: String,
    pub date: String,
}

#[derive(Deserialize)]
pub(super) struct FamiliesFile {
    pub family: Vec<FamilyRow>,
}

#[derive(Deserialize)]
pub(super) struct FamilyRow {
    pub r#match: String,
    #[serde(flatten)]
    pub capabilities: Capabilities,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PricesFile {
    pub source: String,
    pub date: String,
    pub id: HashMap<String, PricedId>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct PricedId {
    pub context_window: u64,
    pub max_output: u64,
    pub price: Prices,
}

/// Parses a data file.
///
/// # Errors
/// `Internal` when it is broken.
pub(super) fn parse<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| Error::new(Kind::Internal, format!("{name}: {error}")))
}
