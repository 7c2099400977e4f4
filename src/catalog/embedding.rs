//! The embedding models. Few, and without any of a chat model's abilities: a table of their own.

use super::id::base;
use super::money::Rate;
use crate::error::{Error, Kind, Result};
use serde::Deserialize;

/// Whose request body a model reads (`bedrock.md` §1.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbeddingDialect {
    /// Amazon Titan.
    Titan,
    /// Cohere Embed.
    Cohere,
    /// Amazon Nova.
    Nova,
}

/// A model that embeds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingModel {
    /// The short name.
    pub alias: String,
    /// What Bedrock is asked for.
    pub id: String,
    /// Whose body.
    pub dialect: EmbeddingDialect,
    /// Price of input tokens.
    pub price: Rate,
    /// Texts per call.
    pub batch: usize,
    /// Lengths it can give, its own first; empty where it cannot be chosen.
    pub dimensions: Vec<u32>,
}

#[derive(Deserialize)]
struct File {
    model: Vec<EmbeddingModel>,
}

/// The embedding model behind a name: an alias, or an id of the table in any geography.
///
/// # Errors
/// `ModelNotFound`, with the names there are.
pub fn embedding_model(name: &str) -> Result<EmbeddingModel> {
    let file: File = super::read("embeddings.toml", include_str!("embeddings.toml"))?;
    let names: Vec<String> = file.model.iter().map(|model| model.alias.clone()).collect();
    let found = file.model.into_iter().find(|model| model.alias == name || base(&model.id) == base(name));
    let Some(mut model) = found else {
        return Err(Error::new(Kind::ModelNotFound, format!("no embedding model is called {name:?}"))
            .at("model")
            .advise(format!("there are {}", names.join(", "))));
    };
    if model.alias != name {
        name.clone_into(&mut model.id);
    }
    Ok(model)
}
