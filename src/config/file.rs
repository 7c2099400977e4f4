//! The config file as the operator writes it. Every error names the file, the line and the key.

use super::host::Host;
use super::parse_error::located_error;
use crate::alerts::{Secret, Webhook};
use crate::catalog::{NanoDollars, Prices};
use crate::conversation::ServiceTier;
use crate::error::Result;
use crate::ledger::RateLimits;
use crate::ledger::budget::Budgets;
use crate::ledger::key::KeyLimits;
use crate::policy::{KeyOverrides, Limits, Overrides, SamplingOverride};
use crate::server::Timeouts;
use crate::telemetry::LogFormat;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    pub(crate) default_model: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) follow_successor: Option<bool>,
    pub(crate) stream_idle_seconds: Option<Positive>,
    pub(crate) answer_seconds: Option<Positive>,
    pub(crate) credentials_seconds: Option<Positive>,
    pub(crate) connection_idle_seconds: Option<Positive>,
    pub(crate) prompt_cache: Option<PromptCache>,
    pub(crate) messages: Option<MessagesWay>,
    /// Whether `chat` keeps the lines that were typed.
    pub(crate) history: Option<bool>,
    /// Whether the conversations of `chat` are kept.
    pub(crate) sessions: Option<bool>,
    pub(crate) service_tiers: Vec<AllowedTier>,
    pub(crate) limits: LimitsTable,
    pub(crate) budget: Budget,
    /// Sorted by name, so that a file is always read in the same order.
    pub(crate) models: BTreeMap<String, Model>,
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) serve: Serve,
    pub(crate) alerts: Alerts,
    pub(crate) ledger: Ledger,
}

/// `[ledger]`: the database that several machines share, and how long calls are kept.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ledger {
    pub(crate) url: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) keep_days: Option<Days>,
}

/// `[limits]`: limits for all models.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsTable {
    max_tokens: Option<toml::Spanned<Positive>>,
    max_tokens_limit: Option<Positive>,
    temperature: Option<Sampling>,
    top_p: Option<Sampling>,
}

/// `[budget]`: ceilings in dollars.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Budget {
    pub(crate) request_usd: Option<NanoDollars>,
    pub(crate) day_usd: Option<NanoDollars>,
    pub(crate) week_usd: Option<NanoDollars>,
    pub(crate) month_usd: Option<NanoDollars>,
    pub(crate) floor_tokens: Option<Positive>,
    pub(crate) wait_seconds: Option<Seconds>,
    pub(crate) tools_floor_tokens: Option<Positive>,
    pub(crate) tools_wait_seconds: Option<Seconds>,
}

/// `[models.NAME]`: a model of the operator's own, or limits or a price for one that is known.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Model {
    pub(crate) id: Option<String>,
    pub(crate) like: Option<String>,
    pub(crate) price: Option<Prices>,
    max_tokens: Option<toml::Spanned<Positive>>,
    max_tokens_limit: Option<Positive>,
    temperature: Option<Sampling>,
    top_p: Option<Sampling>,
}

/// `[keys.NAME]`: limits of the API key with this name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Key {
    max_tokens: Option<toml::Spanned<Positive>>,
    max_tokens_limit: Option<Positive>,
    prompt_cache: Option<PromptCache>,
    request_usd: Option<NanoDollars>,
    day_usd: Option<NanoDollars>,
    week_usd: Option<NanoDollars>,
    month_usd: Option<NanoDollars>,
    pub(crate) models: Vec<String>,
    rpm: Option<Positive>,
    tpm: Option<Positive>,
    max_running: Option<Positive>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Serve {
    pub(crate) host: Option<Host>,
    pub(crate) port: Option<u16>,
    pub(crate) allow_origins: Vec<String>,
    pub(crate) allow_hosts: Vec<String>,
    pub(crate) fetch_images: bool,
    pub(crate) require_key: bool,
    pub(crate) on_disconnect: Option<OnDisconnect>,
    pub(crate) log_format: Option<LogFormatName>,
    pub(crate) metrics_addr: Option<SocketAddr>,
    pub(crate) max_connections: Option<Positive>,
    pub(crate) max_in_flight: Option<Positive>,
    pub(crate) max_body_memory_mib: Option<Positive>,
    pub(crate) timeouts: TimeoutsTable,
}

