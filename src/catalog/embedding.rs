//! The embedding models. They have only a name, an id and a price in common with chat models, so they have a table of
//! their own.

use super::data;
use super::id::base;
use super::money::Rate;
use crate::error::Result;
use serde::Deserialize;

/// The vendor that defines the format of an embedding model's request body (docs/bedrock.md §1.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbeddingFamily {
    Titan,
    Cohere,
    Nova,
}

/// A model that turns texts into vectors.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingModel {
    pub alias: String,
    /// The id that is sent to Bedrock.
    pub id: String,
    pub family: EmbeddingFamily,
    /// The price of input tokens. Vectors cost nothing.
    pub price: Rate,
    /// The most texts that one call can carry.
    pub batch: usize,
    /// The vector lengths that a request can choose, the default first. Empty when the length is fixed.
    pub dimensions: Vec<u32>,
}

#[derive(Deserialize)]
struct EmbeddingsFile {
    model: Vec<EmbeddingModel>,
}

impl EmbeddingModel {
    /// Whether a name means this model: its alias, or its id in any geography.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.alias == name || base(&self.id) == base(name)
    }
}

/// The embedding models that this build knows.
///
/// # Errors
/// `Internal` when the data file is broken.
pub(super) fn load() -> Result<Vec<EmbeddingModel>> {
    let file: EmbeddingsFile = data::parse("embeddings.toml", include_str!("embeddings.toml"))?;
    Ok(file.model)
}
