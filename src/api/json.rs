//! Reading JSON as clients really send it: numbers as text, null for nothing, `100.0` for 100
//! (docs/openai.md §1.4). Every error names the member.

use crate::conversation::CacheTtl;
use crate::error::{Error, Kind, Result};
use serde_json::Value;

/// Null, and the empty array and object, say nothing.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// A number.
pub(super) fn number(value: &Value, at: &str) -> Result<Option<f64>> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number.filter(|number| number.is_finite()) {
        Some(number) => Ok(Some(number)),
        None => Err(invalid(at, "must be a number")),
    }
}

/// A whole number.
pub(super) fn integer(value: &Value, at: &str) -> Result<Option<i64>> {
    if let Some(whole) = value.as_i64() {
        return Ok(Some(whole));
    }
    match number(value, at)? {
        None => Ok(None),
        #[expect(clippy::cast_possible_truncation, reason = "a float-to-int cast saturates, which keeps its order")]
        Some(number) if number.fract() == 0.0 => Ok(Some(number as i64)),
        Some(_) => Err(invalid(at, "must be a whole number")),
    }
}

/// True or false; `None` for nothing.
pub(super) fn flag(value: &Value, at: &str) -> Result<Option<bool>> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(*flag)),
        Value::String(text) if text == "true" || text == "false" => Ok(Some(text == "true")),
        _ => Err(invalid(at, "must be true or false")),
    }
}

/// A text that must be there.
pub(super) fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Err(missing(at)),
        _ => Err(invalid(at, "must be a string")),
    }
}

/// One text or many; empty ones are refused upstream and mean nothing.
pub(super) fn texts(value: &Value, at: &str) -> Result<Vec<String>> {
    let texts: Option<Vec<String>> = match value {
        Value::Null => return Ok(Vec::new()),
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(texts) => texts.iter().map(|text| text.as_str().map(ToOwned::to_owned)).collect(),
        _ => None,
    };
    let mut texts = texts.ok_or_else(|| invalid(at, "must be a string or an array of strings"))?;
    texts.retain(|text| !text.is_empty());
    Ok(texts)
}

/// Anthropic's `cache_control`, which Roo Code and others put beside a part.
pub(super) fn cache_control(part: &Value) -> Option<CacheTtl> {
    let control = part.get("cache_control").filter(|control| control["type"] == "ephemeral")?;
    Some(if control["ttl"] == "1h" { CacheTtl::OneHour } else { CacheTtl::FiveMinutes })
}

/// The member has a wrong value.
pub(super) fn invalid(at: &str, what: &str) -> Error {
    Error::new(Kind::InvalidRequest, format!("`{at}` {what}")).at_path(at)
}

/// The member is not there.
pub(super) fn missing(at: &str) -> Error {
    Error::new(Kind::MissingParameter, format!("`{at}` is missing")).at_path(at)
}

/// The member would change cost or meaning, and is not taken.
pub(super) fn unsupported(at: &str, why: &str) -> Error {
    Error::new(Kind::Unsupported, format!("Unsupported parameter: '{at}': {why}")).at_path(at)
}
