//! The config file as it is written. Every mistake names file, line and key.

use crate::catalog::{NanoDollars, Prices};
use crate::error::{Error, Kind, Result};
use crate::ledger::budget::Budgets;
use crate::policy::{Overrides, SamplingOverride};
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    pub default_model: Option<String>,
    pub profile: Option<String>,
    pub region: Option<String>,
    pub follow_successor: Option<bool>,
    pub stream_idle_seconds: Option<Positive>,
    pub prompt_cache: Option<PromptCache>,
    pub service_tiers: Vec<ServiceTier>,
    pub limits: LimitsTable,
    pub budget: Budget,
    /// In the order of their names: what depends on another must not depend on chance.
    pub models: BTreeMap<String, Model>,
    pub serve: Serve,
}

/// `[limits]`: for all models.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsTable {
    max_tokens: Option<toml::Spanned<Positive>>,
    max_tokens_limit: Option<Positive>,
    temperature: Option<Share>,
    top_p: Option<Share>,
}

/// `[budget]`: ceilings in dollars. `None`: there is none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    pub request_usd: Option<NanoDollars>,
    pub day_usd: Option<NanoDollars>,
    pub month_usd: Option<NanoDollars>,
    pub floor_tokens: Option<Positive>,
    pub wait_seconds: Option<Seconds>,
}

/// `[models.NAME]`: an own model, or limits for one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    pub id: Option<String>,
    pub like: Option<String>,
    pub price: Option<Prices>,
    max_tokens: Option<toml::Spanned<Positive>>,
    max_tokens_limit: Option<Positive>,
    temperature: Option<Share>,
    top_p: Option<Share>,
}

/// `[serve]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Serve {
    pub host: Option<IpAddr>,
    pub port: Option<u16>,
    pub allow_origins: Vec<String>,
    pub allow_hosts: Vec<String>,
    pub fetch_images: bool,
    pub require_key: bool,
    pub on_disconnect: Option<OnDisconnect>,
}

/// What becomes of an answer whose client has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDisconnect {
    /// It is stopped, and booked at its worst case.
    Stop,
    /// It is read on to its usage, and booked at what it cost.
    Drain,
}

/// Whether cache points are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromptCache {
    /// Where they pay.
    Auto,
    /// Never.
    Off,
}

/// A tier that clients may ask for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceTier {
    /// Cheaper and slower.
    Flex,
    /// Faster and dearer.
    Priority,
}

/// A whole number from 1 to what Bedrock's integers hold.
#[derive(Debug, Clone, Copy)]
pub struct Positive(pub NonZeroU32);

impl<'de> Deserialize<'de> for Positive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let fits = u32::try_from(number).ok().filter(|n| i32::try_from(*n).is_ok()).and_then(NonZeroU32::new);
        fits.map(Self)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(number), &"a whole number from 1 to 2147483647"))
    }
}

/// A time from 0 to 60 seconds.
#[derive(Debug, Clone, Copy)]
pub struct Seconds(pub Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if !(0.0..=60.0).contains(&seconds) {
            return Err(D::Error::custom(format!("{seconds} is not a number of seconds from 0 to 60")));
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

/// A number from 0 to 1, or `"unset"`.
#[derive(Debug, Clone, Copy)]
struct Share(SamplingOverride);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WANTED: &str = "a number from 0 to 1, or \"unset\"";
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Float(number) if (0.0..=1.0).contains(&number) => Ok(Self(SamplingOverride::Value(number))),
            toml::Value::Integer(0) => Ok(Self(SamplingOverride::Value(0.0))),
            toml::Value::Integer(1) => Ok(Self(SamplingOverride::Value(1.0))),
            toml::Value::String(word) if word == "unset" => Ok(Self(SamplingOverride::Unset)),
            other => Err(D::Error::custom(format!("{other} is not {WANTED}"))),
        }
    }
}

impl Budget {
    /// What is set here, over the defaults.
    pub fn budgets(&self) -> Budgets {
        let default = Budgets::default();
        Budgets {
            request: self.request_usd,
            day: self.day_usd,
            month: self.month_usd,
            floor_tokens: self.floor_tokens.map_or(default.floor_tokens, |tokens| tokens.0.get()),
            wait: self.wait_seconds.map_or(default.wait, |seconds| seconds.0),
        }
    }
}

impl LimitsTable {
    /// What is set here.
    pub fn overrides(&self) -> Overrides {
        overrides(self.max_tokens.as_ref(), self.max_tokens_limit, self.temperature, self.top_p)
    }
}

impl Model {
    /// What is set here.
    pub fn limits(&self) -> Overrides {
        overrides(self.max_tokens.as_ref(), self.max_tokens_limit, self.temperature, self.top_p)
    }
}

fn overrides(
    max_tokens: Option<&toml::Spanned<Positive>>,
    max_tokens_limit: Option<Positive>,
    temperature: Option<Share>,
    top_p: Option<Share>,
) -> Overrides {
    Overrides {
        max_tokens: max_tokens.map(|tokens| tokens.get_ref().0.get()),
        max_tokens_limit: max_tokens_limit.map(|tokens| tokens.0.get()),
        temperature: temperature.map(|share| share.0),
        top_p: top_p.map(|share| share.0),
    }
}

impl File {
    /// Parses the file.
    ///
    /// # Errors
    /// `Config`, as `PATH:LINE: KEY: what is wrong`.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let file: Self = toml::from_str(text)
            .map_err(|error| mistake(text, path, error.span().map_or(0, |span| span.start), error.message()))?;
        // A default above the cap would be cut down at every call: surely not meant.
        let house = crate::policy::Limits::default().max_tokens_limit;
        let cap = file.limits.max_tokens_limit.map_or(house, |tokens| tokens.0.get());
        let tables = file.models.values().map(|model| (&model.max_tokens, model.max_tokens_limit));
        for (max_tokens, limit) in tables.chain([(&file.limits.max_tokens, file.limits.max_tokens_limit)]) {
            let limit = limit.map_or(cap, |tokens| tokens.0.get());
            if let Some(tokens) = max_tokens.as_ref().filter(|tokens| tokens.get_ref().0.get() > limit) {
                let message = format!("{} is above max_tokens_limit, which is {limit}", tokens.get_ref().0);
                return Err(mistake(text, path, tokens.span().start, &message));
            }
        }
        Ok(file)
    }
}

fn mistake(text: &str, path: &Path, at: usize, message: &str) -> Error {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count();
    let words = text.lines().nth(line).unwrap_or_default();
    let key = words.split('=').next().unwrap_or_default().trim();
    let message = message.lines().collect::<Vec<_>>().join(", ");
    Error::new(Kind::Config, format!("{}:{}: {key}: {message}", path.display(), line + 1))
}
