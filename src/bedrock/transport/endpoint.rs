//! The configuration of the AWS client: region, profile, credentials and endpoint (docs/credentials.md).

use super::account::{Account, Place};
use super::authorization::Authorization;
use super::connector::Connector;
use super::credential_client::CredentialClient;
use super::credentials::{CheckedCredentials, Providers};
use super::destination::{Destinations, Rules};
use super::endpoint_url::{self, ConfiguredUrl, Service};
use super::environment::Environment;
use super::free_services::FreeServices;
use super::profiles::Profiles;
use super::region::Region;
use crate::bedrock::aws_context::{AwsContext, CredentialSource};
use crate::bedrock::bounds::TimeLimits;
use crate::error::{Error, Kind, Result};
use crate::telemetry::Telemetry;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use futures_util::FutureExt;
use hyper::header::HeaderValue;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// The variable that holds a Bedrock API key.
const API_KEY: &str = "AWS_BEARER_TOKEN_BEDROCK";

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

/// The settings of a transport.
pub(super) struct Setup {
    pub(super) account: Account,
    pub(super) authorization: Authorization,
    pub(super) destinations: Destinations,
    pub(super) connector: Arc<Connector>,
    pub(super) user_agent: HeaderValue,
    pub(super) free_services: FreeServices,
}

/// Reads the settings of a transport. Sends nothing to Bedrock.
///
/// # Errors
/// `Config` and `NoCredentials`, for settings that cannot be used.
pub(super) async fn set_up(endpoint: Endpoint, limits: TimeLimits, telemetry: &Telemetry) -> Result<Setup> {
    match endpoint {
        // The SDK panics on some settings. Those that are known are refused before; this is the net under them.
        Endpoint::Aws { profile, region } => {
            AssertUnwindSafe(aws(profile.as_deref(), region, limits.credentials, telemetry))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    Err(Error::new(Kind::Config, "the AWS SDK cannot use the AWS settings of this machine"))
                })
        }
        Endpoint::Local { url } => local(url).await,
    }
}

async fn aws(
    profile: Option<&str>,
    region: Option<Region>,
    credentials_limit: Duration,
    telemetry: &Telemetry,
) -> Result<Setup> {
    let environment = Environment::of_process(profile)?;
    let profiles = Profiles::load(&environment, profile.is_some()).await?;
    let of_profile = || format!("the profile {:?}", profiles.selected());
    let (region, region_source) = match (region, profiles.get("region")) {
        (Some(region), _) => (region, None),
        (None, Some(name)) => (Region::parse(name, of_profile())?, Some(of_profile())),
        (None, None) => (Region::default_region(), None),
    };
    let configured = endpoint_url::configured(Service::RUNTIME, &environment, &profiles)?;
    let url = configured.as_ref().map(|configured| configured.url.clone());
    let source = credential_source(&environment, &profiles)?;
    let connector = Arc::new(connector(url.as_deref())?);
    let shared = sdk_config(&environment, &region, &connector).await;
    let (use_fips, use_dual_stack) = (shared.use_fips() == Some(true), shared.use_dual_stack() == Some(true));
    if url.is_some() && (use_fips || use_dual_stack) {
        let message = "an endpoint set by hand cannot be combined with FIPS or dual-stack endpoints";
        return Err(Error::new(Kind::Config, message)
            .advise("unset the endpoint, or use_fips_endpoint and use_dualstack_endpoint (AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT)"));
    }
    let api_key = environment.get(API_KEY).filter(|_| source == CredentialSource::ApiKey);
    let (authorization, credentials) = if let Some(key) = api_key {
        (Authorization::api_key(key)?, None)
    } else {
        let providers = providers(environment.clone(), region.clone(), Arc::clone(&connector));
        let credentials = CheckedCredentials::new(providers, credentials_limit, telemetry.clone());
        (Authorization::signature(), Some(credentials))
    };
    let mut summary = format!("AWS credentials: {source}; region {}", region.as_str());
    if let Some(url) = &url {
        // Without its scheme in front: scripts take the first address that a server prints for the server's own.
        let (scheme, address) = url.split_once("://").unwrap_or(("", url));
        summary.push_str(&format!("; endpoint {address} ({scheme})"));
    }
    if let Some(name) = environment.overruled() {
        summary.push_str(&format!("; {name} is set but not used, because a profile is named"));
    }
    let context = AwsContext {
        credentials: source,
        profile: profiles.named().map(ToOwned::to_owned),
        region: region.as_str().to_owned(),
    };
    let free_services = free_services(configured.as_ref(), &environment, &profiles, shared);
    let rules = Rules { url, use_fips, use_dual_stack };
    let destinations = Destinations::new(rules, &region, context.clone()).await?;
    let user_agent = user_agent(environment.get("AWS_SDK_UA_APP_ID"))?;
    let place = Place {
        region: region.as_str().to_owned(),
        region_source,
        endpoint: destinations.home().url(),
        endpoint_source: configured.map(|configured| configured.source),
    };
    let account = Account { context, credentials, summary, place };
    Ok(Setup { account, authorization, destinations, connector, user_agent, free_services })
}

