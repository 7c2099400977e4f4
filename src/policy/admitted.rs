//! A request that may be sent. Its fields are private, so that only the policy makes one.

use super::edit::{self, Edit};
use super::limits::KeyRules;
use super::parameters::Parameters;
use super::quote::{self, Quote};
use super::reasoning::{self, ReasoningGrant};
use super::refusable::Refusable;
use super::token_limit::{LimitSource, TokenLimit};
use super::{expected_input, input_bound, native};
use crate::catalog::{Model, NanoDollars};
use crate::conversation::{ImageUrl, Media, Message, NativeRequest, Part, Request, ServiceTier, ToolChoice};
use std::sync::Arc;

/// A request that may be sent. Its model is known, its limits are set and its worst case is computed.
#[derive(Debug, Clone)]
pub struct Admitted {
    request: Request,
    model: Arc<Model>,
    parameters: Parameters,
    /// The quote for the model, followed by that for its successor if one may answer.
    quotes: Vec<Quote>,
    /// The bound of the input tokens for any prompt, where the quote has one that holds only for the present prompt.
    any_prompt: Option<u64>,
}

impl Admitted {
    pub(super) fn new(request: Request, model: Arc<Model>, parameters: Parameters, quotes: Vec<Quote>) -> Self {
        Self { request, model, parameters, quotes, any_prompt: None }
    }

    /// The request, and the rules for its API key.
    pub(super) fn into_parts(self) -> (Request, Option<KeyRules>) {
        (self.request, self.parameters.key)
    }

    /// The request as it was made. Its limits and sampling parameters are only what was requested; those of
    /// [`Admitted`] are sent.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The upper bound of the answer (tokens). It is always sent.
    #[must_use]
    pub fn max_tokens(&self) -> u32 {
        self.parameters.max_tokens
    }

    /// Who set the upper bound of the answer, and what raises it.
    #[must_use]
    pub fn token_limit(&self) -> TokenLimit {
        TokenLimit {
            tokens: self.parameters.max_tokens,
            source: self.parameters.max_tokens_source,
            requested: self.request.max_tokens,
            table: self.parameters.limits_table.clone(),
        }
    }

    /// `None` when no temperature is sent.
    #[must_use]
    pub fn temperature(&self) -> Option<f64> {
        self.parameters.temperature
    }

    /// `None` when no `top_p` is sent.
    #[must_use]
    pub fn top_p(&self) -> Option<f64> {
        self.parameters.top_p
    }

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

    /// Whether the answer may call tools.
    #[must_use]
    pub fn may_call_tools(&self) -> bool {
        !self.request.tools.is_empty() && self.parameters.tools && self.parameters.tool_choice != ToolChoice::None
    }

    #[must_use]
    pub fn tier(&self) -> ServiceTier {
        self.parameters.tier
    }

    /// Whether the request sends a part that the model may refuse.
    #[must_use]
    pub fn sends(&self, part: &Refusable) -> bool {
        match part {
            Refusable::Temperature => self.parameters.temperature.is_some(),
            Refusable::TopP => self.parameters.top_p.is_some(),
            Refusable::Stop => !self.parameters.stop.is_empty(),
            Refusable::ReasoningHistory => {
                let mut parts = self.request.messages.iter().flat_map(|message| &message.parts);
                self.parameters.reasoning != ReasoningGrant::Off || parts.any(|part| matches!(part, Part::Reasoning(_)))
            }
            Refusable::Member(_) | Refusable::Betas | Refusable::SystemMessages => {
                let native = self.request.native.as_ref();
                native.is_some_and(|native| native::has(native, part)) && !self.parameters.refused.contains(part)
            }
        }
    }

