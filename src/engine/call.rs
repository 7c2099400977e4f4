//! A call that Bedrock has accepted: its events, its usage and its settlement in the ledger.

use super::call_watch::CallWatch;
use super::known_prompts::PromptRecorder;
use super::loop_brake::Brake;
use super::reasoning_cache::ReasoningRecorder;
use super::reserved_call::{ReservedCall, Warning};
use super::tool_call_guard::{CutCall, Holding, ToolCallGuard, Wholeness};
use crate::bedrock::{Accepted, UpstreamAnswer};
use crate::catalog::{Model, NanoDollars};
use crate::conversation::{Answer, AnswerBuilder, CutCalls, Event, StopReason, Usage};
use crate::error::{BudgetUse, Error, Field, Kind, Result};
use crate::ledger::RateStatus;
use crate::policy::{Admitted, Edit, LimitSource, TokenLimit, price};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer that nobody waits for is read in order to learn its usage.
const DRAIN_TIMEOUT: Duration = Duration::from_mins(2);

/// What its engine does with a call.
pub(super) struct Start {
    /// Whether an answer that nobody waits for any more is read to its end, so that its usage is known.
    pub(super) drain: bool,
    /// Tells the telemetry what happens to the call.
    pub(super) watch: CallWatch,
    /// Where the tokens of the prompt are remembered.
    pub(super) prompt: Option<PromptRecorder>,
    /// Is told how an answer that may call tools has ended.
    pub(super) brake: Option<Brake>,
    pub(super) cut_calls: CutCalls,
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
    bedrock_request_id: Option<String>,
    recorder: ReasoningRecorder,
    usage: Option<Usage>,
    reserved: ReservedCall,
    start: Start,
    guard: ToolCallGuard,
    /// Events that may be passed on, but were not yet.
    passed: VecDeque<Event>,
    /// Whether any event has come.
    has_event: bool,
    /// The stop reason, once it has come.
    stop: Option<StopReason>,
    /// The error that ends the answer. It is returned once the usage has been read, because the answer is billed.
    failure: Option<Error>,
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
        let upstream_id = bedrock_request_id.clone();
        let edits = admitted.edits();
        let ascii_edits: Vec<String> =
            edits.iter().filter(|edit| edit.parameter.is_free_of_user_text()).map(Edit::ascii).collect();
        let is_stream = matches!(answer, UpstreamAnswer::Stream(_));
        start.watch.accepted(&admitted.model().id, bedrock_request_id.as_deref(), is_stream);
        reserved.reservation.accepted(&admitted.model().id, bedrock_request_id, ascii_edits.join("; "));
        // Calls stream where the client has set the limit itself. Nobody else may see half of one, and no agent.
        let wholeness = if is_stream { Wholeness::Json } else { required_arguments(&admitted) };
        let streams_calls =
            start.cut_calls == CutCalls::Refuse && admitted.token_limit().source == LimitSource::Request;
        let holding = Holding { held: !is_stream || !streams_calls, cut_calls: start.cut_calls };
        Self {
            admitted,
            edits,
            requested_model,
            upstream: Some(answer),
            bedrock_request_id: upstream_id,
            recorder,
            usage: None,
            reserved,
            start,
            guard: ToolCallGuard::new(holding, wholeness),
            passed: VecDeque::new(),
            has_event: false,
            stop: None,
            failure: None,
        }
    }

    /// The model that answers: the requested one, or its successor.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        self.admitted.model()
    }

    /// What the input is expected to have (tokens). The true number comes with the usage.
    #[must_use]
    pub fn expected_input(&self) -> u64 {
        self.admitted.expected_input()
    }

    /// Bedrock's id for the call.
    #[must_use]
    pub fn bedrock_request_id(&self) -> Option<&str> {
        self.bedrock_request_id.as_deref()
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
    /// When this returns `None`, the stop has always come. The future may be dropped and `next` called again without
    /// losing anything.
    ///
    /// # Errors
    /// Any kind that Bedrock causes; `Truncated` when the answer ended before its stop reason; `IncompleteAnswer` when
    /// the model stopped because its answer was malformed, and the answer has no content; `ToolCallCut`.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.passed.pop_front() {
                return Ok(Some(event));
            }
            if let Some(error) = self.failure.clone() {
                self.read_usage().await;
                return Err(error);
            }
            let event = self.upstream_event().await?;
            if event.is_some() && !self.has_event {
                self.has_event = true;
                self.start.watch.first_event();
            }
            match event {
                Some(Event::Usage(usage)) => {
                    self.settle(usage);
                    return Ok(Some(Event::Usage(usage)));
                }
                Some(event) => self.pass(event),
                None => {
                    // If the usage never came, the call is booked as uncertain.
                    self.reserved.reservation.abandon();
                    if self.stop.is_none() {
                        let error = Error::new(Kind::Truncated, "the stream ended before the answer was complete");
                        self.start.watch.fail(&error);
                        return Err(error);
                    }
                    return Ok(None);
                }
            }
        }
    }

    /// Passes an event on, unless it belongs to a tool call that may have been cut.
    fn pass(&mut self, event: Event) {
        if let Event::Stop(reason) = &event {
            self.stop = Some(reason.clone());
        }
        let known = self.passed.len();
        if let Err(cut) = self.guard.pass(event, &mut self.passed) {
            self.failure = Some(self.cut_call(&cut));
        }
        for event in self.passed.iter().skip(known) {
            self.recorder.record(event);
        }
        self.tell_brake();
        // A malformed answer with some content is still worth reading (docs/cases.md, X5).
        if let Some(StopReason::Malformed(reason)) = &self.stop
            && !self.guard.has_content()
        {
            let message = format!("the model produced no valid answer ({reason})");
            self.failure = Some(Error::new(Kind::IncompleteAnswer, message).advise("try again"));
            self.passed.clear();
        }
    }

    /// Tells the brake whether the answer was cut inside a tool call. One whose text was cut says nothing about a loop.
    fn tell_brake(&mut self) {
        let Some(stop) = &self.stop else { return };
        let Some(brake) = self.start.brake.take() else { return };
        match (stop, self.guard.has_cut_call()) {
            (StopReason::MaxTokens, true) => brake.cut(self.admitted.token_limit()),
            (StopReason::EndTurn | StopReason::ToolUse | StopReason::StopSequence(_), false) => brake.whole(),
            _ => {}
        }
    }

    /// The error for an answer that ended inside a tool call.
    fn cut_call(&self, cut: &CutCall) -> Error {
        let tool = &cut.tool;
        match &cut.reason {
            StopReason::MaxTokens => {
                let limit = self.admitted.token_limit();
                let message = format!("the answer was cut inside a call of the tool {tool:?} at {}", limit.describe());
                Error::new(Kind::ToolCallCut, message).at(Field::MaxTokens).advise(limit.remedy())
            }
            StopReason::ContextWindow => {
                let message =
                    format!("the answer was cut inside a call of the tool {tool:?}: the context window is full");
                Error::new(Kind::ToolCallCut, message).at(Field::Messages).advise("shorten the conversation")
            }
            other => {
                let message = format!("the answer ended inside a call of the tool {tool:?} ({})", other.as_str());
                Error::new(Kind::ModelFailed, message)
            }
        }
    }

    /// Who set the upper bound of the answer, and what raises it.
    #[must_use]
    pub fn token_limit(&self) -> TokenLimit {
        self.admitted.token_limit()
    }

    /// What the operator should know about an answer that was cut at its token limit; `None` for a request that set the
    /// limit itself, brought no tools, and got some text.
    #[must_use]
    pub fn cut_notice(&self) -> Option<String> {
        let limit = self.admitted.token_limit();
        let has_content = self.guard.has_content();
        let is_own_limit = limit.source == LimitSource::Request && self.admitted.request().tools.is_empty();
        if self.stop != Some(StopReason::MaxTokens) || (is_own_limit && has_content) {
            return None;
        }
        let model = self.model().display_name();
        let before = if has_content { "" } else { " before it had any text" };
        Some(format!("an answer of {model} was cut{before} at {}; {}", limit.describe(), limit.remedy()))
    }

    async fn upstream_event(&mut self) -> Result<Option<Event>> {
        match &mut self.upstream {
            None => Ok(None),
            Some(UpstreamAnswer::Complete(events)) => Ok(events.pop_front()),
            Some(UpstreamAnswer::Stream(stream)) => {
                let event = stream.next().await;
                if let Err(error) = &event {
                    self.start.watch.fail(error);
                    self.reserved.reservation.abandon();
                }
                event
            }
        }
    }

    /// Reads the rest of an answer that has failed, for its usage.
    async fn read_usage(&mut self) {
        while let Ok(Some(event)) = self.upstream_event().await {
            if let Event::Usage(usage) = event {
                self.settle(usage);
            }
        }
        self.reserved.reservation.abandon();
    }

    fn settle(&mut self, usage: Usage) {
        self.usage = Some(usage);
        // An answer that ended otherwise may have been refused before the whole prompt was counted.
        let is_answered = matches!(
            self.stop,
            Some(StopReason::EndTurn | StopReason::ToolUse | StopReason::MaxTokens | StopReason::StopSequence(_))
        );
        if let Some(prompt) = self.start.prompt.take().filter(|_| is_answered) {
            prompt.record(usage.prompt());
        }
        let cost = self.cost();
        self.reserved.reservation.settle(usage, cost);
        self.start.watch.settled(usage, cost, self.reserved.budget_left(cost));
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

    /// How much was used, when the call began, of the budget of which the largest share is spent.
    #[must_use]
    pub fn budget_use(&self) -> Option<BudgetUse> {
        self.reserved.budget_use()
    }

    /// What was left of the key's limits on requests and tokens when the call began; `None` where it has none.
    #[must_use]
    pub fn rates(&self) -> Option<RateStatus> {
        self.reserved.rates
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

/// What a complete answer's calls must hold to be whole.
fn required_arguments(admitted: &Admitted) -> Wholeness {
    let tools = admitted.request().tools.iter().map(|tool| {
        let required = tool.schema["required"].as_array().into_iter().flatten();
        (tool.name.clone(), required.filter_map(|name| name.as_str().map(ToOwned::to_owned)).collect())
    });
    Wholeness::Required(tools.collect())
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
