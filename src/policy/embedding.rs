//! Embeddings under the same rule as everything else: known model, known price, worst case before the call.

use super::rules::Policy;
use crate::catalog::{EmbeddingModel, NanoDollars};
use crate::conversation::EmbeddingRequest;
use crate::error::{Error, Field, Kind, Result};

/// Texts per request, as OpenAI has it.
const MOST_TEXTS: usize = 2048;

/// A request for embeddings that may be sent. Only [`Policy::admit_embedding`] makes one.
#[derive(Debug, Clone)]
pub struct AdmittedEmbedding {
    texts: Vec<String>,
    model: EmbeddingModel,
    dimensions: Option<u32>,
    worst_case: NanoDollars,
}

impl AdmittedEmbedding {
    /// The texts.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Who is asked.
    #[must_use]
    pub fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    /// The length of the vectors; the model's own when `None`.
    #[must_use]
    pub fn dimensions(&self) -> Option<u32> {
        self.dimensions
    }

    /// What the call can cost at most.
    #[must_use]
    pub fn worst_case(&self) -> NanoDollars {
        self.worst_case
    }
}

impl Policy {
    /// Lets a request through.
    ///
    /// # Errors
    /// `ModelNotFound`; `InvalidRequest` for no, blank or too many texts and for a length the model cannot give.
    pub fn admit_embedding(&self, request: EmbeddingRequest) -> Result<AdmittedEmbedding> {
        let EmbeddingRequest { model, texts, dimensions } = request;
        let model = self.catalog.resolve_embedding(&model)?;
        let invalid = |field: Field, what: String| Err(Error::new(Kind::InvalidRequest, what).at(field));
        if texts.is_empty() || texts.len() > MOST_TEXTS {
            let what = format!("the request has {} texts to embed; 1 to {MOST_TEXTS} are allowed", texts.len());
            return invalid(Field::EmbeddingInput, what);
        }
        if let Some(index) = texts.iter().position(|text| text.trim().is_empty()) {
            return invalid(Field::EmbeddingText(index), format!("text {index} is blank"));
        }
        if let Some(length) = dimensions
            && !model.dimensions.contains(&length)
        {
            let lengths: Vec<String> = model.dimensions.iter().map(u32::to_string).collect();
            let can = if lengths.is_empty() {
                "has vectors of one length only".to_owned()
            } else {
                format!("has vectors of {} dimensions", lengths.join(", "))
            };
            return invalid(Field::EmbeddingDimensions, format!("{} {can}, not {length}", model.alias));
        }
        // No tokenizer makes more tokens than there are bytes; a few frame each text.
        let bytes: usize = texts.iter().map(|text| text.len() + 16).sum();
        let worst_case = model.price.cost(u64::try_from(bytes).unwrap_or(u64::MAX));
        Ok(AdmittedEmbedding { texts, model, dimensions, worst_case })
    }
}
