//! Reads members of JSON as clients really send them: numbers as text, null for a missing member, `100.0` for 100
//! (docs/openai.md §1.4). Every error names the member.

use crate::catalog::MAX_NAME_LENGTH;
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{CacheTtl, IgnoredMember};
use crate::error::{Error, Kind, Result};
use serde_json::{Map, Value};

/// The members of the JSON object in a request body.
///
/// # Errors
/// `InvalidRequest` when the body is not a JSON object; `TooLarge` when it has too many members.
pub(super) fn body_members(body: JsonBlocks) -> Result<Map<String, Value>> {
    match body.parse()? {
        Value::Object(members) => Ok(members),
        _ => Err(Error::new(Kind::InvalidRequest, "the request body is not a JSON object")),
    }
}

/// Takes a member out; null when it is missing. Null stays in its place: to close the gap would take as long as there
/// are members.
pub(super) fn take(members: &mut Map<String, Value>, name: &str) -> Value {
    members.get_mut(name).map(Value::take).unwrap_or_default()
}

/// The name of a model; `None` when there is none.
pub(super) fn model_name(model: &Value) -> Result<Option<&str>> {
    match model {
        Value::Null => Ok(None),
        Value::String(name) if name.len() > MAX_NAME_LENGTH => {
            Err(invalid("model", &format!("has {} bytes; a name has at most {MAX_NAME_LENGTH}", name.len())))
        }
        Value::String(name) => Ok(Some(name)),
        _ => Err(invalid("model", "must be a string")),
    }
}

/// The members that were not taken out, in the client's order. Those whose value means the same as none are left out.
pub(super) fn ignored_members(members: &Map<String, Value>) -> Vec<IgnoredMember> {
    const ZERO_MEANS_NONE: [&str; 3] = ["frequency_penalty", "presence_penalty", "top_logprobs"];
    let members = members.iter().filter(|(name, value)| {
        let is_zero = ZERO_MEANS_NONE.contains(&name.as_str()) && value.as_f64() == Some(0.0);
        !(is_absent(value) || is_zero || **value == Value::Bool(false) || value.as_str() == Some(""))
    });
    let value = |value: &Value| (value.is_number() || value.is_boolean()).then(|| value.to_string());
    members.map(|(name, member)| IgnoredMember { name: name.clone(), value: value(member) }).collect()
}

/// Whether a member counts as not given: null, or an empty array or object.
pub(super) fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// A number; `None` for null.
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

/// A whole number; `None` for null.
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

/// True or false; `None` for null.
pub(super) fn flag(value: &Value, at: &str) -> Result<Option<bool>> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(*flag)),
        Value::String(text) if text == "true" || text == "false" => Ok(Some(text == "true")),
        _ => Err(invalid(at, "must be true or false")),
    }
}

/// A string that the request must have.
pub(super) fn required_string<'a>(value: &'a Value, at: &str) -> Result<&'a str> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Err(missing(at)),
        _ => Err(invalid(at, "must be a string")),
    }
}

/// As [`required_string`], for a value that is not needed any more, so that a long text is not copied.
pub(super) fn into_string(value: Value, at: &str) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        other => required_string(&other, at).map(ToOwned::to_owned),
    }
}

/// Takes a string that the request must have out of an object.
pub(super) fn take_string(object: &mut Value, name: &str, at: &str) -> Result<String> {
    into_string(object.get_mut(name).map(Value::take).unwrap_or_default(), at)
}

/// A string or an array of strings. Empty strings are left out: Bedrock refuses them, and they have no meaning.
pub(super) fn strings(value: &Value, at: &str) -> Result<Vec<String>> {
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

/// Anthropic's `cache_control`, which Roo Code and other clients put beside a part.
pub(super) fn cache_control(part: &Value) -> Option<CacheTtl> {
    part.get("cache_control").and_then(cache_lifetime)
}

/// How long a `cache_control` keeps what is before it.
pub(super) fn cache_lifetime(control: &Value) -> Option<CacheTtl> {
    let one_hour = control["ttl"] == "1h";
    (control["type"] == "ephemeral").then_some(if one_hour { CacheTtl::OneHour } else { CacheTtl::FiveMinutes })
}

/// Refuses a conversation that is no list of messages, or an empty one.
pub(super) fn check_messages(messages: &Value) -> Result<()> {
    match messages {
        Value::Null => Err(missing("messages")),
        Value::Array(messages) if messages.is_empty() => Err(invalid("messages", "must contain at least one message")),
        Value::Array(_) => Ok(()),
        _ => Err(invalid("messages", "must be an array")),
    }
}

/// The error for a member with a wrong value.
pub(super) fn invalid(at: &str, what: &str) -> Error {
    Error::new(Kind::InvalidRequest, format!("`{at}` {what}")).at_path(at)
}

/// The error for a member that is missing.
pub(super) fn missing(at: &str) -> Error {
    Error::new(Kind::MissingParameter, format!("`{at}` is missing")).at_path(at)
}

/// The error for a member that would change the cost or the meaning of the request, and that Chatrix does not support.
pub(super) fn unsupported(at: &str, why: &str) -> Error {
    Error::new(Kind::Unsupported, format!("Unsupported parameter: '{at}': {why}")).at_path(at)
}
