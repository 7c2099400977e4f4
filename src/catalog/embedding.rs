//! The embedding models. They share nothing with chat models but a name, an id and a price, so they have a table of
//! their own.

use super::data;
use super::id::base;
use super::money::Rate;
use crate::error::Result;
use serde::Deserialize;

/// Whose request body an embedding model reads (docs/bedrock.md §1.8).
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
    /// What Bedrock is asked for.
    pub id: String,
    pub family: EmbeddingFamily,
    /// Price of input tokens.
    pub price: Rate,
    /// Texts per call.
    pub batch: usize,
    /// The lengths of vectors that the model can give, its own first; empty where it cannot be chosen.
    pub dimensions: Vec<u32>,
}

#[derive(Deserialize)]
struct File {
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
    let file: File = data::parse("embeddings.toml", include_str!("embeddings.toml"))?;
    Ok(file.model)
}
