//! A request that may be sent. Its fields are open to the policy alone, so that only `Policy::admit` makes one.

use super::quote::{self, Quote};
use super::{ReasoningGrant, Tier, reasoning};
use crate::catalog::{Model, NanoDollars};
use crate::conversation::{Part, Request, ToolChoice};
use std::fmt;
use std::sync::Arc;

/// A change the policy made to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The member, in OpenAI's word.
    pub param: &'static str,
    /// What was asked; `None` when nothing was.
    pub from: Option<String>,
    /// What is sent; `None` when it is left out.
    pub to: Option<String>,
}

impl Edit {
    /// Whether it was made because more did not fit a budget.
    #[must_use]
    pub fn is_for_a_budget(&self) -> bool {
        self.to.as_ref().is_some_and(|to| to.ends_with("(budget)"))
    }

    /// `max_tokens 64000->1024`, in ASCII for an HTTP header.
    #[must_use]
    pub fn ascii(&self) -> String {
        // A client's own word may hold anything, and a header may not.
        let word = |text: &Option<String>| -> String {
            let text = text.as_deref().unwrap_or("unset");
            text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(40).collect()
        };
        format!("{} {}->{}", self.param, word(&self.from), word(&self.to))
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from.as_deref().unwrap_or("unset");
        let to = self.to.as_deref().unwrap_or("unset");
        write!(f, "{} {from}→{to}", self.param)
    }
}

/// A parameter that a model may turn out not to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are OpenAI's")]
pub enum Param {
    Temperature,
    TopP,
    Stop,
    /// Thoughts in the conversation, and thinking with them.
    ReasoningHistory,
}

/// A request that may be sent: capped, priced, its model known. Only [`Policy::admit`] makes one.
#[derive(Debug, Clone)]
pub struct Admitted {
    pub(super) request: Request,
    pub(super) model: Arc<Model>,
    pub(super) max_tokens: u32,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) stop: Vec<String>,
    pub(super) tool_choice: ToolChoice,
    pub(super) thinking: ReasoningGrant,
    pub(super) tier: Tier,
    /// The model's own, and its successor's where that may answer.
    pub(super) quotes: Vec<Quote>,
    pub(super) edits: Vec<Edit>,
}

impl Admitted {
    /// What was asked. Its limits and sampling are wishes: send those of `Admitted`.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Who is asked.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Upper bound of the answer (tokens), always sent.
    #[must_use]
    pub fn max_tokens(&self) -> u32 {
        self.max_tokens
    }

    /// The temperature to send, where the model takes one.
    #[must_use]
    pub fn temperature(&self) -> Option<f64> {
        self.temperature
    }

    /// The `top_p` to send, where the model takes one.
    #[must_use]
    pub fn top_p(&self) -> Option<f64> {
        self.top_p
    }

    /// The stop sequences to send.
    #[must_use]
    pub fn stop(&self) -> &[String] {
        &self.stop
    }

    /// What it may think.
    #[must_use]
    pub fn thinking(&self) -> ReasoningGrant {
        self.thinking
    }

    /// Whether tools may, must or must not be called.
    #[must_use]
    pub fn tool_choice(&self) -> &ToolChoice {
        &self.tool_choice
    }

    /// How fast it is to be served.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Whether a parameter is sent.
    #[must_use]
    pub fn has(&self, param: Param) -> bool {
        match param {
            Param::Temperature => self.temperature.is_some(),
            Param::TopP => self.top_p.is_some(),
            Param::Stop => !self.stop.is_empty(),
            Param::ReasoningHistory => {
                let mut parts = self.request.messages.iter().flat_map(|message| &message.parts);
                self.thinking != ReasoningGrant::Off || parts.any(|part| matches!(part, Part::Reasoning(_)))
            }
        }
    }

    /// The same request without a parameter that the model has refused. Never makes a call dearer.
    #[must_use]
    pub fn without(mut self, param: Param) -> Self {
        match param {
            Param::Temperature => {
                let was = self.temperature.take().map(plain);
                note(&mut self.edits, "temperature", was, None);
            }
            Param::TopP => {
                let was = self.top_p.take().map(plain);
                note(&mut self.edits, "top_p", was, None);
            }
            Param::Stop => {
                let was = (!self.stop.is_empty()).then(|| format!("{} texts", self.stop.len()));
                self.stop.clear();
                note(&mut self.edits, "stop", was, None);
            }
            Param::ReasoningHistory => {
                for message in &mut self.request.messages {
                    message.parts.retain(|part| !matches!(part, Part::Reasoning(_)));
                }
                self.thinking = ReasoningGrant::Off;
                note(&mut self.edits, "reasoning", Some("in history".to_owned()), None);
            }
        }
        self
    }

    /// What the call can cost at most; `None` when the model's price is unknown.
    #[must_use]
    pub fn worst_case(&self) -> Option<NanoDollars> {
        self.quotes.first()?.at(self.max_tokens)
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
        quote::dearest(&self.quotes, max_tokens.min(self.max_tokens))
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
        let fits = quote::longest(&self.quotes, self.max_tokens, amount).unwrap_or(1);
        if fits == self.max_tokens {
            return self;
        }
        self.max_tokens = fits;
        let to = Some(format!("{fits} (budget)"));
        if let Some(edit) = self.edits.iter_mut().find(|edit| edit.param == "max_tokens") {
            edit.to = to;
        } else {
            let from = self.request.max_tokens.map(|tokens| tokens.to_string());
            self.edits.insert(0, Edit { param: "max_tokens", from, to });
        }
        // A thinking budget must stay below max_tokens (cases.md S6).
        let fitting = reasoning::grant(&self.request, &self.model, fits);
        if matches!(self.thinking, ReasoningGrant::Budget(_)) && fitting != self.thinking {
            self.edits.retain(|edit| edit.param != "reasoning_effort");
            note(&mut self.edits, "reasoning_effort", self.request.reasoning_effort.clone(), fitting.as_str());
            self.thinking = fitting;
        }
        self
    }

    /// Every change made to the request.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }
}

/// Lists a change, if it is one.
pub(super) fn note(edits: &mut Vec<Edit>, param: &'static str, from: Option<String>, to: Option<String>) {
    if from != to {
        edits.push(Edit { param, from, to });
    }
}

/// A number as a person writes it.
pub(super) fn plain(number: f64) -> String {
    number.to_string()
}
