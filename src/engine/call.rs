//! An accepted call on its way: its events, its usage, and its end in the ledger.

use super::reasoning_cache::ReasoningRecorder;
use super::reserved_call::{ReservedCall, Warning};
use crate::bedrock::{Accepted, UpstreamAnswer};
use crate::catalog::{Model, NanoDollars};
use crate::conversation::{Answer, AnswerBuilder, Event, StopReason, Usage};
use crate::error::{Error, Kind, Result, Retry};
use crate::policy::{Admitted, Edit, price};
use crate::telemetry::Telemetry;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an answer that nobody waits for is read on for its usage.
const DRAIN_TIMEOUT: Duration = Duration::from_mins(2);

/// When a call was asked for, and what its engine does with calls.
pub(super) struct Start {
    pub(super) began: Instant,
    /// Whether an answer that nobody waits for any more is read on to its usage.
    pub(super) drain: bool,
    pub(super) telemetry: Telemetry,
}

/// An accepted call: its events, and what it took. Dropping it ends the stream at Bedrock, or reads it on in the
/// background where the operator prefers that; the ledger has its cost or its worst case either way.
pub struct Call {
    admitted: Admitted,
    asked: Arc<Model>,
    /// `None` once it is drained.
    upstream: Option<UpstreamAnswer>,
    recorder: ReasoningRecorder,
    usage: Option<Usage>,
    reserved: ReservedCall,
    start: Start,
    /// Whether anything of the answer has come.
    has_event: bool,
    /// Whether the answer has a text or a tool call.
    has_content: bool,
    /// Whether the stop reason has come.
    stopped: bool,
}

impl Call {
    pub(super) fn new(
        admitted: Admitted,
        asked: Arc<Model>,
        accepted: Accepted,
        recorder: ReasoningRecorder,
        mut reserved: ReservedCall,
        start: Start,
    ) -> Self {
        let Accepted { answer, request_id } = accepted;
        let edits = admitted.edits();
        let edits: Vec<String> = edits.iter().filter(|edit| edit.parameter.is_numeric()).map(Edit::ascii).collect();
        reserved.reservation.accepted(&admitted.model().id, request_id, edits.join("; "));
        Self {
            admitted,
            asked,
            upstream: Some(answer),
            recorder,
            usage: None,
            reserved,
            start,
            has_event: false,
            has_content: false,
            stopped: false,
        }
    }

