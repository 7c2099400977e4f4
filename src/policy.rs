//! The cost policy: what of a request is sent, and what that may cost at most.
//! [`Policy::admit`] is the only maker of [`Admitted`], and `bedrock` takes nothing else:
//! there is no way to a paid call around this file. Every change it makes is listed, never silent.

mod admitted;
mod cache;
mod embedding;
mod input_bound;
mod limits;
pub mod price;
mod quote;
mod reasoning;

pub use admitted::{Admitted, Edit, Param};
pub use embedding::AdmittedEmbedding;
pub use limits::{Limits, Overrides, SamplingOverride};
pub use reasoning::ReasoningGrant;

use crate::catalog::{Catalog, Model, Rate, Sampling, base};
use crate::conversation::{Part, Request, ToolChoice};
use crate::error::{Error, Kind, Result};
use admitted::{note, plain};
use quote::Quote;
use std::sync::Arc;

/// What the operator set for one model.
#[derive(Debug, Clone)]
pub struct ModelLimits {
    /// The name in the config file: alias or id.
    pub name: String,
    /// The Bedrock id behind it.
    pub id: String,
    /// What was set.
    pub overrides: Overrides,
}

/// The rules of this process.
#[derive(Debug)]
pub struct Policy {
    /// Which models there are.
    pub catalog: Arc<Catalog>,
    /// The model of a request that names none.
    pub default_model: String,
    /// Limits for all models.
    pub limits: Limits,
    /// Limits for single models.
    pub overrides: Vec<ModelLimits>,
    /// Whether a model at its end of life is replaced by its successor.
    pub follow_successor: bool,
    /// Whether cache points are added where they pay.
    pub prompt_cache: bool,
    /// The service tiers a client may ask for.
    pub service_tiers: Vec<Tier>,
    /// Prices of embedding models that the operator set, by id.
    pub embedding_prices: Vec<(String, Rate)>,
}

/// How fast a call is to be served (`bedrock.md` §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// As usual.
    #[default]
    Standard,
    /// Cheaper and slower.
    Flex,
    /// Faster and dearer.
    Priority,
}

impl Tier {
    /// The word on the wire; none for the usual one.
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Standard => None,
            Self::Flex => Some("flex"),
            Self::Priority => Some("priority"),
        }
    }
}

impl Policy {
    /// Lets a request through, changed where the policy says so.
    ///
    /// # Errors
    /// `ModelNotFound`; `RefusedByPolicy` for a `max_tokens` below 1; `InvalidRequest` for an empty conversation.
    pub fn admit(&self, request: Request) -> Result<Admitted> {
        let name = if request.model.is_empty() { &self.default_model } else { &request.model };
        let model = self.catalog.resolve(name)?;
        self.admit_for(request, model)
    }

    /// Admits the same request for the model that takes over from one at its end of life.
    ///
    /// # Errors
    /// `EndOfLife` when there is no successor or the operator does not want it followed.
    pub fn admit_successor(&self, admitted: Admitted) -> Result<Admitted> {
        let model = &admitted.model;
        let ended = match &model.end_of_life {
            Some(date) => format!("AWS has retired {} ({}) on {date}", model.display_name(), model.id),
            None => format!("AWS has retired {}", model.id),
        };
        let Some(successor) = &model.successor else {
            return Err(Error::new(Kind::EndOfLife, ended).at("model"));
        };
        if !self.follow_successor {
            let advice = format!("its successor is {successor}; `follow_successor = true` goes there by itself");
            return Err(Error::new(Kind::EndOfLife, ended).at("model").advise(advice));
        }
        let model = self.catalog.resolve(successor)?;
        self.admit_for(admitted.request, model)
    }

