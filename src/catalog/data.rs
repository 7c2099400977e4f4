//! The structure of the catalog's data files.

use super::family_rules::FamilyRules;
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
    /// By name, which the rows refer to.
    rules: HashMap<String, FamilyRules>,
    family: Vec<FamilyRow>,
}

impl FamiliesFile {
    /// The capabilities of each family, after the part of an id by which it is found.
    ///
    /// # Errors
    /// `Internal` when a family names rules that the file does not have.
    pub(super) fn families(self) -> Result<Vec<(String, Capabilities)>> {
        let Self { rules, family } = self;
        let families = family.into_iter().map(|row| {
            let mut capabilities = row.capabilities;
            if let Some(name) = &row.rules {
                capabilities.rules = *rules
                    .get(name)
                    .ok_or_else(|| Error::new(Kind::Internal, format!("families.toml has no rules called {name:?}")))?;
            }
            Ok((row.r#match, capabilities))
        });
        families.collect()
    }
}

#[derive(Deserialize)]
struct FamilyRow {
    r#match: String,
    /// `None` for a model that refuses nothing of what Converse allows.
    rules: Option<String>,
    #[serde(flatten)]
    capabilities: Capabilities,
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
