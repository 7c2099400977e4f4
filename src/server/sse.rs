//! Sends an answer as server-sent events, which the dialect writes. This module does the timing: what is ready at the same
//! time leaves at once, and nothing that is ready waits for more.

use super::body_memory::HeldBytes;
use super::console::Console;
use super::images::RequestImages;
use super::panics::bug;
use super::places::Place;
use super::reply::for_client;
use super::state::shutdown_error;
use crate::api::{FrameWriter, Frames};
use crate::conversation::{Event, Usage};
use crate::engine::Call;
use crate::error::{Error, Kind};
use crate::telemetry::RequestScope;
use bytes::Bytes;
use futures_util::{FutureExt, Stream, stream};
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use sync_wrapper::SyncStream;
use tokio::time::{Instant, Sleep, sleep};

/// How long a stream may be silent before a keep-alive is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The most bytes that leave at once, apart from those of the last event among them.
const WRITE_SIZE: usize = 8 * 1024;

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
    upstream: Upstream,
    writer: Box<dyn FrameWriter>,
    scope: RequestScope,
    notices: Notices,
    usage: Option<Usage>,
    phase: Phase,
    /// What is ready to leave.
    frames: Frames,
    /// How much of it is whole events (bytes), while one is being written.
    whole: usize,
    /// When a keep-alive is sent, unless something else was sent before. It is set again only when it has come.
    silence: Pin<Box<Sleep>>,
    /// When something was sent last.
    last_sent: Instant,
    _kept: Kept,
    closing: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A call that is still being asked for.
pub(super) type Asking = Pin<Box<dyn Future<Output = Result<Call, Error>> + Send>>;

/// Where the events of an answer come from.
pub(super) enum Upstream {
    /// The call waits for its reservation, or for Bedrock's first event.
    Asking(Asking),
    Answering(Box<Call>),
    /// The call was refused.
    Refused,
}

impl Upstream {
    /// The next event; `None` after the last one. The future may be dropped and this called again without losing
    /// anything.
    async fn next(&mut self) -> Result<Option<Event>, Error> {
        if let Self::Asking(asking) = self {
            let call = asking.await;
            *self = Self::Refused;
            *self = Self::Answering(Box::new(call?));
        }
        match self {
            Self::Answering(call) => call.next().await,
            Self::Asking(_) | Self::Refused => Ok(None),
        }
    }

    fn call(&self) -> Option<&Call> {
        match self {
            Self::Answering(call) => Some(call),
            Self::Asking(_) | Self::Refused => None,
        }
    }
}

/// The body of a streamed response. Dropping it drops the call, which ends the stream at Bedrock.
pub(super) fn body(
    upstream: Upstream,
    writer: Box<dyn FrameWriter>,
    scope: RequestScope,
    notices: Notices,
    kept: Kept,
    closing: impl Future<Output = ()> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    let events = Events {
        upstream,
        writer,
        scope,
        notices,
        usage: None,
        phase: Phase::Start,
        frames: Frames::default(),
        whole: 0,
        silence: Box::pin(sleep(KEEP_ALIVE)),
        last_sent: Instant::now(),
        _kept: kept,
        closing: Box::pin(closing),
    };
    // warp requires a Sync body, and the connection to Bedrock is not Sync. SyncStream allows it, because the body is
    // never shared.
    SyncStream::new(stream::unfold(events, |mut events| async move {
        let bytes = events.next_or_bug().await?;
        Some((Ok(bytes), events))
    }))
}

impl Events {
    /// The bytes of the next frames, or of an error in place of a panic; `None` after the last ones. A panic must not reach
    /// the connection, which may carry other streams.
    async fn next_or_bug(&mut self) -> Option<Bytes> {
        if let Ok(bytes) = AssertUnwindSafe(self.next()).catch_unwind().await {
            return bytes;
        }
        // The bug may have left half an event.
        self.frames.truncate(self.whole);
        if catch_unwind(AssertUnwindSafe(|| self.fail(&bug()))).is_err() {
            // Where even that fails, the stream just ends.
            self.phase = Phase::Done;
            self.frames.truncate(self.whole);
        }
        Some(self.frames.take()).filter(|bytes| !bytes.is_empty())
    }

    /// The bytes of the next frames; `None` after the last ones.
    async fn next(&mut self) -> Option<Bytes> {
        if self.phase == Phase::Start {
            self.phase = Phase::Events;
            self.writer.start(&mut self.frames);
        }
        while self.frames.is_empty() {
            if self.phase == Phase::Done {
                return None;
            }
            self.wait_for_event().await;
        }
        while self.phase == Phase::Events && self.frames.len() < WRITE_SIZE {
            // Whoever asks for the next piece waits for the event that is not ready.
            let Some(event) = self.upstream.next().now_or_never() else { break };
            self.write(event);
        }
        self.last_sent = Instant::now();
        self.whole = 0;
        Some(self.frames.take())
    }

    async fn wait_for_event(&mut self) {
        // Dropping the future of `next` loses no event: what it has read is kept for the following call.
        let event = tokio::select! {
            biased;
            event = self.upstream.next() => event,
            () = &mut self.closing => Err(shutdown_error()),
            () = &mut self.silence => {
                let due = self.last_sent + KEEP_ALIVE;
                if Instant::now() >= due {
                    self.writer.keep_alive(&mut self.frames);
                    return self.silence.as_mut().reset(Instant::now() + KEEP_ALIVE);
                }
                return self.silence.as_mut().reset(due);
            }
        };
        self.write(event);
    }

