//! The JSON body of a Converse request (docs/bedrock.md §1.2). Its members are always written in the order of the
//! fields here, so that the same request gives the same bytes.

use crate::catalog::FamilyRules;
use crate::conversation::ServiceTier;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The body of a `Converse` or `ConverseStream` call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    pub messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<Block<'a>>,
    pub inference_config: Inference<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub request_metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub additional_model_request_fields: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inference<'a> {
    pub max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub stop_sequences: &'a [String],
}

#[derive(Serialize, Debug, PartialEq)]
pub(super) struct Turn<'a> {
    pub role: &'static str,
    pub content: Vec<Block<'a>>,
}

/// A block of a turn, of the system prompt or of a tool result.
#[derive(Serialize, Debug, PartialEq)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Block<'a> {
    Text(Cow<'a, str>),
    Image {
        format: &'static str,
        source: Source<'a>,
    },
    Document {
        format: &'static str,
        name: String,
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        citations: Option<Citations>,
    },
    ToolUse {
        tool_use_id: String,
        name: Cow<'a, str>,
        input: ToolInput,
    },
    ToolResult {
        tool_use_id: String,
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<&'static str>,
    },
    ReasoningContent(ReasoningBlock<'a>),
    CachePoint(CachePoint),
}

/// Text for a turn that would otherwise have none, because Bedrock refuses blank text.
pub(super) const PLACEHOLDER: &str = ".";

impl<'a> Block<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

/// The status of a tool result; `None` where the model refuses one (docs/bedrock.md §2.6.8).
pub(super) fn result_status(error: bool, family: FamilyRules) -> Option<&'static str> {
    family.result_status.then_some(if error { "error" } else { "success" })
}

/// The arguments of a call, as the client wrote them: parsing would round long numbers.
#[derive(Serialize, Debug)]
#[serde(transparent)]
pub(super) struct ToolInput(Box<RawValue>);

impl ToolInput {
    /// The arguments as they are sent.
    pub(super) fn json(&self) -> &str {
        self.0.get()
    }

    /// Arguments as an object, which Bedrock requires (docs/bedrock.md §2.6.9). Arguments that are not an object, or that
    /// were cut off, are put inside one.
    pub(super) fn new(arguments: &str) -> Self {
        let json = arguments.trim();
        let object = match serde_json::from_str::<Box<RawValue>>(json) {
            Ok(value) if json.starts_with('{') => return Self(value),
            Ok(value) => format!("{{\"arguments\":{value}}}"),
            Err(_) if json.is_empty() => "{}".to_owned(),
            Err(_) => json!({"arguments": arguments}).to_string(),
        };
        // This is an object by construction.
        Self(RawValue::from_string(object).unwrap_or_default())
    }
}

impl PartialEq for ToolInput {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// Whether the answer is to cite a document.
#[derive(Serialize, Debug, PartialEq, Clone, Copy)]
pub(super) struct Citations {
    pub enabled: bool,
}

#[derive(Serialize, Debug, PartialEq)]
pub(super) struct Source<'a> {
    /// Base64.
    pub bytes: &'a str,
}

#[derive(Serialize, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) enum ReasoningBlock<'a> {
    ReasoningText { text: &'a str, signature: &'a str },
    RedactedContent(&'a str),
}

#[derive(Serialize, Debug, PartialEq, Clone, Copy)]
pub(super) struct CachePoint {
    pub r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    pub tools: Vec<ToolEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ToolEntry<'a> {
    ToolSpec(ToolSpec<'a>),
    CachePoint(CachePoint),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolSpec<'a> {
    pub name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Cow<'a, str>>,
    pub input_schema: InputSchema,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct InputSchema {
    pub json: Value,
}

/// `None` for the standard tier, which is Bedrock's default.
pub(super) fn service_tier(tier: ServiceTier) -> Option<Value> {
    (tier != ServiceTier::Standard).then(|| json!({"type": tier.as_str()}))
}
