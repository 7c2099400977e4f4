//! The frames of an event stream, read from the body of an answer as it comes.

mod frame;
#[cfg(test)]
mod tests;

use super::connections::AnswerBody;
use crate::bedrock::causes::find_cause;
use crate::bedrock::send_error::too_large;
use crate::error::{Error, Kind, Result};
use bytes::{Bytes, BytesMut};
use frame::{Damaged, holds_frame};
pub(in crate::bedrock) use frame::{FrameKind, StreamFrame};
#[cfg(any(test, fuzzing))]
use std::collections::VecDeque;

/// Reads the frames of a streamed answer. Dropping it closes the connection, which ends the stream at Bedrock.
#[derive(Debug)]
pub(in crate::bedrock) struct FrameStream {
    body: Source,
    /// What has arrived and was not read yet.
    arrived: Bytes,
    /// The beginning of a frame whose end has not arrived. `arrived` is empty then.
    partial: BytesMut,
    /// How many more bytes may come.
    bytes_left: usize,
}

#[derive(Debug)]
enum Source {
    Answer(AnswerBody),
    #[cfg(any(test, fuzzing))]
    Pieces(VecDeque<Bytes>),
}

impl Source {
    async fn next(&mut self) -> Option<hyper::Result<Bytes>> {
        match self {
            Self::Answer(body) => body.next().await,
            #[cfg(any(test, fuzzing))]
            Self::Pieces(pieces) => pieces.pop_front().map(Ok),
        }
    }
}

impl FrameStream {
    /// `max_bytes` is the most that the whole stream may have.
    pub(super) fn new(body: AnswerBody, max_bytes: usize) -> Self {
        Self::of(Source::Answer(body), max_bytes)
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn of_pieces(pieces: impl IntoIterator<Item = Bytes>, max_bytes: usize) -> Self {
        Self::of(Source::Pieces(pieces.into_iter().collect()), max_bytes)
    }

    fn of(body: Source, max_bytes: usize) -> Self {
        Self { body, arrived: Bytes::new(), partial: BytesMut::new(), bytes_left: max_bytes }
    }

    /// The next frame; `None` at the end of the body. The future may be dropped and `next` called again without losing
    /// anything.
    ///
    /// # Errors
    /// `Truncated` when the connection breaks, the body ends inside a frame, or the body holds anything but frames.
    /// `InvalidUpstreamResponse` when the stream is larger than it may be.
    pub(in crate::bedrock) async fn next(&mut self) -> Result<Option<StreamFrame>> {
        loop {
            if let Some(frame) = StreamFrame::split_from(&mut self.arrived).map_err(damaged)? {
                return Ok(Some(frame));
            }
            self.partial.extend_from_slice(&std::mem::take(&mut self.arrived));
            match self.body.next().await {
                Some(Ok(piece)) => self.take(piece)?,
                Some(Err(error)) => return Err(connection_lost(&error)),
                None if !self.partial.is_empty() => {
                    return Err(Error::new(Kind::Truncated, "the stream ended in the middle of a frame"));
                }
                None => return Ok(None),
            }
        }
    }

    fn take(&mut self, piece: Bytes) -> Result<()> {
        self.bytes_left = self.bytes_left.checked_sub(piece.len()).ok_or_else(too_large)?;
        if self.partial.is_empty() {
            self.arrived = piece;
            return Ok(());
        }
        self.partial.extend_from_slice(&piece);
        if holds_frame(&self.partial).map_err(damaged)? {
            self.arrived = self.partial.split().freeze();
        }
        Ok(())
    }
}

fn damaged(_: Damaged) -> Error {
    Error::new(Kind::Truncated, "the stream arrived damaged")
}

/// What the operating system says helps a person; what the layers above it say does not.
fn connection_lost(error: &(dyn std::error::Error + 'static)) -> Error {
    let reason = find_cause::<std::io::Error>(error).map(|error| format!(" ({error})")).unwrap_or_default();
    Error::new(Kind::Truncated, format!("the stream broke off: the connection to Bedrock was lost{reason}"))
}