/// `[serve.timeouts]`: how long a client may take.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "a key names its unit")]
pub(crate) struct TimeoutsTable {
    head_seconds: Option<TimeLimit>,
    idle_seconds: Option<TimeLimit>,
    body_grace_seconds: Option<TimeLimit>,
    body_pause_seconds: Option<TimeLimit>,
    write_seconds: Option<TimeLimit>,
    queue_seconds: Option<TimeLimit>,
}

impl TimeoutsTable {
    pub(crate) fn timeouts(&self) -> Timeouts {
        let default = Timeouts::default();
        let set = |limit: Option<TimeLimit>, default: Duration| limit.map_or(default, |limit| limit.0);
        Timeouts {
            head: set(self.head_seconds, default.head),
            idle: set(self.idle_seconds, default.idle),
            body_grace: set(self.body_grace_seconds, default.body_grace),
            body_pause: set(self.body_pause_seconds, default.body_pause),
            write: set(self.write_seconds, default.write),
            queue: set(self.queue_seconds, default.queue),
        }
    }
}

/// A time from a tenth of a second to an hour.
#[derive(Debug, Clone, Copy)]
struct TimeLimit(Duration);

impl<'de> Deserialize<'de> for TimeLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if !(0.1..=3600.0).contains(&seconds) {
            return Err(D::Error::custom(format!("{seconds} is not a number of seconds from 0.1 to 3600")));
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

/// `[alerts]`: who is told when a budget is nearly used up.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Alerts {
    pub(crate) webhook: Option<Parsed<Webhook>>,
    pub(crate) secret: Option<Parsed<Secret>>,
    /// The environment variable that holds the secret.
    pub(crate) secret_env: Option<String>,
}

/// A text that is parsed into something else.
#[derive(Debug)]
pub(crate) struct Parsed<T>(pub(crate) T);

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// What happens to an answer whose client has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnDisconnect {
    /// It is stopped, and stays booked at its worst case.
    Stop,
    /// It is read to its end, and booked at what it cost.
    Drain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PromptCache {
    /// Cache points are added where they pay.
    Auto,
    Off,
}

/// How Messages requests to Claude reach Bedrock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MessagesWay {
    /// As they are, with the policy's changes.
    Invoke,
    /// Translated, as for every other model.
    Converse,
}

/// A tier that clients may ask for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AllowedTier {
    Flex,
    Priority,
}

impl From<AllowedTier> for ServiceTier {
    fn from(tier: AllowedTier) -> Self {
        match tier {
            AllowedTier::Flex => Self::Flex,
            AllowedTier::Priority => Self::Priority,
        }
    }
}

/// How requests are logged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogFormatName(pub(crate) LogFormat);

impl<'de> Deserialize<'de> for LogFormatName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A whole number from 1 to what Bedrock's integers hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Positive(pub(crate) NonZeroU32);

impl<'de> Deserialize<'de> for Positive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let fits = u32::try_from(number).ok().filter(|n| i32::try_from(*n).is_ok()).and_then(NonZeroU32::new);
        fits.map(Self)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(number), &"a whole number from 1 to 2147483647"))
    }
}

/// A whole number of days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days(pub(crate) NonZeroU16);

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let days = u16::try_from(number).ok().and_then(NonZeroU16::new).map(Self);
        days.ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(number), &"a number of days from 1 to 65535"))
    }
}

/// A time from 0 to 60 seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seconds(pub(crate) Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if !(0.0..=60.0).contains(&seconds) {
            return Err(D::Error::custom(format!("{seconds} is not a number of seconds from 0 to 60")));
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

/// A temperature or `top_p`: a number from 0 to 1, or `"unset"`.
#[derive(Debug, Clone, Copy)]
struct Sampling(SamplingOverride);

