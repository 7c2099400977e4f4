//! What the house knows about one model. Plain data; the rules that use it live in `policy` and `bedrock`.

use super::money::Rate;
use crate::conversation::Effort;
use serde::Deserialize;

/// Where a model stands in AWS's life cycle (docs/bedrock.md §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifecycle {
    /// In full service.
    Active,
    /// Closed to new accounts, and to idle ones after 15 days.
    Legacy,
    /// AWS no longer answers for it in the default region.
    EndOfLife,
    /// An id the catalog does not list.
    Unknown,
}

impl Lifecycle {
    /// The word shown to people and in JSON.
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

/// Which of `temperature` and `top_p` a model takes (docs/bedrock.md §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Both together.
    Both,
    /// One of the two; the house keeps temperature.
    Temperature,
    /// Neither: either one is a 400.
    None,
}

impl Sampling {
    /// The word shown to people and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Temperature => "one",
            Self::None => "none",
        }
    }
}

/// How a model thinks before it answers (docs/bedrock.md §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thinking {
    /// It does not.
    None,
    /// Only when given a budget of at least 1,024 tokens below `max_tokens`.
    Budget,
    /// As much as it sees fit, within an effort.
    Adaptive,
    /// It cannot be stopped.
    Always,
}

impl Thinking {
    /// The word shown to people and in JSON.
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

/// What to send so that a model does not spend a small answer on thinking (docs/bedrock.md §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingOff {
    /// Silence is enough, or there is no switch.
    #[default]
    Nothing,
    /// `thinking: {type: disabled}`.
    Disabled,
    /// `thinking: {type: between_tools}`: Sonnet 5.5 refuses `disabled`.
    BetweenTools,
    /// `thinking: {type: adaptive}` with effort low, where thinking cannot be switched off.
    LowEffort,
    /// `reasoning_effort: low` (gpt-oss).
    LowReasoningEffort,
}

/// Whose own request fields a model reads, beside those that Converse has for all
/// (docs/bedrock.md §2.2, §2.5). It is data, inherited by `like`: an ARN of an inference profile hides the model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Anthropic's Claude.
    Claude,
    /// Amazon's Nova.
    Nova,
    /// `DeepSeek` from V3 on. R1 has no fields of its own.
    #[serde(rename = "deepseek")]
    DeepSeek,
    /// Qwen 3.
    Qwen,
    /// OpenAI's gpt-oss.
    GptOss,
    /// OpenAI's GPT.
    Gpt,
    /// A model without request fields of its own.
    Other,
}

/// One of [`Features`]: how it is written, named and explained. Everything that lists features reads this table.
pub struct Feature {
    /// Its letter, in `families.toml` and in `chatrix models`.
    pub letter: char,
    /// Its name in JSON.
    pub name: &'static str,
    /// What a person reads beside the letter.
    pub meaning: &'static str,
    field: fn(&mut Features) -> &mut bool,
}

impl Feature {
    const fn new(
        letter: char,
        name: &'static str,
        meaning: &'static str,
        field: fn(&mut Features) -> &mut bool,
    ) -> Self {
        Self { letter, name, meaning, field }
    }

    /// Whether a model has it.
    #[must_use]
    pub fn is_in(&self, mut features: Features) -> bool {
        *(self.field)(&mut features)
    }
}

/// Extra abilities of a model, written as letters in `families.toml` (see [`Features::LETTERS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "eleven independent yes-or-no facts, not states")]
pub struct Features {
    /// Tool calls.
    pub tools: bool,
    /// Tool calls in a streamed answer.
    pub streamed_tools: bool,
    /// A forced tool choice: any tool, or a named one.
    pub forced_tool_choice: bool,
    /// A forced tool choice, but of any tool only.
    pub any_tool_choice: bool,
    /// An answer bound to a JSON schema.
    pub json_schema: bool,
    /// Images.
    pub images: bool,
    /// Documents.
    pub documents: bool,
    /// A conversation that ends with the assistant's turn.
    pub prefill: bool,
    /// Explicit prompt-cache points.
    pub cache: bool,
    /// Stop sequences.
    pub stop_sequences: bool,
    /// Input tokens counted before a call (CountTokens).
    pub count_tokens: bool,
}