/// Which services besides Bedrock Runtime may be asked. Where a stand-in is called in place of Bedrock, the account's
/// credentials may be for that alone, so that AWS gets them only if a variable or the profile says so for the service.
fn free_services(
    runtime: Option<&ConfiguredUrl>,
    environment: &Environment,
    profiles: &Profiles,
    shared: SdkConfig,
) -> FreeServices {
    let is_aws = runtime.is_none_or(|runtime| endpoint_url::is_of_aws(&runtime.url));
    let configured = |service| endpoint_url::configured(service, environment, profiles);
    let rules = |url| Rules {
        url,
        use_fips: shared.use_fips() == Some(true),
        use_dual_stack: shared.use_dual_stack() == Some(true),
    };
    let control_plane = match configured(Service::CONTROL) {
        Ok(Some(configured)) => Ok(Some(rules(Some(configured.url)))),
        Ok(None) => Ok(is_aws.then(|| rules(None))),
        Err(error) => Err(error),
    };
    let asks_sts = is_aws || configured(Service::STS).is_ok_and(|configured| configured.is_some());
    FreeServices { control_plane, sts: asks_sts.then_some(shared) }
}

/// The SDK's settings for this environment. The files of profiles are read, once for each result.
async fn sdk_config(environment: &Environment, region: &Region, connector: &Arc<Connector>) -> SdkConfig {
    let client = CredentialClient::new(Arc::clone(connector));
    let loader = aws_config::defaults(BehaviorVersion::latest()).env(environment.for_sdk()).http_client(client);
    // The SDK panics on a retry mode or a number of attempts that it does not understand, and none is needed: these are
    // the attempts to load credentials.
    let loader = loader.retry_config(RetryConfig::standard());
    loader.region(aws_config::Region::new(region.as_str().to_owned())).load().await
}

/// Builds the SDK's chain of providers anew for each load, so that files that have changed are read again.
fn providers(environment: Environment, region: Region, connector: Arc<Connector>) -> Providers {
    Arc::new(move || {
        let (environment, region, connector) = (environment.clone(), region.clone(), Arc::clone(&connector));
        async move { sdk_config(&environment, &region, &connector).await.credentials_provider() }.boxed()
    })
}

/// The header that says who calls. Some accounts tell their programs apart by an id in it
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html>). An id that cannot be part of a header is left out, as
/// the SDK does.
fn user_agent(app: Option<&str>) -> Result<HeaderValue> {
    let app = app
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(|id| format!(" app/{id}"))
        .unwrap_or_default();
    HeaderValue::try_from(format!("chatrix/{}{app}", env!("CARGO_PKG_VERSION")))
        .map_err(|_| Error::new(Kind::Config, "AWS_SDK_UA_APP_ID cannot be part of a header"))
}

/// Without root certificates no server of AWS can be trusted, and each connection would fail with a riddle.
fn connector(url: Option<&str>) -> Result<Connector> {
    if url.is_some_and(|url| !url.starts_with("https://")) {
        return Ok(Connector::new().unwrap_or_else(|_| Connector::without_certificates()));
    }
    Connector::new().map_err(|_| {
        Error::new(Kind::Config, "this machine has no root certificates, so AWS cannot be recognized")
            .advise("install ca-certificates, or set SSL_CERT_FILE to a file that holds them")
    })
}

/// Whose credentials the SDK will find. Its order is followed here, so that messages can name them.
fn credential_source(environment: &Environment, profiles: &Profiles) -> Result<CredentialSource> {
    if environment.is_set(API_KEY) {
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

async fn local(url: String) -> Result<Setup> {
    let context = AwsContext { credentials: CredentialSource::Offline, profile: None, region: "offline".to_owned() };
    let rules = Rules { url: Some(url), ..Rules::default() };
    let destinations = Destinations::new(rules, &Region::default_region(), context.clone()).await?;
    // Whoever stands in for Bedrock on this machine asks for no authorization.
    let authorization = Authorization::ApiKey(HeaderValue::from_static("none"));
    let place = Place {
        region: "offline".to_owned(),
        region_source: None,
        endpoint: destinations.home().url(),
        endpoint_source: None,
    };
    let account = Account { context, credentials: None, summary: String::new(), place };
    Ok(Setup {
        account,
        authorization,
        destinations,
        connector: Arc::new(Connector::local()),
        user_agent: user_agent(None)?,
        free_services: FreeServices { control_plane: Ok(None), sts: None },
    })
}