    fn write(&mut self, event: Result<Option<Event>, Error>) {
        self.whole = self.frames.len();
        match event {
            Ok(Some(Event::Usage(usage))) => self.usage = Some(usage),
            Ok(Some(event)) => self.writer.event(&event, &mut self.frames),
            Ok(None) => {
                self.phase = Phase::Done;
                self.announce_cut();
                let cost = self.upstream.call().and_then(Call::cost);
                self.writer.finish(self.usage, cost, &mut self.frames);
            }
            Err(error) => self.fail(&error),
        }
    }

    fn announce_cut(&self) {
        if let Some(call) = self.upstream.call() {
            self.notices.console.announce_cut(call, self.notices.key.as_deref());
        }
    }

    fn fail(&mut self, error: &Error) {
        self.phase = Phase::Done;
        self.announce_cut();
        self.scope.set_error(error.kind);
        self.writer.fail(&for_client(error), &mut self.frames);
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::super::body_memory::BodyMemory;
    use super::super::places::Places;
    use super::*;
    use crate::api::openai::ChatCompletions;
    use crate::api::{AnswerHead, Dialect, RequestHeaders};
    use crate::bedrock::{Client, Endpoint};
    use crate::catalog::NanoDollars;
    use crate::config::{Flags, Settings};
    use crate::engine::{AnswerMode, BudgetGuard, Caller, Engine};
    use crate::telemetry::{RequestHead, Telemetry};
    use futures_util::StreamExt;

    /// A writer with a bug.
    struct Broken {
        writer: Box<dyn FrameWriter>,
        /// Whether it cannot even tell an error.
        entirely: bool,
    }

    impl FrameWriter for Broken {
        fn start(&mut self, frames: &mut Frames) {
            self.writer.start(frames);
        }
        fn event(&mut self, _: &Event, _: &mut Frames) {
            panic!("the prompt");
        }
        fn finish(&mut self, usage: Option<Usage>, cost: Option<NanoDollars>, frames: &mut Frames) {
            self.writer.finish(usage, cost, frames);
        }
        fn fail(&mut self, error: &Error, frames: &mut Frames) {
            assert!(!self.entirely, "the prompt");
            self.writer.fail(error, frames);
        }
        fn keep_alive(&mut self, frames: &mut Frames) {
            self.writer.keep_alive(frames);
        }
    }

    /// The pieces of an answer, written by what is made of the dialect's own writer.
    async fn pieces_of(wrap: impl FnOnce(Box<dyn FrameWriter>) -> Box<dyn FrameWriter>) -> Vec<String> {
        let url = crate::offline::start(Duration::ZERO).await.unwrap();
        let telemetry = Telemetry::default();
        let settings = Settings::load(&Flags::default(), |_| None).unwrap();
        let client = Client::new(Endpoint::Local { url }, settings.aws.limits, telemetry.clone()).await.unwrap();
        let guard = BudgetGuard { budgets: settings.budgets, ledger: None };
        let engine = Arc::new(Engine::new(settings.policy(), client, guard, false, telemetry.clone()));
        let body = br#"{"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}]}"#;
        let parsed = ChatCompletions.parse(body[..].into(), &RequestHeaders::default()).unwrap();
        let call = engine.ask(parsed.request, AnswerMode::Streamed, Caller::default()).await.unwrap();
        let head =
            AnswerHead { id: "chatcmpl-0".to_owned(), created: 0, model: "nova-micro".to_owned(), expected_input: 0 };
        let writer = wrap(parsed.form.stream(head));
        let head = RequestHead { id: "req_0", client: None, method: "POST", route: "/", operation: None };
        let scope = telemetry.request(&head);
        let notices = Notices { console: Console::new(telemetry), key: None };
        let place = Places::new(1, Duration::ZERO).take().await.unwrap();
        let kept = (place, BodyMemory::new(1).account(0).unwrap(), None);
        let upstream = Upstream::Answering(Box::new(call));
        let chunks: Vec<_> =
            super::body(upstream, writer, scope, notices, kept, std::future::pending()).collect().await;
        chunks.into_iter().map(|Ok(bytes)| String::from_utf8(bytes.to_vec()).unwrap()).collect()
    }

    /// The whole answer of a writer with a bug.
    async fn answer_of(entirely: bool) -> String {
        pieces_of(|writer| Box::new(Broken { writer, entirely })).await.concat()
    }

    #[tokio::test]
    async fn events_that_are_ready_leave_together() {
        let pieces = pieces_of(|writer| writer).await;
        let events: usize = pieces.iter().map(|piece| piece.matches("data: ").count()).sum();
        assert!(events >= 6 && pieces.len() * 2 <= events, "{events} events in {} pieces", pieces.len());
        assert!(pieces.iter().all(|piece| piece.ends_with("\n\n")), "an event leaves whole");
    }

    #[tokio::test]
    async fn a_bug_in_the_middle_of_a_stream_ends_it_with_an_error() {
        let answer = answer_of(false).await;
        assert!(answer.contains("this request has run into a bug of the server"), "{answer}");
        assert!(!answer.contains("the prompt"), "{answer}");
        let answer = answer_of(true).await;
        assert!(answer.starts_with("data: ") && !answer.contains("[DONE]"), "{answer}");
    }
}
