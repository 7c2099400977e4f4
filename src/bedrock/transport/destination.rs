//! Where requests go: the server for a region, as the SDK's endpoint rules give it, or the one that is set by hand.
//! Bedrock has two in each region: one for calls, and the control plane.

use super::region::{Region, region_of_model};
use crate::bedrock::aws_context::AwsContext;
use crate::error::{Error, Kind, Result};
use aws_sdk_bedrockruntime::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use hyper::Uri;
use hyper::header::HeaderValue;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The server that requests for one region go to.
#[derive(Debug)]
pub(in crate::bedrock) struct Destination {
    /// Whose credentials are used, and for which region.
    pub(in crate::bedrock) context: AwsContext,
    /// The region in the signature. Where the server is set by hand, the context may name another place.
    pub(super) region: String,
    /// Its scheme and authority.
    pub(super) server: Uri,
    /// The header `host`.
    pub(super) host: HeaderValue,
    /// What its paths begin with. Without a slash at the end.
    pub(super) base_path: String,
}

/// What chooses the server for a region.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// The server that is set by hand, for all regions.
    pub(super) url: Option<String>,
    pub(super) use_fips: bool,
    pub(super) use_dual_stack: bool,
}

/// The servers of all regions that are called.
#[derive(Debug)]
pub(super) struct Destinations {
    rules: Rules,
    /// The one for all models that name no region.
    home: Arc<Destination>,
    /// Those of other regions. There are only as many as AWS has.
    others: Mutex<HashMap<String, Arc<Destination>>>,
}

impl Destinations {
    /// # Errors
    /// `Config` when the region has no server, or its address cannot be used.
    pub(super) async fn new(rules: Rules, region: &Region, context: AwsContext) -> Result<Self> {
        let home = Arc::new(rules.resolve(region.as_str(), context).await?);
        Ok(Self { rules, home, others: Mutex::default() })
    }

    /// The server for all models that name no region.
    pub(super) fn home(&self) -> &Arc<Destination> {
        &self.home
    }

    /// The server for a model: an ARN is called in the region that it names.
    ///
    /// # Errors
    /// `InvalidRequest` when the ARN does not name a region; as [`Destinations::new`].
    pub(super) async fn of_model(&self, id: &str) -> Result<Arc<Destination>> {
        let Some(region) = region_of_model(id)? else { return Ok(Arc::clone(&self.home)) };
        let region = region.as_str();
        if let Some(known) = self.others.lock().unwrap_or_else(PoisonError::into_inner).get(region) {
            return Ok(Arc::clone(known));
        }
        let context = AwsContext { region: region.to_owned(), ..self.home.context.clone() };
        let destination = Arc::new(self.rules.resolve(region, context).await?);
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.insert(region.to_owned(), Arc::clone(&destination));
        Ok(destination)
    }
}

/// The first label of Bedrock's host names (<https://docs.aws.amazon.com/general/latest/gr/bedrock.html>). With FIPS
/// each of them has an ending.
const RUNTIME: &str = "https://bedrock-runtime";
const CONTROL: &str = "https://bedrock";

impl Rules {
    async fn resolve(&self, region: &str, context: AwsContext) -> Result<Destination> {
        Destination::at(&self.address(region).await?, region, context)
    }

    /// The server of the control plane. Its names differ from those of the other by one label only, in all partitions,
    /// with FIPS and with dual-stack addresses.
    ///
    /// # Errors
    /// As [`Destinations::new`].
    pub(super) async fn control_plane(&self, region: &str, context: AwsContext) -> Result<Destination> {
        let address = self.address(region).await?;
        let address = match address.strip_prefix(RUNTIME) {
            Some(rest) if self.url.is_none() => format!("{CONTROL}{rest}"),
            _ => address,
        };
        Destination::at(&address, region, context)
    }

