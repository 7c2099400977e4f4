//! The frames of AWS's event streams
//! (<https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html>): a prelude with two lengths and a checksum,
//! headers, a payload, and a checksum over all of it.

use super::error::exception_name;
use crate::api::frames::Frames;
use crate::error::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

pub(super) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// The code of a header whose value is a text.
const TEXT: u8 = 7;
/// Two lengths and a checksum.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// Adds an event of the service.
pub(super) fn event(kind: &str, payload: &[u8], frames: &mut Frames) {
    frame([(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")], payload, frames);
}

/// Adds an event of a model's own API, as `InvokeModelWithResponseStream` carries it.
pub(super) fn chunk(native: &[u8], frames: &mut Frames) {
    event("chunk", json!({"bytes": STANDARD.encode(native)}).to_string().as_bytes(), frames);
}

/// Adds the exception that ends a stream.
pub(super) fn exception(error: &Error, frames: &mut Frames) {
    let name = exception_name(error.kind, true);
    // In a stream the names begin in lower case.
    let name = name.chars().take(1).map(|c| c.to_ascii_lowercase()).chain(name.chars().skip(1)).collect::<String>();
    let payload = json!({"message": error.to_string()}).to_string();
    let headers =
        [(":exception-type", name.as_str()), (":content-type", "application/json"), (":message-type", "exception")];
    frame(headers, payload.as_bytes(), frames);
}

fn frame(headers: [(&str, &str); 3], payload: &[u8], frames: &mut Frames) {
    let mut head = Vec::new();
    for (name, value) in headers {
        // Names and values are short words; a longer one is cut to what its length field holds.
        let (name, value) = (&name.as_bytes()[..name.len().min(255)], &value.as_bytes()[..value.len().min(1024)]);
        head.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        head.extend(name);
        head.push(TEXT);
        head.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        head.extend(value);
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = Vec::with_capacity(PRELUDE + head.len() + payload.len() + CHECKSUM);
    bytes.extend(length(PRELUDE + head.len() + payload.len() + CHECKSUM));
    bytes.extend(length(head.len()));
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend(head);
    bytes.extend(payload);
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    frames.raw(&bytes);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_frame_has_its_lengths_and_checksums() {
        let mut frames = Frames::default();
        event("chunk", b"{}", &mut frames);
        let bytes = frames.take();
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(usize::try_from(number(0)).unwrap(), bytes.len());
        assert_eq!(number(8), crc32fast::hash(&bytes[..8]));
        assert_eq!(number(bytes.len() - 4), crc32fast::hash(&bytes[..bytes.len() - 4]));
        let headers = usize::try_from(number(4)).unwrap();
        assert_eq!(&bytes[12 + headers..bytes.len() - 4], b"{}");
        assert_eq!(&bytes[12..12 + 18], b"\x0b:event-type\x07\x00\x05chu".as_slice());
    }

    #[test]
    fn an_exception_is_named_as_in_streams() {
        let mut frames = Frames::default();
        exception(&Error::new(Kind::Truncated, "it broke off"), &mut frames);
        let text = String::from_utf8_lossy(&frames.take()).into_owned();
        assert!(text.contains("modelStreamErrorException") && text.contains("it broke off"), "{text}");
    }
}
