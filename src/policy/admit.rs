//! Turns a request into an [`Admitted`] one. All decisions about what is sent are made here, once.

use super::admitted::Admitted;
use super::limits::{KeyRules, Limits};
use super::parameters::Parameters;
use super::quote::Quote;
use super::reasoning::{self, ReasoningGrant};
use super::rules::Policy;
use super::{cache, input_bound, native, request_limits};
use crate::catalog::{Family, Feature, Features, Model, Sampling};
use crate::conversation::{Message, NativeApi, NativeRequest, Part, Request, ServiceTier, ToolChoice};
use crate::error::{Error, Field, Kind, Result};
use serde_json::json;
use std::sync::Arc;

impl Policy {
    /// Admits a request, with the changes that the policy requires. `key`: the rules for the API key of the call.
    ///
    /// # Errors
    /// `ModelNotFound`; `RefusedByPolicy` for a `max_tokens` below 1; `MissingParameter` for an empty conversation;
    /// `Unsupported` for a feature that the model does not have.
    pub fn admit(&self, mut request: Request, key: Option<KeyRules>) -> Result<Admitted> {
        let model = self.catalog.resolve(self.model_name(&request.model))?;
        if let Some(native) = self.native(&mut request, &model) {
            request.native = Some(native);
        }
        self.admit_for(request, model, key)
    }

    /// Admits the same request for the successor of a model that has reached its end of life.
    ///
    /// # Errors
    /// `EndOfLife` when there is no successor, or when the operator does not allow its use; otherwise as
    /// [`Policy::admit`].
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
        let (request, key) = admitted.into_parts();
        self.admit_for(request, model, key)
    }

    /// The client's own words of a request, without what Bedrock does not take, if they can be sent to a model. Otherwise
    /// the request is translated.
    fn native(&self, request: &mut Request, model: &Model) -> Option<NativeRequest> {
        let mut native = request.native.take()?;
        let may_be_sent = match native.api {
            NativeApi::Messages => self.native_messages && model.capabilities.family == Family::Claude,
            NativeApi::Converse => true,
        };
        let has_tools =
            native.api == NativeApi::Converse || native.body.get("tools").is_some_and(|tools| *tools != json!([]));
        let mut parts = request.messages.iter().flat_map(Message::parts_with_results);
        // What an image's URL holds is fetched into the translated request only, and only there are tools that nothing but
        // the history has named again (docs/cases.md, T1).
        let needs_translation = |part: &Part| match part {
            Part::ImageUrl(_) => true,
            Part::ToolCall(_) | Part::ToolResult(_) => !has_tools,
            _ => false,
        };
        if !may_be_sent || parts.any(needs_translation) {
            return None;
        }
        request.ignored = native::reduce(&mut native);
        Some(native)
    }

    fn admit_for(&self, mut request: Request, model: Arc<Model>, key: Option<KeyRules>) -> Result<Admitted> {
        request_limits::check(&request)?;
        if model.capabilities.family != Family::Claude {
            request.native = request.native.filter(|native| native.api != NativeApi::Messages);
        }
        let limits = self.limits_for(&model, key.as_ref());
        let (max_tokens, max_tokens_source) = limits.max_tokens(request.max_tokens, model.max_output)?;
        check_features(&request, &model)?;
        check_image_urls(&request, self.fetch_images)?;
        if request.messages.is_empty() && request.system.is_empty() {
            return Err(Error::new(Kind::MissingParameter, "the conversation has no messages").at(Field::Messages));
        }
        let reasoning = reasoning::grant(&request.reasoning, &model, max_tokens);
        let (temperature, top_p) = sampling(&model, &limits, reasoning);
        let tier = self.tier(request.service_tier, &model);
        let native = request.native.as_ref().map(|native| native::measure(&native.body));
        let input_bound = input_bound::input_tokens(&request, native, &model);
        let prompt_cache = key.as_ref().and_then(|key| key.overrides.prompt_cache).unwrap_or(self.prompt_cache);
        let cache_point_added =
            prompt_cache && cache::add_point_where_it_saves(&mut request, native, &model, input_bound);
        let mut quotes = vec![quote(&request, native, &model, input_bound, max_tokens, tier)];
        if let Some(quote) = self.successor_quote(&request, native, &model, key.as_ref())? {
            quotes.push(quote);
        }
        let parameters = Parameters {
            max_tokens,
            max_tokens_source,
            limits_table: self.limits_table(&model, key.as_ref()),
            key,
            temperature,
            top_p,
            stop: stop_sequences(&request.stop, &model),
            tool_choice: tool_choice(&request.tool_choice, &model, reasoning),
            reasoning,
            tools: model.capabilities.features.tools,
            tier,
            cache_point_added,
            reasoning_history_removed: false,
            refused: Vec::new(),
        };
        Ok(Admitted::new(request, model, parameters, quotes))
    }

    /// The quote for the model's successor; `None` when no successor may answer.
    fn successor_quote(
        &self,
        request: &Request,
        native: Option<native::Measure>,
        model: &Model,
        key: Option<&KeyRules>,
    ) -> Result<Option<Quote>> {
        let Some(successor) = model.successor.as_ref().filter(|_| self.follow_successor) else { return Ok(None) };
        let model = self.catalog.resolve(successor)?;
        let (max_tokens, _) = self.limits_for(&model, key).max_tokens(request.max_tokens, model.max_output)?;
        let tier = self.tier(request.service_tier, &model);
        let input_bound = input_bound::input_tokens(request, native, &model);
        Ok(Some(quote(request, native, &model, input_bound, max_tokens, tier)))
    }
}