    /// The same request without a part that the model has refused. The call never becomes more expensive.
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
                self.change_prompt();
            }
            Refusable::Member(_) | Refusable::Betas | Refusable::SystemMessages => {
                self.parameters.refused.push(part);
                self.change_prompt();
            }
        }
        self
    }

    /// The request in the client's own words, where they are sent.
    #[must_use]
    pub fn native(&self) -> Option<&NativeRequest> {
        self.request.native.as_ref()
    }

    /// The parts of a native request that the model has refused.
    #[must_use]
    pub fn refused(&self) -> &[Refusable] {
        &self.parameters.refused
    }

    /// Whether the reasoning of earlier answers is left out, because the model has refused it.
    #[must_use]
    pub fn leaves_out_reasoning_history(&self) -> bool {
        self.parameters.reasoning_history_removed
    }

    /// Whether a cache point is added at the end of the conversation.
    #[must_use]
    pub fn adds_cache_point(&self) -> bool {
        self.parameters.cache_point_added
    }

    /// What the call can cost at most; `None` when the model's price is unknown.
    #[must_use]
    pub fn worst_case(&self) -> Option<NanoDollars> {
        self.quotes.first()?.worst_case(self.parameters.max_tokens)
    }

    /// The upper bound of the input tokens.
    #[must_use]
    pub fn input_bound(&self) -> u64 {
        self.quotes.first().map_or(0, |quote| quote.input_bound)
    }

    /// The input tokens that are likely, which is no bound.
    #[must_use]
    pub fn expected_input(&self) -> u64 {
        expected_input::tokens(&self.request, &self.model).min(self.input_bound())
    }

    /// The most tokens that the call can use: its input and its longest answer, with the model or its successor.
    #[must_use]
    pub fn most_tokens(&self) -> u64 {
        let input = self.quotes.iter().map(|quote| quote.input_bound).max().unwrap_or(0);
        input.saturating_add(u64::from(self.parameters.max_tokens))
    }

    /// Whether the bound of the input comes from documents whose tokens cannot be known before the call.
    #[must_use]
    pub fn has_unbounded_documents(&self) -> bool {
        input_bound::comes_from_documents(&self.request)
    }

    /// The images that are given by URL and are still to be fetched.
    #[must_use]
    pub fn image_urls(&self) -> Vec<ImageUrl> {
        let parts = self.request.messages.iter().flat_map(Message::parts_with_results);
        parts.filter_map(|part| if let Part::ImageUrl(image) = part { Some(image.clone()) } else { None }).collect()
    }

    /// The same request with images in place of their URLs. An image costs the same wherever it comes from.
    #[must_use]
    pub fn with_images(mut self, mut image: impl FnMut(&ImageUrl) -> Option<Media>) -> Self {
        self.request.visit_image_urls(|part| {
            if let Part::ImageUrl(url) = part
                && let Some(media) = image(url)
            {
                *part = Part::Image(media);
            }
        });
        self
    }

    /// Whether the model's successor may answer instead.
    #[must_use]
    pub fn may_use_successor(&self) -> bool {
        self.quotes.len() > 1
    }

    /// The amount to reserve for the call with an answer of at most `max_tokens` tokens: the worst case of the model or
    /// of its successor, whichever is higher. `None` when a price is unknown.
    #[must_use]
    pub fn amount_to_reserve(&self, max_tokens: u32) -> Option<NanoDollars> {
        quote::highest_worst_case(&self.quotes, max_tokens.min(self.parameters.max_tokens))
    }

    /// The same request with a lower upper bound of its input tokens, which comes from a count.
    #[must_use]
    pub fn with_input_bound(mut self, tokens: u64) -> Self {
        if let Some(quote) = self.quotes.first_mut() {
            quote.input_bound = quote.input_bound.min(tokens);
        }
        self.any_prompt = self.any_prompt.map(|bound| bound.min(tokens));
        self
    }

    /// The same request with a lower upper bound of its input tokens, which comes from an earlier call whose prompt begins
    /// like this one. It holds as long as the prompt does not change.
    #[must_use]
    pub fn with_known_beginning(mut self, tokens: u64) -> Self {
        if let Some(quote) = self.quotes.first_mut().filter(|quote| tokens < quote.input_bound) {
            self.any_prompt.get_or_insert(quote.input_bound);
            quote.input_bound = tokens;
        }
        self
    }

    /// Notes that another prompt is sent. Returns whether the bound of the input has risen with that.
    fn change_prompt(&mut self) -> bool {
        match (self.any_prompt.take(), self.quotes.first_mut()) {
            (Some(bound), Some(quote)) => {
                quote.input_bound = bound;
                true
            }
            _ => false,
        }
    }

    /// The same request, its answer shortened until the worst case fits an amount. An answer of one token is left even
    /// when that does not fit.
    #[must_use]
    pub fn shortened_to_fit(mut self, amount: NanoDollars) -> Self {
        let max_tokens = quote::longest_affordable(&self.quotes, self.parameters.max_tokens, amount).unwrap_or(1);
        if max_tokens == self.parameters.max_tokens {
            return self;
        }
        self.parameters.max_tokens = max_tokens;
        self.parameters.max_tokens_source = LimitSource::Budget;
        // Reasoning must leave room for the answer (docs/cases.md, S6).
        if self.parameters.reasoning != ReasoningGrant::Off {
            let reasoning = reasoning::grant(&self.request.reasoning, &self.model, max_tokens);
            if std::mem::replace(&mut self.parameters.reasoning, reasoning) != reasoning && self.change_prompt() {
                return self.shortened_to_fit(amount);
            }
        }
        self
    }

    /// Every change that the policy made to the request.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        edit::differences(&self.request, &self.parameters)
    }
}
