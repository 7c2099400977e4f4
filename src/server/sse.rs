//! An answer as server-sent events: each event in one write, `data: ` with the space some clients match on,
//! a comment every 15 s so that nobody takes a slow model for a dead one, an error as a line of its own
//! (`openai-clients.md` §0.7, §3), `[DONE]` last.

use super::routes::shutting_down;
use crate::api::openai::chunk::Writer;
use crate::api::openai::error::envelope;
use crate::conversation::{Event, StopReason};
use crate::engine::{Call, malformed};
use crate::error::{Error, Kind};
use bytes::Bytes;
use futures_util::{Stream, stream};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use sync_wrapper::SyncStream;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

enum Phase {
    First,
    /// Whether anything was said, and whether the answer has ended.
    Events {
        said: bool,
        finished: bool,
    },
    Done,
    Over,
}

struct Events<W> {
    call: Call,
    chunks: W,
    phase: Phase,
    closing: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The body of a streamed answer. Dropping it drops the call, which ends the stream at Bedrock.
pub fn body<W: Writer + Send + 'static>(
    call: Call,
    chunks: W,
    closing: impl Future<Output = ()> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    let events = Events { call, chunks, phase: Phase::First, closing: Box::pin(closing) };
    // warp wants a Sync body, and a future that holds the SDK's receiver is none; nobody ever shares it.
    SyncStream::new(stream::unfold(events, |mut events| async move {
        let bytes = events.next().await?;
        Some((Ok(bytes), events))
    }))
}

impl<W: Writer> Events<W> {
    async fn next(&mut self) -> Option<Bytes> {
        match self.phase {
            Phase::First => {
                self.phase = Phase::Events { said: false, finished: false };
                match self.chunks.first() {
                    Some(first) => Some(data(&first)),
                    None => Some(self.event(false, false).await),
                }
            }
            Phase::Events { said, finished } => Some(self.event(said, finished).await),
            Phase::Done => {
                self.phase = Phase::Over;
                Some(Bytes::from_static(b"data: [DONE]\n\n"))
            }
            Phase::Over => None,
        }
    }

    async fn event(&mut self, said: bool, finished: bool) -> Bytes {
        loop {
            // A lost race loses no event: `next` keeps what it has read until it returns it.
            let event = tokio::select! {
                biased;
                event = self.call.next() => event,
                () = &mut self.closing => return self.fail(&shutting_down()),
                () = tokio::time::sleep(KEEP_ALIVE) => return Bytes::from_static(b": keep-alive\n\n"),
            };
            match event {
                // Not the end of an answer, where there was none (cases.md X5).
                Ok(Some(Event::Stop(StopReason::Malformed(reason)))) if !said => {
                    // Usage comes after the stop, and is owed.
                    while let Ok(Some(_)) = self.call.next().await {}
                    return self.fail(&malformed(&reason));
                }
                Ok(Some(event)) => {
                    let cost = self.call.cost();
                    if let Some(chunk) = self.chunks.event(&event, cost) {
                        let finished = finished || matches!(event, Event::Stop(_));
                        let said = said || matches!(event, Event::Text(_) | Event::ToolCall { .. });
                        self.phase = Phase::Events { said, finished };
                        return data(&chunk);
                    }
                }
                Ok(None) if finished => {
                    self.phase = Phase::Over;
                    return Bytes::from_static(b"data: [DONE]\n\n");
                }
                Ok(None) => {
                    return self.fail(&Error::new(Kind::Truncated, "the answer has no stop reason"));
                }
                Err(error) => return self.fail(&error),
            }
        }
    }

    /// No `choices` beside the error: AI SDK 5, which Jan uses, would swallow it.
    fn fail(&mut self, error: &Error) -> Bytes {
        self.phase = Phase::Done;
        data(&envelope(error).to_string())
    }
}

fn data(json: &str) -> Bytes {
    Bytes::from(format!("data: {json}\n\n"))
}
