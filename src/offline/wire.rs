//! Event-stream frames as Bedrock sends them, with checksums, headers, and the member `p` whose padding hides the
//! length of the content (docs/bedrock.md, recorded 3 and 4). The scripted Bedrock of the tests uses them too.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A frame of an event such as `contentBlockDelta`.
#[must_use]
pub fn event(name: &'static str, mut payload: Value) -> Bytes {
    if let Value::Object(members) = &mut payload {
        // The same event always has the same padding, so that a run can be repeated.
        let length = (name.len() * 7 + members.len() * 13) % PADDING.len() + 1;
        members.insert("p".to_owned(), PADDING.get(..length).into());
    }
    frame([(":event-type", name), (":content-type", "application/json"), (":message-type", "event")], &payload)
}

/// A frame of `InvokeModelWithResponseStream`: an event in the model's own dialect, as Base64 in an event `chunk`.
#[must_use]
pub fn chunk(native: &Value) -> Bytes {
    event("chunk", json!({"bytes": STANDARD.encode(native.to_string())}))
}

/// A frame of an exception such as `throttlingException`.
#[must_use]
pub fn exception(name: &'static str, message: &str) -> Bytes {
    let payload = json!({"message": message});
    frame([(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")], &payload)
}

fn frame(headers: [(&'static str, &'static str); 3], payload: &Value) -> Bytes {
    let mut message = Message::new(payload.to_string());
    for (name, value) in headers {
        message = message.add_header(Header::new(name, HeaderValue::String(value.into())));
    }
    let mut frame = Vec::new();
    match write_message_to(&message, &mut frame) {
        Ok(()) => frame.into(),
        // Only a payload of gigabytes cannot be framed. An empty frame then ends the stream with a visible error.
        Err(_) => Bytes::new(),
    }
}
