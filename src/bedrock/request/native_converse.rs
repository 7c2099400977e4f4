//! Encodes a Converse request for `Converse`: the client's own members, with those that the policy sets.

use super::{body, model_fields};
use crate::bedrock::sending::{MAX_TAGS, REQUEST_ID_TAG};
use crate::catalog::Family;
use crate::conversation::{NativeRequest, ToolChoice};
use crate::error::{Error, Kind, Result};
use crate::policy::{Admitted, Refusable};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Encodes a request. `request_id` is Chatrix's own, and becomes a tag of the invocation log.
///
/// # Errors
/// `Internal` when it cannot be written as JSON.
pub(super) fn encode(admitted: &Admitted, native: &NativeRequest, request_id: Option<&str>) -> Result<Bytes> {
    let mut members = native.body.clone();
    members.insert("inferenceConfig".to_owned(), inference(admitted));
    let own = members.remove("additionalModelRequestFields");
    let fields = model_request_fields(admitted, own);
    if !fields.is_empty() {
        members.insert("additionalModelRequestFields".to_owned(), fields.into());
    }
    if let Some(tier) = body::service_tier(admitted.tier()) {
        members.insert("serviceTier".to_owned(), json!(tier));
    }
    if let Some(Value::Object(tools)) = members.get_mut("toolConfig") {
        choose_tool(admitted, tools);
    }
    if let Some(id) = request_id {
        let tags = members.entry("requestMetadata").or_insert_with(|| json!({}));
        if let Some(tags) = tags.as_object_mut().filter(|tags| tags.len() < MAX_TAGS) {
            tags.entry(REQUEST_ID_TAG).or_insert_with(|| id.into());
        }
    }
    let bytes = serde_json::to_vec(&members).map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
    Ok(bytes.into())
}

fn inference(admitted: &Admitted) -> Value {
    let mut inference = json!({"maxTokens": admitted.max_tokens()});
    if let Some(temperature) = admitted.temperature() {
        inference["temperature"] = temperature.into();
    }
    if let Some(top_p) = admitted.top_p() {
        inference["topP"] = top_p.into();
    }
    if !admitted.stop().is_empty() {
        inference["stopSequences"] = json!(admitted.stop());
    }
    inference
}

/// The policy's fields, and those of the client that it has left in place, which only Claude reads.
fn model_request_fields(admitted: &Admitted, own: Option<Value>) -> Map<String, Value> {
    let mut fields = model_fields::reasoning_fields(admitted);
    if let (Some(Value::Object(mut own)), Family::Claude) = (own, admitted.model().capabilities.family) {
        if admitted.refused().contains(&Refusable::Betas) {
            own.shift_remove("anthropic_beta");
        }
        fields.extend(own);
    }
    fields
}

/// A forced choice that the model refuses becomes a weaker one.
fn choose_tool(admitted: &Admitted, tools: &mut Map<String, Value>) {
    let requested = &admitted.request().tool_choice;
    match admitted.tool_choice() {
        choice if choice == requested => {}
        ToolChoice::Required => drop(tools.insert("toolChoice".to_owned(), json!({"any": {}}))),
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Named(_) => drop(tools.shift_remove("toolChoice")),
    }
}
