//! The settings of this process. A flag wins over the environment, that over the config file, that over the default.
//! This module reads the environment and one file; what the settings do is decided elsewhere.

mod alerts;
mod file;
mod folders;
mod host;
mod keys;
mod layers;
mod ledger;
mod models;
mod parse_error;
mod source;

pub(crate) use host::Host;
pub(crate) use source::{Setting, Source};

use crate::alerts::AlertSettings;
use crate::bedrock::{Region, TimeLimits};
use crate::catalog::Catalog;
use crate::conversation::ServiceTier;
use crate::error::{Error, Kind, Result};
use crate::ledger::budget::Budgets;
use crate::ledger::{KeySettings, Location};
use crate::policy::{Limits, ModelLimits, Overrides, Policy};
use crate::server::Timeouts;
use crate::telemetry::LogFormat;
use file::File;
use folders::{folder, kept};
use layers::Layers;
use std::io::ErrorKind::{NotADirectory, NotFound};
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The longest config file (bytes).
const LONGEST_FILE: u64 = 1 << 20;

/// What the command line sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) config: Option<PathBuf>,
    pub(crate) model: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) offline: bool,
    pub(crate) host: Option<Host>,
    pub(crate) port: Option<u16>,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) max_tokens_limit: Option<u32>,
    pub(crate) allow_origins: Vec<String>,
    pub(crate) require_key: bool,
    pub(crate) max_connections: Option<NonZeroU32>,
    pub(crate) max_in_flight: Option<NonZeroU32>,
    pub(crate) log_format: Option<LogFormat>,
    pub(crate) metrics_addr: Option<SocketAddr>,
}

#[derive(Debug)]
pub(crate) struct Settings {
    /// The config file that was read; `None` when there is none.
    pub(crate) config_file: Option<PathBuf>,
    /// Where the config file is, or would be; empty where there is no folder for it.
    pub(crate) config_path: PathBuf,
    /// The model of a request that names none, by a whole name.
    pub(crate) model: Setting<String>,
    /// What to say where another name for it was typed.
    pub(crate) model_notice: Option<String>,
    /// Whether the model inside this process answers, and not AWS.
    pub(crate) offline: bool,
    pub(crate) offline_source: Source,
    pub(crate) limit_sources: LimitSources,
    pub(crate) aws: AwsSettings,
    pub(crate) serve: ServeSettings,
    pub(crate) budgets: Budgets,
    /// What the file sets for API keys by their names.
    pub(crate) keys: KeySettings,
    /// Who is told when a budget is nearly used up; `None` when nobody is.
    pub(crate) alerts: Option<AlertSettings>,
    /// Chatrix's folder for what it keeps; `None` when there is no home folder.
    pub(crate) state: Option<PathBuf>,
    /// `None` when there is no home folder, and no database either.
    pub(crate) ledger: Option<Setting<Location>>,
    /// For how many days the ledger keeps calls; `None` keeps them forever.
    pub(crate) keep_days: Option<NonZeroU16>,
    /// The lines typed in `chat`; `None` when there is no home folder, or when the operator wants none to be kept.
    pub(crate) history: Option<PathBuf>,
    /// The folder of the saved sessions of `chat`; `None` when there is no home folder, or when the operator wants none
    /// to be kept.
    pub(crate) sessions: Option<PathBuf>,
    policy: PolicySettings,
    catalog: Arc<Catalog>,
}

/// Who has set the limits for all models.
#[derive(Debug)]
pub(crate) struct LimitSources {
    pub(crate) max_tokens: Source,
    pub(crate) max_tokens_limit: Source,
}

/// How Bedrock is reached.
#[derive(Debug)]
pub(crate) struct AwsSettings {
    /// The profile that was named for Chatrix; `None` leaves the choice to AWS's own variables.
    pub(crate) profile: Option<Setting<String>>,
    /// `None` leaves the choice to the profile, and to the default after it.
    pub(crate) region: Option<Setting<Region>>,
    pub(crate) limits: TimeLimits,
}

#[derive(Debug)]
pub(crate) struct ServeSettings {
    pub(crate) host: Setting<IpAddr>,
    /// 0 lets the system choose.
    pub(crate) port: Setting<u16>,
    /// Origins that may use the server besides local ones.
    pub(crate) allow_origins: Vec<String>,
    /// Host names that the server answers to besides local ones.
    pub(crate) allow_hosts: Vec<String>,
    /// Whether clients may name images by URL.
    pub(crate) fetch_images: bool,
    /// Whether a call needs one of the API keys of `chatrix keys`.
    pub(crate) require_key: bool,
    /// Whether an answer is read to its end after its client has gone, so that its usage becomes known.
    pub(crate) drain: bool,
    /// `None` leaves it to the limit of open files.
    pub(crate) max_connections: Option<usize>,
    pub(crate) max_in_flight: Option<usize>,
    /// Request bodies in memory (bytes).
    pub(crate) max_body_memory: Option<usize>,
    pub(crate) timeouts: Timeouts,
    /// How requests are logged.
    pub(crate) log_format: LogFormat,
    /// The address for metrics besides that of the server.
    pub(crate) metrics_addr: Option<SocketAddr>,
}

