//! Settings: flags over environment over config file over defaults, each value remembering where it came from.
//! Reads the environment and one file, and nothing else; what the values do is decided elsewhere.

mod file;

use crate::catalog::{Catalog, OwnModel};
use crate::conversation::ServiceTier;
use crate::error::{Error, Kind, Result};
use crate::ledger::budget::Budgets;
use crate::policy::{Limits, ModelLimits, Policy};
use file::File;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind::{NotADirectory, NotFound};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// An environment variable, by name.
    Environment(&'static str),
    /// The config file.
    File(PathBuf),
    /// The house.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("the command line"),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Its source.
    pub source: Source,
}

/// What the command line says. `None`: nothing.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--model`
    pub model: Option<String>,
    /// `--profile`
    pub profile: Option<String>,
    /// `--region`
    pub region: Option<String>,
    /// `--offline`
    pub offline: bool,
    /// `--host`
    pub host: Option<IpAddr>,
    /// `--port`
    pub port: Option<u16>,
    /// `--allow-origin`, each
    pub allow_origins: Vec<String>,
    /// `--require-key`
    pub require_key: bool,
}

/// Everything that can be set.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Settings {
    /// The model of a request that names none.
    pub model: Setting<String>,
    /// The AWS profile; `None` leaves it to the SDK.
    pub profile: Option<Setting<String>>,
    /// The AWS region; `None` leaves it to the profile and the default.
    pub region: Option<Setting<String>>,
    /// Whether to talk to the Bedrock inside this process.
    pub offline: Setting<bool>,
    /// Whether a retired model is replaced by its successor.
    pub follow_successor: Setting<bool>,
    /// How long a stream may be silent.
    pub stream_idle: Setting<Duration>,
    /// The address `serve` listens on.
    pub host: Setting<IpAddr>,
    /// The port `serve` listens on; 0 for any.
    pub port: Setting<u16>,
    /// Origins that may use the server besides the local ones.
    pub allow_origins: Vec<String>,
    /// Host names the server answers to besides the local ones.
    pub allow_hosts: Vec<String>,
    /// Whether images may be named by address.
    pub fetch_images: bool,
    /// Whether `serve` answers only to its own API keys.
    pub require_key: bool,
    /// Whether `serve` reads an answer on to its usage when its client has gone.
    pub drain: bool,
    /// What may be spent.
    pub budgets: Budgets,
    /// Where the ledger is; `None` when there is no home folder.
    pub ledger: Option<PathBuf>,
    prompt_cache: bool,
    service_tiers: Vec<ServiceTier>,
    limits: Limits,
    overrides: Vec<ModelLimits>,
    catalog: Arc<Catalog>,
}

impl Settings {
    /// Settings of this process. `environment` looks a variable up; an empty one counts as unset.
    ///
    /// # Errors
    /// `Config`, naming file, line and key, or the variable.
    pub fn load(flags: Flags, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let environment = |name: &'static str| environment(name).filter(|value| !value.is_empty());
        let (file, path) = read(flags.config, &environment)?;
        let from_file = || Source::File(path.clone());
        // flag > environment > file
        let pick = |flag: Option<String>, names: &[&'static str], file: Option<String>| {
            let variable = || names.iter().find_map(|name| Some((environment(name)?, Source::Environment(name))));
            let flag = flag.map(|value| (value, Source::Flag));
            let found = flag.or_else(variable).or_else(|| Some((file?, from_file())));
            found.map(|(value, source)| Setting { value, source })
        };

        let catalog = Arc::new(catalog(&file, &path)?);
        let model = pick(flags.model, &["CHATRIX_MODEL"], file.default_model)
            .unwrap_or_else(|| Setting { value: catalog.default_alias().to_owned(), source: Source::Default });
        catalog.resolve(&model.value).map_err(|error| match model.source {
            Source::Flag => error,
            _ => Error::new(Kind::Config, format!("default model from {}: {}", model.source, error.message))
                .advise(error.advice()),
        })?;
        let overrides = overrides(&file.models, &catalog, &path)?;
        let host = match (flags.host, environment("CHATRIX_HOST"), file.serve.host) {
            (Some(value), _, _) => Setting { value, source: Source::Flag },
            (_, Some(text), _) => parsed(&text, "CHATRIX_HOST", "an IP address")?,
            (_, _, Some(value)) => Setting { value, source: from_file() },
            _ => Setting { value: IpAddr::from([127, 0, 0, 1]), source: Source::Default },
        };
        let port = match (flags.port, environment("CHATRIX_PORT"), file.serve.port) {
            (Some(value), _, _) => Setting { value, source: Source::Flag },
            (_, Some(text), _) => parsed(&text, "CHATRIX_PORT", "a port number")?,
            (_, _, Some(value)) => Setting { value, source: from_file() },
            _ => Setting { value: 3000, source: Source::Default },
        };
        let offline = match environment("CHATRIX_OFFLINE").as_deref() {
            _ if flags.offline => Setting { value: true, source: Source::Flag },
            Some("1" | "true" | "yes") => Setting { value: true, source: Source::Environment("CHATRIX_OFFLINE") },
            Some("0" | "false" | "no") | None => Setting { value: false, source: Source::Default },
            Some(other) => {
                return Err(
                    Error::new(Kind::Config, format!("CHATRIX_OFFLINE is {other:?}")).advise("set it to 1 or 0")
                );
            }
        };
        let set = |value: Option<bool>| Setting {
            source: value.map_or(Source::Default, |_| from_file()),
            value: value.unwrap_or(true),
        };
        Ok(Self {
            model,
            profile: pick(flags.profile, &["AWS_PROFILE"], file.profile),
            region: pick(flags.region, &["AWS_REGION", "AWS_DEFAULT_REGION"], file.region),
            ledger: ledger(offline.value, &environment),
            offline,
            follow_successor: set(file.follow_successor),
            stream_idle: Setting {
                source: file.stream_idle_seconds.as_ref().map_or(Source::Default, |_| from_file()),
                value: Duration::from_secs(file.stream_idle_seconds.map_or(120, |seconds| u64::from(seconds.0.get()))),
            },
            host,
            port,
            allow_origins: flags.allow_origins.into_iter().chain(file.serve.allow_origins).collect(),
            allow_hosts: file.serve.allow_hosts,
            fetch_images: file.serve.fetch_images,
            require_key: flags.require_key || file.serve.require_key,
            drain: file.serve.on_disconnect == Some(file::OnDisconnect::Drain),
            budgets: file.budget.budgets(),
            prompt_cache: file.prompt_cache == Some(file::PromptCache::Auto),
            service_tiers: file
                .service_tiers
                .iter()
                .map(|tier| match tier {
                    file::ServiceTier::Flex => ServiceTier::Flex,
                    file::ServiceTier::Priority => ServiceTier::Priority,
                })
                .collect(),
            limits: Limits::default().with(&file.limits.overrides()),
            overrides,
            catalog,
        })
    }

