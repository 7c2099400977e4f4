//! Texts as vectors: what is asked, and what comes back.

/// Texts to embed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmbeddingRequest {
    /// An alias or a Bedrock id of an embedding model.
    pub model: String,
    /// The texts, each to its own vector.
    pub texts: Vec<String>,
    /// Wished length of the vectors; the model's own when `None`.
    pub dimensions: Option<u32>,
}

/// Their vectors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Embeddings {
    /// One for each text, in its order.
    pub vectors: Vec<Vec<f32>>,
    /// Input tokens; `None` when the service never said.
    pub input_tokens: Option<u64>,
}
