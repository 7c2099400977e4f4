//! The bodies of `InvokeModel` calls for embeddings, which differ by model family (docs/bedrock.md §1.8). No I/O.

use crate::catalog::EmbeddingFamily;
use crate::conversation::{EmbeddingPurpose, Embeddings, Truncation};
use crate::error::{Error, Kind, Result};
use crate::policy::AdmittedEmbedding;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

/// The bodies of the calls that a request needs, in the order of its texts.
pub(super) fn request_bodies(admitted: &AdmittedEmbedding) -> Vec<Bytes> {
    let model = admitted.model();
    let bodies = admitted.texts().chunks(model.batch.max(1)).map(|texts| {
        let first = texts.first().map(String::as_str).unwrap_or_default();
        match model.family {
            EmbeddingFamily::Titan => {
                let mut body = json!({"inputText": first});
                set_if_given(&mut body, "dimensions", admitted.dimensions());
                body
            }
            EmbeddingFamily::Cohere => {
                let purpose = match admitted.purpose() {
                    None | Some(EmbeddingPurpose::Document) => "search_document",
                    Some(EmbeddingPurpose::Query) => "search_query",
                    Some(EmbeddingPurpose::Classification) => "classification",
                    Some(EmbeddingPurpose::Clustering) => "clustering",
                };
                let mut body = json!({"texts": texts, "input_type": purpose, "embedding_types": ["float"]});
                if let Some(truncation) = admitted.truncation() {
                    body["truncate"] = truncation_word(truncation).into();
                }
                set_if_given(&mut body, "output_dimension", admitted.dimensions());
                body
            }
            EmbeddingFamily::Nova => {
                let purpose = match admitted.purpose() {
                    None | Some(EmbeddingPurpose::Document) => "GENERIC_INDEX",
                    Some(EmbeddingPurpose::Query) => "TEXT_RETRIEVAL",
                    Some(EmbeddingPurpose::Classification) => "CLASSIFICATION",
                    Some(EmbeddingPurpose::Clustering) => "CLUSTERING",
                };
                let truncation = truncation_word(admitted.truncation().unwrap_or(Truncation::None));
                let mut params = json!({"embeddingPurpose": purpose, "text": {"truncationMode": truncation, "value": first}});
                set_if_given(&mut params, "embeddingDimension", admitted.dimensions().or(model.dimensions.first().copied()));
                json!({"schemaVersion": "nova-multimodal-embed-v1", "taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params})
            }
        }
    });
    bodies.map(|body| Bytes::from(body.to_string())).collect()
}

fn truncation_word(truncation: Truncation) -> &'static str {
    match truncation {
        Truncation::None => "NONE",
        Truncation::Start => "START",
        Truncation::End => "END",
    }
}

fn set_if_given(body: &mut Value, name: &str, value: Option<u32>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerBody {
    embedding: Option<Vec<f32>>,
    embeddings: Option<EmbeddingList>,
    input_text_token_count: Option<u64>,
}

/// Cohere returns bare lists, or lists by type; Nova returns objects.
#[derive(Deserialize)]
#[serde(untagged)]
enum EmbeddingList {
    Bare(Vec<Vec<f32>>),
    ByType { float: Vec<Vec<f32>> },
    Objects(Vec<EmbeddingObject>),
}

#[derive(Deserialize)]
struct EmbeddingObject {
    embedding: Vec<f32>,
}

/// Parses the answer of one call. `counted` is the number of input tokens that its header gives.
///
/// # Errors
/// `InvalidUpstreamResponse`.
pub(super) fn parse_answer(body: &[u8], counted: Option<u64>) -> Result<Embeddings> {
    let answer: AnswerBody = serde_json::from_slice(body).map_err(|error| {
        Error::new(Kind::InvalidUpstreamResponse, format!("Bedrock's embeddings cannot be read: {error}"))
    })?;
    let vectors = match (answer.embedding, answer.embeddings) {
        (Some(vector), _) => vec![vector],
        (None, Some(EmbeddingList::Bare(vectors) | EmbeddingList::ByType { float: vectors })) => vectors,
        (None, Some(EmbeddingList::Objects(objects))) => objects.into_iter().map(|object| object.embedding).collect(),
        (None, None) => {
            return Err(Error::new(Kind::InvalidUpstreamResponse, "Bedrock's answer contains no embedding"));
        }
    };
    Ok(Embeddings { vectors, input_tokens: counted.or(answer.input_text_token_count) })
}
