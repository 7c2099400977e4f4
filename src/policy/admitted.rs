//! A request that may be sent. Its fields are open to the policy alone, so that only `Policy::admit` makes one.

use super::{Thinking, Tier};
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
    History,
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
    pub(super) thinking: Thinking,
    pub(super) tier: Tier,
    pub(super) worst_case: Option<NanoDollars>,
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
    pub fn thinking(&self) -> Thinking {
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
            Param::History => {
                let mut parts = self.request.messages.iter().flat_map(|message| &message.parts);
                self.thinking != Thinking::Off || parts.any(|part| matches!(part, Part::Reasoning(_)))
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
            Param::History => {
                for message in &mut self.request.messages {
                    message.parts.retain(|part| !matches!(part, Part::Reasoning(_)));
                }
                self.thinking = Thinking::Off;
                note(&mut self.edits, "reasoning", Some("in history".to_owned()), None);
            }
        }
        self
    }

    /// What the call can cost at most; `None` when the model's price is unknown.
    #[must_use]
    pub fn worst_case(&self) -> Option<NanoDollars> {
        self.worst_case
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