    /// The model that answers: the one asked for, or its successor.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        self.admitted.model()
    }

    /// What the policy changed.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        self.admitted.edits()
    }

    /// What the call can cost at most; `None` without a price.
    #[must_use]
    pub fn worst_case(&self) -> Option<NanoDollars> {
        self.admitted.worst_case()
    }

    /// What to tell a person when another model answers than the one that was asked.
    #[must_use]
    pub fn successor_notice(&self) -> Option<String> {
        let model = self.model();
        if model.id == self.asked.id {
            return None;
        }
        let (from, to) = (self.asked.display_name(), model.display_name());
        let retired = match &self.asked.end_of_life {
            Some(date) => format!("AWS retired {from} on {date}"),
            None => format!("AWS has retired {from}"),
        };
        Some(format!("{retired}; {to} ({}) answers instead", model.id))
    }

    /// The next event; `None` after the last one. Usage comes after the stop: read on. An answer has always come to its
    /// stop when this returns `None`.
    ///
    /// # Errors
    /// Any upstream kind; `Truncated` when the answer ended before its stop reason; `ModelFailed` when the model ended
    /// with something that is not an answer, and said nothing else.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        let event = self.upstream_event().await?;
        if event.is_some() && !std::mem::replace(&mut self.has_event, true) {
            self.start.telemetry.first_event(self.start.began.elapsed());
        }
        match &event {
            Some(Event::Usage(usage)) => self.settle(*usage),
            Some(Event::Stop(reason)) => {
                self.stopped = true;
                self.recorder.record(&Event::Stop(reason.clone()));
                // A malformed answer with something in it is still worth reading (docs/cases.md, X5).
                if let (StopReason::Malformed(reason), false) = (reason, self.has_content) {
                    return Err(self.malformed(reason).await);
                }
            }
            Some(event) => {
                self.has_content |= matches!(event, Event::Text(_) | Event::ToolCall { .. });
                self.recorder.record(event);
            }
            None => {
                // The usage of the answer never came.
                self.reserved.reservation.abandon();
                if !self.stopped {
                    return Err(Error::new(Kind::Truncated, "the stream ended before the answer did"));
                }
            }
        }
        Ok(event)
    }

    async fn upstream_event(&mut self) -> Result<Option<Event>> {
        match &mut self.upstream {
            None => Ok(None),
            Some(UpstreamAnswer::Complete(events)) => Ok(events.pop_front()),
            Some(UpstreamAnswer::Stream(stream)) => {
                let event = stream.next().await;
                if let Err(error) = &event {
                    // Refused inside the stream, before anything came of it: free, as it would be outside.
                    if !stream.began() && error.kind.spec().retry != Retry::MayBill {
                        self.reserved.reservation.release();
                    }
                    self.reserved.reservation.abandon();
                }
                event
            }
        }
    }

    /// Reads on to the usage, which is owed, and says what was wrong.
    async fn malformed(&mut self, reason: &str) -> Error {
        while let Ok(Some(event)) = self.upstream_event().await {
            if let Event::Usage(usage) = event {
                self.settle(usage);
            }
        }
        self.reserved.reservation.abandon();
        Error::new(Kind::ModelFailed, format!("the model produced no valid answer ({reason})"))
    }

    fn settle(&mut self, usage: Usage) {
        self.usage = Some(usage);
        let cost = self.cost();
        self.reserved.reservation.settle(usage, cost);
    }

    /// What the call took; `None` until its usage has come.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// What the call cost; `None` until its usage has come, or without a price.
    #[must_use]
    pub fn cost(&self) -> Option<NanoDollars> {
        Some(price::cost(self.model().prices.as_ref()?, self.usage.as_ref()?, self.admitted.tier()))
    }

    /// What is left of the tightest budget, this call counted at its cost or worst case; `None` without a budget.
    #[must_use]
    pub fn budget_left(&self) -> Option<NanoDollars> {
        self.reserved.left(self.cost())
    }

    /// Budgets that are nearly used up.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.reserved.warnings(self.cost())
    }

    /// Reads on to the end.
    ///
    /// # Errors
    /// As [`Call::next`].
    pub async fn answer(&mut self) -> Result<Answer> {
        let mut answer = AnswerBuilder::default();
        while let Some(event) = self.next().await? {
            answer.add(event);
        }
        answer.finish().ok_or_else(|| Error::new(Kind::Internal, "an answer came without its stop reason"))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.reserved.reservation.is_over() {
            return;
        }
        match self.upstream.take() {
            // Read from the wire, and not yet from here.
            Some(UpstreamAnswer::Complete(events)) => {
                let usage =
                    events.iter().find_map(|event| if let Event::Usage(usage) = event { Some(*usage) } else { None });
                if let Some(usage) = usage {
                    self.settle(usage);
                }
            }
            Some(UpstreamAnswer::Stream(mut stream)) if self.start.drain => {
                let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
                let (tier, prices) = (self.admitted.tier(), self.model().prices);
                let mut reservation = self.reserved.take();
                runtime.spawn(async move {
                    let until = tokio::time::Instant::now() + DRAIN_TIMEOUT;
                    while let Ok(Ok(Some(event))) = tokio::time::timeout_at(until, stream.next()).await {
                        if let Event::Usage(usage) = event {
                            reservation.settle(usage, prices.map(|prices| price::cost(&prices, &usage, tier)));
                        }
                    }
                });
            }
            // Stopped: the reservation's own end books it as uncertain.
            Some(UpstreamAnswer::Stream(_)) | None => {}
        }
    }
}
