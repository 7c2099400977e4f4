//! Embeddings: the request, and the vectors that answer it.

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmbeddingRequest {
    /// An alias or a Bedrock id of an embedding model.
    pub model: String,
    /// Each text gets a vector of its own.
    pub texts: Vec<String>,
    /// The requested length of the vectors. `None` stands for the model's default.
    pub dimensions: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Embeddings {
    /// One vector for each text, in the order of the texts.
    pub vectors: Vec<Vec<f32>>,
    /// `None` when the service did not report them.
    pub input_tokens: Option<u64>,
}