    /// All models, the operator's own included.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The cost policy these settings make.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            catalog: Arc::clone(&self.catalog),
            default_model: self.model.value.clone(),
            limits: self.limits,
            overrides: self.overrides.clone(),
            follow_successor: self.follow_successor.value,
            prompt_cache: self.prompt_cache,
            service_tiers: self.service_tiers.clone(),
        }
    }
}

/// Chatrix's folder below `$XDG_{kind}_HOME`, or below its default in the home folder.
#[must_use]
pub fn folder(variable: &str, default: &str, environment: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let base = environment(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| {
        environment("HOME").map(PathBuf::from).filter(|home| home.is_absolute()).map(|home| home.join(default))
    });
    base.map(|base| base.join("chatrix"))
}

fn read(flag: Option<PathBuf>, environment: &impl Fn(&'static str) -> Option<String>) -> Result<(File, PathBuf)> {
    let named = flag.or_else(|| environment("CHATRIX_CONFIG").map(PathBuf::from));
    let must_exist = named.is_some();
    let usual = || {
        let lookup = |name: &str| match name {
            "XDG_CONFIG_HOME" => environment("XDG_CONFIG_HOME"),
            _ => environment("HOME"),
        };
        folder("XDG_CONFIG_HOME", ".config", lookup).map(|folder| folder.join("config.toml"))
    };
    let Some(path) = named.or_else(usual) else {
        return Ok((File::default(), PathBuf::new()));
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((File::parse(&text, &path)?, path)),
        // Not a directory: a home that is none has no config file either.
        Err(error) if !must_exist && matches!(error.kind(), NotFound | NotADirectory) => Ok((File::default(), path)),
        Err(error) => Err(Error::new(Kind::Config, format!("config file {}: {error}", path.display()))),
    }
}

fn parsed<T: std::str::FromStr>(text: &str, name: &'static str, wanted: &str) -> Result<Setting<T>> {
    match text.parse() {
        Ok(value) => Ok(Setting { value, source: Source::Environment(name) }),
        Err(_) => Err(Error::new(Kind::Config, format!("{name} is {text:?}, which is not {wanted}"))),
    }
}

/// Where calls are booked. Offline ones have a ledger of their own: nothing of theirs was ever billed.
fn ledger(offline: bool, environment: &impl Fn(&'static str) -> Option<String>) -> Option<PathBuf> {
    let lookup = |name: &str| environment(if name == "HOME" { "HOME" } else { "XDG_STATE_HOME" });
    let name = if offline { "offline.db" } else { "ledger.db" };
    folder("XDG_STATE_HOME", ".local/state", lookup).map(|folder| folder.join(name))
}

/// This build's models with the operator's own. A mistake in one of those names the file.
fn catalog(file: &File, path: &Path) -> Result<Catalog> {
    let own: Vec<OwnModel> = file
        .models
        .iter()
        // A table that holds only limits adds no model; it is checked with the overrides.
        .filter(|(_, table)| table.id.is_some() || table.price.is_some() || table.like.is_some())
        .map(|(name, table)| OwnModel {
            alias: name.clone(),
            id: table.id.clone(),
            like: table.like.clone(),
            prices: table.price,
        })
        .collect();
    Catalog::load(&own).map_err(|mut error| {
        if error.kind == Kind::Config {
            error.message = format!("{}: {}", path.display(), error.message);
        }
        error
    })
}

fn overrides(models: &BTreeMap<String, file::Model>, catalog: &Catalog, path: &Path) -> Result<Vec<ModelLimits>> {
    // The table of an embedding model holds its price only.
    let chat_models = models.iter().filter(|(name, table)| {
        table.id.is_some() || table.price.is_none() || catalog.resolve_embedding(name).is_err()
    });
    let limits = chat_models.map(|(name, table)| match catalog.resolve(name) {
        Ok(model) => Ok(ModelLimits { name: name.clone(), id: model.id.clone(), overrides: table.limits() }),
        Err(error) => Err(Error::new(Kind::Config, format!("{}: [models.{name}]: {}", path.display(), error.message))
            .advise(error.advice())),
    });
    limits.collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::conversation::{Message, Request};
    use std::io::Write;

    fn load(text: &str, flags: Flags, variables: &[(&str, &str)]) -> Result<Settings> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let flags = Flags { config: Some(file.path().to_owned()), ..flags };
        Settings::load(flags, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn flag_over_environment_over_file_over_default() {
        let file = "default_model = 'nova-pro'\nregion = 'eu-west-1'\n[serve]\nport = 4000";
        let variables = [("CHATRIX_MODEL", "nova-lite"), ("AWS_REGION", ""), ("CHATRIX_PORT", "5000")];
        let flags = Flags { model: Some("nova-micro".into()), ..Flags::default() };
        let settings = load(file, flags, &variables).unwrap();
        assert_eq!((settings.model.value.as_str(), &settings.model.source), ("nova-micro", &Source::Flag));
        assert_eq!((settings.port.value, &settings.port.source), (5000, &Source::Environment("CHATRIX_PORT")));
        let region = settings.region.unwrap();
        assert_eq!(region.value, "eu-west-1");
        assert!(matches!(region.source, Source::File(_)));
        assert_eq!(load(file, Flags::default(), &variables).unwrap().model.value, "nova-lite");
        assert_eq!(load(file, Flags::default(), &[]).unwrap().model.value, "nova-pro");
        let default = load("", Flags::default(), &[]).unwrap();
        assert_eq!(
            (default.model.value.as_str(), default.port.value, default.model.source),
            ("claude-haiku", 3000, Source::Default)
        );
    }

    #[test]
    fn a_mistake_names_file_line_and_key() {
        for (text, pieces) in [
            ("region = 'x'\nmodle = 'y'", [":2", "modle"]),
            ("[limits]\n\ntemperature = 3", [":3", "temperature"]),
            ("[limits]\nmax_tokens = 0", [":2", "max_tokens"]),
            ("[limits]\nmax_tokens = 2000", [":2", "max_tokens"]),
            ("[serve]\nport = 'x'", [":2", "port"]),
            ("[models.house]\nid = 'arn:x/y'\nprice = { input = -1, output = 2 }", [":3", "price"]),
            ("stream_idle_seconds = 0", [":1", "stream_idle_seconds"]),
            ("x = [", [":1", "x"]),
        ] {
            let error = load(text, Flags::default(), &[]).unwrap_err();
            assert_eq!(error.kind, Kind::Config, "{text}");
            for piece in pieces {
                assert!(error.message.contains(piece), "{text}: {}", error.message);
            }
        }
        assert!(load("[models.nobody]\nmax_tokens = 5", Flags::default(), &[]).is_err());
        assert!(load("default_model = 'nobody'", Flags::default(), &[]).is_err());
    }

    #[test]
    fn own_models_and_limits_reach_the_policy() {
        let text = "[models.house]\nid = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a'\n\
                    like = 'claude-sonnet-4'\nmax_tokens_limit = 9000\ntemperature = 'unset'\n\
                    price = { input = 4, output = 20 }\n[limits]\nmax_tokens_limit = 100";
        let policy = load(text, Flags::default(), &[]).unwrap().policy();
        let request = |model: &str| Request {
            model: model.into(),
            messages: vec![Message::user("x")],
            max_tokens: Some(5000),
            ..Request::default()
        };
        let house = policy.admit(request("house")).unwrap();
        assert_eq!((house.max_tokens(), house.temperature(), house.top_p()), (5000, None, Some(0.3)));
        assert_eq!(house.model().prices.unwrap().output.dollars(), "20.00");
        assert_eq!(policy.admit(request("nova-micro")).unwrap().max_tokens(), 100);
    }
}
