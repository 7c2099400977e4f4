//! Encodes a Messages request for `InvokeModel`: the client's own members, with those that the policy sets. Members that
//! need no change are written as they came (docs/anthropic.md §4).

use super::structured_output::{self, Binding};
use super::{model_fields, native_parts};
use crate::conversation::{Effort, Format, NativeRequest, ToolChoice};
use crate::error::{Error, Kind, Result};
use crate::policy::{Admitted, ReasoningGrant};
use bytes::Bytes;
use serde::Serializer;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The version of the API that Bedrock speaks
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>).
const VERSION: &str = "bedrock-2023-05-31";

/// Encodes a request.
///
/// # Errors
/// `InvalidRequest` for a JSON schema that no model takes.
pub(super) fn encode(admitted: &Admitted, native: &NativeRequest) -> Result<Bytes> {
    let members = members(admitted, native)?;
    let mut bytes = Vec::new();
    let written = serde_json::Serializer::new(&mut bytes).collect_map(members);
    written.map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
    Ok(bytes.into())
}

/// The members in the order in which they are sent: Bedrock's own, and then the client's in its order.
pub(super) fn members<'a>(admitted: &Admitted, native: &'a NativeRequest) -> Result<Vec<(&'a str, Cow<'a, Value>)>> {
    let mut set = settings(admitted, native)?;
    let mut members = vec![("anthropic_version", Cow::Owned(VERSION.into()))];
    let betas = native_parts::betas(admitted, native);
    if !betas.is_empty() {
        members.push(("anthropic_beta", Cow::Owned(json!(betas))));
    }
    for (name, value) in &native.body {
        match set.remove(name) {
            Some(own) => members.extend(granted(admitted, name, &own).map(|own| (name.as_str(), own))),
            None => members.push((name, native_parts::allowed(admitted, name, value))),
        }
    }
    // What the client did not name; only members that are always the same can be missing.
    for name in ["max_tokens", "temperature", "top_p", "thinking", "output_config", "tool_choice"] {
        let own = set.remove(name).and_then(|own| granted(admitted, name, &own));
        members.extend(own.map(|own| (name, own)));
    }
    Ok(members)
}

/// A member that the policy sets, as the model takes it; `None` where nothing is sent.
fn granted<'a>(admitted: &Admitted, name: &str, own: &Value) -> Option<Cow<'a, Value>> {
    let own = native_parts::allowed(admitted, name, own).into_owned();
    (!own.is_null() && own != json!({})).then_some(Cow::Owned(own))
}

/// The members that the policy sets. Null stands for one that is left out.
fn settings(admitted: &Admitted, native: &NativeRequest) -> Result<Map<String, Value>> {
    let mut set = Map::new();
    set.insert("max_tokens".to_owned(), admitted.max_tokens().into());
    set.insert("temperature".to_owned(), json!(admitted.temperature()));
    set.insert("top_p".to_owned(), json!(admitted.top_p()));
    let stop = admitted.stop();
    set.insert("stop_sequences".to_owned(), if stop.is_empty() { Value::Null } else { json!(stop) });
    set.insert("tool_choice".to_owned(), tool_choice(admitted, native));
    let mut reasoning = model_fields::reasoning_fields(admitted);
    let mut thinking = reasoning.remove("thinking").unwrap_or_default();
    let display = native.body.get("thinking").and_then(|requested| requested.get("display"));
    if let (Some(display), true) = (display, admitted.reasoning() != ReasoningGrant::Off) {
        thinking["display"] = display.clone();
    }
    set.insert("thinking".to_owned(), thinking);
    set.insert("output_config".to_owned(), output_config(admitted, native, reasoning.remove("output_config"))?);
    Ok(set)
}

fn tool_choice(admitted: &Admitted, native: &NativeRequest) -> Value {
    let Some(requested) = native.body.get("tool_choice") else { return Value::Null };
    if !native.body.contains_key("tools") {
        return Value::Null;
    }
    let mut choice = match admitted.tool_choice() {
        ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::None => return json!({"type": "none"}),
        ToolChoice::Required => json!({"type": "any"}),
        ToolChoice::Named(name) => json!({"type": "tool", "name": name}),
    };
    if requested["disable_parallel_tool_use"] == true {
        choice["disable_parallel_tool_use"] = true.into();
    }
    choice
}

/// The effort that was granted, and the format in a schema that the model takes.
fn output_config(admitted: &Admitted, native: &NativeRequest, granted: Option<Value>) -> Result<Value> {
    let mut output = granted.unwrap_or_else(|| json!({}));
    let requested = native.body.get("output_config").map_or(&Value::Null, |output| &output["effort"]);
    let effort = requested.as_str().and_then(Effort::from_word);
    if let (Some(effort), Some(highest), true) =
        (effort, admitted.model().capabilities.max_effort, output["effort"].is_null())
    {
        // Without reasoning no model takes more than a high effort.
        output["effort"] = effort.min(highest).min(Effort::High).as_str().into();
    }
    let request = admitted.request();
    if matches!(request.format, Format::JsonSchema { .. })
        && let Binding::Native(config) = structured_output::choose_binding(request, &admitted.model().capabilities)?
        && let Some(schema) = config["textFormat"]["structure"]["jsonSchema"]["schema"].as_str()
    {
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        output["format"] = json!({"type": "json_schema", "schema": schema});
    }
    if let Value::Object(members) = &mut output {
        members.retain(|_, value| !value.is_null());
    }
    Ok(if output == json!({}) { Value::Null } else { output })
}
