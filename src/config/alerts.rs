//! Who is told when a budget is nearly used up.

use super::file::{Alerts, Parsed};
use crate::alerts::AlertSettings;
use crate::error::{Error, Kind, Result};
use std::path::Path;

/// `path`: the config file. `environment` looks a variable up.
///
/// # Errors
/// `Config`, without the secret.
pub(super) fn settings(
    alerts: Alerts,
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<AlertSettings>> {
    let Alerts { webhook, secret, secret_env } = alerts;
    let wrong = |what: String| Error::new(Kind::Config, format!("{}: [alerts] {what}", path.display()));
    if secret.is_some() && secret_env.is_some() {
        return Err(wrong("has both secret and secret_env".to_owned()).advise("leave one of them out"));
    }
    let secret = match (secret, secret_env) {
        (Some(Parsed(secret)), _) => Some(secret),
        (None, Some(name)) => {
            let text = environment(&name)
                .ok_or_else(|| wrong(format!("secret_env names the variable {name}, which is not set")))?;
            Some(text.parse().map_err(|error| wrong(format!("the secret in {name} is not valid: {error}")))?)
        }
        (None, None) => None,
    };
    match webhook {
        Some(Parsed(webhook)) => Ok(Some(AlertSettings { webhook, secret })),
        None if secret.is_some() => Err(wrong("has a secret, but no webhook".to_owned())),
        None => Ok(None),
    }
}
