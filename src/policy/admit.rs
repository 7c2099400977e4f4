//! From a request to an [`Admitted`] one: everything is decided here, once.

use super::admitted::Admitted;
use super::limits::Limits;
use super::parameters::Parameters;
use super::quote::Quote;
use super::reasoning::{self, ReasoningGrant};
use super::rules::Policy;
use super::{cache, input_bound};
use crate::catalog::{Family, Model, Sampling};
use crate::conversation::{Message, Part, Request, ServiceTier, ToolChoice};
use crate::error::{Error, Field, Kind, Result};
use std::sync::Arc;

impl Policy {
    /// Lets a request through, changed where the policy says so.
    ///
    /// # Errors
    /// `ModelNotFound`; `RefusedByPolicy` for a `max_tokens` below 1; `MissingParameter` for an empty conversation;
    /// `Unsupported` for what the model does not take.
    pub fn admit(&self, request: Request) -> Result<Admitted> {
        let model = self.catalog.resolve(self.model_name(&request.model))?;
        self.admit_for(request, model)
    }

    /// Admits the same request for the model that takes over from one at its end of life.
    ///
    /// # Errors
    /// `EndOfLife` when there is no successor or the operator does not want it followed.
    pub fn admit_successor(&self, admitted: Admitted) -> Result<Admitted> {
        let model = admitted.model();
        let ended = match &model.end_of_life {
            Some(date) => format!("AWS retired {} ({}) on {date}", model.display_name(), model.id),
            None => format!("AWS has retired {}", model.id),
        };
        let Some(successor) = &model.successor else {
            return Err(Error::new(Kind::EndOfLife, ended).at(Field::Model));
        };
        if !self.follow_successor {
            let advice = format!("its successor is {successor}; set `follow_successor = true` to use it automatically");
            return Err(Error::new(Kind::EndOfLife, ended).at(Field::Model).advise(advice));
        }
        let model = self.catalog.resolve(successor)?;
        self.admit_for(admitted.into_request(), model)
    }

    fn admit_for(&self, mut request: Request, model: Arc<Model>) -> Result<Admitted> {
        let limits = self.limits_for(&model);
        let max_tokens = limits.max_tokens(request.max_tokens, model.max_output)?;
        check_features(&request, &model)?;
        if request.messages.is_empty() && request.system.is_empty() {
            return Err(Error::new(Kind::MissingParameter, "the conversation has no messages").at(Field::Messages));
        }
        let reasoning = reasoning::grant(&request.reasoning, &model, max_tokens);
        let (temperature, top_p) = sampling(&model, &limits, reasoning);
        let tier = self.tier(request.service_tier, &model);
        let input_bound = input_bound::input_tokens(&request, &model);
        let cache_point_added = self.prompt_cache && cache::add_where_it_pays(&mut request, &model, input_bound);
        let mut quotes = vec![quote(&request, &model, input_bound, max_tokens, tier)];
        quotes.extend(self.successors_quote(&request, &model)?);
        let parameters = Parameters {
            max_tokens,
            temperature,
            top_p,
            stop: stop_sequences(&request.stop, &model),
            tool_choice: tool_choice(&request.tool_choice, &model, reasoning),
            reasoning,
            tier,
            cache_point_added,
            reasoning_history_removed: false,
            shortened_for_budget: false,
        };
        Ok(Admitted::new(request, model, parameters, quotes))
    }

    /// What the call costs at most when the model's successor answers it.
    fn successors_quote(&self, request: &Request, model: &Model) -> Result<Option<Quote>> {
        let Some(successor) = model.successor.as_ref().filter(|_| self.follow_successor) else {
            return Ok(None);
        };
        let model = self.catalog.resolve(successor)?;
        let max_tokens = self.limits_for(&model).max_tokens(request.max_tokens, model.max_output)?;
        let tier = self.tier(request.service_tier, &model);
        Ok(Some(quote(request, &model, input_bound::input_tokens(request, &model), max_tokens, tier)))
    }
}

