//! The address of Bedrock, where it is set by hand.

use super::base_url::check;
use super::environment::{Environment, boolean};
use super::profiles::Profiles;
use crate::error::Result;

/// The address that the environment or the profile sets, in the order of AWS's own tools (docs/credentials.md §3);
/// `None` leaves the choice to the region.
///
/// # Errors
/// `Config`, naming the variable or the profile's key.
pub(super) fn configured(environment: &Environment, profiles: &Profiles) -> Result<Option<String>> {
    let ignored_by_profile = profiles.get("ignore_configured_endpoint_urls").and_then(boolean) == Some(true);
    let ignored = match environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        Some(_) => environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
        None => ignored_by_profile,
    };
    if ignored {
        return Ok(None);
    }
    for name in ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"] {
        if let Some(url) = environment.get(name) {
            return check(url, name).map(Some);
        }
    }
    let of_service = profiles.service("bedrock_runtime", "endpoint_url");
    let of_profile = profiles.get("endpoint_url");
    match of_service.or(of_profile).map(str::trim).filter(|url| !url.is_empty()) {
        Some(url) => check(url, &format!("endpoint_url of the AWS profile {:?}", profiles.selected())).map(Some),
        None => Ok(None),
    }
}
