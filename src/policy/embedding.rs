//! Embeddings under the same rule as everything else: known model, known price, worst case before the call.

use super::Policy;
use crate::catalog::{EmbeddingModel, NanoDollars, base, embedding_model};
use crate::conversation::EmbeddingRequest;
use crate::error::{Error, Kind, Result};

/// Texts per request, as OpenAI has it.
const MOST: usize = 2048;

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
        let mut model = embedding_model(&model)?;
        let own = self.embedding_prices.iter().find(|(id, _)| base(id) == base(&model.id));
        model.price = own.map_or(model.price, |(_, price)| *price);
        let invalid = |at: &str, what: String| Err(Error::new(Kind::InvalidRequest, format!("`{at}` {what}")).at(at));
        if texts.is_empty() || texts.len() > MOST {
            return invalid("input", format!("holds {} texts; 1 to {MOST} are taken", texts.len()));
        }
        if let Some(blank) = texts.iter().position(|text| text.trim().is_empty()) {
            return invalid(&format!("input[{blank}]"), "is blank".to_owned());
        }
        if let Some(length) = dimensions
            && !model.dimensions.contains(&length)
        {
            let lengths: Vec<String> = model.dimensions.iter().map(u32::to_string).collect();
            let can = if lengths.is_empty() {
                "has one length only".to_owned()
            } else {
                format!("gives {}", lengths.join(", "))
            };
            return invalid("dimensions", format!("is {length}; {} {can}", model.alias));
        }
        // No tokenizer makes more tokens than there are bytes; a few frame each text.
        let bytes: usize = texts.iter().map(|text| text.len() + 16).sum();
        let worst_case = model.price.cost(u64::try_from(bytes).unwrap_or(u64::MAX));
        Ok(AdmittedEmbedding { texts, model, dimensions, worst_case })
    }
}
