//! Where requests go: the server for a region, as the SDK's endpoint rules give it, or the one that is set by hand.

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

impl Rules {
    async fn resolve(&self, region: &str, context: AwsContext) -> Result<Destination> {
        let failed =
            |what: &str| Error::new(Kind::Config, format!("Bedrock has no usable address in {region}: {what}"));
        let params = Params::builder()
            .region(region)
            .use_fips(self.use_fips)
            .use_dual_stack(self.use_dual_stack)
            .set_endpoint(self.url.clone())
            .build()
            .map_err(|error| failed(&error.to_string()))?;
        let endpoint = DefaultResolver::new();
        let endpoint = ResolveEndpoint::resolve_endpoint(&endpoint, &params).await;
        let endpoint = endpoint.map_err(|error| failed(&error.to_string()))?;
        let url: Uri = endpoint.url().parse().map_err(|_| failed(endpoint.url()))?;
        let authority = url.authority().ok_or_else(|| failed(endpoint.url()))?.as_str();
        let scheme = url.scheme_str().unwrap_or("https");
        Ok(Destination {
            context,
            region: region.to_owned(),
            server: format!("{scheme}://{authority}").parse().map_err(|_| failed(endpoint.url()))?,
            host: HeaderValue::from_str(authority).map_err(|_| failed(endpoint.url()))?,
            base_path: url.path().trim_end_matches('/').to_owned(),
        })
    }
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
}