fn quote(request: &Request, model: &Model, input: u64, max_tokens: u32, tier: ServiceTier) -> Quote {
    let cache = cache::longest(request).filter(|_| model.capabilities.features.cache);
    Quote { prices: model.prices, input, max_tokens, cache, tier }
}

/// Temperature and `top_p`, as far as the model takes them.
fn sampling(model: &Model, limits: &Limits, reasoning: ReasoningGrant) -> (Option<f64>, Option<f64>) {
    let (temperature, top_p) = (limits.temperature.value(), limits.top_p.value());
    match model.capabilities.sampling {
        // Claude that reasons takes no sampling (docs/bedrock.md §2.2).
        _ if reasoning != ReasoningGrant::Off && model.capabilities.family == Family::Claude => (None, None),
        Sampling::Both => (temperature, top_p),
        // Of the two, temperature is kept; top_p is sent only where there is no temperature.
        Sampling::Temperature if temperature.is_some() => (temperature, None),
        Sampling::Temperature => (None, top_p),
        Sampling::None => (None, None),
    }
}

/// The stop sequences that a model takes: GPT, Grok and Kimi none, Claude none of white space
/// (docs/bedrock.md §2.1, §2.6.12).
fn stop_sequences(wished: &[String], model: &Model) -> Vec<String> {
    let claude = model.capabilities.family == Family::Claude;
    let taken = |text: &&String| model.capabilities.features.stop_sequences && !(claude && text.trim().is_empty());
    wished.iter().filter(taken).cloned().collect()
}

/// Some models refuse a forced tool choice, and all of them do while a reasoning budget runs (docs/cases.md, T6).
fn tool_choice(wished: &ToolChoice, model: &Model, reasoning: ReasoningGrant) -> ToolChoice {
    let features = model.capabilities.features;
    // DeepSeek that reasons calls tools as it sees fit (docs/bedrock.md §2.5).
    let free = match reasoning {
        ReasoningGrant::Budget(_) => false,
        ReasoningGrant::Effort(_) => model.capabilities.family != Family::DeepSeek,
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

/// What a model cannot take is refused here, by name: Bedrock's own words for it are cryptic (docs/cases.md, T11).
fn check_features(request: &Request, model: &Model) -> Result<()> {
    let features = model.capabilities.features;
    let refuse = |field: Field, what: &str, letter: char| {
        let advice = format!("`chatrix models` marks the models that do with the letter {letter}");
        Err(Error::new(Kind::Unsupported, format!("{} takes no {what}", model.display_name())).at(field).advise(advice))
    };
    if !features.tools && !request.tools.is_empty() {
        return refuse(Field::Tools, "tools", 't');
    }
    for (index, message) in request.messages.iter().enumerate() {
        for part in parts_with_results(message) {
            match part {
                Part::Image(_) if !features.images => return refuse(Field::Message(index), "images", 'i'),
                Part::Document(..) if !features.documents => return refuse(Field::Message(index), "documents", 'd'),
                Part::ImageUrl(image) => {
                    return Err(Error::new(Kind::Unsupported, "images named by their address are not fetched")
                        .at_path(&image.path)
                        .advise("send the image itself as a data: URI, or let the operator set `fetch_images`"));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The parts of a message, those inside tool results included.
fn parts_with_results(message: &Message) -> impl Iterator<Item = &Part> {
    let results = message.parts.iter().filter_map(|part| match part {
        Part::ToolResult(result) => Some(&result.parts),
        _ => None,
    });
    message.parts.iter().chain(results.flatten())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::catalog::{Catalog, NanoDollars};
    use crate::conversation::Message;
    use crate::policy::{ModelLimits, Overrides, SamplingOverride};

    fn policy() -> Policy {
        Policy {
            catalog: Arc::new(Catalog::load(&[]).unwrap()),
            default_model: "claude-haiku".into(),
            limits: Limits::default(),
            overrides: Vec::new(),
            follow_successor: true,
            prompt_cache: false,
            service_tiers: Vec::new(),
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
            assert_eq!((error.kind, error.at), (Kind::RefusedByPolicy, Some(Field::MaxTokens)));
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
