//! What the catalog knows about one model. This is plain data; the rules that use it are in `policy` and `bedrock`.

use super::family_rules::FamilyRules;
use super::money::Rate;
use crate::conversation::Effort;
use serde::Deserialize;

/// The stage of a model in AWS's model life cycle (docs/bedrock.md §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifecycle {
    Active,
    /// New accounts cannot use the model, nor can accounts that have not used it for 15 days.
    Legacy,
    /// AWS no longer serves the model in the default region.
    EndOfLife,
    /// The catalog does not list the id.
    Unknown,
}

impl Lifecycle {
    /// The word in tables and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Legacy => "legacy",
            Self::EndOfLife => "end-of-life",
            Self::Unknown => "unknown",
        }
    }
}

/// Which of `temperature` and `top_p` a model accepts (docs/bedrock.md §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    Both,
    /// One of the two, but not both. The policy prefers the temperature.
    Temperature,
    /// The model refuses a request that has either of them.
    None,
}

impl Sampling {
    /// The word in tables and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Temperature => "one",
            Self::None => "none",
        }
    }
}

/// The thinking mode of a model: how it reasons before it answers (docs/bedrock.md §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thinking {
    /// The model does not reason.
    None,
    /// The model reasons only when it is given a budget, which is at least 1,024 tokens and less than `max_tokens`.
    Budget,
    /// The model decides how much it reasons, within an effort.
    Adaptive,
    /// The model always reasons.
    Always,
}

impl Thinking {
    /// The word in tables and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Budget => "budget",
            Self::Adaptive => "adaptive",
            Self::Always => "always",
        }
    }
}

/// What to send so that a model does not use up a short answer for its reasoning (docs/bedrock.md §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingOff {
    /// Nothing has to be sent, or reasoning cannot be switched off.
    #[default]
    Nothing,
    /// `thinking: {type: disabled}`.
    Disabled,
    /// `thinking: {type: between_tools}`, because Sonnet 5.5 refuses `disabled`.
    BetweenTools,
    /// `thinking: {type: adaptive}` with effort `low`, where reasoning cannot be switched off.
    LowEffort,
    /// `reasoning_effort: low` (gpt-oss).
    LowReasoningEffort,
}

/// The family that defines which request fields a model reads besides those that Converse has for all models
/// (docs/bedrock.md §2.2, §2.5). An own model inherits it from its `like`, because the ARN of an application inference
/// profile does not show the model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    Claude,
    Nova,
    /// `DeepSeek` from V3 on. R1 is of the family `Other`.
    #[serde(rename = "deepseek")]
    DeepSeek,
    Qwen,
    /// OpenAI's open-weight models.
    GptOss,
    Gpt,
    /// A model without request fields of its own.
    Other,
}

/// How one of the [`Features`] is written, named and explained.
pub struct Feature {
    /// The letter in `families.toml`.
    pub letter: char,
    /// The name in JSON.
    pub name: &'static str,
    /// The word in lists of models, for the features by which people choose one.
    pub word: Option<&'static str>,
    /// What the word means.
    pub meaning: &'static str,
    field: fn(&mut Features) -> &mut bool,
}

impl Feature {
    const fn new(letter: char, name: &'static str, field: fn(&mut Features) -> &mut bool) -> Self {
        Self { letter, name, word: None, meaning: "", field }
    }

    const fn called(mut self, word: &'static str, meaning: &'static str) -> Self {
        self.word = Some(word);
        self.meaning = meaning;
        self
    }

    /// Whether the features of a model include this one.
    #[must_use]
    pub fn is_in(&self, mut features: Features) -> bool {
        *(self.field)(&mut features)
    }
}

/// The optional features of a model, written as letters in `families.toml` (see [`Features::ALL`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "eleven independent yes-or-no facts, not states")]
pub struct Features {
    pub tools: bool,
    /// Tool calls in a streamed answer.
    pub streamed_tools: bool,
    /// The request can force the model to call a tool, any or a named one.
    pub forced_tool_choice: bool,
    /// The request can force the model to call some tool, but not a named one.
    pub any_tool_choice: bool,
    /// The answer can be constrained to a JSON schema.
    pub json_schema: bool,
    pub images: bool,
    pub documents: bool,
    /// The conversation may end with an assistant turn, which the model continues.
    pub prefill: bool,
    /// The request may mark cache points for the prompt cache.
    pub cache: bool,
    pub stop_sequences: bool,
    /// Bedrock can count the input tokens before a call (CountTokens).
    pub count_tokens: bool,
}