fn quote(
    request: &Request,
    native: Option<native::Measure>,
    model: &Model,
    input_bound: u64,
    max_tokens: u32,
    tier: ServiceTier,
) -> Quote {
    let cache = if model.capabilities.features.cache { cache::longest_ttl(request, native) } else { None };
    Quote { prices: model.prices, input_bound, max_tokens, cache, tier }
}

/// The temperature and the `top_p` to send, where the model accepts them.
fn sampling(model: &Model, limits: &Limits, reasoning: ReasoningGrant) -> (Option<f64>, Option<f64>) {
    let temperature = limits.temperature.value();
    let top_p = limits.top_p.value();
    match model.capabilities.sampling {
        // Claude accepts no sampling parameters while it reasons (docs/bedrock.md §2.2).
        _ if reasoning != ReasoningGrant::Off && model.capabilities.family == Family::Claude => (None, None),
        Sampling::Both => (temperature, top_p),
        // The temperature is preferred; top_p is sent only when there is no temperature.
        Sampling::Temperature if temperature.is_some() => (temperature, None),
        Sampling::Temperature => (None, top_p),
        Sampling::None => (None, None),
    }
}

/// The stop sequences that a model accepts. GPT, Grok and Kimi accept none, Claude none that are blank, and some only a
/// few (docs/bedrock.md §2.1, §2.6.12).
fn stop_sequences(requested: &[String], model: &Model) -> Vec<String> {
    if !model.capabilities.features.stop_sequences {
        return Vec::new();
    }
    let rules = model.capabilities.rules;
    let accepted = requested.iter().filter(|text| !text.is_empty() && (rules.blank_stops || !text.trim().is_empty()));
    accepted.take(rules.stop_sequences).cloned().collect()
}

/// The tool choice to send. Some models refuse a forced tool choice, and every model refuses it together with a
/// reasoning budget (docs/cases.md, T6).
fn tool_choice(requested: &ToolChoice, model: &Model, reasoning: ReasoningGrant) -> ToolChoice {
    let features = model.capabilities.features;
    // DeepSeek accepts no forced tool choice while it reasons (docs/bedrock.md §2.5).
    let can_be_forced = match reasoning {
        ReasoningGrant::Budget(_) => false,
        ReasoningGrant::Effort(_) => model.capabilities.family != Family::DeepSeek,
        ReasoningGrant::Off => true,
    };
    let named = can_be_forced && features.forced_tool_choice;
    let any = named || (can_be_forced && features.any_tool_choice);
    match requested {
        ToolChoice::Auto | ToolChoice::None => requested.clone(),
        ToolChoice::Named(_) if named => requested.clone(),
        ToolChoice::Named(_) | ToolChoice::Required if any => ToolChoice::Required,
        ToolChoice::Named(_) | ToolChoice::Required => ToolChoice::Auto,
    }
}

