//! The configuration of the AWS client: region, profile, credentials and endpoint.

use crate::bedrock::aws_context::AwsContext;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_bedrockruntime::config::{Builder, Config, Credentials};
use std::env;
use std::time::Duration;

/// The region when neither a flag, the environment nor the AWS profile sets one.
const DEFAULT_REGION: &str = "us-west-2";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Which Bedrock to call, and with which credentials.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// AWS, with the credentials that its default provider chain finds.
    Aws {
        /// Overrides `AWS_PROFILE`.
        profile: Option<String>,
        /// Overrides the region of the environment and of the profile.
        region: Option<String>,
    },
    /// A stand-in for Bedrock on this machine. Its credentials are dummies, and no AWS configuration is read.
    Local { url: String },
}

/// Sets up the AWS client. Sends nothing to Bedrock.
pub(super) async fn client(endpoint: Endpoint) -> (aws_sdk_bedrockruntime::Client, AwsContext) {
    let (config, context) = match endpoint {
        Endpoint::Aws { profile, region } => aws(profile, region).await,
        Endpoint::Local { url } => local(url),
    };
    // The SDK must not repeat a call by itself: each repetition may be a paid generation (docs/bedrock.md §4.5, §4.6).
    let config = config
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .build();
    (aws_sdk_bedrockruntime::Client::from_conf(config), context)
}

async fn aws(profile: Option<String>, region: Option<String>) -> (Builder, AwsContext) {
    let mut profile_region = ProfileFileRegionProvider::builder();
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = &profile {
        profile_region = profile_region.profile_name(profile);
        loader = loader.profile_name(profile);
    }
    // `region` already includes the environment's. The instance metadata service is left out of the chain: outside EC2
    // that lookup takes seconds, and there is a default region anyway.
    let chain = RegionProviderChain::first_try(region.map(Region::new))
        .or_else(profile_region.build())
        .or_else(Region::from_static(DEFAULT_REGION));
    let shared = loader.region(chain).load().await;
    let mut config = Builder::from(&shared);
    // An empty endpoint panics inside the SDK (docs/bedrock.md, trap 10), so it counts as unset.
    let service = env::var("AWS_ENDPOINT_URL_BEDROCK_RUNTIME").ok();
    if service.as_deref().is_none_or(|url| url.trim().is_empty()) {
        let general = shared.endpoint_url().filter(|url| !url.trim().is_empty());
        if service.is_some() || shared.endpoint_url().is_some() {
            config.set_endpoint_url(general.map(ToOwned::to_owned));
        }
    }
    if env::var("AWS_BEARER_TOKEN_BEDROCK").is_ok_and(|token| token.trim().is_empty()) {
        config.set_auth_scheme_preference(None);
    }
    let region = shared.region().map_or(DEFAULT_REGION, Region::as_ref).to_owned();
    let profile = profile.or_else(|| env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty()));
    (config, AwsContext { profile, region })
}

fn local(url: String) -> (Builder, AwsContext) {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(DEFAULT_REGION))
        .credentials_provider(Credentials::new("offline", "offline", None, None, "offline"))
        .endpoint_url(url);
    (config, AwsContext { profile: None, region: "offline".to_owned() })
}
