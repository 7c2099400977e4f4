//! The environment variables of AWS, cleaned before the SDK sees them. Keys that come from files and secret stores
//! often end with a line end, and a value that cannot be part of an HTTP header makes the SDK panic
//! (docs/credentials.md §3).

use super::base_url;
use crate::error::{Error, Kind, Result};
use aws_types::os_shim_internal::Env;
use std::collections::HashMap;
use std::ffi::OsString;

/// Variables that hold keys. They are refused by name when they cannot be what they should be.
const KEYS: [&str; 6] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];
/// Variables that say who pays. A profile that was named for Chatrix wins over all of them.
const IDENTITY: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
];
/// Endpoints of Bedrock, and of the services that credentials come from.
const ENDPOINTS: [&str; 6] = [
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_SIGNIN",
    "AWS_ENDPOINT_URL",
];
/// Variables that decide where a request goes. A typing mistake in one of them must not count as "no".
const BOOLEANS: [&str; 3] =
    ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"];

/// The variables of a process. Those of AWS have no blanks or line ends around their values, and are never empty.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    variables: HashMap<String, String>,
    /// Variables that would have said who pays, had no profile been named.
    overruled: Vec<&'static str>,
}

impl Environment {
    /// Reads the variables of this process. `profile` is a profile that was named for Chatrix: the variables that
    /// would choose other credentials are left out then.
    ///
    /// # Errors
    /// `NoCredentials` for keys, and `Config` for endpoints and switches, that cannot be used; the error names the
    /// variable.
    pub(super) fn of_process(profile: Option<&str>) -> Result<Self> {
        Self::new(std::env::vars_os(), profile)
    }

    pub(super) fn new(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        profile: Option<&str>,
    ) -> Result<Self> {
        let mut clean = HashMap::new();
        let mut overruled = Vec::new();
        for (name, value) in variables {
            let Ok(name) = name.into_string() else { continue };
            if profile.is_some()
                && let Some(known) = IDENTITY.iter().find(|known| **known == name)
            {
                if !value.to_string_lossy().trim().is_empty() {
                    overruled.push(*known);
                }
                continue;
            }
            let value = match value.into_string() {
                Ok(value) => value,
                Err(_) if KEYS.contains(&name.as_str()) => return Err(not_a_key(&name)),
                Err(value) => value.to_string_lossy().into_owned(),
            };
            if !name.starts_with("AWS_") && name != "SECRET_ACCESS_KEY" {
                clean.insert(name, value);
                continue;
            }
            let value = value.trim();
            if KEYS.contains(&name.as_str()) && !is_key(value) {
                return Err(not_a_key(&name));
            }
            if BOOLEANS.contains(&name.as_str()) && !value.is_empty() && boolean(value).is_none() {
                return Err(Error::new(Kind::Config, format!("{name} is neither true nor false")));
            }
            if !value.is_empty() {
                clean.insert(name, value.to_owned());
            }
        }
        overruled.sort_by_key(|name| IDENTITY.iter().position(|known| known == name));
        let mut environment = Self { variables: clean, overruled };
        environment.select_profile(profile);
        environment.check_endpoints()?;
        environment.check_keys()?;
        Ok(environment)
    }

    fn select_profile(&mut self, profile: Option<&str>) {
        if let Some(profile) = profile {
            self.variables.insert("AWS_PROFILE".to_owned(), profile.to_owned());
        }
    }

    /// The value of a variable of AWS; never empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).and_then(boolean) == Some(true)
    }

    /// The first variable that would have said who pays, had no profile been named.
    pub(super) fn overruled(&self) -> Option<&'static str> {
        self.overruled.iter().find(|name| !matches!(**name, "AWS_PROFILE" | "AWS_ROLE_ARN")).copied()
    }

    /// The cleaned variables, for the SDK.
    pub(super) fn for_sdk(&self) -> Env {
        Env::from(self.variables.clone())
    }

    fn check_endpoints(&self) -> Result<()> {
        if self.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            return Ok(());
        }
        for name in ENDPOINTS {
            if let Some(url) = self.get(name) {
                base_url::check(url, name)?;
            }
        }
        Ok(())
    }

    /// One of the two keys alone means that the other was forgotten. To go on with other credentials could let
    /// another account pay.
    fn check_keys(&self) -> Result<()> {
        let secret = self.is_set("AWS_SECRET_ACCESS_KEY") || self.is_set("SECRET_ACCESS_KEY");
        if self.is_set("AWS_ACCESS_KEY_ID") && !secret {
            let message = "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not";
            return Err(Error::new(Kind::NoCredentials, message).advise("set both, or unset both to use a profile"));
        }
        Ok(())
    }
}

