//! Decodes streamed answers for the fuzz target of event streams: frames, then events, without a connection.

use super::response::AnswerDecoder;
use super::transport::{self, FrameKind};
use super::{bounds, request};
use crate::conversation::Event;
use crate::policy::Admitted;
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use futures_util::FutureExt;
use std::collections::VecDeque;

/// The events that a streamed answer to a request holds, until its end or its first failure.
pub(crate) fn events(admitted: &Admitted, answer: Bytes) -> VecDeque<Event> {
    let mut events = VecDeque::new();
    let Ok(encoded) = request::encode(admitted, None) else { return events };
    let mut decoder = AnswerDecoder::new(encoded.answer);
    let mut frames = transport::frames_in(answer, bounds::answer_bytes(admitted));
    // The bytes are all there, so that nothing is waited for.
    while let Some(Ok(Some(frame))) = frames.next().now_or_never() {
        if frame.kind == FrameKind::Exception || decoder.event(frame.name(), frame.payload(), &mut events).is_err() {
            break;
        }
    }
    events
}

/// The bytes of one frame with a valid checksum.
pub(crate) fn frame(event_type: &str, payload: &[u8]) -> Vec<u8> {
    let message = Message::new(Bytes::copy_from_slice(payload))
        .add_header(Header::new(":message-type", HeaderValue::String("event".into())))
        .add_header(Header::new(":event-type", HeaderValue::String(event_type.to_owned().into())));
    let mut bytes = Vec::new();
    // A frame that is too large is left out.
    let _ = write_message_to(&message, &mut bytes);
    bytes
}

/// Reads the variables of AWS as those of a process.
pub(crate) fn environment(variables: &[(&str, &str)]) {
    for profile in [None, Some("work")] {
        transport::read_environment(variables, profile);
    }
}
