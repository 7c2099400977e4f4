//! One frame of an event stream: a prelude, headers and a payload, each with its length, and two checksums
//! (<https://smithy.io/2.0/aws/amazon-eventstream.html>). It is read where it lies: nothing is copied. A unit test
//! compares what is read with what `aws-smithy-eventstream` reads.

use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// The length of the whole frame, that of its headers, and the checksum of these two.
const PRELUDE: usize = 12;
/// The checksum at the end.
const END: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bedrock) enum FrameKind {
    Event,
    /// A failure in place of an event.
    Exception,
}

#[derive(Debug)]
pub(in crate::bedrock) struct StreamFrame {
    pub(in crate::bedrock) kind: FrameKind,
    bytes: Bytes,
    name: Range<usize>,
    payload: Range<usize>,
}

/// The bytes are no frame, or their checksums are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

impl StreamFrame {
    /// The event type (`contentBlockDelta`) or the exception type (`throttlingException`).
    pub(in crate::bedrock) fn name(&self) -> &str {
        self.bytes.get(self.name.clone()).and_then(|name| str::from_utf8(name).ok()).unwrap_or_default()
    }

    pub(in crate::bedrock) fn payload(&self) -> &[u8] {
        self.bytes.get(self.payload.clone()).unwrap_or_default()
    }

    /// Takes the first frame out of some bytes; `None` when its end is missing.
    pub(super) fn split_from(bytes: &mut Bytes) -> Result<Option<Self>, Damaged> {
        let Some(length) = length(bytes)?.filter(|length| *length <= bytes.len()) else { return Ok(None) };
        Self::read(bytes.split_to(length)).map(Some)
    }

    fn read(bytes: Bytes) -> Result<Self, Damaged> {
        let end = bytes.len() - END;
        if crc32fast::hash(&bytes[..end]) != number(&bytes, end)? {
            return Err(Damaged);
        }
        let headers = PRELUDE..PRELUDE + size(number(&bytes, 4)?);
        let payload = headers.end..end;
        if payload.start > payload.end {
            return Err(Damaged);
        }
        let mut kind = FrameKind::Event;
        let mut name = 0..0;
        let mut at = headers.start;
        while at < headers.end {
            let (header, value, next) = header(&bytes, at)?;
            at = next;
            match header {
                b":exception-type" | b":error-code" if kind == FrameKind::Event => {
                    kind = FrameKind::Exception;
                    name = value;
                }
                b":event-type" if kind == FrameKind::Event => name = value,
                _ => {}
            }
        }
        if at == headers.end { Ok(Self { kind, bytes, name, payload }) } else { Err(Damaged) }
    }
}

/// Whether some bytes begin with a whole frame.
pub(super) fn holds_frame(bytes: &BytesMut) -> Result<bool, Damaged> {
    Ok(length(bytes)?.is_some_and(|length| length <= bytes.len()))
}

/// The length of the frame that some bytes begin with; `None` while they are too few to tell.
fn length(bytes: &[u8]) -> Result<Option<usize>, Damaged> {
    let Some(prelude) = bytes.get(..PRELUDE) else { return Ok(None) };
    if crc32fast::hash(&prelude[..8]) != number(prelude, 8)? {
        return Err(Damaged);
    }
    let length = size(number(prelude, 0)?);
    if length < PRELUDE + END { Err(Damaged) } else { Ok(Some(length)) }
}

/// A header: its name, where its value is if that is a text, and where the next header begins.
fn header(bytes: &[u8], at: usize) -> Result<(&[u8], Range<usize>, usize), Damaged> {
    let name = at + 1..at + 1 + usize::from(*bytes.get(at).ok_or(Damaged)?);
    let kind = *bytes.get(name.end).ok_or(Damaged)?;
    let value = name.end + 1;
    let sized = |bytes: &[u8]| -> Result<usize, Damaged> {
        let length = bytes.get(value..value + 2).and_then(|length| length.try_into().ok()).ok_or(Damaged)?;
        Ok(2 + usize::from(u16::from_be_bytes(length)))
    };
    let length = match kind {
        // true, false
        0 | 1 => 0,
        // a byte, and numbers of two, four and eight
        2 => 1,
        3 => 2,
        4 => 4,
        // also a time
        5 | 8 => 8,
        // bytes, and a text
        6 | 7 => sized(bytes)?,
        // a UUID
        9 => 16,
        _ => return Err(Damaged),
    };
    let next = value + length;
    let text = if kind == 7 { value + 2..next } else { 0..0 };
    Ok((bytes.get(name).ok_or(Damaged)?, text, next))
}