impl Features {
    /// All features. Everything that lists features reads this table.
    pub const ALL: [Feature; 11] = [
        Feature::new('t', "tools", |features| &mut features.tools)
            .called("tools", "calls tools that the client offers"),
        Feature::new('s', "streamed_tools", |features| &mut features.streamed_tools),
        Feature::new('f', "forced_tool_choice", |features| &mut features.forced_tool_choice),
        Feature::new('a', "any_tool_choice", |features| &mut features.any_tool_choice),
        Feature::new('j', "json_schema", |features| &mut features.json_schema)
            .called("json", "gives answers that match a JSON schema"),
        Feature::new('i', "images", |features| &mut features.images).called("images", "reads images"),
        Feature::new('d', "documents", |features| &mut features.documents)
            .called("docs", "reads documents such as PDF"),
        Feature::new('p', "prefill", |features| &mut features.prefill),
        Feature::new('c', "cache", |features| &mut features.cache)
            .called("cache", "keeps the beginning of a prompt, which costs less when it comes again"),
        Feature::new('q', "stop_sequences", |features| &mut features.stop_sequences),
        Feature::new('n', "count_tokens", |features| &mut features.count_tokens),
    ];

    /// The word for a model that reasons, which is no optional feature of a request, and what it means.
    pub const THINK: (&'static str, &'static str) = ("think", "can reason before it answers");

    /// The words in lists of models, in their order, each with its meaning.
    pub fn words() -> impl Iterator<Item = (&'static str, &'static str)> {
        let features = Self::ALL.into_iter().filter_map(|feature| Some((feature.word?, feature.meaning)));
        features.chain([Self::THINK])
    }

    /// The feature with this name, or with this word for it.
    #[must_use]
    pub fn find(name: &str) -> Option<Feature> {
        Self::ALL.into_iter().find(|feature| feature.name == name || feature.word == Some(name))
    }
}

impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut features = Self::default();
        for letter in String::deserialize(deserializer)?.chars() {
            let Some(feature) = Self::ALL.iter().find(|feature| feature.letter == letter) else {
                return Err(serde::de::Error::custom(format!("no feature has the letter {letter:?}")));
            };
            *(feature.field)(&mut features) = true;
        }
        Ok(features)
    }
}

/// What the models of a family support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Capabilities {
    pub family: Family,
    pub sampling: Sampling,
    pub thinking: Thinking,
    /// How to keep the model from reasoning.
    #[serde(default)]
    pub thinking_off: ThinkingOff,
    /// The highest reasoning effort that the model accepts. `None` when it accepts none.
    pub max_effort: Option<Effort>,
    /// The shortest prompt that the prompt cache keeps (tokens).
    pub cache: Option<u64>,
    pub features: Features,
    /// What the model refuses in messages and tools. `families.toml` names the table that holds it.
    #[serde(skip)]
    pub rules: FamilyRules,
}

impl Capabilities {
    /// Those of a model of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            family: Family::Other,
            sampling: Sampling::Both,
            thinking: Thinking::None,
            thinking_off: ThinkingOff::default(),
            max_effort: None,
            cache: None,
            features: Features::default(),
            rules: FamilyRules::default(),
        }
    }
}

/// Rates that apply to the whole call when its prompt is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongContext {
    /// The rates apply to prompts with more than this many tokens.
    pub above: u64,
    pub input: Rate,
    pub output: Rate,
}

/// Rates of a service tier other than the standard one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRates {
    pub input: Rate,
    pub output: Rate,
}

/// What exactly one model id costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    pub input: Rate,
    pub output: Rate,
    /// Input that is read from the prompt cache. `None` stands for the input rate.
    pub cache_read: Option<Rate>,
    /// Input that is written to the prompt cache for five minutes. `None` stands for the input rate.
    pub cache_write_5m: Option<Rate>,
    /// Input that is written to the prompt cache for one hour. `None` stands for twice the input rate.
    pub cache_write_1h: Option<Rate>,
    pub long: Option<LongContext>,
    /// The priority tier, which is more expensive. `None` when the model does not have it.
    pub priority: Option<TierRates>,
    /// Whether the model has the flex tier. Flex is cheaper, but it is booked at the standard rate, because the service
    /// may fall back to the standard tier.
    #[serde(default)]
    pub flex: bool,
}

impl Prices {
    /// What models are sorted by, cheapest first: the sum of a million tokens in and a million out. An unknown price
    /// comes last.
    #[must_use]
    pub fn sort_key(prices: Option<Self>) -> u64 {
        prices.map_or(u64::MAX, |prices| prices.input.0.saturating_add(prices.output.0))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The short name. `None` when the request named the model by its id.
    pub alias: Option<String>,
    /// The id that is sent to Bedrock: a model id, an inference-profile id or an ARN.
    pub id: String,
    /// The model's full name, such as `Claude Sonnet 4`.
    pub name: String,
    /// The company that made the model.
    pub provider: String,
    pub lifecycle: Lifecycle,
    /// The last day on which AWS serves the model (`YYYY-MM-DD`).
    pub end_of_life: Option<String>,
    /// The alias of the model that replaces it.
    pub successor: Option<String>,
    /// Tokens; `None` when unknown.
    pub context_window: Option<u64>,
    /// The longest answer that the model can give (tokens); `None` when unknown.
    pub max_output: Option<u64>,
    /// `None` when unknown.
    pub prices: Option<Prices>,
    pub capabilities: Capabilities,
    /// Where the data comes from.
    pub source: String,
    /// The day on which the source was read (`YYYY-MM-DD`).
    pub date: String,
}

impl Model {
    /// The alias, or the id where there is none.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.id)
    }
}
