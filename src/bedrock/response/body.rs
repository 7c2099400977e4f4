//! The shapes of a complete answer, as far as they mean something to us (`bedrock.md` §1.3).
//! Members that are not named here are ignored: the service adds new ones (`recordings/README.md` 3, 8).

use super::split;
use crate::conversation::{Citation, Usage};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Complete {
    pub output: Output,
    pub stop_reason: String,
    pub usage: Option<Tokens>,
}

#[derive(Deserialize)]
pub struct Output {
    pub message: CompleteMessage,
}

#[derive(Deserialize)]
pub struct CompleteMessage {
    #[serde(default)]
    pub content: Vec<CompleteBlock>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompleteBlock {
    pub text: Option<String>,
    pub reasoning_content: Option<Thought>,
    pub tool_use: Option<CompleteCall>,
    pub citations_content: Option<Cited>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thought {
    pub reasoning_text: Option<ThoughtText>,
    pub redacted_content: Option<String>,
}

#[derive(Deserialize)]
pub struct ThoughtText {
    pub text: String,
    pub signature: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompleteCall {
    pub tool_use_id: String,
    pub name: String,
    #[serde(default)]
    pub input: Value,
    pub r#type: Option<String>,
}

#[derive(Deserialize)]
pub struct Cited {
    #[serde(default)]
    pub content: Vec<TextOnly>,
    #[serde(default)]
    pub citations: Vec<CompleteCitation>,
}

#[derive(Deserialize)]
pub struct TextOnly {
    pub text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompleteCitation {
    pub title: Option<String>,
    #[serde(default)]
    pub source_content: Vec<TextOnly>,
    #[serde(default)]
    pub location: Value,
}

impl From<CompleteCitation> for Citation {
    fn from(citation: CompleteCitation) -> Self {
        let quote = citation.source_content.into_iter().filter_map(|content| content.text).collect();
        let url = citation.location.pointer("/web/url").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { title: citation.title.unwrap_or_default(), url, quote }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Bedrock's")]
pub struct Tokens {
    pub input_tokens: u64,
    pub output_tokens: u64,
    #[serde(default)]
    pub cache_read_input_tokens: u64,
    #[serde(default)]
    pub cache_write_input_tokens: u64,
    #[serde(default)]
    pub cache_details: Vec<CacheDetail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheDetail {
    pub ttl: String,
    pub input_tokens: u64,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        let one_hour = tokens.cache_details.iter().filter(|detail| detail.ttl == "1h");
        let one_hour = one_hour.map(|detail| detail.input_tokens).sum();
        split(
            tokens.input_tokens,
            tokens.output_tokens,
            tokens.cache_read_input_tokens,
            tokens.cache_write_input_tokens,
            one_hour,
        )
    }
}