fn number(bytes: &[u8], at: usize) -> Result<u32, Damaged> {
    bytes.get(at..at + 4).and_then(|number| number.try_into().ok()).map(u32::from_be_bytes).ok_or(Damaged)
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
    use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
    use aws_smithy_types::{DateTime, str_bytes::StrBytes};

    fn encoded(headers: &[(&'static str, HeaderValue)], payload: &[u8]) -> Vec<u8> {
        let mut message = Message::new(Bytes::copy_from_slice(payload));
        for (name, value) in headers {
            message = message.add_header(Header::new(*name, value.clone()));
        }
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).unwrap();
        bytes
    }

    /// What is read of a frame: whether it is an event, its name and its payload.
    fn read(bytes: &[u8]) -> Option<(bool, String, Vec<u8>)> {
        let frame = StreamFrame::split_from(&mut Bytes::copy_from_slice(bytes)).ok()??;
        Some((frame.kind == FrameKind::Event, frame.name().to_owned(), frame.payload().to_vec()))
    }

    /// The same with the library.
    fn read_by_library(bytes: &[u8]) -> Option<(bool, String, Vec<u8>)> {
        let message = read_message_from(bytes).ok()?;
        let text = |name: &str| {
            let header = message.headers().iter().find(|header| header.name().as_str() == name)?;
            header.value().as_string().ok().map(|text| text.as_str().to_owned())
        };
        let failure = text(":exception-type").or_else(|| text(":error-code"));
        let is_event = failure.is_none();
        let name = failure.or_else(|| text(":event-type")).unwrap_or_default();
        Some((is_event, name, message.payload().to_vec()))
    }

    #[test]
    fn frames_are_read_as_the_library_reads_them() {
        let text = |text: &str| HeaderValue::String(StrBytes::copy_from_str(text));
        let all_kinds = [
            (":yes", HeaderValue::Bool(true)),
            (":no", HeaderValue::Bool(false)),
            (":byte", HeaderValue::Byte(-1)),
            (":short", HeaderValue::Int16(-2)),
            (":int", HeaderValue::Int32(-3)),
            (":long", HeaderValue::Int64(-4)),
            (":bytes", HeaderValue::ByteArray(Bytes::from_static(b"abc"))),
            (":event-type", text("messageStop")),
            (":time", HeaderValue::Timestamp(DateTime::from_secs(5))),
            (":uuid", HeaderValue::Uuid(7)),
            ("", text("")),
        ];
        let event = [(":message-type", text("event")), (":event-type", text("contentBlockDelta"))];
        let exception = [(":exception-type", text("throttlingException")), (":event-type", text("x"))];
        let error = [(":error-code", text("500")), (":message-type", text("error"))];
        let mut random = fastrand::Rng::with_seed(11);
        for headers in [&all_kinds[..], &event, &exception, &error, &[]] {
            for payload in [&b"{}"[..], b"", &[0xff; 3000]] {
                let bytes = encoded(headers, payload);
                assert!(read(&bytes).is_some());
                assert_eq!(read(&bytes), read_by_library(&bytes), "{headers:?}");
                // Whatever is damaged is refused by both: one byte, or the end.
                for _ in 0..200 {
                    let mut damaged = bytes.clone();
                    let at = random.usize(..damaged.len());
                    damaged[at] ^= random.u8(1..);
                    assert_eq!((read(&damaged), read_by_library(&damaged)), (None, None), "byte {at}");
                    assert_eq!(read(&bytes[..at]), None);
                }
            }
        }
    }

    #[test]
    fn headers_with_right_checksums_and_wrong_lengths_are_refused() {
        let frame = |headers: &[u8], headers_length: u32, length: u32| {
            let mut bytes = [length.to_be_bytes(), headers_length.to_be_bytes()].concat();
            bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
            bytes.extend(headers);
            bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
            bytes
        };
        let good = b"\x01a\x07\x00\x01b";
        assert!(read(&frame(good, 6, 22)).is_some());
        for (headers, headers_length, length) in [
            (&good[..], 7, 22),
            (good, 5, 22),
            (good, u32::MAX, 22),
            (b"\x01a\x07\x00\xffb", 6, 22),
            (b"\xffa\x07\x00\x01b", 6, 22),
            (b"\x01a\x0a\x00\x01b", 6, 22),
            (good, 6, 15),
            (good, 6, 0),
        ] {
            assert_eq!(read(&frame(headers, headers_length, length)), None, "{headers:?} {headers_length} {length}");
        }
    }
}
