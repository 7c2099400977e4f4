//! A call that Bedrock has accepted: its events, its usage and its settlement in the ledger.

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

/// How long an answer that nobody waits for is read in order to learn its usage.
const DRAIN_TIMEOUT: Duration = Duration::from_mins(2);

/// When a call began, and what its engine does with calls.
pub(super) struct Start {
    pub(super) began: Instant,
    /// Whether an answer that nobody waits for any more is read to its end, so that its usage is known.
    pub(super) drain: bool,
    pub(super) telemetry: Telemetry,
}

/// A call that Bedrock has accepted. Dropping it ends the stream, or reads the rest of it in the background if the
/// operator has configured that; the ledger records the cost or the worst case either way.
pub struct Call {
    admitted: Admitted,
    /// Computed once, because they are shown in several places.
    edits: Vec<Edit>,
    requested_model: Arc<Model>,
    /// `None` while the call is being dropped.
    upstream: Option<UpstreamAnswer>,
    recorder: ReasoningRecorder,
    usage: Option<Usage>,
    reserved: ReservedCall,
    start: Start,
    /// Whether any event has come.
    has_event: bool,
    /// Whether the answer has any text or a tool call.
    has_content: bool,
    /// Whether the stop reason has come.
    stopped: bool,
}

impl Call {
    pub(super) fn new(
        admitted: Admitted,
        requested_model: Arc<Model>,
        accepted: Accepted,
        recorder: ReasoningRecorder,
        mut reserved: ReservedCall,
        start: Start,
    ) -> Self {
        let Accepted { answer, bedrock_request_id } = accepted;
        let edits = admitted.edits();
        let ascii_edits: Vec<String> =
            edits.iter().filter(|edit| edit.parameter.is_free_of_user_text()).map(Edit::ascii).collect();
        reserved.reservation.accepted(&admitted.model().id, bedrock_request_id, ascii_edits.join("; "));
        Self {
            admitted,
            edits,
            requested_model,
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

    /// The model that answers: the requested one, or its successor.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        self.admitted.model()
    }

    /// The changes that the policy made to the request.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// What the call can cost at most; `None` without a price.
    #[must_use]
    pub fn worst_case(&self) -> Option<NanoDollars> {
        self.admitted.worst_case()
    }

    /// What stays booked when the usage does not come; `None` without a price.
    #[must_use]
    pub fn reserved(&self) -> Option<NanoDollars> {
        self.reserved.priced.then(|| self.reserved.reservation.amount())
    }

    /// The notice to the user when the successor answers instead of the requested model.
    #[must_use]
    pub fn successor_notice(&self) -> Option<String> {
        let model = self.model();
        if model.id == self.requested_model.id {
            return None;
        }
        let from = self.requested_model.display_name();
        let to = model.display_name();
        let retired = match &self.requested_model.end_of_life {
            Some(date) => format!("AWS retired {from} on {date}"),
            None => format!("AWS has retired {from}"),
        };
        Some(format!("{retired}; {to} ({}) answers instead", model.id))
    }

    /// The next event; `None` after the last one. A caller must not end at the stop, because the usage comes after it.
    /// When this returns `None`, the stop has always come.
    ///
    /// # Errors
    /// Any kind that Bedrock causes; `Truncated` when the answer ended before its stop reason; `IncompleteAnswer` when the
    /// model stopped because its answer was malformed, and the answer has no content.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        let event = self.upstream_event().await?;
        if event.is_some() && !self.has_event {
            self.has_event = true;
            self.start.telemetry.first_event(self.start.began.elapsed());
        }
        match &event {
            Some(Event::Usage(usage)) => self.settle(*usage),
            Some(stop @ Event::Stop(reason)) => {
                self.stopped = true;
                self.recorder.record(stop);
                // A malformed answer with some content is still worth reading (docs/cases.md, X5).
                if let StopReason::Malformed(reason) = reason
                    && !self.has_content
                {
                    return Err(self.malformed_answer(reason).await);
                }
            }
            Some(event) => {
                self.has_content |= matches!(event, Event::Text(_) | Event::ToolCall { .. });
                self.recorder.record(event);
            }
            None => {
                // If the usage never came, the call is booked as uncertain.
                self.reserved.reservation.abandon();
                if !self.stopped {
                    return Err(Error::new(Kind::Truncated, "the stream ended before the answer was complete"));
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
                    // A refusal inside the stream, before its first event, is as free as one before the stream.
                    if !stream.began() && error.kind.spec().retry != Retry::MayBill {
                        self.reserved.reservation.release();
                    }
                    self.reserved.reservation.abandon();
                }
                event
            }
        }
    }

    /// The error for a malformed answer. It is billed, so its usage is read first.
    async fn malformed_answer(&mut self, reason: &str) -> Error {
        while let Ok(Some(event)) = self.upstream_event().await {
            if let Event::Usage(usage) = event {
                self.settle(usage);
            }
        }
        self.reserved.reservation.abandon();
        Error::new(Kind::IncompleteAnswer, format!("the model produced no valid answer ({reason})")).advise("try again")
    }

    fn settle(&mut self, usage: Usage) {
        self.usage = Some(usage);
        let cost = self.cost();
        self.reserved.reservation.settle(usage, cost);
    }

    /// `None` until the usage has come.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// What the call cost; `None` until its usage has come, and without a price.
    #[must_use]
    pub fn cost(&self) -> Option<NanoDollars> {
        Some(price::cost(self.model().prices.as_ref()?, self.usage.as_ref()?, self.admitted.tier()))
    }

    /// What is left of the budget with the least left; `None` without a budget. The call counts at its cost, or at its
    /// worst case while that is unknown.
    #[must_use]
    pub fn budget_left(&self) -> Option<NanoDollars> {
        self.reserved.budget_left(self.cost())
    }

    /// Warnings about budgets that are nearly used up, and about a ledger that cannot be written.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.reserved.warnings(self.cost())
    }

    /// Reads the rest of the answer.
    ///
    /// # Errors
    /// As [`Call::next`].
    pub async fn answer(&mut self) -> Result<Answer> {
        let mut answer = AnswerBuilder::default();
        while let Some(event) = self.next().await? {
            answer.add(event);
        }
        answer.finish().ok_or_else(|| Error::new(Kind::Internal, "the answer has no stop reason"))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.reserved.reservation.is_over() {
            return;
        }
        match self.upstream.take() {
            // The answer has arrived in full, but its events have not been taken.
            Some(UpstreamAnswer::Complete(events)) => {
                for event in events {
                    if let Event::Usage(usage) = event {
                        self.settle(usage);
                    }
                }
            }
            Some(UpstreamAnswer::Stream(mut stream)) if self.start.drain => {
                let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
                let tier = self.admitted.tier();
                let prices = self.model().prices;
                let mut reservation = self.reserved.take_reservation();
                runtime.spawn(async move {
                    let deadline = tokio::time::Instant::now() + DRAIN_TIMEOUT;
                    while let Ok(Ok(Some(event))) = tokio::time::timeout_at(deadline, stream.next()).await {
                        if let Event::Usage(usage) = event {
                            reservation.settle(usage, prices.map(|prices| price::cost(&prices, &usage, tier)));
                        }
                    }
                });
            }
            // The stream ends here. Dropping the reservation books the call as uncertain.
            Some(UpstreamAnswer::Stream(_)) | None => {}
        }
    }
}
