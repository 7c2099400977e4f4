//! Reads the body of a request, within limits of size, time and memory.

use super::body_memory::{BodyMemory, HeldBytes};
use super::limits::Timeouts;
use crate::error::{Error, Kind, Result};
use bytes::Buf;
use futures_util::{Stream, StreamExt};
use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use warp::http::HeaderMap;

/// The largest body (bytes). It allows several images in base64 (docs/openai.md §0.12).
pub(super) const BODY_LIMIT: usize = 64 << 20;
/// The size of the blocks in which a body is kept (bytes). Each is freed as soon as it has been parsed.
const BLOCK: usize = 256 * 1024;
/// The least rate of a body (bytes per second), on average from its beginning.
const LEAST_RATE: u64 = 1024;

/// A body in memory. It is kept in blocks, because the pieces that arrive can be as small as a byte.
#[derive(Debug)]
pub(super) struct ReceivedBody {
    blocks: VecDeque<Vec<u8>>,
    length: usize,
    held: HeldBytes,
}

impl ReceivedBody {
    pub(super) fn new(held: HeldBytes) -> Self {
        Self { blocks: VecDeque::new(), length: 0, held }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// The blocks, and the memory that is accounted for them.
    pub(super) fn into_parts(self) -> (VecDeque<Vec<u8>>, HeldBytes) {
        (self.blocks, self.held)
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// `TooLarge`; `Overloaded` when all bodies together are.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Result<()> {
        if self.length + piece.len() > BODY_LIMIT {
            return Err(too_large());
        }
        self.held.add(piece.len())?;
        self.length += piece.len();
        while !piece.is_empty() {
            let room = self.blocks.back().map_or(0, |block| block.capacity() - block.len());
            if room == 0 {
                // A short body does not take a whole block.
                self.blocks.push_back(Vec::with_capacity(if self.blocks.is_empty() {
                    piece.len().min(BLOCK)
                } else {
                    BLOCK
                }));
                continue;
            }
            let (now, later) = piece.split_at(room.min(piece.len()));
            if let Some(block) = self.blocks.back_mut() {
                block.extend_from_slice(now);
            }
            piece = later;
        }
        Ok(())
    }
}

/// When the next piece of a body must have arrived. What comes fast earns time for what comes later, but never more than
/// one pause, so that nobody can hold a large body for hours.
struct Clock<'a> {
    timeouts: &'a Timeouts,
    by_rate: Instant,
}

impl<'a> Clock<'a> {
    fn start(timeouts: &'a Timeouts) -> Self {
        Self { timeouts, by_rate: Instant::now() + timeouts.body_grace }
    }

    fn received(&mut self, bytes: usize) {
        let earned = Duration::from_millis(u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1000) / LEAST_RATE);
        let most = self.timeouts.body_grace.max(self.timeouts.body_pause);
        self.by_rate = (self.by_rate + earned).min(Instant::now() + most);
    }

    fn deadline(&self) -> Instant {
        self.by_rate.min(Instant::now() + self.timeouts.body_pause)
    }
}

/// # Errors
/// `TooLarge` and `Overloaded`, before anything is read when `content-length` shows it; `RequestTimeout`;
/// `InvalidRequest` when the connection breaks.
pub(super) async fn read_body<S, B, E>(
    headers: &HeaderMap,
    body: S,
    memory: &Arc<BodyMemory>,
    timeouts: &Timeouts,
) -> Result<ReceivedBody>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Display,
{
    let declared = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_LIMIT) {
        return Err(too_large());
    }
    let mut received = ReceivedBody::new(memory.account(declared.unwrap_or(0))?);
    let mut clock = Clock::start(timeouts);
    let mut body = std::pin::pin!(body);
    loop {
        let next = timeout_at(clock.deadline(), body.next()).await;
        let next = next.map_err(|_| Error::new(Kind::RequestTimeout, "the request body did not arrive in time"))?;
        let mut piece = match next {
            None => return Ok(received),
            Some(piece) => piece
                .map_err(|error| Error::new(Kind::InvalidRequest, format!("the request body was cut off: {error}")))?,
        };
        clock.received(piece.remaining());
        while piece.has_remaining() {
            let chunk = piece.chunk();
            received.push(chunk)?;
            let length = chunk.len();
            piece.advance(length);
        }
    }
}

