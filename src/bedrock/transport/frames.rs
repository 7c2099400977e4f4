//! The frames of an event stream (<https://smithy.io/2.0/aws/amazon-eventstream.html>), read from a body as it comes.

#[cfg(test)]
mod tests;

use crate::bedrock::causes::find_cause;
use crate::bedrock::send_error::too_large;
use crate::error::{Error, Kind, Result};
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::event_stream::Message;
use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bedrock) enum FrameKind {
    Event,
    /// A failure in place of an event.
    Exception,
}

#[derive(Debug)]
pub(in crate::bedrock) struct StreamFrame {
    pub(in crate::bedrock) kind: FrameKind,
    /// The event type (`contentBlockDelta`) or the exception type (`throttlingException`).
    pub(in crate::bedrock) name: String,
    pub(in crate::bedrock) payload: Bytes,
}

/// Reads the frames of a streamed answer. Dropping it closes the connection, which ends the stream at Bedrock.
pub(in crate::bedrock) struct FrameStream {
    body: SdkBody,
    buffer: BytesMut,
    decoder: MessageFrameDecoder,
    /// Whether part of a frame has arrived. The buffer alone cannot tell: the decoder takes a frame's first bytes out.
    partial: bool,
    /// How many more bytes may come.
    bytes_left: usize,
}

impl FrameStream {
    /// `max_bytes` is the most that the whole stream may have.
    pub(super) fn new(body: SdkBody, max_bytes: usize) -> Self {
        let decoder = MessageFrameDecoder::new();
        Self { body, buffer: BytesMut::new(), decoder, partial: false, bytes_left: max_bytes }
    }

    /// The next frame; `None` at the end of the body. The future may be dropped and `next` called again without losing
    /// anything.
    ///
    /// # Errors
    /// `Truncated` when the connection breaks, the body ends inside a frame, or the body holds anything but frames.
    /// `InvalidUpstreamResponse` when the stream is larger than it may be.
    pub(in crate::bedrock) async fn next(&mut self) -> Result<Option<StreamFrame>> {
        loop {
            match self.decoder.decode_frame(&mut self.buffer) {
                Ok(DecodedFrame::Complete(message)) => {
                    self.partial = self.buffer.has_remaining();
                    return Ok(Some(decode(&message)));
                }
                Ok(DecodedFrame::Incomplete) => {}
                // Its own words speak of checksums and preludes.
                Err(_) => return Err(Error::new(Kind::Truncated, "the stream arrived damaged")),
            }
            match self.body.frame().await {
                // Anything but data is a trailer, which holds no part of the answer.
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        let Some(left) = self.bytes_left.checked_sub(data.len()) else {
                            return Err(too_large());
                        };
                        self.bytes_left = left;
                        self.partial |= data.has_remaining();
                        self.buffer.extend_from_slice(data);
                    }
                }
                Some(Err(error)) => return Err(connection_lost(error.as_ref())),
                None if self.partial => {
                    return Err(Error::new(Kind::Truncated, "the stream ended in the middle of a frame"));
                }
                None => return Ok(None),
            }
        }
    }
}

fn decode(message: &Message) -> StreamFrame {
    let header = |name: &str| {
        let found = message.headers().iter().find(|header| header.name().as_str() == name)?;
        found.value().as_string().ok().map(|value| value.as_str().to_owned())
    };
    let payload = message.payload().clone();
    let failure = header(":exception-type").or_else(|| header(":error-code"));
    match failure {
        Some(name) => StreamFrame { kind: FrameKind::Exception, name, payload },
        None => StreamFrame { kind: FrameKind::Event, name: header(":event-type").unwrap_or_default(), payload },
    }
}

/// What the operating system says helps a person; what the layers above it say does not.
fn connection_lost(error: &(dyn std::error::Error + 'static)) -> Error {
    let reason = find_cause::<std::io::Error>(error).map(|error| format!(" ({error})")).unwrap_or_default();
    Error::new(Kind::Truncated, format!("the stream broke off: the connection to Bedrock was lost{reason}"))
}
