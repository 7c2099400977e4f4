//! An answer that arrives event by event, and the limits within which it must end: a stream without content is idle
//! whatever else it sends, and one with more content than any answer of its length is broken (docs/bedrock.md §4.9).

use super::classify;
use super::refusal::{Place, in_words_of_clients};
use super::response::AnswerDecoder;
use super::transport::{Destination, FrameKind, FrameStream};
use crate::catalog::Model;
use crate::conversation::Event;
use crate::error::{Error, Kind, Result};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// How much longer is waited once the limit is over. After a suspension of this process it is over, although frames are
/// waiting to be read.
const GRACE: Duration = Duration::from_millis(200);

const MAYBE_BILLED: &str = "what has arrived is kept, and may have been billed";

/// What a stream is read with.
pub(super) struct StreamSetup {
    pub(super) decoder: AnswerDecoder,
    pub(super) model: Arc<Model>,
    pub(super) destination: Arc<Destination>,
    /// How long the stream may bring no content.
    pub(super) idle: Duration,
    /// The most frames with content.
    pub(super) content_frames: u64,
    pub(super) bedrock_request_id: Option<String>,
}

/// An answer that is still arriving. Dropping it closes the connection, which ends the stream at Bedrock.
pub struct EventStream {
    frames: FrameStream,
    setup: StreamSetup,
    /// Events that were decoded but not yet returned. One frame may hold several.
    events: VecDeque<Event>,
    content_frames: u64,
    /// It is set again only when its time has come, not for each frame.
    clock: Pin<Box<Sleep>>,
    /// When the last content arrived. Kept here, because the future of one `next` may be dropped and `next` called again.
    last_content: Instant,
    /// How long frames are read after the limit is over.
    grace: Option<Instant>,
    /// Whether the stop reason was returned.
    stopped: bool,
}

impl EventStream {
    /// Begins to read a stream. Returns once its first frame has come: until then Bedrock may still refuse the call, in
    /// place of that frame.
    ///
    /// # Errors
    /// As [`EventStream::next`].
    pub(super) async fn begin(frames: FrameStream, setup: StreamSetup) -> Result<Self> {
        let idle = setup.idle;
        let mut stream = Self {
            frames,
            setup,
            events: VecDeque::new(),
            content_frames: 0,
            clock: Box::pin(sleep(idle)),
            last_content: Instant::now(),
            grace: None,
            stopped: false,
        };
        match stream.read_frame(Place::FirstFrame).await {
            Ok(_) => Ok(stream),
            Err(error) => Err(error.with_bedrock_request_id(stream.setup.bedrock_request_id)),
        }
    }

    /// The next event; `None` at the end of the stream, even if the answer is incomplete there. The future may be
    /// dropped and `next` called again without losing anything.
    ///
    /// # Errors
    /// `StreamIdle` or any upstream kind, until the stop reason has arrived. A failure after it ends the stream without
    /// an error, because only the usage can be missing then.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                self.stopped |= matches!(event, Event::Stop(_));
                return Ok(Some(event));
            }
            match self.read_frame(Place::LaterFrame).await {
                Ok(true) => {}
                Ok(false) => {
                    self.setup.decoder.finish(&mut self.events);
                    return Ok(self.events.pop_front());
                }
                Err(_) if self.stopped => return Ok(None),
                Err(error) => {
                    let error = error.with_bedrock_request_id(self.setup.bedrock_request_id.clone());
                    return Err(in_words_of_clients(error, self.setup.model.context_window, None));
                }
            }
        }
    }

    /// Reads and decodes the next frame. `false` at the end of the stream.
    async fn read_frame(&mut self, place: Place) -> Result<bool> {
        let frame = loop {
            let until = self.grace.unwrap_or(self.last_content + self.setup.idle);
            tokio::select! {
                biased;
                frame = self.frames.next() => break frame?,
                () = &mut self.clock => {
                    if Instant::now() >= until {
                        self.overdue()?;
                    }
                    let until = self.grace.unwrap_or(self.last_content + self.setup.idle);
                    self.clock.as_mut().reset(until);
                }
            }
        };
        let Some(frame) = frame else { return Ok(false) };
        if frame.kind == FrameKind::Exception {
            let (model, context) = (&self.setup.model.id, &self.setup.destination.context);
            return Err(classify::stream_exception(frame.name(), frame.payload(), place, model, context));
        }
        if self.setup.decoder.event(frame.name(), frame.payload(), &mut self.events)? {
            self.count_content()?;
        } else if Instant::now() >= self.last_content + self.setup.idle {
            // A frame without content is no sign of life.
            self.overdue()?;
        }
        Ok(true)
    }

    fn count_content(&mut self) -> Result<()> {
        self.last_content = Instant::now();
        self.grace = None;
        self.content_frames += 1;
        if self.content_frames > self.setup.content_frames {
            let most = self.setup.content_frames;
            let message = format!("Bedrock sent more than {most} events, which no answer of this length has");
            return Err(Error::new(Kind::InvalidUpstreamResponse, message).advise(MAYBE_BILLED));
        }
        Ok(())
    }

    /// Allows a last moment once the time for content is over, and then no more.
    fn overdue(&mut self) -> Result<()> {
        let now = Instant::now();
        match self.grace {
            None => self.grace = Some(now + GRACE),
            Some(end) if now < end => {}
            Some(_) => {
                let seconds = self.setup.idle.as_secs_f32();
                return Err(Error::new(Kind::StreamIdle, format!("Bedrock has sent no content for {seconds} s")));
            }
        }
        Ok(())
    }
}