/// Whether a text can be a key or a token: it is made of visible ASCII characters.
pub(super) fn is_key(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn not_a_key(name: &str) -> Error {
    Error::new(Kind::NoCredentials, format!("{name} contains a blank, a line end or another character that no key has"))
        .advise("set it again, to the key alone")
}

/// The values that AWS's tools take for yes and no.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn read(variables: &[(&str, &str)], profile: Option<&str>) -> Result<Environment> {
        Environment::new(variables.iter().map(|(name, value)| (name.into(), value.into())), profile)
    }

    #[test]
    fn values_are_trimmed_and_empty_ones_unset() {
        let environment = read(
            &[
                ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE\r\n"),
                ("AWS_SECRET_ACCESS_KEY", " secret\n"),
                ("AWS_SESSION_TOKEN", "\n"),
                ("AWS_PROFILE", ""),
                ("AWS_ENDPOINT_URL", " http://127.0.0.1:9\n"),
                ("OTHER", " kept "),
            ],
            None,
        );
        let environment = environment.unwrap();
        assert_eq!(environment.get("AWS_ACCESS_KEY_ID"), Some("AKIDEXAMPLE"));
        assert_eq!(environment.get("AWS_SECRET_ACCESS_KEY"), Some("secret"));
        assert_eq!(environment.get("AWS_ENDPOINT_URL"), Some("http://127.0.0.1:9"));
        assert_eq!((environment.get("AWS_SESSION_TOKEN"), environment.get("AWS_PROFILE")), (None, None));
        assert_eq!(environment.get("OTHER"), Some(" kept "));
        assert_eq!(environment.for_sdk().get("AWS_ACCESS_KEY_ID").unwrap(), "AKIDEXAMPLE");
        assert!(environment.for_sdk().get("AWS_PROFILE").is_err());
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        for (name, value, kind) in [
            ("AWS_ACCESS_KEY_ID", "AK\nID", Kind::NoCredentials),
            ("AWS_SECRET_ACCESS_KEY", "a\u{1}b", Kind::NoCredentials),
            ("AWS_SESSION_TOKEN", "tö", Kind::NoCredentials),
            ("AWS_BEARER_TOKEN_BEDROCK", "Bearer x", Kind::NoCredentials),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", Kind::NoCredentials),
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "127.0.0.1:9", Kind::Config),
            ("AWS_ENDPOINT_URL_STS", "nonsense", Kind::Config),
            ("AWS_USE_FIPS_ENDPOINT", "yes", Kind::Config),
        ] {
            let error = read(&[(name, value)], None).unwrap_err();
            assert_eq!(error.kind, kind, "{name}");
            assert!(error.message.starts_with(name), "{}", error.message);
        }
        let ignored = [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE"), ("AWS_ENDPOINT_URL", "nonsense")];
        assert!(read(&ignored, None).is_ok());
    }

    #[test]
    fn a_named_profile_overrules_whoever_else_would_pay() {
        let others = [("AWS_ACCESS_KEY_ID", "A\nB"), ("AWS_BEARER_TOKEN_BEDROCK", "x"), ("AWS_PROFILE", "other")];
        let environment = read(&others, Some("work")).unwrap();
        assert_eq!(environment.get("AWS_PROFILE"), Some("work"));
        assert!(!environment.is_set("AWS_ACCESS_KEY_ID") && !environment.is_set("AWS_BEARER_TOKEN_BEDROCK"));
        assert_eq!(environment.overruled(), Some("AWS_ACCESS_KEY_ID"));
        assert_eq!(read(&[("AWS_PROFILE", "other")], Some("work")).unwrap().overruled(), None);
    }
}
