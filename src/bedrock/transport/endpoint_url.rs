//! The addresses of AWS's services, where they are set by hand.

use super::base_url::check;
use super::environment::{Environment, boolean};
use super::profiles::Profiles;
use crate::error::Result;
use url::Url;

/// A service of AWS, as the settings call it
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    /// The variable that sets its address alone.
    pub(super) variable: &'static str,
    /// Its name in the `services` section of a profile.
    section: &'static str,
}

impl Service {
    pub(super) const RUNTIME: Self = Self { variable: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", section: "bedrock_runtime" };
    /// Bedrock's control plane.
    pub(super) const CONTROL: Self = Self { variable: "AWS_ENDPOINT_URL_BEDROCK", section: "bedrock" };
    pub(super) const STS: Self = Self { variable: "AWS_ENDPOINT_URL_STS", section: "sts" };
}

/// An address that is set by hand.
#[derive(Debug, Clone)]
pub(super) struct ConfiguredUrl {
    pub(super) url: String,
    /// Where it was set, for messages.
    pub(super) source: String,
}

/// The address that the environment or the profile sets, in the order of AWS's own tools (docs/credentials.md §3);
/// `None` leaves the choice to the region.
///
/// # Errors
/// `Config`, naming the variable or the profile's key.
pub(super) fn configured(
    service: Service,
    environment: &Environment,
    profiles: &Profiles,
) -> Result<Option<ConfiguredUrl>> {
    let ignored_by_profile = profiles.get("ignore_configured_endpoint_urls").and_then(boolean) == Some(true);
    let ignored = match environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        Some(_) => environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
        None => ignored_by_profile,
    };
    if ignored {
        return Ok(None);
    }
    for name in [service.variable, "AWS_ENDPOINT_URL"] {
        if let Some(url) = environment.get(name) {
            return checked(url, name.to_owned()).map(Some);
        }
    }
    let of_service = profiles.service(service.section, "endpoint_url");
    let of_profile = profiles.get("endpoint_url");
    match of_service.or(of_profile).map(str::trim).filter(|url| !url.is_empty()) {
        Some(url) => checked(url, format!("endpoint_url of the AWS profile {:?}", profiles.selected())).map(Some),
        None => Ok(None),
    }
}

fn checked(url: &str, source: String) -> Result<ConfiguredUrl> {
    Ok(ConfiguredUrl { url: check(url, &source)?, source })
}

/// Whether an address is one of AWS's own, such as that of a VPC endpoint.
pub(super) fn is_of_aws(url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned)).unwrap_or_default();
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|domain| host.ends_with(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_aws_are_told_from_others() {
        for (url, is_aws) in [
            ("https://bedrock-runtime.us-west-2.amazonaws.com", true),
            ("https://vpce-1-a.bedrock-runtime.us-east-1.vpce.amazonaws.com", true),
            ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", true),
            ("https://bedrock-runtime.eu-west-1.api.aws", true),
            ("http://127.0.0.1:3000", false),
            ("https://amazonaws.com.evil.example", false),
            ("https://evil.example/bedrock.us-west-2.amazonaws.com", false),
            ("https://evilamazonaws.com", false),
        ] {
            assert_eq!(is_of_aws(url), is_aws, "{url}");
        }
    }
}