    async fn address(&self, region: &str) -> Result<String> {
        let params = Params::builder()
            .region(region)
            .use_fips(self.use_fips)
            .use_dual_stack(self.use_dual_stack)
            .set_endpoint(self.url.clone())
            .build()
            .map_err(|error| no_address(region, &error.to_string()))?;
        let endpoint = DefaultResolver::new();
        let endpoint = ResolveEndpoint::resolve_endpoint(&endpoint, &params).await;
        let endpoint = endpoint.map_err(|error| no_address(region, &error.to_string()))?;
        Ok(endpoint.url().to_owned())
    }
}

impl Destination {
    fn at(address: &str, region: &str, context: AwsContext) -> Result<Self> {
        let failed = || no_address(region, address);
        let url: Uri = address.parse().map_err(|_| failed())?;
        let authority = url.authority().ok_or_else(failed)?.as_str();
        let scheme = url.scheme_str().unwrap_or("https");
        Ok(Self {
            context,
            region: region.to_owned(),
            server: format!("{scheme}://{authority}").parse().map_err(|_| failed())?,
            host: HeaderValue::from_str(authority).map_err(|_| failed())?,
            base_path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The address, as a person would write it.
    pub(super) fn url(&self) -> String {
        format!("{}{}", self.server.to_string().trim_end_matches('/'), self.base_path)
    }
}

fn no_address(region: &str, what: &str) -> Error {
    Error::new(Kind::Config, format!("Bedrock has no usable address in {region}: {what}"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[tokio::test]
    async fn each_region_has_its_server_unless_one_is_set_by_hand() {
        for (region, use_fips, use_dual_stack, url, server, base_path) in [
            ("us-west-2", false, false, None, "https://bedrock-runtime.us-west-2.amazonaws.com/", ""),
            ("us-gov-west-1", true, false, None, "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/", ""),
            ("eu-west-1", false, true, None, "https://bedrock-runtime.eu-west-1.api.aws/", ""),
            ("cn-north-1", false, false, None, "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/", ""),
            ("us-east-1", false, false, Some("http://127.0.0.1:9"), "http://127.0.0.1:9/", ""),
            ("us-east-1", false, false, Some("https://[::1]:8443/a/b"), "https://[::1]:8443/", "/a/b"),
        ] {
            let rules = Rules { url: url.map(ToOwned::to_owned), use_fips, use_dual_stack };
            let home = Region::parse("us-west-2", "a test").unwrap();
            let destinations = Destinations::new(rules, &home, AwsContext::for_test("us-west-2")).await.unwrap();
            let arn = format!("arn:aws:bedrock:{region}:123456789012:inference-profile/x");
            let destination = destinations.of_model(&arn).await.unwrap();
            assert_eq!((destination.server.to_string().as_str(), destination.base_path.as_str()), (server, base_path));
            assert_eq!((destination.region.as_str(), destination.context.region.as_str()), (region, region));
            assert!(Arc::ptr_eq(&destination, &destinations.of_model(&arn).await.unwrap()));
            assert_eq!(destinations.of_model("nova-micro").await.unwrap().region, "us-west-2");
        }
    }

    #[tokio::test]
    async fn the_control_plane_has_a_server_of_its_own() {
        for (region, use_fips, use_dual_stack, url, address) in [
            ("us-west-2", false, false, None, "https://bedrock.us-west-2.amazonaws.com"),
            ("us-gov-west-1", true, false, None, "https://bedrock-fips.us-gov-west-1.amazonaws.com"),
            ("eu-west-1", false, true, None, "https://bedrock.eu-west-1.api.aws"),
            ("cn-north-1", false, false, None, "https://bedrock.cn-north-1.amazonaws.com.cn"),
            ("us-east-1", false, false, Some("http://127.0.0.1:9/a"), "http://127.0.0.1:9/a"),
            ("us-east-1", false, false, Some("https://bedrock-runtime.example"), "https://bedrock-runtime.example"),
        ] {
            let rules = Rules { url: url.map(ToOwned::to_owned), use_fips, use_dual_stack };
            let destination = rules.control_plane(region, AwsContext::for_test(region)).await.unwrap();
            assert_eq!((destination.url().as_str(), destination.region.as_str()), (address, region));
        }
    }
}
