//! The changes that the policy made to a request: the differences between what was requested and what is sent.

use super::parameters::Parameters;
use super::reasoning::ReasoningGrant;
use super::refusable::Refusable;
use super::token_limit::LimitSource;
use crate::conversation::{IgnoredMember, ReasoningMode, Request, ServiceTier, ToolChoice};
use std::fmt;

/// The parameter that a change is about, with the name that clients know. Most of the names are OpenAI's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    MaxTokens,
    Temperature,
    TopP,
    ReasoningEffort,
    ServiceTier,
    Stop,
    ToolChoice,
    CacheControl,
    /// The reasoning of earlier answers.
    ReasoningHistory,
    /// The tools, for a model that has none.
    Tools,
    /// A member that has no meaning here, by the client's own word.
    Ignored(String),
}

impl Parameter {
    #[must_use]
    pub fn as_str(&self) -> &str {
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
            Self::Tools => "tools",
            Self::Ignored(name) => name,
        }
    }

    /// Whether the values are numbers and counts. Only these are recorded in the ledger, because the others may be a
    /// client's own words, such as the names of tools.
    #[must_use]
    pub fn is_free_of_user_text(&self) -> bool {
        matches!(self, Self::MaxTokens | Self::Temperature | Self::TopP | Self::Stop)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditReason {
    /// The operator's limits, or what the model supports.
    Policy,
    /// The answer was shortened to fit a budget.
    Budget,
}

/// A change that the policy made to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub parameter: Parameter,
    /// The requested value; `None` when there was none.
    pub from: Option<String>,
    /// The value that is sent; `None` when the parameter is left out.
    pub to: Option<String>,
    pub reason: EditReason,
}

impl Edit {
    /// The change in ASCII, for an HTTP header: `max_tokens 64000->1024`.
    #[must_use]
    pub fn ascii(&self) -> String {
        // A client's own words may contain any character, but a header may not.
        let short = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(40).collect()
        };
        let value = |text: &Option<String>| short(text.as_deref().unwrap_or("unset"));
        format!("{} {}->{}{}", short(self.parameter.as_str()), value(&self.from), value(&self.to), self.suffix())
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

/// The differences between a request and what is sent for it.
pub(super) fn differences(requested: &Request, sent: &Parameters) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut compare = |parameter, from: Option<String>, to: Option<String>| {
        if from != to {
            edits.push(Edit { parameter, from, to, reason: EditReason::Policy });
        }
    };
    compare(Parameter::MaxTokens, requested.max_tokens.map(|n| n.to_string()), Some(sent.max_tokens.to_string()));
    compare(Parameter::Temperature, requested.temperature.map(format_number), sent.temperature.map(format_number));
    compare(Parameter::TopP, requested.top_p.map(format_number), sent.top_p.map(format_number));
    compare(Parameter::ReasoningEffort, requested_reasoning(requested), granted_reasoning(sent.reasoning));
    compare(Parameter::ServiceTier, requested.service_tier.and_then(tier_name), tier_name(sent.tier));
    compare(Parameter::Stop, stop_count(&requested.stop), stop_count(&sent.stop));
    compare(
        Parameter::ToolChoice,
        Some(tool_choice_name(&requested.tool_choice)),
        Some(tool_choice_name(&sent.tool_choice)),
    );
    if sent.cache_point_added {
        compare(Parameter::CacheControl, None, Some("ephemeral".to_owned()));
    }
    if sent.reasoning_history_removed {
        compare(Parameter::ReasoningHistory, Some("in history".to_owned()), None);
    }
    if !sent.tools && !requested.tools.is_empty() {
        compare(Parameter::Tools, Some(requested.tools.len().to_string()), None);
    }
    edits.extend(ignored_edits(&requested.ignored));
    edits.extend(refused_edits(&sent.refused));
    if sent.max_tokens_source == LimitSource::Budget
        && let Some(edit) = edits.first_mut().filter(|edit| edit.parameter == Parameter::MaxTokens)
    {
        edit.reason = EditReason::Budget;
    }
    edits
}

/// The changes that the model's refusals of a native request make.
fn refused_edits(refused: &[Refusable]) -> impl Iterator<Item = Edit> {
    let name = |part: &Refusable| match part {
        Refusable::Member(path) => Some(path.clone()),
        Refusable::Betas => Some("anthropic_beta".to_owned()),
        Refusable::SystemMessages => Some("role system".to_owned()),
        Refusable::Temperature | Refusable::TopP | Refusable::Stop | Refusable::ReasoningHistory => None,
    };
    refused.iter().filter_map(name).map(|name| Edit {
        parameter: Parameter::Ignored(name),
        from: Some("set".to_owned()),
        to: None,
        reason: EditReason::Policy,
    })
}

/// The changes that ignored members make. There may be any number of those, and a header has little room.
pub(super) fn ignored_edits(ignored: &[IgnoredMember]) -> Vec<Edit> {
    const LISTED: usize = 16;
    let edit = |name: &str, from: &str| Edit {
        parameter: Parameter::Ignored(name.to_owned()),
        from: Some(from.to_owned()),
        to: None,
        reason: EditReason::Policy,
    };
    let listed = ignored.iter().take(LISTED);
    let mut edits: Vec<Edit> =
        listed.map(|member| edit(&member.name, member.value.as_deref().unwrap_or("set"))).collect();
    if ignored.len() > LISTED {
        edits.push(edit("further members", &(ignored.len() - LISTED).to_string()));
    }
    edits
}

fn format_number(number: f64) -> String {
    number.to_string()
}

fn requested_reasoning(requested: &Request) -> Option<String> {
    let reasoning = requested.reasoning;
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

fn stop_count(stop: &[String]) -> Option<String> {
    (!stop.is_empty()).then(|| format!("{} texts", stop.len()))
}

fn tool_choice_name(choice: &ToolChoice) -> String {
    match choice {
        ToolChoice::Auto => "auto".to_owned(),
        ToolChoice::None => "none".to_owned(),
        ToolChoice::Required => "required".to_owned(),
        ToolChoice::Named(name) => name.clone(),
    }
}
