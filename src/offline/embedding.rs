//! Offline embeddings. The same text always has the same vector, and texts with the same words have similar vectors.

use serde_json::{Value, json};

/// The answer of an embedding model and its input tokens; `None` for a body that Bedrock would refuse.
pub(super) fn answer(id: &str, body: &Value) -> Option<(Value, usize)> {
    let length = |path: &str, default: usize| match body.pointer(path) {
        None => Some(default),
        Some(value) => usize::try_from(value.as_u64()?).ok(),
    };
    if id.contains("titan-embed") {
        let text = body.get("inputText")?.as_str().filter(|text| !text.is_empty())?;
        let tokens = count_tokens(text);
        let vector = vector(text, length("/dimensions", 1024)?);
        return Some((json!({"embedding": vector, "inputTextTokenCount": tokens}), tokens));
    }
    if id.contains("cohere.embed") {
        let texts: Vec<&str> = body.get("texts")?.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
        if texts.is_empty() || texts.len() > 96 || body.get("input_type").is_none() {
            return None;
        }
        let length = length("/output_dimension", if id.contains("v4") { 1536 } else { 1024 })?;
        let vectors: Vec<_> = texts.iter().map(|text| vector(text, length)).collect();
        let tokens = texts.iter().map(|text| count_tokens(text)).sum();
        return Some((json!({"id": "offline", "texts": texts, "embeddings": {"float": vectors}}), tokens));
    }
    if id.contains("nova-2-multimodal-embeddings") {
        let text = body.pointer("/singleEmbeddingParams/text/value")?.as_str().filter(|text| !text.is_empty())?;
        let vector = vector(text, length("/singleEmbeddingParams/embeddingDimension", 3072)?);
        return Some((json!({"embeddings": [{"embeddingType": "TEXT", "embedding": vector}]}), count_tokens(text)));
    }
    None
}

fn count_tokens(text: &str) -> usize {
    text.split_whitespace().map(|word| word.len().div_ceil(6)).sum()
}

/// The hashed word counts of a text, scaled to a length of at most one.
fn vector(text: &str, length: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; length.max(1)];
    for word in text.split_whitespace() {
        let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
        });
        let index = hash as usize % vector.len();
        vector[index] += 1.0;
    }
    let norm = vector.iter().map(|number| number * number).sum::<f32>().sqrt().max(1.0);
    vector.into_iter().map(|number| number / norm).collect()
}
