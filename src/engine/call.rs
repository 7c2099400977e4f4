//! An accepted call on its way: its events, its usage, and its end in the ledger.

use super::malformed;
use super::reasoning_cache::ReasoningRecorder;
use super::reserved_call::{ReservedCall, Warning};
use crate::bedrock::{Accepted, Answering};
use crate::catalog::{Model, NanoDollars};
use crate::conversation::{Answer, Event, StopReason, Usage};
use crate::error::{Error, Kind, Result, Retry};
use crate::policy::{Admitted, Edit, price};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer that nobody waits for is read on for its usage.
const DRAIN: Duration = Duration::from_mins(2);

/// An accepted call: its events, and what it took. Dropping it ends the stream at Bedrock, or reads it on in the
/// background where the operator prefers that; the ledger has its cost or its worst case either way.
pub struct Call {
    admitted: Admitted,
    asked: Arc<Model>,
    /// `None` once it is drained.
    answering: Option<Answering>,
    thread: ReasoningRecorder,
    usage: Option<Usage>,
    booking: ReservedCall,
    drain: bool,
}

impl Call {
    pub(super) fn new(
        admitted: Admitted,
        asked: Arc<Model>,
        accepted: Accepted,
        thread: ReasoningRecorder,
        mut booking: ReservedCall,
        drain: bool,
    ) -> Self {
        let Accepted { answering, request_id } = accepted;
        // Numbers only: a client's own words, tool names for instance, are not for the ledger.
        let numbers = |edit: &&Edit| ["max_tokens", "temperature", "top_p", "stop"].contains(&edit.param);
        let edits: Vec<String> = admitted.edits().iter().filter(numbers).map(Edit::ascii).collect();
        booking.reservation.accepted(&admitted.model().id, request_id, edits.join("; "));
        Self { admitted, asked, answering: Some(answering), thread, usage: None, booking, drain }
    }

    /// Who answers: the model asked for, or its successor.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        self.admitted.model()
    }

    /// What the policy changed.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
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
        (model.id != self.asked.id).then(|| {
            let date = self.asked.end_of_life.as_deref().map(|date| format!(" on {date}")).unwrap_or_default();
            let (from, to) = (self.asked.display_name(), model.display_name());
            format!("AWS has retired {from}{date}; {to} ({}) answers instead", model.id)
        })
    }

    /// The next event; `None` after the last one. Usage comes after the stop: read on.
    ///
    /// # Errors
    /// Any upstream kind; `Truncated` when the answer broke off.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        let event = match &mut self.answering {
            None => None,
            Some(Answering::Complete(events)) => events.pop_front(),
            Some(Answering::Stream(stream)) => match stream.next().await {
                Ok(event) => event,
                Err(error) => {
                    // Refused inside the stream, before anything came of it: free, as it would be outside.
                    if !stream.began() && error.kind.spec().retry != Retry::MayBill {
                        self.booking.reservation.release();
                    }
                    self.booking.reservation.abandon();
                    return Err(error);
                }
            },
        };
        match &event {
            Some(Event::Usage(usage)) => self.settle(*usage),
            Some(event) => self.thread.follow(event),
            // The answer is whole, and its usage never came.
            None => self.booking.reservation.abandon(),
        }
        Ok(event)
    }

    fn settle(&mut self, usage: Usage) {
        self.usage = Some(usage);
        let cost = self.cost();
        self.booking.reservation.settle(usage, cost);
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
        self.booking.left(self.cost())
    }

    /// Budgets that are nearly used up.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.booking.warnings(self.cost())
    }

    /// Reads on to the end.
    ///
    /// # Errors
    /// As [`Call::next`].
    pub async fn answer(&mut self) -> Result<Answer> {
        let mut answer = Answer::default();
        while let Some(event) = self.next().await? {
            answer.add(event);
        }
        match &answer.stop {
            // A malformed answer with something in it is still worth reading (cases.md X5).
            Some(StopReason::Malformed(reason)) if answer.text.is_empty() && answer.tool_calls.is_empty() => {
                Err(malformed(reason))
            }
            Some(_) => Ok(answer),
            None => Err(Error::new(Kind::Truncated, "the answer has no stop reason")),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.booking.reservation.is_over() {
            return;
        }
        match self.answering.take() {
            // Read from the wire, and not yet from here.
            Some(Answering::Complete(events)) => {
                let usage =
                    events.iter().find_map(|event| if let Event::Usage(usage) = event { Some(*usage) } else { None });
                if let Some(usage) = usage {
                    self.settle(usage);
                }
            }
            Some(Answering::Stream(mut stream)) if self.drain => {
                let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
                let (tier, prices) = (self.admitted.tier(), self.model().prices);
                let mut reservation = self.booking.take();
                runtime.spawn(async move {
                    let until = tokio::time::Instant::now() + DRAIN;
                    while let Ok(Ok(Some(event))) = tokio::time::timeout_at(until, stream.next()).await {
                        if let Event::Usage(usage) = event {
                            reservation.settle(usage, prices.map(|prices| price::cost(&prices, &usage, tier)));
                        }
                    }
                });
            }
            // Stopped: the reservation's own end books it as uncertain.
            Some(Answering::Stream(_)) | None => {}
        }
    }
}
