//! `POST /embeddings` (docs/openai.md §4.5). OpenAI's SDKs request base64 by default.

use crate::api::json::{body_members, ignored_members, integer, into_string, invalid, missing, model_name, take};
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{EmbeddingPurpose, EmbeddingRequest, Embeddings, Truncation};
use crate::error::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// How vectors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A list of numbers.
    Float,
    /// Little-endian 32-bit floats, as base64.
    Base64,
}

/// Parses a body.
///
/// # Errors
/// `InvalidRequest` or `MissingParameter`, naming the member.
pub fn parse(body: JsonBlocks) -> Result<(EmbeddingRequest, Encoding)> {
    let mut members = body_members(body)?;
    let mut member = |name: &str| take(&mut members, name);
    let texts = match member("input") {
        Value::Null => return Err(missing("input")),
        Value::String(text) => vec![text],
        Value::Array(items) if items.iter().any(|item| item.is_number() || item.is_array()) => {
            return Err(invalid("input", "contains token ids, which no model here accepts")
                .advise("send text; in LangChain: check_embedding_ctx_length=False"));
        }
        Value::Array(items) => {
            let texts = items.into_iter().enumerate();
            texts.map(|(index, item)| into_string(item, &format!("input[{index}]"))).collect::<Result<_>>()?
        }
        _ => return Err(invalid("input", "must be a string or an array of strings")),
    };
    let encoding = match member("encoding_format").as_str() {
        None | Some("float") => Encoding::Float,
        Some("base64") => Encoding::Base64,
        Some(_) => return Err(invalid("encoding_format", "must be float or base64")),
    };
    let dimensions = match integer(&member("dimensions"), "dimensions")? {
        None => None,
        Some(length) => Some(
            u32::try_from(length)
                .map_err(|_| invalid("dimensions", &format!("is {length}, which is not a valid length")))?,
        ),
    };
    let model = model_name(&member("model"))?.ok_or_else(|| missing("model"))?.to_owned();
    let purpose = purpose(&member("input_type"))?;
    let truncation = truncation(&member("truncate"))?;
    let ignored = ignored_members(&members);
    Ok((EmbeddingRequest { model, texts, dimensions, purpose, truncation, ignored }, encoding))
}

/// Parses `input_type`, in the words of Cohere (<https://docs.cohere.com/reference/embed>), which other services share.
pub(in crate::api) fn purpose(value: &Value) -> Result<Option<EmbeddingPurpose>> {
    Ok(Some(match word(value, "input_type")?.as_deref() {
        None => return Ok(None),
        Some("search_document" | "document" | "passage") => EmbeddingPurpose::Document,
        Some("search_query" | "query") => EmbeddingPurpose::Query,
        Some("classification") => EmbeddingPurpose::Classification,
        Some("clustering") => EmbeddingPurpose::Clustering,
        Some(_) => {
            return Err(invalid("input_type", "must be search_document, search_query, classification or clustering"));
        }
    }))
}

pub(in crate::api) fn truncation(value: &Value) -> Result<Option<Truncation>> {
    Ok(Some(match word(value, "truncate")?.as_deref() {
        None => return Ok(None),
        Some("none") => Truncation::None,
        Some("start" | "left") => Truncation::Start,
        Some("end" | "right") => Truncation::End,
        Some(_) => return Err(invalid("truncate", "must be NONE, START or END")),
    }))
}

/// A word in lower case; `None` for null.
fn word(value: &Value, at: &str) -> Result<Option<String>> {
    match value {
        Value::Null => Ok(None),
        Value::String(word) => Ok(Some(word.to_ascii_lowercase())),
        _ => Err(invalid(at, "must be a string")),
    }
}

/// The body of the response.
#[must_use]
pub fn response_body(model: &str, embeddings: &Embeddings, encoding: Encoding) -> Value {
    let data = embeddings.vectors.iter().enumerate().map(|(index, vector)| {
        let embedding = match encoding {
            Encoding::Float => vector.iter().map(|number| Value::from(*number)).collect(),
            Encoding::Base64 => {
                let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
                Value::from(STANDARD.encode(bytes))
            }
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    let tokens = embeddings.input_tokens.unwrap_or(0);
    json!({
        "object": "list", "data": data.collect::<Vec<_>>(), "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}