impl<'de> Deserialize<'de> for Sampling {
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
    pub(crate) fn budgets(&self) -> Budgets {
        let default = Budgets::default();
        Budgets {
            request: self.request_usd,
            day: self.day_usd,
            week: self.week_usd,
            month: self.month_usd,
            floor_tokens: self.floor_tokens.map_or(default.floor_tokens, |tokens| tokens.0.get()),
            wait: self.wait_seconds.map_or(default.wait, |seconds| seconds.0),
            tools_floor_tokens: self.tools_floor_tokens.map_or(default.tools_floor_tokens, |tokens| tokens.0.get()),
            tools_wait: self.tools_wait_seconds.map_or(default.tools_wait, |seconds| seconds.0),
        }
    }
}

impl LimitsTable {
    pub(crate) fn overrides(&self) -> Overrides {
        overrides(self.max_tokens.as_ref(), self.max_tokens_limit, self.temperature, self.top_p)
    }
}

impl Model {
    pub(crate) fn overrides(&self) -> Overrides {
        overrides(self.max_tokens.as_ref(), self.max_tokens_limit, self.temperature, self.top_p)
    }
}

impl Key {
    pub(crate) fn limits(self) -> KeyLimits {
        let number = |limit: Option<Positive>| limit.map(|limit| limit.0);
        let tokens = |limit: Option<Positive>| limit.map(|limit| limit.0.get());
        KeyLimits {
            request: self.request_usd,
            day: self.day_usd,
            week: self.week_usd,
            month: self.month_usd,
            models: self.models,
            rates: RateLimits {
                requests: number(self.rpm),
                tokens: number(self.tpm),
                running: number(self.max_running),
            },
            overrides: KeyOverrides {
                max_tokens: tokens(self.max_tokens.map(toml::Spanned::into_inner)),
                max_tokens_limit: tokens(self.max_tokens_limit),
                prompt_cache: self.prompt_cache.map(|cache| cache == PromptCache::Auto),
            },
        }
    }
}

fn overrides(
    max_tokens: Option<&toml::Spanned<Positive>>,
    max_tokens_limit: Option<Positive>,
    temperature: Option<Sampling>,
    top_p: Option<Sampling>,
) -> Overrides {
    Overrides {
        max_tokens: max_tokens.map(|tokens| tokens.get_ref().0.get()),
        max_tokens_limit: max_tokens_limit.map(|tokens| tokens.0.get()),
        temperature: temperature.map(|sampling| sampling.0),
        top_p: top_p.map(|sampling| sampling.0),
    }
}

impl File {
    /// # Errors
    /// `Config`, as `PATH:LINE: KEY: what is wrong`.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let file: Self = toml::from_str(text)
            .map_err(|error| located_error(text, path, error.span().map_or(0, |span| span.start), error.message()))?;
        // A default above the limit would be lowered at every call, which cannot be meant.
        let default = Limits::default().max_tokens_limit;
        let limit_for_all = file.limits.max_tokens_limit.map_or(default, |tokens| tokens.0.get());
        let models = file.models.values().map(|model| (&model.max_tokens, model.max_tokens_limit));
        // Without a limit in its table, that of a key may be in the ledger.
        let keys = file.keys.values().filter(|key| key.max_tokens_limit.is_some());
        let keys = keys.map(|key| (&key.max_tokens, key.max_tokens_limit));
        let for_all = (&file.limits.max_tokens, file.limits.max_tokens_limit);
        for (max_tokens, limit) in models.chain(keys).chain([for_all]) {
            let limit = limit.map_or(limit_for_all, |tokens| tokens.0.get());
            if let Some(tokens) = max_tokens.as_ref().filter(|tokens| tokens.get_ref().0.get() > limit) {
                let message = format!("{} is above max_tokens_limit, which is {limit}", tokens.get_ref().0);
                return Err(located_error(text, path, tokens.span().start, &message));
            }
        }
        Ok(file)
    }
}
