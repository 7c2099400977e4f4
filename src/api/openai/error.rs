//! OpenAI's error envelope. Every member is always there: any other shape makes Jan show "Bad Request" and no more.

use crate::error::Error;
use serde_json::{Value, json};

/// `{"error": {"message", "type", "param", "code"}}`
#[must_use]
pub fn envelope(error: &Error) -> Value {
    let row = error.kind.spec();
    json!({"error": {
        "message": error.to_string(),
        "type": row.r#type,
        "param": error.param,
        "code": row.code,
    }})
}
