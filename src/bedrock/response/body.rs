//! The JSON bodies of Bedrock's complete and streamed answers, with the members that Chatrix uses
//! (docs/bedrock.md §1.3, §1.4). All other members are ignored, because the service adds new ones
//! (docs/bedrock.md, recorded 3 and 8).

use crate::conversation::{Citation, Passage, PassageUnit, Usage};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Complete {
    pub output: Output,
    pub stop_reason: String,
    #[serde(default)]
    pub additional_model_response_fields: Value,
    pub usage: Option<Tokens>,
}

#[derive(Deserialize)]
pub(super) struct Output {
    pub message: CompleteMessage,
}

#[derive(Deserialize)]
pub(super) struct CompleteMessage {
    #[serde(default)]
    pub content: Vec<CompleteBlock>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompleteBlock {
    pub text: Option<String>,
    pub reasoning_content: Option<ReasoningBlock>,
    pub tool_use: Option<CompleteToolUse>,
    pub citations_content: Option<CitedBlock>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReasoningBlock {
    pub reasoning_text: Option<ReasoningText>,
    pub redacted_content: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ReasoningText {
    pub text: String,
    pub signature: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompleteToolUse {
    pub tool_use_id: String,
    pub name: String,
    pub r#type: Option<String>,
    /// As the service wrote it: parsing would round long numbers.
    pub input: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
pub(super) struct CitedBlock {
    #[serde(default)]
    pub content: Vec<TextOnly>,
    #[serde(default)]
    pub citations: Vec<CitationBody>,
}

#[derive(Deserialize)]
pub(super) struct TextOnly {
    pub text: Option<String>,
}

/// `contentBlockStart`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockStart {
    pub content_block_index: i64,
    pub start: Option<StartBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartBody {
    pub tool_use: Option<ToolUseStart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolUseStart {
    pub tool_use_id: String,
    pub name: String,
    pub r#type: Option<String>,
}

/// `contentBlockDelta`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockDelta {
    pub content_block_index: i64,
    pub delta: Delta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delta {
    pub text: Option<String>,
    pub reasoning_content: Option<ReasoningDelta>,
    pub tool_use: Option<ToolUseDelta>,
    pub citation: Option<CitationBody>,
    /// A result of a tool that the service runs.
    pub tool_result: Option<IgnoredAny>,
    pub image: Option<IgnoredAny>,
}

impl Delta {
    /// Whether it holds a part of the answer.
    pub(super) fn has_content(&self) -> bool {
        let is_some = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        let Self { text, reasoning_content, tool_use, citation, tool_result, image } = self;
        is_some(text)
            || tool_use.as_ref().is_some_and(|tool| !tool.input.is_empty())
            || reasoning_content.as_ref().is_some_and(|reasoning| {
                let ReasoningDelta { text, signature, redacted_content } = reasoning;
                [text, signature, redacted_content].into_iter().any(is_some)
            })
            || citation.is_some()
            || tool_result.is_some()
            || image.is_some()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReasoningDelta {
    pub text: Option<String>,
    pub signature: Option<String>,
    /// Base64.
    pub redacted_content: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ToolUseDelta {
    #[serde(default)]
    pub input: String,
}

/// `contentBlockStop`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockStop {
    pub content_block_index: i64,
}

/// `messageStop`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageStop {
    pub stop_reason: String,
    #[serde(default)]
    pub additional_model_response_fields: Value,
}

/// `metadata`
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub usage: Option<Tokens>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CitationBody {
    pub title: Option<String>,
    #[serde(default)]
    pub source_content: Vec<TextOnly>,
    #[serde(default)]
    pub location: Value,
}

impl From<CitationBody> for Citation {
    fn from(citation: CitationBody) -> Self {
        let quote = citation.source_content.into_iter().filter_map(|content| content.text).collect();
        let url = citation.location.pointer("/web/url").and_then(Value::as_str).unwrap_or_default().to_owned();
        let passage = passage(&citation.location);
        Self { title: citation.title.unwrap_or_default(), url, quote, passage }
    }
}

/// The passage of a `CitationLocation`
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CitationLocation.html>).
fn passage(location: &Value) -> Option<Passage> {
    let units = [
        ("documentChar", PassageUnit::Character),
        ("documentPage", PassageUnit::Page),
        ("documentChunk", PassageUnit::Piece),
    ];
    units.into_iter().find_map(|(name, unit)| {
        let place = location.get(name)?;
        let number = |name: &str| place.get(name)?.as_u64();
        Some(Passage { document: number("documentIndex")?, unit, start: number("start")?, end: number("end")? })
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Bedrock's")]
pub(super) struct Tokens {
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
pub(super) struct CacheDetail {
    pub ttl: String,
    pub input_tokens: u64,
}

impl From<Tokens> for Usage {
    /// Writing to the cache for an hour costs more than for five minutes (docs/cases.md, C3). The details say how many
    /// of the written tokens were for an hour; the others count as written for five minutes.
    fn from(tokens: Tokens) -> Self {
        let one_hour = tokens.cache_details.iter().filter(|detail| detail.ttl == "1h");
        let one_hour: u64 = one_hour.map(|detail| detail.input_tokens).sum();
        let cache_write_1h = one_hour.min(tokens.cache_write_input_tokens);
        Self {
            input: tokens.input_tokens,
            output: tokens.output_tokens,
            cache_read: tokens.cache_read_input_tokens,
            cache_write_5m: tokens.cache_write_input_tokens - cache_write_1h,
            cache_write_1h,
        }
    }
}
