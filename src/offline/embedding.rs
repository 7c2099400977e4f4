//! Offline embeddings: the same text always has the same vector, and texts that share words are near each other.

use serde_json::{Value, json};

/// The answer of an embedding model, and its input tokens; `None` for a body that it would refuse.
pub(super) fn answer(id: &str, body: &Value) -> Option<(Value, usize)> {
    let length = |name: &str, own: usize| match body.pointer(name) {
        None => Some(own),
        Some(value) => usize::try_from(value.as_u64()?).ok(),
    };
    if id.contains("titan-embed") {
        let text = body.get("inputText")?.as_str().filter(|text| !text.is_empty())?;
        let tokens = tokens(text);
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
        let tokens = texts.iter().map(|text| tokens(text)).sum();
        return Some((json!({"id": "offline", "texts": texts, "embeddings": {"float": vectors}}), tokens));
    }
    if id.contains("nova-2-multimodal-embeddings") {
        let text = body.pointer("/singleEmbeddingParams/text/value")?.as_str().filter(|text| !text.is_empty())?;
        let vector = vector(text, length("/singleEmbeddingParams/embeddingDimension", 3072)?);
        return Some((json!({"embeddings": [{"embeddingType": "TEXT", "embedding": vector}]}), tokens(text)));
    }
    None
}

fn tokens(text: &str) -> usize {
    text.split_whitespace().map(|word| word.len().div_ceil(6)).sum()
}

/// A bag of words, hashed and scaled to length one.
fn vector(text: &str, length: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; length.max(1)];
    for word in text.split_whitespace() {
        let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
        });
        let place = hash as usize % vector.len();
        vector[place] += 1.0;
    }
    let norm = vector.iter().map(|number| number * number).sum::<f32>().sqrt().max(1.0);
    vector.into_iter().map(|number| number / norm).collect()
}
