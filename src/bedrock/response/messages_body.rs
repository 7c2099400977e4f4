//! The JSON bodies of Anthropic's Messages, with the members that Chatrix uses. All other members are ignored here, and
//! passed on as they are.

use crate::conversation::Citation;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A frame of the stream. Its other members are padding.
#[derive(Deserialize)]
pub(super) struct Chunk {
    pub(super) bytes: String,
}

#[derive(Deserialize)]
pub(super) struct StreamEvent {
    pub(super) r#type: String,
    pub(super) message: Option<Message>,
    pub(super) content_block: Option<Box<RawValue>>,
    pub(super) delta: Option<Delta>,
    pub(super) usage: Option<Tokens>,
    pub(super) error: Option<ServiceError>,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    pub(super) metrics: Option<Metrics>,
}

#[derive(Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) content: Vec<Box<RawValue>>,
    pub(super) stop_reason: Option<String>,
    #[serde(default)]
    pub(super) stop_sequence: Value,
    pub(super) usage: Option<Tokens>,
}

#[derive(Deserialize)]
pub(super) struct Block {
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) text: String,
    pub(super) citations: Option<Vec<CitationBody>>,
    #[serde(default)]
    pub(super) thinking: String,
    #[serde(default)]
    pub(super) signature: String,
    #[serde(default)]
    pub(super) data: String,
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) input: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
pub(super) struct Delta {
    pub(super) text: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) signature: Option<String>,
    pub(super) partial_json: Option<String>,
    pub(super) citation: Option<CitationBody>,
    pub(super) stop_reason: Option<String>,
    #[serde(default)]
    pub(super) stop_sequence: Value,
}

#[derive(Deserialize)]
pub(super) struct CitationBody {
    pub(super) title: Option<String>,
    pub(super) document_title: Option<String>,
    pub(super) url: Option<String>,
    pub(super) cited_text: Option<String>,
}

/// What a call has used so far, as one event says it.
#[derive(Deserialize)]
pub(super) struct Tokens {
    #[serde(rename = "input_tokens")]
    pub(super) input: Option<u64>,
    #[serde(rename = "output_tokens")]
    pub(super) output: Option<u64>,
    #[serde(rename = "cache_read_input_tokens")]
    pub(super) cache_read: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens")]
    pub(super) cache_creation: Option<u64>,
    #[serde(rename = "cache_creation")]
    pub(super) by_ttl: Option<CacheCreation>,
}

#[derive(Deserialize)]
pub(super) struct CacheCreation {
    #[serde(default, rename = "ephemeral_1h_input_tokens")]
    pub(super) one_hour: u64,
}

/// What the service itself has counted. Where it differs from the usage, the higher count is booked.
#[derive(Deserialize)]
pub(super) struct Metrics {
    #[serde(default, rename = "inputTokenCount")]
    pub(super) input: u64,
    #[serde(default, rename = "outputTokenCount")]
    pub(super) output: u64,
    #[serde(default, rename = "cacheReadInputTokenCount")]
    pub(super) cache_read: u64,
    #[serde(default, rename = "cacheWriteInputTokenCount")]
    pub(super) cache_write: u64,
}

#[derive(Deserialize)]
pub(super) struct ServiceError {
    pub(super) r#type: String,
    pub(super) message: String,
}

impl From<CitationBody> for Citation {
    fn from(citation: CitationBody) -> Self {
        Self {
            title: citation.title.or(citation.document_title).unwrap_or_default(),
            url: citation.url.unwrap_or_default(),
            quote: citation.cited_text.unwrap_or_default(),
            passage: None,
        }
    }
}
