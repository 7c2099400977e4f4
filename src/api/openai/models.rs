//! `GET /models`: one shape that satisfies OpenAI's SDKs, Jan, Open WebUI and Anthropic's SDK (docs/openai.md §4.1).

use crate::catalog::Model;
use serde_json::{Value, json};

/// The day of the catalog's data. Some clients show it, and 0 would read 1970.
const CREATED: u64 = 1_795_392_000;
const CREATED_AT: &str = "2026-11-23T00:00:00Z";

/// The list.
#[must_use]
pub fn list<'a>(models: impl Iterator<Item = &'a Model>) -> Value {
    let data: Vec<Value> = models.map(|model| entry(model, model.display_name())).collect();
    let id = |entry: Option<&Value>| entry.map(|entry| entry["id"].clone());
    json!({
        "object": "list",
        "first_id": id(data.first()),
        "last_id": id(data.last()),
        "has_more": false,
        "data": data,
    })
}

/// One model, under the name it was asked by.
#[must_use]
pub fn entry(model: &Model, name: &str) -> Value {
    json!({
        "id": name,
        "object": "model",
        "created": CREATED,
        "owned_by": model.provider.to_lowercase(),
        "type": "model",
        "display_name": model.name,
        "name": model.name,
        "created_at": CREATED_AT,
        "context_length": model.context_window,
    })
}
