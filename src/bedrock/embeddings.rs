//! Embeddings by `InvokeModel`, each family in its own body (docs/bedrock.md §1.8). Pure.

use crate::catalog::EmbeddingFamily;
use crate::conversation::Embeddings;
use crate::error::{Error, Kind, Result};
use crate::policy::AdmittedEmbedding;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

/// The bodies of the calls that a request takes, in the order of its texts.
pub(super) fn bodies(admitted: &AdmittedEmbedding) -> Vec<Bytes> {
    let model = admitted.model();
    let bodies = admitted.texts().chunks(model.batch.max(1)).map(|texts| {
        let first = texts.first().map(String::as_str).unwrap_or_default();
        match model.family {
            EmbeddingFamily::Titan => {
                let mut body = json!({"inputText": first});
                with(&mut body, "dimensions", admitted.dimensions());
                body
            }
            EmbeddingFamily::Cohere => {
                let mut body = json!({"texts": texts, "input_type": "search_document", "embedding_types": ["float"]});
                with(&mut body, "output_dimension", admitted.dimensions());
                body
            }
            EmbeddingFamily::Nova => {
                let mut params = json!({"embeddingPurpose": "GENERIC_INDEX", "text": {"truncationMode": "NONE", "value": first}});
                with(&mut params, "embeddingDimension", admitted.dimensions().or(model.dimensions.first().copied()));
                json!({"schemaVersion": "nova-multimodal-embed-v1", "taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params})
            }
        }
    });
    bodies.map(|body| Bytes::from(body.to_string())).collect()
}

fn with(body: &mut Value, name: &str, value: Option<u32>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    embedding: Option<Vec<f32>>,
    embeddings: Option<Many>,
    input_text_token_count: Option<u64>,
}

/// Cohere answers bare lists, or lists by type; Nova answers objects.
#[derive(Deserialize)]
#[serde(untagged)]
enum Many {
    Bare(Vec<Vec<f32>>),
    ByType { float: Vec<Vec<f32>> },
    Objects(Vec<One>),
}

#[derive(Deserialize)]
struct One {
    embedding: Vec<f32>,
}

/// The vectors of one call's answer. `counted` is what its header said of input tokens.
///
/// # Errors
/// `InvalidUpstreamResponse`.
pub(super) fn vectors(body: &[u8], counted: Option<u64>) -> Result<Embeddings> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| {
        Error::new(Kind::InvalidUpstreamResponse, format!("Bedrock's embeddings cannot be read: {error}"))
    })?;
    let vectors = match (answer.embedding, answer.embeddings) {
        (Some(vector), _) => vec![vector],
        (None, Some(Many::Bare(vectors) | Many::ByType { float: vectors })) => vectors,
        (None, Some(Many::Objects(objects))) => objects.into_iter().map(|object| object.embedding).collect(),
        (None, None) => return Err(Error::new(Kind::InvalidUpstreamResponse, "Bedrock's answer holds no embedding")),
    };
    Ok(Embeddings { vectors, input_tokens: counted.or(answer.input_text_token_count) })
}
