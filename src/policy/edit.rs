//! The changes that the policy made to a request: the difference between what was wished and what is sent.

use super::parameters::Parameters;
use super::reasoning::ReasoningGrant;
use crate::conversation::{ReasoningMode, Request, ServiceTier, ToolChoice};
use std::fmt;

/// What a change is about. Its name is the one that clients know, mostly OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    MaxTokens,
    Temperature,
    TopP,
    ReasoningEffort,
    ServiceTier,
    Stop,
    ToolChoice,
    CacheControl,
    /// Reasoning of earlier answers.
    ReasoningHistory,
}

impl Parameter {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::ReasoningEffort => "reasoning_effort",
            Self::ServiceTier => "service_tier",
            Self::Stop => "stop",
            Self::ToolChoice => "tool_choice",
            Self::CacheControl => "cache_control",
            Self::ReasoningHistory => "reasoning",
        }
    }

    /// Whether its values are numbers only. A client's own words, such as tool names, do not belong into the ledger.
    #[must_use]
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::MaxTokens | Self::Temperature | Self::TopP | Self::Stop)
    }
}

/// Why a change was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditReason {
    /// The operator's limits, or what the model takes.
    Policy,
    /// More did not fit a budget.
    Budget,
}

/// A change that the policy made to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub parameter: Parameter,
    /// What was asked; `None` when nothing was.
    pub from: Option<String>,
    /// What is sent; `None` when it is left out.
    pub to: Option<String>,
    pub reason: EditReason,
}

impl Edit {
    /// The change in ASCII for an HTTP header: `max_tokens 64000->1024`.
    #[must_use]
    pub fn ascii(&self) -> String {
        // A client's own word may hold anything, and a header may not.
        let word = |text: &Option<String>| -> String {
            let text = text.as_deref().unwrap_or("unset");
            text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(40).collect()
        };
        format!("{} {}->{}{}", self.parameter.as_str(), word(&self.from), word(&self.to), self.suffix())
    }

    fn suffix(&self) -> &'static str {
        match self.reason {
            EditReason::Policy => "",
            EditReason::Budget => " (budget)",
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from.as_deref().unwrap_or("unset");
        let to = self.to.as_deref().unwrap_or("unset");
        write!(f, "{} {from}→{to}{}", self.parameter.as_str(), self.suffix())
    }
}

/// Every difference between what a request wished and what is sent for it.
pub(super) fn differences(wished: &Request, sent: &Parameters) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut compare = |parameter, from: Option<String>, to: Option<String>| {
        if from != to {
            edits.push(Edit { parameter, from, to, reason: EditReason::Policy });
        }
    };
    compare(Parameter::MaxTokens, wished.max_tokens.map(|n| n.to_string()), Some(sent.max_tokens.to_string()));
    compare(Parameter::Temperature, wished.temperature.map(format_number), sent.temperature.map(format_number));
    compare(Parameter::TopP, wished.top_p.map(format_number), sent.top_p.map(format_number));
    compare(Parameter::ReasoningEffort, wished_reasoning(wished), granted_reasoning(sent.reasoning));
    compare(Parameter::ServiceTier, wished.service_tier.and_then(tier_name), tier_name(sent.tier));
    compare(Parameter::Stop, count(&wished.stop), count(&sent.stop));
    compare(Parameter::ToolChoice, Some(choice(&wished.tool_choice)), Some(choice(&sent.tool_choice)));
    if sent.cache_point_added {
        compare(Parameter::CacheControl, None, Some("ephemeral".to_owned()));
    }
    if sent.reasoning_history_removed {
        compare(Parameter::ReasoningHistory, Some("in history".to_owned()), None);
    }
    if sent.shortened_for_budget
        && let Some(edit) = edits.first_mut().filter(|edit| edit.parameter == Parameter::MaxTokens)
    {
        edit.reason = EditReason::Budget;
    }
    edits
}

/// A number as a person writes it.
fn format_number(number: f64) -> String {
    number.to_string()
}

fn wished_reasoning(wished: &Request) -> Option<String> {
    let reasoning = wished.reasoning;
    match (reasoning.mode, reasoning.effort, reasoning.budget) {
        (ReasoningMode::Unspecified | ReasoningMode::Off, _, _) => None,
        (ReasoningMode::Unknown, _, _) => Some("unknown".to_owned()),
        (ReasoningMode::On | ReasoningMode::Adaptive, Some(effort), _) => Some(effort.as_str().to_owned()),
        (ReasoningMode::On | ReasoningMode::Adaptive, None, Some(budget)) => Some(format!("{budget} tokens")),
        (ReasoningMode::On | ReasoningMode::Adaptive, None, None) => Some("on".to_owned()),
    }
}

fn granted_reasoning(grant: ReasoningGrant) -> Option<String> {
    match grant {
        ReasoningGrant::Off => None,
        ReasoningGrant::Effort(effort) => Some(effort.as_str().to_owned()),
        ReasoningGrant::Budget(tokens) => Some(format!("{tokens} tokens")),
    }
}

fn tier_name(tier: ServiceTier) -> Option<String> {
    (tier != ServiceTier::Standard).then(|| tier.as_str().to_owned())
}

fn count(stop: &[String]) -> Option<String> {
    (!stop.is_empty()).then(|| format!("{} texts", stop.len()))
}

fn choice(choice: &ToolChoice) -> String {
    match choice {
        ToolChoice::Auto => "auto".to_owned(),
        ToolChoice::None => "none".to_owned(),
        ToolChoice::Required => "required".to_owned(),
        ToolChoice::Named(name) => name.clone(),
    }
}