pub(super) fn too_large() -> Error {
    Error::new(Kind::TooLarge, format!("the request body is larger than {} MiB", BODY_LIMIT >> 20))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use bytes::Bytes;
    use futures_util::stream;

    fn timeouts() -> Timeouts {
        Timeouts::default()
    }

    /// Reads a body whose pieces of `size` bytes come every `pause`.
    async fn read(size: usize, pause: Duration, pieces: usize) -> Result<usize> {
        let body = stream::unfold(0, move |sent| async move {
            tokio::time::sleep(pause).await;
            (sent < pieces).then(|| (Ok::<_, String>(Bytes::from(vec![b' '; size])), sent + 1))
        });
        let memory = BodyMemory::new(BODY_LIMIT);
        read_body(&HeaderMap::new(), body, &memory, &timeouts()).await.map(|body| body.len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_must_come_at_a_least_rate_and_without_long_pauses() {
        let second = Duration::from_secs(1);
        assert_eq!(read(1024, second, 500).await.unwrap(), 512_000, "exactly the least rate");
        assert_eq!(read(1, second, 5).await.unwrap(), 5, "a short body may be slow");
        for (size, pause) in [(1, second), (1000, second), (100_000, 31 * second), (1, 11 * second)] {
            let error = read(size, pause, 500).await.unwrap_err();
            assert_eq!(error.kind, Kind::RequestTimeout, "{size} bytes every {pause:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_beginning_earns_no_hours() {
        let body = stream::unfold(0, |sent: usize| async move {
            let size = if sent == 0 { 16 << 20 } else { 1 };
            tokio::time::sleep(Duration::from_secs(if sent == 0 { 0 } else { 10 })).await;
            Some((Ok::<_, String>(Bytes::from(vec![b' '; size])), sent + 1))
        });
        let (memory, began) = (BodyMemory::new(BODY_LIMIT), Instant::now());
        let error = read_body(&HeaderMap::new(), body, &memory, &timeouts()).await.unwrap_err();
        assert_eq!(error.kind, Kind::RequestTimeout);
        assert!(began.elapsed() <= Duration::from_secs(31), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn small_pieces_share_blocks_and_all_bytes_are_counted() {
        let memory = BodyMemory::new(BODY_LIMIT);
        let mut body = ReceivedBody::new(memory.account(0).unwrap());
        for _ in 0..10_000 {
            body.push(b"x").unwrap();
        }
        body.push(&vec![b'y'; BLOCK]).unwrap();
        assert_eq!((body.len(), memory.used()), (10_000 + BLOCK, 10_000 + BLOCK));
        let (blocks, held) = body.into_parts();
        assert!(blocks.iter().skip(1).all(|block| block.capacity() == BLOCK));
        assert_eq!(blocks.iter().map(Vec::len).sum::<usize>(), 10_000 + BLOCK);
        drop(held);
        assert_eq!(memory.used(), 0);
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_before_it_is_read() {
        let unread = || stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, String>>> { panic!("it is read") });
        for (declared, room, kind) in [(BODY_LIMIT + 1, 2 * BODY_LIMIT, Kind::TooLarge), (1001, 1000, Kind::Overloaded)]
        {
            let mut headers = HeaderMap::new();
            headers.insert("content-length", declared.into());
            let refused = read_body(&headers, unread(), &BodyMemory::new(room), &timeouts()).await;
            assert_eq!(refused.unwrap_err().kind, kind);
        }
    }
}
