//! The profiles of AWS's config and credentials files: which one is selected, and what kind of credentials it holds.

use super::environment::{Environment, is_key};
use crate::bedrock::aws_context::{ProfileCredentials, ProfileKind};
use crate::bedrock::causes::all_causes;
use crate::error::{Error, Kind, Result};
use aws_config::profile::{Profile, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::property::PropertiesKey;
use aws_types::os_shim_internal::Fs;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The most profiles that an error lists.
const LISTED: usize = 10;

/// The profiles, one of which is selected.
#[derive(Debug)]
pub(super) struct Profiles {
    set: ProfileSet,
    /// What is wrong with the files, so that no profile could be read.
    unreadable: Option<String>,
    /// The files that were looked at.
    files: String,
    is_named: bool,
}

impl Profiles {
    /// Reads the files. `AWS_PROFILE` selects a profile; without it the default one is selected, which need not exist.
    /// `named` says that the profile was named for Chatrix, and must exist even if it is the default one.
    ///
    /// # Errors
    /// `NoCredentials` when there is no profile of the selected name.
    pub(super) async fn load(environment: &Environment, named: bool) -> Result<Self> {
        let loaded =
            aws_config::profile::load(&Fs::real(), &environment.for_sdk(), &EnvConfigFiles::default(), None).await;
        let (set, unreadable) = match loaded {
            Ok(set) => (set, None),
            Err(error) => (ProfileSet::default(), Some(one_line(&all_causes(&error)))),
        };
        // Containers set AWS_PROFILE=default beside keys and without any file.
        let is_named = named || environment.get("AWS_PROFILE").is_some_and(|name| name != "default");
        let selected = environment.get("AWS_PROFILE").unwrap_or("default");
        let profiles = Self { set, unreadable, files: files(environment), is_named };
        if is_named && profiles.set.get_profile(selected).is_none() {
            return Err(profiles.unknown(selected));
        }
        Ok(profiles)
    }

    fn unknown(&self, name: &str) -> Error {
        if let Some(unreadable) = &self.unreadable {
            return Error::new(Kind::NoCredentials, format!("the AWS profile {name:?} cannot be read: {unreadable}"))
                .advise("correct that file");
        }
        let known: BTreeSet<&str> = self.set.profiles().collect();
        let mut list: Vec<String> = known.iter().take(LISTED).map(|name| format!("{name:?}")).collect();
        if known.len() > LISTED {
            list.push(format!("{} more", known.len() - LISTED));
        }
        let known = if list.is_empty() { "no profile".to_owned() } else { list.join(", ") };
        Error::new(Kind::NoCredentials, format!("there is no AWS profile {name:?}: {} define {known}", self.files))
            .advise("correct the name, or run: aws configure --profile NAME")
    }

    /// The name of the selected profile.
    pub(super) fn selected(&self) -> &str {
        self.set.selected_profile()
    }

    /// The name of the selected profile, unless it is the default one.
    pub(super) fn named(&self) -> Option<&str> {
        self.is_named.then(|| self.selected())
    }

    /// A key of the selected profile.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.set.get(key).map(str::trim).filter(|value| !value.is_empty())
    }

    /// A key of a service, from the `services` section that the selected profile names. AWS spells the service
    /// `bedrock_runtime`; its SDK for Rust looks for `bedrock-runtime`.
    pub(super) fn service(&self, service: &str, key: &str) -> Option<&str> {
        let section = self.get("services")?;
        [service.to_owned(), service.replace('_', "-")].into_iter().find_map(|service| {
            let builder = PropertiesKey::builder().section_key("services").section_name(section);
            let key = builder.property_name(service).sub_property_name(key).build().ok()?;
            self.set.other_sections().get(&key).map(String::as_str)
        })
    }

    /// What kind of credentials the selected profile holds; `None` when it holds none.
    ///
    /// # Errors
    /// `NoCredentials` when the files cannot be read, or a key in them cannot be used.
    pub(super) fn credentials(&self) -> Result<Option<ProfileCredentials>> {
        if let Some(unreadable) = &self.unreadable {
            return Err(Error::new(Kind::NoCredentials, format!("the AWS profiles cannot be read: {unreadable}"))
                .advise("correct that file"));
        }
        let mut visited = Vec::new();
        let mut name = self.selected();
        loop {
            let Some(profile) = self.set.get_profile(name).filter(|_| !visited.contains(&name)) else {
                return Ok(None);
            };
            visited.push(name);
            check_keys(profile)?;
            let assumes_role = profile.get("role_arn").is_some() && profile.get("web_identity_token_file").is_none();
            let has_keys = profile.get("aws_access_key_id").is_some();
            // A profile that is only the source of a role's credentials gives its keys first.
            if assumes_role
                && !(visited.len() > 1 && has_keys)
                && let Some(source) = profile.get("source_profile").filter(|source| *source != name)
            {
                name = source;
                continue;
            }
            let assumes_role = assumes_role || visited.len() > 1;
            let found = kind(profile).map(|kind| ProfileCredentials {
                profile: self.selected().to_owned(),
                base: name.to_owned(),
                kind,
                assumes_role,
            });
            return Ok(found);
        }
    }
}

/// The kind of a profile's own credentials, in the order in which the SDK looks for them.
fn kind(profile: &Profile) -> Option<ProfileKind> {
    let has = |key: &str| profile.get(key).is_some();
    if has("credential_source") {
        Some(ProfileKind::Elsewhere)
    } else if has("web_identity_token_file") {
        Some(ProfileKind::WebIdentity)
    } else if ["sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region"].into_iter().any(has) {
        Some(ProfileKind::Sso)
    } else if has("login_session") {
        Some(ProfileKind::LoginSession)
    } else if has("credential_process") {
        Some(ProfileKind::CredentialProcess)
    } else if has("aws_access_key_id") || has("aws_secret_access_key") {
        Some(ProfileKind::Keys)
    } else {
        None
    }
}

fn check_keys(profile: &Profile) -> Result<()> {
    for key in ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"] {
        if profile.get(key).is_some_and(|value| !is_key(value.trim())) {
            let name = profile.name();
            let message = format!("{key} of the AWS profile {name:?} contains a character that no key has");
            return Err(Error::new(Kind::NoCredentials, message).advise("set it again, to the key alone"));
        }
    }
    Ok(())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The files, with what is wrong with them.
fn files(environment: &Environment) -> String {
    let path = |variable: &str, default: &str| match environment.get(variable) {
        Some(path) => path.to_owned(),
        None => format!("~/.aws/{default}"),
    };
    let config = path("AWS_CONFIG_FILE", "config");
    let credentials = path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    let shown = |path: String| match problem(&absolute(&path, environment)) {
        Some(problem) => format!("{path} ({problem})"),
        None => path,
    };
    format!("{} and {}", shown(config), shown(credentials))
}

fn absolute(path: &str, environment: &Environment) -> PathBuf {
    match (path.strip_prefix("~/"), environment.get("HOME")) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// Why a file defines nothing; `None` for a file that can be read.
fn problem(path: &Path) -> Option<&'static str> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("which does not exist"),
        Err(_) => Some("which cannot be read"),
        Ok(metadata) if metadata.is_dir() => Some("which is a directory"),
        Ok(metadata) if metadata.is_file() => match std::fs::read(path) {
            Err(_) => Some("which cannot be read"),
            Ok(bytes) => std::str::from_utf8(&bytes).is_err().then_some("which is not UTF-8 text"),
        },
        Ok(_) => None,
    }
}
