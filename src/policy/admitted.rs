//! A request that may be sent. Its fields are private, so that only `Policy::admit` makes one.

use super::edit::{self, Edit};
use super::parameters::Parameters;
use super::quote::{self, Quote};
use super::reasoning::{self, ReasoningGrant};
use crate::catalog::{Model, NanoDollars};
use crate::conversation::{Part, Request, ServiceTier, ToolChoice};
use std::sync::Arc;

/// A part of a request that a model may turn out not to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusable {
    Temperature,
    TopP,
    Stop,
    /// Reasoning of earlier answers in the conversation, and new reasoning with it.
    ReasoningHistory,
}

/// A request that may be sent: capped, priced, its model known.
#[derive(Debug, Clone)]
pub struct Admitted {
    request: Request,
    model: Arc<Model>,
    parameters: Parameters,
    /// The model's own, and its successor's where that may answer.
    quotes: Vec<Quote>,
}

impl Admitted {
    pub(super) fn new(request: Request, model: Arc<Model>, parameters: Parameters, quotes: Vec<Quote>) -> Self {
        Self { request, model, parameters, quotes }
    }

    pub(super) fn into_request(self) -> Request {
        self.request
    }

    /// What was asked. Its limits and sampling are wishes: send those of `Admitted`.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The model that is asked.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Upper bound of the answer (tokens), always sent.
    #[must_use]
    pub fn max_tokens(&self) -> u32 {
        self.parameters.max_tokens
    }

    /// The temperature to send, where the model takes one.
    #[must_use]
    pub fn temperature(&self) -> Option<f64> {
        self.parameters.temperature
    }

    /// The `top_p` to send, where the model takes one.
    #[must_use]
    pub fn top_p(&self) -> Option<f64> {
        self.parameters.top_p
    }

    /// The stop sequences to send.
    #[must_use]
    pub fn stop(&self) -> &[String] {
        &self.parameters.stop
    }

    #[must_use]
    pub fn reasoning(&self) -> ReasoningGrant {
        self.parameters.reasoning
    }

    #[must_use]
    pub fn tool_choice(&self) -> &ToolChoice {
        &self.parameters.tool_choice
    }

    #[must_use]
    pub fn tier(&self) -> ServiceTier {
        self.parameters.tier
    }

    /// Whether something that a model may refuse is sent.
    #[must_use]
    pub fn has(&self, part: Refusable) -> bool {
        match part {
            Refusable::Temperature => self.parameters.temperature.is_some(),
            Refusable::TopP => self.parameters.top_p.is_some(),
            Refusable::Stop => !self.parameters.stop.is_empty(),
            Refusable::ReasoningHistory => {
                let mut parts = self.request.messages.iter().flat_map(|message| &message.parts);
                self.parameters.reasoning != ReasoningGrant::Off || parts.any(|part| matches!(part, Part::Reasoning(_)))
            }
        }
    }

    /// The same request without something that the model has refused. Never makes a call dearer.
    #[must_use]
    pub fn without(mut self, part: Refusable) -> Self {
        match part {
            Refusable::Temperature => self.parameters.temperature = None,
            Refusable::TopP => self.parameters.top_p = None,
            Refusable::Stop => self.parameters.stop.clear(),
            Refusable::ReasoningHistory => {
                for message in &mut self.request.messages {
                    message.parts.retain(|part| !matches!(part, Part::Reasoning(_)));
                }
                self.parameters.reasoning = ReasoningGrant::Off;
                self.parameters.reasoning_history_removed = true;
            }
        }
        self
    }

    /// What the call can cost at most; `None` when the model's price is unknown.
    #[must_use]
    pub fn worst_case(&self) -> Option<NanoDollars> {
        self.quotes.first()?.at(self.parameters.max_tokens)
    }

    /// How many input tokens it can have at most.
    #[must_use]
    pub fn input_bound(&self) -> u64 {
        self.quotes.first().map_or(0, |quote| quote.input)
    }

    /// Whether a successor may answer in the model's place.
    #[must_use]
    pub fn may_use_successor(&self) -> bool {
        self.quotes.len() > 1
    }

    /// What must be reserved for it, with an answer of at most so many tokens: the dearer of the model and its
    /// successor. `None` when a price is unknown.
    #[must_use]
    pub fn reserve(&self, max_tokens: u32) -> Option<NanoDollars> {
        quote::dearest(&self.quotes, max_tokens.min(self.parameters.max_tokens))
    }

    /// The same request with a sharper count of its input tokens, from above.
    #[must_use]
    pub fn counted(mut self, tokens: u64) -> Self {
        if let Some(quote) = self.quotes.first_mut() {
            quote.input = quote.input.min(tokens);
        }
        self
    }

    /// The same request with the longest answer that can be paid with an amount. Never makes a call dearer.
    #[must_use]
    pub fn within(mut self, amount: NanoDollars) -> Self {
        let fits = quote::longest(&self.quotes, self.parameters.max_tokens, amount).unwrap_or(1);
        if fits == self.parameters.max_tokens {
            return self;
        }
        self.parameters.max_tokens = fits;
        self.parameters.shortened_for_budget = true;
        // A reasoning budget must stay below max_tokens (docs/cases.md, S6).
        if matches!(self.parameters.reasoning, ReasoningGrant::Budget(_)) {
            self.parameters.reasoning = reasoning::grant(&self.request.reasoning, &self.model, fits);
        }
        self
    }

    /// Every change made to the request.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        edit::differences(&self.request, &self.parameters)
    }
}