impl Features {
    /// All features, in the order in which `chatrix models` shows them.
    pub const LETTERS: [Feature; 11] = [
        Feature::new('t', "tools", "tools", |features| &mut features.tools),
        Feature::new('s', "streamed_tools", "tools while streaming", |features| &mut features.streamed_tools),
        Feature::new('f', "forced_tool_choice", "forced tool choice", |features| &mut features.forced_tool_choice),
        Feature::new('a', "any_tool_choice", "forced tool choice, any tool only", |features| {
            &mut features.any_tool_choice
        }),
        Feature::new('j', "json_schema", "JSON schema", |features| &mut features.json_schema),
        Feature::new('i', "images", "images", |features| &mut features.images),
        Feature::new('d', "documents", "documents", |features| &mut features.documents),
        Feature::new('p', "prefill", "prefilled answers", |features| &mut features.prefill),
        Feature::new('c', "cache", "prompt cache", |features| &mut features.cache),
        Feature::new('q', "stop_sequences", "stop sequences", |features| &mut features.stop_sequences),
        Feature::new('n', "count_tokens", "token counts", |features| &mut features.count_tokens),
    ];

    /// The letter of the feature with this name in JSON.
    #[must_use]
    pub fn letter(name: &str) -> Option<char> {
        Self::LETTERS.iter().find(|feature| feature.name == name).map(|feature| feature.letter)
    }
}

impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut features = Self::default();
        for letter in String::deserialize(deserializer)?.chars() {
            let Some(feature) = Self::LETTERS.iter().find(|feature| feature.letter == letter) else {
                return Err(serde::de::Error::custom(format!("no feature has the letter {letter:?}")));
            };
            *(feature.field)(&mut features) = true;
        }
        Ok(features)
    }
}

/// What a model takes, by family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Capabilities {
    pub family: Family,
    /// Sampling parameters.
    pub sampling: Sampling,
    /// Thinking.
    pub thinking: Thinking,
    /// How to keep it from thinking.
    #[serde(default)]
    pub thinking_off: ThinkingOff,
    /// The highest reasoning effort; `None` where it takes none.
    pub max_effort: Option<Effort>,
    /// The shortest prompt worth a cache point (tokens).
    pub cache: Option<u64>,
    /// Everything else.
    pub features: Features,
}

/// Rates that apply to the whole call once its prompt is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongContext {
    /// The prompt length from which they apply (tokens).
    pub above: u64,
    /// Input.
    pub input: Rate,
    /// Output.
    pub output: Rate,
}

/// Rates of another service tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRates {
    /// Input.
    pub input: Rate,
    /// Output.
    pub output: Rate,
}

/// What a model costs, for exactly one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Input.
    pub input: Rate,
    /// Output.
    pub output: Rate,
    /// Input read from the prompt cache; the input rate when `None`.
    pub cache_read: Option<Rate>,
    /// Input written to the cache for five minutes; the input rate when `None`.
    pub cache_write_5m: Option<Rate>,
    /// Input written to the cache for one hour; twice the input rate when `None`.
    pub cache_write_1h: Option<Rate>,
    /// Long prompts.
    pub long: Option<LongContext>,
    /// The priority tier, which is dearer. `None`: the model has none.
    pub priority: Option<TierRates>,
    /// Whether the model has the flex tier. It is cheaper, and booked at the standard rate: the service may fall
    /// back to that.
    #[serde(default)]
    pub flex: bool,
}

/// One model that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The short name; `None` for an id used as it is.
    pub alias: Option<String>,
    /// What Bedrock is asked for: model id, inference-profile id or ARN.
    pub id: String,
    /// The name people know.
    pub name: String,
    /// Who made it.
    pub provider: String,
    /// Where it stands.
    pub lifecycle: Lifecycle,
    /// The last day AWS answers for it (`YYYY-MM-DD`).
    pub end_of_life: Option<String>,
    /// Alias of the model that takes over.
    pub successor: Option<String>,
    /// Context window (tokens); `None` when unknown.
    pub context_window: Option<u64>,
    /// Longest answer the model can give (tokens); `None` when unknown.
    pub max_output: Option<u64>,
    /// Prices; `None` when unknown.
    pub prices: Option<Prices>,
    /// What it takes.
    pub capabilities: Capabilities,
    /// Where this row comes from.
    pub source: String,
    /// When it was true (`YYYY-MM-DD`).
    pub date: String,
}

impl Model {
    /// The alias, or the id where there is none.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.id)
    }
}