    fn admit_for(&self, mut request: Request, model: Arc<Model>) -> Result<Admitted> {
        let limits = self.limits_for(&model);
        let mut edits = Vec::new();

        let max_tokens = limits.max_tokens(request.max_tokens, model.max_output)?;
        note(&mut edits, "max_tokens", request.max_tokens.map(|n| n.to_string()), Some(max_tokens.to_string()));

        let thinking = reasoning::grant(&request, &model, max_tokens);
        let (temperature, top_p) = sampling(&model, &limits, thinking);
        note(&mut edits, "temperature", request.temperature.map(plain), temperature.map(plain));
        note(&mut edits, "top_p", request.top_p.map(plain), top_p.map(plain));
        let effort = request.reasoning_effort.clone().filter(|word| word != "none" && word != "minimal");
        note(&mut edits, "reasoning_effort", effort, thinking.as_str());
        let tier = self.tier(&request, &model);
        let wished = request.service_tier.clone().filter(|tier| tier != "auto" && tier != "default");
        note(&mut edits, "service_tier", wished, tier.as_str().map(ToOwned::to_owned));
        let stop = stops(&request.stop, &model);
        let count = |stop: &[String]| (!stop.is_empty()).then(|| format!("{} texts", stop.len()));
        note(&mut edits, "stop", count(&request.stop), count(&stop));
        check_features(&request, &model)?;
        let choice = tool_choice(&request.tool_choice, &model, thinking);
        if choice != request.tool_choice {
            let word = |choice: &ToolChoice| match choice {
                ToolChoice::Named(name) => name.clone(),
                ToolChoice::Required => "required".to_owned(),
                ToolChoice::Auto | ToolChoice::None => "auto".to_owned(),
            };
            note(&mut edits, "tool_choice", Some(word(&request.tool_choice)), Some(word(&choice)));
        }
        if request.messages.is_empty() && request.system.is_empty() {
            return Err(Error::new(Kind::MissingParameter, "the conversation has no messages").at("messages"));
        }
        let input_bound = input_bound::input_tokens(&request, &model);
        if self.prompt_cache && cache::add_where_it_pays(&mut request, &model, input_bound) {
            note(&mut edits, "cache_control", None, Some("ephemeral".to_owned()));
        }
        let mut quotes = vec![quote(&request, &model, input_bound, max_tokens, tier)];
        quotes.extend(self.successors_quote(&request, &model)?);
        Ok(Admitted {
            request,
            model,
            max_tokens,
            temperature,
            top_p,
            stop,
            tool_choice: choice,
            thinking,
            tier,
            quotes,
            edits,
        })
    }

    /// What the call costs at most when the model's successor answers it.
    fn successors_quote(&self, request: &Request, model: &Model) -> Result<Option<Quote>> {
        let Some(successor) = model.successor.as_ref().filter(|_| self.follow_successor) else {
            return Ok(None);
        };
        let model = self.catalog.resolve(successor)?;
        let max_tokens = self.limits_for(&model).max_tokens(request.max_tokens, model.max_output)?;
        let tier = self.tier(request, &model);
        Ok(Some(quote(request, &model, input_bound::input_tokens(request, &model), max_tokens, tier)))
    }

    /// The tier a client gets: one the operator allows and the model has a price for.
    fn tier(&self, request: &Request, model: &Model) -> Tier {
        let wished = match request.service_tier.as_deref() {
            Some("flex") => Tier::Flex,
            Some("priority") => Tier::Priority,
            _ => return Tier::Standard,
        };
        let priced = model.prices.is_some_and(|prices| match wished {
            Tier::Flex => prices.flex,
            Tier::Priority => prices.priority.is_some(),
            Tier::Standard => true,
        });
        if priced && self.service_tiers.contains(&wished) { wished } else { Tier::Standard }
    }

    fn limits_for(&self, model: &Model) -> Limits {
        let name = model.alias.as_ref().unwrap_or(&model.id);
        if let Some(named) = self.overrides.iter().find(|limits| limits.name == *name || limits.name == model.id) {
            return self.limits.with(&named.overrides);
        }
        // Another spelling of the same model, another geography for instance: no way around its limits.
        let related = self.overrides.iter().filter(|limits| base(&limits.id) == base(&model.id));
        let strictest = related.map(|limits| limits.overrides).reduce(Overrides::stricter);
        strictest.map_or(self.limits, |overrides| self.limits.with(&overrides))
    }
}

