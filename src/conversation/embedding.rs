//! Embeddings: the request, and the vectors that answer it.

use super::request::IgnoredMember;

/// What the vectors are used for. Some models make different vectors for questions and for the texts that answer them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingPurpose {
    Document,
    Query,
    Classification,
    Clustering,
}

/// What happens to a text that is longer than the model accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncation {
    /// The call fails.
    None,
    /// Its beginning is cut off.
    Start,
    /// Its end is cut off.
    End,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmbeddingRequest {
    /// An alias or a Bedrock id of an embedding model.
    pub model: String,
    /// Each text gets a vector of its own.
    pub texts: Vec<String>,
    /// The requested length of the vectors. `None` stands for the model's default.
    pub dimensions: Option<u32>,
    /// `None` stands for texts that are searched, not for questions.
    pub purpose: Option<EmbeddingPurpose>,
    /// `None` stands for the model's default.
    pub truncation: Option<Truncation>,
    /// What the client sent that has no meaning here.
    pub ignored: Vec<IgnoredMember>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Embeddings {
    /// One vector for each text, in the order of the texts.
    pub vectors: Vec<Vec<f32>>,
    /// `None` when the service did not report them.
    pub input_tokens: Option<u64>,
}
