//! `GET /models`: one shape that satisfies OpenAI's SDKs, Jan, Open WebUI, Anthropic's SDK, and the programs that read
//! limits and prices as OpenRouter gives them (docs/openai.md §4.1).

use crate::catalog::{EmbeddingModel, Model, Rate, Thinking};
use serde_json::{Value, json};

/// The day of the catalog's data. Some clients show it, and 0 would read 1970.
const CREATED: u64 = 1_795_392_000;
const CREATED_AT: &str = "2026-11-23T00:00:00Z";

/// The list, made of [`entry`] and [`embedding_entry`].
#[must_use]
pub fn list(data: &[Value]) -> Value {
    let id = |entry: Option<&Value>| entry.map(|entry| entry["id"].clone());
    json!({
        "object": "list",
        "first_id": id(data.first()),
        "last_id": id(data.last()),
        "has_more": false,
        "data": data,
    })
}

/// One model, under the name it was asked by. `max_tokens` is the longest answer that a request may ask for (tokens).
#[must_use]
pub fn entry(model: &Model, name: &str, max_tokens: u32) -> Value {
    let features = model.capabilities.features;
    let reasons = model.capabilities.thinking != Thinking::None;
    let inputs = [("text", true), ("image", features.images), ("file", features.documents)];
    let parameters = [
        ("max_tokens", true),
        ("max_completion_tokens", true),
        ("stop", features.stop_sequences),
        ("tools", features.tools),
        ("tool_choice", features.tools),
        ("response_format", true),
        ("structured_outputs", features.json_schema),
        ("reasoning", reasons),
        ("reasoning_effort", reasons),
    ];
    let mut entry = common(name, &model.provider, &model.name, "model");
    let own = json!({
        "context_length": model.context_window,
        "max_output_tokens": max_tokens,
        "max_completion_tokens": max_tokens,
        "architecture": {"input_modalities": names_of(&inputs), "output_modalities": ["text"]},
        "supported_parameters": names_of(&parameters),
        "supports_reasoning": reasons,
        "pricing": model.prices.map(|prices| pricing(prices.input, prices.output)),
    });
    merge(&mut entry, own);
    entry
}

/// One embedding model, under the name it was asked by. Its type tells it apart from models that answer.
#[must_use]
pub fn embedding_entry(model: &EmbeddingModel, name: &str) -> Value {
    let provider = crate::catalog::base(&model.id).split('.').next().unwrap_or_default();
    let mut entry = common(name, provider, &model.alias, "embedding");
    let own = json!({
        "architecture": {"input_modalities": ["text"], "output_modalities": ["embeddings"]},
        "supported_parameters": ["dimensions", "encoding_format"],
        "supports_reasoning": false,
        "pricing": pricing(model.price, Rate(0)),
    });
    merge(&mut entry, own);
    entry
}

fn common(id: &str, provider: &str, display_name: &str, kind: &str) -> Value {
    json!({
        "id": id,
        "object": "model",
        "created": CREATED,
        "owned_by": provider.to_lowercase(),
        "type": kind,
        "display_name": display_name,
        "name": display_name,
        "created_at": CREATED_AT,
    })
}

fn merge(entry: &mut Value, own: Value) {
    if let (Value::Object(entry), Value::Object(own)) = (entry, own) {
        entry.extend(own);
    }
}

fn names_of(names: &[(&'static str, bool)]) -> Vec<&'static str> {
    names.iter().filter(|(_, is_supported)| *is_supported).map(|(name, _)| *name).collect()
}

/// Prices in dollars per token, as text, because that is how OpenRouter gives them
/// (<https://openrouter.ai/docs/api-reference/list-available-models>).
fn pricing(input: Rate, output: Rate) -> Value {
    json!({"prompt": input.dollars_per_token(), "completion": output.dollars_per_token()})
}