/// What [`Settings::policy`] is made of.
#[derive(Debug)]
struct PolicySettings {
    limits: Limits,
    overrides: Vec<ModelLimits>,
    follow_successor: bool,
    prompt_cache: bool,
    native_messages: bool,
    service_tiers: Vec<ServiceTier>,
}

impl Settings {
    /// Where the ledger is; `None` when there is no home folder, and no database either.
    pub(crate) fn ledger_location(&self) -> Option<&Location> {
        self.ledger.as_ref().map(|ledger| &ledger.value)
    }

    /// `environment` looks a variable up; an empty one counts as unset.
    ///
    /// # Errors
    /// `Config`, naming the variable, or file, line and key. `ModelNotFound` for `--model`.
    pub(crate) fn load(flags: &Flags, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let environment = |name: &str| environment(name).filter(|value| !value.is_empty());
        Self::with_file(read(flags.config.clone(), &environment)?, flags, &environment)
    }

    /// The settings as if there were no config file, for what can be found out all the same when it is broken.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub(crate) fn load_without_file(flags: &Flags, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let environment = |name: &str| environment(name).filter(|value| !value.is_empty());
        Self::with_file(ReadFile::none(PathBuf::new()), flags, &environment)
    }

    fn with_file(read: ReadFile, flags: &Flags, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let ReadFile { file, path, exists } = read;
        let config_file = exists.then(|| path.clone());
        let layers = Layers { environment, path: &path };

        let of_the_flags = Overrides {
            max_tokens: flags.max_tokens,
            max_tokens_limit: flags.max_tokens_limit,
            ..Overrides::default()
        };
        let limits = limits(&of_the_flags, &file)?;
        let limit_sources = limit_sources(&of_the_flags, &file, &layers);
        let time_limits = time_limits(&file);
        let catalog = Arc::new(models::catalog(&file, &path)?);
        let policy = policy_settings(limits, &file, &catalog, &path)?;
        let model = layers.pick(flags.model.clone(), &["CHATRIX_MODEL"], file.default_model, "a model's name")?;
        let (model, model_notice) = whole_name(model, &catalog)?;
        let offline = layers.offline(flags.offline)?;
        let aws = AwsSettings {
            profile: layers.named_profile(flags.profile.clone(), file.profile),
            // Offline calls go to no region.
            region: if offline.value { None } else { layers.region(flags.region.clone(), file.region)? },
            limits: time_limits,
        };
        let serve = serve_settings(flags, file.serve, &layers)?;
        let state = folder("XDG_STATE_HOME", "STATE_DIRECTORY", ".local/state", environment);
        let [history, sessions] = kept(state.as_deref(), file.history, file.sessions);
        let keep_days = file.ledger.keep_days.map(|days| days.0);
        let ledger = ledger::location(file.ledger, state.as_deref(), offline.value, &path, environment)?;
        let budgets = file.budget.budgets();
        let keys = keys::settings(file.keys, &catalog, &path)?;
        let alerts = alerts::settings(file.alerts, &path, environment)?;
        Ok(Self {
            config_file,
            config_path: path,
            model,
            model_notice,
            offline: offline.value,
            offline_source: offline.source,
            limit_sources,
            aws,
            serve,
            budgets,
            keys,
            alerts,
            state,
            ledger,
            keep_days,
            history,
            sessions,
            policy,
            catalog,
        })
    }

    /// All models, the operator's own included.
    pub(crate) fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            catalog: Arc::clone(&self.catalog),
            default_model: self.model.value.clone(),
            limits: self.policy.limits,
            overrides: self.policy.overrides.clone(),
            follow_successor: self.policy.follow_successor,
            prompt_cache: self.policy.prompt_cache,
            native_messages: self.policy.native_messages,
            service_tiers: self.policy.service_tiers.clone(),
            fetch_images: self.serve.fetch_images,
        }
    }
}

fn policy_settings(limits: Limits, file: &File, catalog: &Catalog, path: &Path) -> Result<PolicySettings> {
    Ok(PolicySettings {
        limits,
        overrides: models::limits(&file.models, catalog, path)?,
        follow_successor: file.follow_successor.unwrap_or(true),
        prompt_cache: file.prompt_cache == Some(file::PromptCache::Auto),
        native_messages: file.messages != Some(file::MessagesWay::Converse),
        service_tiers: file.service_tiers.iter().copied().map(ServiceTier::from).collect(),
    })
}