/// Refuses what the model does not support, because Bedrock's own messages about it are cryptic (docs/cases.md, T11).
fn check_features(request: &Request, model: &Model) -> Result<()> {
    let features = model.capabilities.features;
    // Clients send their tools with every request. Where the model may decide, one without tools answers without them.
    let must_call = matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
    if !features.tools && must_call {
        return Err(unsupported(model, "tools", Field::Tools));
    }
    for (index, message) in request.messages.iter().enumerate() {
        for part in message.parts_with_results() {
            match part {
                Part::Image(_) | Part::ImageUrl(_) if !features.images => {
                    return Err(unsupported(model, "images", Field::Message(index)));
                }
                Part::Document(..) if !features.documents => {
                    return Err(unsupported(model, "documents", Field::Message(index)));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn check_image_urls(request: &Request, fetch_images: bool) -> Result<()> {
    let mut parts = request.messages.iter().flat_map(Message::parts_with_results);
    match parts.find_map(|part| if let Part::ImageUrl(image) = part { Some(image) } else { None }) {
        Some(image) if !fetch_images => Err(Error::new(Kind::Unsupported, "images given by URL are not fetched")
            .at_path(&image.path)
            .advise("send the image as a data: URI, or ask the operator to set `fetch_images`")),
        _ => Ok(()),
    }
}

/// The error for a feature that a model does not have. `feature` is the name of the feature in the catalog.
fn unsupported(model: &Model, feature: &str, field: Field) -> Error {
    let error = Error::new(Kind::Unsupported, format!("{} does not support {feature}", model.display_name())).at(field);
    match Features::find(feature) {
        Some(Feature { name, .. }) => error.advise(format!("`chatrix models {name}` lists the models that do")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::catalog::{Catalog, NanoDollars};
    use crate::conversation::Message;
    use crate::policy::{KeyOverrides, LimitSource, ModelLimits, Overrides, SamplingOverride};

    fn policy() -> Policy {
        Policy {
            catalog: Arc::new(Catalog::load(&[]).unwrap()),
            default_model: "claude-haiku".into(),
            limits: Limits::default(),
            overrides: Vec::new(),
            follow_successor: true,
            prompt_cache: false,
            service_tiers: Vec::new(),
            native_messages: true,
            fetch_images: false,
        }
    }

    fn request_for(model: &str, max_tokens: Option<i64>) -> Request {
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
    fn caps_and_sampling_follow_what_the_model_accepts() {
        let both = policy().admit(request_for("claude-sonnet-4", Some(4096)), None).unwrap();
        assert_eq!((both.max_tokens(), both.temperature(), both.top_p()), (1024, Some(0.3), Some(0.3)));
        assert_eq!(edits(&both), ["max_tokens 4096→1024", "temperature 1→0.3", "top_p 1→0.3"]);
        let one = policy().admit(request_for("claude-sonnet-4-6", None), None).unwrap();
        assert_eq!((one.max_tokens(), one.temperature(), one.top_p()), (512, Some(0.3), None));
        assert_eq!(edits(&one), ["max_tokens unset→512", "temperature 1→0.3", "top_p 1→unset"]);
        let none = policy().admit(request_for("claude-sonnet", Some(100)), None).unwrap();
        assert_eq!((none.max_tokens(), none.temperature(), none.top_p()), (100, None, None));
        assert_eq!(none.edits()[0].ascii(), "temperature 1->unset");
    }

    #[test]
    fn a_max_tokens_below_one_is_refused() {
        for wrong in [0, -1, i64::MIN] {
            let error = policy().admit(request_for("nova-micro", Some(wrong)), None).unwrap_err();
            assert_eq!((error.kind, error.at), (Kind::RefusedByPolicy, Some(Field::MaxTokens)));
        }
    }

    #[test]
    fn an_operator_can_change_one_model() {
        let mut policy = policy();
        let mut overrides = Overrides { max_tokens_limit: Some(4096), ..Overrides::default() };
        overrides.temperature = Some(SamplingOverride::Unset);
        let name = "claude-sonnet-4-6".to_owned();
        let id = "us.anthropic.claude-sonnet-4-6".to_owned();
        policy.overrides.push(ModelLimits { name, id, overrides });
        let admitted = policy.admit(request_for("claude-sonnet-4-6", Some(3000)), None).unwrap();
        assert_eq!((admitted.max_tokens(), admitted.temperature(), admitted.top_p()), (3000, None, Some(0.3)));
        // The same model is limited under each of its ids.
        for id in [
            "us.anthropic.claude-sonnet-4-6",
            "eu.anthropic.claude-sonnet-4-6",
            "anthropic.claude-sonnet-4-6",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6",
        ] {
            assert_eq!(policy.admit(request_for(id, Some(3000)), None).unwrap().max_tokens(), 3000, "{id}");
        }
        assert_eq!(policy.admit(request_for("claude-opus-4-6", Some(3000)), None).unwrap().max_tokens(), 1024);
    }

    #[test]
    fn what_is_set_for_a_key_wins_over_what_is_set_for_its_model() {
        let mut policy = policy();
        let overrides = Overrides { max_tokens: Some(700), max_tokens_limit: Some(4096), ..Overrides::default() };
        for (name, id) in
            [("claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6"), ("nova-pro", "us.amazon.nova-pro-v1:0")]
        {
            policy.overrides.push(ModelLimits { name: name.into(), id: id.into(), overrides });
        }
        let key = |max_tokens, max_tokens_limit| {
            let overrides = KeyOverrides { max_tokens, max_tokens_limit, prompt_cache: None };
            Some(KeyRules { name: "a.b".into(), overrides })
        };
        let table = "[models.\"claude-sonnet-4-6\"]";
        let own = "[keys.\"a.b\"]";
        // The longest answer of Nova Pro is 10,000 tokens.
        for (model, requested, key, sent, source, table) in [
            ("claude-sonnet-4-6", None, None, 700, LimitSource::Default, table),
            ("claude-sonnet-4-6", None, key(None, None), 700, LimitSource::Default, table),
            ("claude-sonnet-4-6", None, key(Some(16_000), Some(32_000)), 16_000, LimitSource::Default, own),
            ("claude-sonnet-4-6", Some(64_000), key(Some(16_000), Some(32_000)), 32_000, LimitSource::Limit, own),
            ("claude-sonnet-4-6", Some(20_000), key(Some(16_000), Some(32_000)), 20_000, LimitSource::Request, own),
            ("claude-sonnet-4-6", Some(64_000), key(None, Some(100)), 100, LimitSource::Limit, own),
            ("claude-sonnet-4-6", None, key(Some(100), None), 100, LimitSource::Default, own),
            ("claude-sonnet-4-6", Some(64_000), key(Some(100), None), 4096, LimitSource::Limit, own),
            ("nova-pro", Some(64_000), key(None, Some(32_000)), 10_000, LimitSource::Model, own),
            ("nova-micro", Some(64_000), key(None, Some(2000)), 2000, LimitSource::Limit, own),
        ] {
            let case = format!("{model} {requested:?} {key:?}");
            let admitted = policy.admit(request_for(model, requested), key.clone()).unwrap();
            let limit = admitted.token_limit();
            assert_eq!((limit.tokens, limit.source, limit.table.as_str()), (sent, source, table), "{case}");
            if limit.source == LimitSource::Limit || limit.source == LimitSource::Model {
                assert_eq!(policy.longest_answer(admitted.model(), key.as_ref()), sent, "{case}");
            }
        }
    }

    #[test]
    fn a_key_has_its_own_rule_for_the_cache_and_a_successor_keeps_it() {
        let long = Message::user("word ".repeat(20_000));
        let answer = Message { role: crate::conversation::Role::Assistant, parts: vec![Part::Text("ok".into())] };
        let request = |model: &str| Request {
            messages: vec![long.clone(), answer.clone(), long.clone()],
            ..request_for(model, Some(64_000))
        };
        for (operator, key, added) in
            [(false, None, false), (false, Some(true), true), (true, None, true), (true, Some(false), false)]
        {
            let policy = Policy { prompt_cache: operator, ..policy() };
            let overrides = KeyOverrides { max_tokens_limit: Some(9000), prompt_cache: key, ..KeyOverrides::default() };
            let rules = KeyRules { name: "k".into(), overrides };
            let admitted = policy.admit(request("claude-sonnet-4"), Some(rules)).unwrap();
            let edits = edits(&admitted);
            assert_eq!(edits.iter().any(|edit| edit == "cache_control unset→ephemeral"), added, "{operator} {key:?}");
            // What is reserved covers the answer of the successor, under the same limit of the key.
            assert_eq!(policy.admit_successor(admitted).unwrap().max_tokens(), 9000);
        }
    }

    #[test]
    fn a_successor_is_admitted_by_its_own_rules() {
        let first = policy().admit(request_for("claude-sonnet-4", Some(4096)), None).unwrap();
        let next = policy().admit_successor(first.clone()).unwrap();
        assert_eq!(next.model().id, "us.anthropic.claude-sonnet-4-6");
        assert_eq!(next.top_p(), None);
        let strict = Policy { follow_successor: false, ..policy() };
        assert_eq!(strict.admit_successor(first).unwrap_err().kind, Kind::EndOfLife);
    }

    #[test]
    fn worst_case_covers_every_byte_and_the_whole_answer() {
        let admitted = policy().admit(request_for("nova-micro", Some(1000)), None).unwrap();
        // The input is at most 5 bytes + 16 + 16 + 512 tokens at $0.035 per million, the answer 1000 tokens at $0.14.
        assert_eq!(admitted.worst_case(), Some(NanoDollars(549 * 35 + 1000 * 140)));
        let unpriced = policy().admit(request_for("us.anthropic.claude-next-9", None), None).unwrap();
        assert_eq!(unpriced.worst_case(), None);
    }
}