fn quote(request: &Request, model: &Model, input: u64, max_tokens: u32, tier: Tier) -> Quote {
    let cache = cache::longest(request).filter(|_| model.capabilities.features.cache);
    Quote { prices: model.prices, input, max_tokens, cache, tier }
}

/// Temperature and `top_p`, as far as the model takes them.
fn sampling(model: &Model, limits: &Limits, thinking: ReasoningGrant) -> (Option<f64>, Option<f64>) {
    let (temperature, top_p) = (limits.temperature.value(), limits.top_p.value());
    match model.capabilities.sampling {
        // Claude that thinks takes no sampling (bedrock.md §2.2).
        _ if thinking != ReasoningGrant::Off && model.id.contains("anthropic.") => (None, None),
        Sampling::Both => (temperature, top_p),
        // One of the two: temperature is kept, top_p only where there is no temperature (DESIGN §4).
        Sampling::Temperature if temperature.is_some() => (temperature, None),
        Sampling::Temperature => (None, top_p),
        Sampling::None => (None, None),
    }
}

/// The stop sequences a model takes (`bedrock.md` §2.1, §2.6.12): GPT, Grok and Kimi none, Claude none of white space.
fn stops(wished: &[String], model: &Model) -> Vec<String> {
    let claude = model.id.contains("anthropic.");
    let taken = |text: &&String| model.capabilities.features.stop_sequences && !(claude && text.trim().is_empty());
    wished.iter().filter(taken).cloned().collect()
}

/// Some models refuse a forced tool choice, and all do while a thinking budget runs (cases.md T6).
fn tool_choice(wished: &ToolChoice, model: &Model, thinking: ReasoningGrant) -> ToolChoice {
    let features = model.capabilities.features;
    // DeepSeek that thinks calls tools as it sees fit (bedrock.md §2.5).
    let free = match thinking {
        ReasoningGrant::Budget(_) => false,
        ReasoningGrant::Effort(_) => !model.id.contains("deepseek."),
        ReasoningGrant::Off => true,
    };
    match wished {
        ToolChoice::Named(_) if free && !features.forced_tool_choice && features.any_tool_choice => {
            ToolChoice::Required
        }
        ToolChoice::Required if free && features.any_tool_choice => ToolChoice::Required,
        ToolChoice::Required | ToolChoice::Named(_) if !(free && features.forced_tool_choice) => ToolChoice::Auto,
        wished => wished.clone(),
    }
}