/// The settings of the server.
fn serve_settings(flags: &Flags, file: file::Serve, layers: &Layers<'_>) -> Result<ServeSettings> {
    let host = layers.pick(flags.host, &["CHATRIX_HOST"], file.host, "an IP address or localhost")?;
    let port = layers.pick(flags.port, &["CHATRIX_PORT"], file.port, "a port")?;
    Ok(ServeSettings {
        host: host.map_or(
            Setting { value: IpAddr::from([127, 0, 0, 1]), source: Source::Default },
            |Setting { value: Host(value), source }| Setting { value, source },
        ),
        port: port.unwrap_or(Setting { value: 3000, source: Source::Default }),
        allow_origins: [flags.allow_origins.clone(), file.allow_origins].concat(),
        allow_hosts: file.allow_hosts,
        fetch_images: file.fetch_images,
        require_key: flags.require_key || file.require_key,
        drain: file.on_disconnect == Some(file::OnDisconnect::Drain),
        max_connections: flags.max_connections.or(file.max_connections.map(|most| most.0)).map(count),
        max_in_flight: flags.max_in_flight.or(file.max_in_flight.map(|most| most.0)).map(count),
        max_body_memory: file.max_body_memory_mib.map(|most| count(most.0).saturating_mul(1 << 20)),
        timeouts: file.timeouts.timeouts(),
        log_format: flags.log_format.or(file.log_format.map(|format| format.0)).unwrap_or_default(),
        metrics_addr: flags.metrics_addr.or(file.metrics_addr),
    })
}

fn count(number: NonZeroU32) -> usize {
    usize::try_from(number.get()).unwrap_or(usize::MAX)
}

/// The time limits of calls.
fn time_limits(file: &File) -> TimeLimits {
    let seconds = |configured: &Option<file::Positive>, default: u32| {
        Duration::from_secs(configured.as_ref().map_or(default, |seconds| seconds.0.get()).into())
    };
    TimeLimits {
        stream_idle: seconds(&file.stream_idle_seconds, 120),
        answer: seconds(&file.answer_seconds, 600),
        connection_idle: seconds(&file.connection_idle_seconds, 50),
        credentials: seconds(&file.credentials_seconds, 30),
    }
}

/// The limits for all models.
fn limits(flags: &Overrides, file: &File) -> Result<Limits> {
    let limits = Limits::default().with(&file.limits.overrides()).with(flags);
    match flags.max_tokens.filter(|tokens| *tokens > limits.max_tokens_limit) {
        None => Ok(limits),
        Some(tokens) => {
            let message = format!("--max-tokens {tokens} is above the limit of {} tokens", limits.max_tokens_limit);
            Err(Error::new(Kind::Config, message).advise(format!("add --max-tokens-limit {tokens}")))
        }
    }
}

fn limit_sources(flags: &Overrides, file: &File, layers: &Layers<'_>) -> LimitSources {
    let file = file.limits.overrides();
    LimitSources {
        max_tokens: layers.source(flags.max_tokens.is_some(), file.max_tokens.is_some()),
        max_tokens_limit: layers.source(flags.max_tokens_limit.is_some(), file.max_tokens_limit.is_some()),
    }
}

/// The model by its whole name, or the default one, and what to say when another name was typed.
fn whole_name(typed: Option<Setting<String>>, catalog: &Catalog) -> Result<(Setting<String>, Option<String>)> {
    let default = || Setting { value: catalog.default_alias().to_owned(), source: Source::Default };
    let Setting { value: typed, source } = typed.unwrap_or_else(default);
    match catalog.resolve_typed(&typed) {
        Ok(meant) => {
            let notice = meant.notice(&typed);
            Ok((Setting { value: meant.name, source }, notice))
        }
        Err(error) if source == Source::CommandLine => Err(error),
        Err(error) => {
            let message = format!("default model from {source}: {}", error.message);
            Err(Error::new(Kind::Config, message).advise(error.advice()))
        }
    }
}

/// A config file, and where it is or would be.
struct ReadFile {
    file: File,
    path: PathBuf,
    exists: bool,
}

impl ReadFile {
    fn none(path: PathBuf) -> Self {
        Self { file: File::default(), path, exists: false }
    }
}

/// The config file. Only one that was named must exist.
fn read(flag: Option<PathBuf>, environment: &dyn Fn(&str) -> Option<String>) -> Result<ReadFile> {
    let named = flag.or_else(|| environment("CHATRIX_CONFIG").map(PathBuf::from));
    let must_exist = named.is_some();
    let usual =
        || Some(folder("XDG_CONFIG_HOME", "CONFIGURATION_DIRECTORY", ".config", environment)?.join("config.toml"));
    let Some(path) = named.or_else(usual) else {
        return Ok(ReadFile::none(PathBuf::new()));
    };
    match read_text(&path) {
        Ok(text) => Ok(ReadFile { file: File::parse(&text, &path)?, path, exists: true }),
        // NotADirectory: HOME may be /dev/null, which holds no config file either.
        Err(error) if !must_exist && matches!(error.kind(), NotFound | NotADirectory) => Ok(ReadFile::none(path)),
        Err(error) => Err(Error::new(Kind::Config, format!("cannot read the config file {}: {error}", path.display()))),
    }
}

/// The text of a file or of a pipe. A device such as `/dev/zero` has no end.
fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(LONGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(io::Error::other("it has more than 1 MiB, so it is no config file"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
