//! The configuration of the AWS client: region, profile, credentials and endpoint (docs/credentials.md).

use super::account::Account;
use super::credentials::{CheckedCredentials, Providers};
use super::endpoint_url;
use super::environment::Environment;
use super::http_client::pooled;
use super::profiles::Profiles;
use super::region::Region;
use crate::bedrock::aws_context::{AwsContext, CredentialSource};
use crate::bedrock::bounds::TimeLimits;
use crate::error::{Error, Kind, Result};
use crate::telemetry::Telemetry;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_bedrockruntime::config::{Builder, Config, Credentials};
use aws_smithy_runtime_api::client::auth::{AuthSchemeId, AuthSchemePreference};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Which Bedrock to call, and with which credentials.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// AWS.
    Aws {
        /// A profile that was named for Chatrix. It wins over everything in the environment that would choose other
        /// credentials.
        profile: Option<String>,
        /// Overrides the region of the profile.
        region: Option<Region>,
    },
    /// A stand-in for Bedrock on this machine. Its credentials are dummies, and no AWS configuration is read.
    Local { url: String },
}

/// A client that is not built yet, and whose credentials it uses.
type Setup = (Builder, Account);

/// Sets up the AWS client. Sends nothing to Bedrock.
///
/// # Errors
/// `Config` and `NoCredentials`, for settings that cannot be used.
pub(super) async fn client(
    endpoint: Endpoint,
    limits: TimeLimits,
    telemetry: &Telemetry,
) -> Result<(aws_sdk_bedrockruntime::Client, Account)> {
    let (config, account) = match endpoint {
        // The SDK panics on some settings. Those that are known are refused before; this is the net under them.
        Endpoint::Aws { profile, region } => {
            AssertUnwindSafe(aws(profile.as_deref(), region, limits.credentials, telemetry))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    Err(Error::new(Kind::Config, "the AWS SDK cannot use the AWS settings of this machine"))
                })?
        }
        Endpoint::Local { url } => local(url),
    };
    // The SDK must not repeat a call by itself: each repetition may be a paid generation (docs/bedrock.md §4.5, §4.6).
    let config = config
        .http_client(pooled(limits.connection_idle)?)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
        // Ours forgets what AWS has refused (docs/credentials.md §5).
        .identity_cache(IdentityCache::no_cache())
        .build();
    Ok((aws_sdk_bedrockruntime::Client::from_conf(config), account))
}

async fn aws(
    profile: Option<&str>,
    region: Option<Region>,
    credentials_limit: Duration,
    telemetry: &Telemetry,
) -> Result<Setup> {
    let environment = Environment::of_process(profile)?;
    let profiles = Profiles::load(&environment, profile.is_some()).await?;
    let region = match (region, profiles.get("region")) {
        (Some(region), _) => region,
        (None, Some(name)) => Region::parse(name, format!("the profile {:?}", profiles.selected()))?,
        (None, None) => Region::default_region(),
    };
    let url = endpoint_url::configured(&environment, &profiles)?;
    if url.as_deref().is_none_or(|url| url.starts_with("https://")) {
        check_root_certificates()?;
    }
    let source = credential_source(&environment, &profiles)?;
    let shared = sdk_config(&environment, &region).await;
    let uses_variant = shared.use_fips() == Some(true) || shared.use_dual_stack() == Some(true);
    if url.is_some() && uses_variant {
        let message = "an endpoint set by hand cannot be combined with FIPS or dual-stack endpoints";
        return Err(Error::new(Kind::Config, message)
            .advise("unset the endpoint, or use_fips_endpoint and use_dualstack_endpoint (AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT)"));
    }
    let mut config = Builder::from(&shared);
    config.set_endpoint_url(url.clone());
    let mut credentials = None;
    if source != CredentialSource::ApiKey {
        config.set_token_provider(None);
        config.set_auth_scheme_preference(Some(AuthSchemePreference::from([AuthSchemeId::from("sigv4")])));
        credentials = Some(CheckedCredentials::new(
            providers(environment.clone(), region.clone()),
            credentials_limit,
            telemetry.clone(),
        ));
        config.set_credentials_provider(credentials.clone().map(SharedCredentialsProvider::new));
    }
    let mut summary = format!("AWS credentials: {source}; region {}", region.as_str());
    if let Some(url) = url {
        summary.push_str(&format!("; endpoint {url}"));
    }
    if let Some(name) = environment.overruled() {
        summary.push_str(&format!("; {name} is set but not used, because a profile is named"));
    }
    let context = AwsContext {
        credentials: source,
        profile: profiles.named().map(ToOwned::to_owned),
        region: region.as_str().to_owned(),
    };
    Ok((config, Account { context, credentials, summary }))
}

/// The SDK's settings for this environment. The files of profiles are read, once for each result.
async fn sdk_config(environment: &Environment, region: &Region) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest()).env(environment.for_sdk());
    // The SDK panics on a retry mode or a number of attempts that it does not understand, and none is needed: these are
    // the attempts to load credentials.
    let loader = loader.retry_config(RetryConfig::standard());
    loader.region(aws_config::Region::new(region.as_str().to_owned())).load().await
}

/// Builds the SDK's chain of providers anew for each load, so that files that have changed are read again.
fn providers(environment: Environment, region: Region) -> Providers {
    Arc::new(move || {
        let (environment, region) = (environment.clone(), region.clone());
        async move { sdk_config(&environment, &region).await.credentials_provider() }.boxed()
    })
}

/// Without root certificates no server of AWS can be trusted, and each connection would fail with a riddle.
fn check_root_certificates() -> Result<()> {
    if rustls_native_certs::load_native_certs().certs.is_empty() {
        return Err(Error::new(Kind::Config, "this machine has no root certificates, so AWS cannot be recognized")
            .advise("install ca-certificates, or set SSL_CERT_FILE to a file that holds them"));
    }
    Ok(())
}

/// Whose credentials the SDK will find. Its order is followed here, so that messages can name them.
fn credential_source(environment: &Environment, profiles: &Profiles) -> Result<CredentialSource> {
    if environment.is_set("AWS_BEARER_TOKEN_BEDROCK") {
        return Ok(CredentialSource::ApiKey);
    }
    if environment.is_set("AWS_ACCESS_KEY_ID") {
        return Ok(CredentialSource::EnvironmentKeys);
    }
    if let Some(profile) = profiles.credentials()? {
        return Ok(CredentialSource::Profile(profile));
    }
    let is_set = |name| environment.is_set(name);
    Ok(if is_set("AWS_WEB_IDENTITY_TOKEN_FILE") {
        CredentialSource::WebIdentity
    } else if is_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        CredentialSource::Container
    } else if environment.is_true("AWS_EC2_METADATA_DISABLED") {
        CredentialSource::Missing
    } else {
        CredentialSource::Instance
    })
}

fn local(url: String) -> Setup {
    let region = Region::default_region();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(region.as_str().to_owned()))
        .credentials_provider(Credentials::new("offline", "offline", None, None, "offline"))
        .endpoint_url(url);
    let context = AwsContext { credentials: CredentialSource::Offline, profile: None, region: "offline".to_owned() };
    (config, Account { context, credentials: None, summary: String::new() })
}
