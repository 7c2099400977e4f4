//! Sends an answer as server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>). This
//! module does the framing and the timing; the dialect writes the data of each frame. All frames of one event are
//! written at once. Some clients require the space after `data:` (docs/openai.md §0.7).

use super::body_memory::HeldBytes;
use super::console::Console;
use super::images::RequestImages;
use super::panics::caught;
use super::places::Place;
use super::state::shutdown_error;
use crate::api::{Frame, FrameWriter};
use crate::conversation::{Event, Usage};
use crate::engine::Call;
use crate::error::{Error, Kind};
use crate::telemetry::RequestScope;
use bytes::Bytes;
use futures_util::{Stream, stream};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use sync_wrapper::SyncStream;

/// How long a stream may be silent before a keep-alive is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    Events,
    Done,
}

/// What a streamed answer keeps until its end: its place, and the memory of its request and images, which its call still
/// holds.
pub(super) type Kept = (Place, HeldBytes, Option<Arc<RequestImages>>);

/// Where the operator is told how an answer ended, and for which API key it was.
pub(super) struct Notices {
    pub(super) console: Console,
    /// The name of the key.
    pub(super) key: Option<String>,
}

struct Events {
    call: Call,
    writer: Box<dyn FrameWriter>,
    scope: RequestScope,
    notices: Notices,
    usage: Option<Usage>,
    phase: Phase,
    _kept: Kept,
    closing: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The body of a streamed response. Dropping it drops the call, which ends the stream at Bedrock.
pub(super) fn body(
    call: Call,
    writer: Box<dyn FrameWriter>,
    scope: RequestScope,
    notices: Notices,
    kept: Kept,
    closing: impl Future<Output = ()> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    let events = Events {
        call,
        writer,
        scope,
        notices,
        usage: None,
        phase: Phase::Start,
        _kept: kept,
        closing: Box::pin(closing),
    };
    // warp requires a Sync body, and the connection to Bedrock is not Sync. SyncStream allows it, because the body is
    // never shared.
    SyncStream::new(stream::unfold(events, |mut events| async move {
        let bytes = events.next().await?;
        Some((Ok(bytes), events))
    }))
}

impl Events {
    /// The bytes of the next frames; `None` after the last ones.
    async fn next(&mut self) -> Option<Bytes> {
        let mut frames = Vec::new();
        while frames.is_empty() {
            match self.phase {
                Phase::Start => {
                    self.phase = Phase::Events;
                    self.writer.start(&mut frames);
                }
                Phase::Events => self.next_event(&mut frames).await,
                Phase::Done => return None,
            }
        }
        Some(encode(&frames))
    }

    async fn next_event(&mut self, frames: &mut Vec<Frame>) {
        // Dropping the future of `next` loses no event: what it has read is kept for the following call.
        let event = tokio::select! {
            biased;
            event = caught(self.call.next()) => event,
            () = &mut self.closing => Err(shutdown_error()),
            () = tokio::time::sleep(KEEP_ALIVE) => return frames.push(self.writer.keep_alive()),
        };
        match event {
            Ok(Some(Event::Usage(usage))) => self.usage = Some(usage),
            Ok(Some(event)) => self.writer.event(&event, frames),
            Ok(None) => {
                self.phase = Phase::Done;
                self.notices.console.announce_cut(&self.call, self.notices.key.as_deref());
                self.writer.finish(self.usage, self.call.cost(), frames);
            }
            Err(error) => self.fail(&error, frames),
        }
    }

    fn fail(&mut self, error: &Error, frames: &mut Vec<Frame>) {
        self.phase = Phase::Done;
        self.notices.console.announce_cut(&self.call, self.notices.key.as_deref());
        self.scope.set_error(error.kind);
        self.writer.fail(error, frames);
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if self.phase != Phase::Done {
            // The client has closed the connection.
            self.scope.set_error(Kind::Interrupted);
        }
    }
}

fn encode(frames: &[Frame]) -> Bytes {
    let mut text = String::new();
    for frame in frames {
        match frame {
            Frame::Event { name, data } => {
                if let Some(name) = name {
                    text.extend(["event: ", name, "\n"]);
                }
                text.extend(["data: ", data, "\n\n"]);
            }
            Frame::Comment(comment) => text.extend([": ", comment, "\n\n"]),
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_become_server_sent_events() {
        let named = Frame::Event { name: Some("ping"), data: "{}".into() };
        let bytes = encode(&[Frame::data("a"), named, Frame::Comment("keep-alive")]);
        assert_eq!(bytes, "data: a\n\nevent: ping\ndata: {}\n\n: keep-alive\n\n");
    }
}
