//! The policy for embeddings. As for any call, the model and its price must be known, and the worst case is computed
//! before the call.

use super::edit::{Edit, ignored_edits};
use super::rules::Policy;
use crate::catalog::{EmbeddingFamily, EmbeddingModel, NanoDollars};
use crate::conversation::{EmbeddingPurpose, EmbeddingRequest, IgnoredMember, Truncation};
use crate::error::{Error, Field, Kind, Result};

/// The most texts in one request, which is OpenAI's limit.
const MAX_TEXTS: usize = 2048;

/// A request for embeddings that may be sent. Only [`Policy::admit_embedding`] makes one.
#[derive(Debug, Clone)]
pub struct AdmittedEmbedding {
    texts: Vec<String>,
    model: EmbeddingModel,
    dimensions: Option<u32>,
    purpose: Option<EmbeddingPurpose>,
    truncation: Option<Truncation>,
    input_bound: u64,
    worst_case: NanoDollars,
    edits: Vec<Edit>,
}

impl AdmittedEmbedding {
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    #[must_use]
    pub fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    /// The length of the vectors. `None` stands for the model's default.
    #[must_use]
    pub fn dimensions(&self) -> Option<u32> {
        self.dimensions
    }

    /// What the vectors are used for. `None` for a model that makes no difference, and stands for searched texts
    /// otherwise.
    #[must_use]
    pub fn purpose(&self) -> Option<EmbeddingPurpose> {
        self.purpose
    }

    /// `None` stands for the model's default.
    #[must_use]
    pub fn truncation(&self) -> Option<Truncation> {
        self.truncation
    }

    /// Every change that the policy made to the request.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The upper bound of the input tokens, which are all that an embedding uses.
    #[must_use]
    pub fn input_bound(&self) -> u64 {
        self.input_bound
    }

    /// What the call can cost at most.
    #[must_use]
    pub fn worst_case(&self) -> NanoDollars {
        self.worst_case
    }
}

impl Policy {
    /// Admits a request for embeddings.
    ///
    /// # Errors
    /// `ModelNotFound`; `InvalidRequest` for no, blank or too many texts, and for a vector length that the model does
    /// not support.
    pub fn admit_embedding(&self, request: EmbeddingRequest) -> Result<AdmittedEmbedding> {
        let EmbeddingRequest { model, texts, dimensions, purpose, truncation, mut ignored } = request;
        let model = self.catalog.resolve_embedding(&model)?;
        let invalid = |field: Field, what: String| Err(Error::new(Kind::InvalidRequest, what).at(field));
        if texts.is_empty() || texts.len() > MAX_TEXTS {
            let what = format!("the request has {} texts to embed; 1 to {MAX_TEXTS} are allowed", texts.len());
            return invalid(Field::EmbeddingInput, what);
        }
        if let Some(index) = texts.iter().position(|text| text.trim().is_empty()) {
            return invalid(Field::EmbeddingText(index), format!("text {index} is blank"));
        }
        if let Some(length) = dimensions
            && !model.dimensions.contains(&length)
        {
            let lengths: Vec<String> = model.dimensions.iter().map(u32::to_string).collect();
            let what = if lengths.is_empty() {
                format!("{} does not support a choice of dimensions", model.alias)
            } else {
                format!("{} does not support {length} dimensions, only {}", model.alias, lengths.join(", "))
            };
            return invalid(Field::EmbeddingDimensions, what);
        }
        // No tokenizer makes more tokens than there are bytes, and the service adds only a few tokens to each text.
        let input_bound: usize = texts.iter().map(|text| text.len() + 16).sum();
        let input_bound = u64::try_from(input_bound).unwrap_or(u64::MAX);
        let worst_case = model.price.cost(input_bound);
        let (purpose, truncation) = if model.family == EmbeddingFamily::Titan {
            let unused = [("input_type", purpose.is_some()), ("truncate", truncation.is_some())];
            let unused = unused.into_iter().filter(|(_, given)| *given);
            ignored.extend(unused.map(|(name, _)| IgnoredMember { name: name.to_owned(), value: None }));
            (None, None)
        } else {
            (purpose, truncation)
        };
        let edits = ignored_edits(&ignored);
        Ok(AdmittedEmbedding { texts, model, dimensions, purpose, truncation, input_bound, worst_case, edits })
    }
}