/// What a model has no sense for is refused here, by name: Bedrock's own words for it are cryptic (cases.md T11).
fn check_features(request: &Request, model: &Model) -> Result<()> {
    let features = model.capabilities.features;
    let refuse = |param: &str, what: &str, letter: char| {
        let advice = format!("`chatrix models` shows with the letter {letter} which ones do");
        Err(Error::new(Kind::Unsupported, format!("{} takes no {what}", model.display_name())).at(param).advise(advice))
    };
    if !features.tools && !request.tools.is_empty() {
        return refuse("tools", "tools", 't');
    }
    for (index, message) in request.messages.iter().enumerate() {
        let results = message.parts.iter().filter_map(|part| match part {
            Part::ToolResult(result) => Some(&result.parts),
            _ => None,
        });
        for part in message.parts.iter().chain(results.flatten()) {
            match part {
                Part::Image(_) if !features.images => {
                    return refuse(&format!("messages[{index}].content"), "images", 'i');
                }
                Part::Document(..) if !features.documents => {
                    return refuse(&format!("messages[{index}].content"), "documents", 'd');
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::catalog::NanoDollars;
    use crate::conversation::Message;

    fn policy() -> Policy {
        Policy {
            catalog: Arc::new(Catalog::load(&[]).unwrap()),
            default_model: "claude-haiku".into(),
            limits: Limits::default(),
            overrides: Vec::new(),
            follow_successor: true,
            prompt_cache: false,
            service_tiers: Vec::new(),
            embedding_prices: Vec::new(),
        }
    }

    fn asked(model: &str, max_tokens: Option<i64>) -> Request {
        Request {
            model: model.into(),
            messages: vec![Message::user("hello")],
            max_tokens,
            temperature: Some(1.0),
            top_p: Some(1.0),
            ..Request::default()
        }
    }

    fn edits(admitted: &Admitted) -> Vec<String> {
        admitted.edits().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn caps_and_fixed_sampling_by_what_the_model_takes() {
        let both = policy().admit(asked("claude-sonnet-4", Some(4096))).unwrap();
        assert_eq!((both.max_tokens(), both.temperature(), both.top_p()), (1024, Some(0.3), Some(0.3)));
        assert_eq!(edits(&both), ["max_tokens 4096→1024", "temperature 1→0.3", "top_p 1→0.3"]);
        let one = policy().admit(asked("claude-sonnet-4-6", None)).unwrap();
        assert_eq!((one.max_tokens(), one.temperature(), one.top_p()), (512, Some(0.3), None));
        assert_eq!(edits(&one), ["max_tokens unset→512", "temperature 1→0.3", "top_p 1→unset"]);
        let none = policy().admit(asked("claude-sonnet", Some(100))).unwrap();
        assert_eq!((none.max_tokens(), none.temperature(), none.top_p()), (100, None, None));
        assert_eq!(none.edits()[0].ascii(), "temperature 1->unset");
    }

    #[test]
    fn below_one_token_is_refused() {
        for wrong in [0, -1, i64::MIN] {
            let error = policy().admit(asked("nova-micro", Some(wrong))).unwrap_err();
            assert_eq!((error.kind, error.param.as_deref()), (Kind::RefusedByPolicy, Some("max_tokens")));
        }
    }

    #[test]
    fn an_operator_can_change_one_model() {
        let mut policy = policy();
        let mut house = Overrides { max_tokens_limit: Some(4096), ..Overrides::default() };
        house.temperature = Some(SamplingOverride::Unset);
        let (name, id) = ("claude-sonnet-4-6".to_owned(), "us.anthropic.claude-sonnet-4-6".to_owned());
        policy.overrides.push(ModelLimits { name, id, overrides: house });
        let admitted = policy.admit(asked("claude-sonnet-4-6", Some(3000))).unwrap();
        assert_eq!((admitted.max_tokens(), admitted.temperature(), admitted.top_p()), (3000, None, Some(0.3)));
        // However it is spelled, it is the same model.
        for id in [
            "us.anthropic.claude-sonnet-4-6",
            "eu.anthropic.claude-sonnet-4-6",
            "anthropic.claude-sonnet-4-6",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6",
        ] {
            assert_eq!(policy.admit(asked(id, Some(3000))).unwrap().max_tokens(), 3000, "{id}");
        }
        assert_eq!(policy.admit(asked("claude-opus-4-6", Some(3000))).unwrap().max_tokens(), 1024);
    }

    #[test]
    fn a_successor_is_admitted_by_its_own_rules() {
        let first = policy().admit(asked("claude-sonnet-4", Some(4096))).unwrap();
        let next = policy().admit_successor(first.clone()).unwrap();
        assert_eq!(next.model().id, "us.anthropic.claude-sonnet-4-6");
        assert_eq!(next.top_p(), None);
        let strict = Policy { follow_successor: false, ..policy() };
        assert_eq!(strict.admit_successor(first).unwrap_err().kind, Kind::EndOfLife);
    }

    #[test]
    fn worst_case_covers_every_byte_and_the_whole_answer() {
        let admitted = policy().admit(asked("nova-micro", Some(1000))).unwrap();
        // 5 bytes + 16 + 16 + 512 at $0.035, 1000 at $0.14 per million.
        assert_eq!(admitted.worst_case(), Some(NanoDollars(549 * 35 + 1000 * 140)));
        let unpriced = policy().admit(asked("us.anthropic.claude-next-9", None)).unwrap();
        assert_eq!(unpriced.worst_case(), None);
    }
}
