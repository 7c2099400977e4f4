//! What AWS offers this account in this region, as Bedrock's control plane says (docs/bedrock.md §1.7). Asking is free.

use super::client::Client;
use super::transport::{CallerIdentity, Reached, SEGMENT};
use crate::catalog::{base, foundation_model};
use crate::error::{Error, Kind, Result};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// How many pages of a list are read. A page has up to 1000 entries.
const MAX_PAGES: usize = 20;
const PAGE: &str = "maxResults=1000";

/// What a model makes, of what Chatrix can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makes {
    Text,
    Embeddings,
    /// Images, speech, an order of documents.
    Other,
}

/// An id that can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The id of a model or of an inference profile, as a call names it. For a profile of the account's own it is the
    /// ARN.
    pub id: String,
    /// What AWS or the account calls it.
    pub name: String,
    pub makes: Makes,
    /// Whether AWS counts the model among its legacy ones. A profile has no life cycle.
    pub is_legacy: bool,
}

/// The ids that can be called in a region, sorted by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offers {
    pub offers: Vec<Offer>,
    /// All ids and ARNs of the offers.
    names: HashSet<String>,
}

impl Offers {
    /// Whether a model can be called under this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.names.contains(id) || (id.starts_with("arn:") && self.names.contains(base(id)))
    }
}

/// Whether AWS lets the account call a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// As far as AWS says, it may be called.
    Open,
    /// The account has not accepted the model's agreement. For most models the first call does that.
    NoAgreement(String),
    /// The account, or this identity, is not authorized.
    NotAuthorized,
    NotInRegion,
}

impl Client {
    /// Finds out whether Bedrock's endpoint answers, and by how much its clock differs. Needs no credentials.
    ///
    /// # Errors
    /// `Unreachable`, `Truncated`; the kinds of a proxy's answer.
    pub async fn reach(&self, limit: Duration) -> Result<Reached> {
        self.transport().reach(limit).await
    }

    /// Whose credentials these are. `None` where nobody can be asked: for a Bedrock API key, offline, and where a stand-in
    /// is called in place of Bedrock.
    ///
    /// # Errors
    /// `NoCredentials`, `ExpiredCredentials` and `ClockSkew`; `Unreachable` when STS does not answer in time.
    pub async fn caller_identity(&self, limit: Duration) -> Result<Option<CallerIdentity>> {
        self.transport().caller_identity(limit).await
    }

    /// What can be called in this region. `None` where a stand-in is called in place of Bedrock, whose control plane is
    /// not known.
    ///
    /// # Errors
    /// Any upstream kind. `AccessDenied` says which action is to be allowed.
    pub async fn offers(&self, limit: Duration) -> Result<Option<Offers>> {
        let models = self.free_answer::<ModelList>("/foundation-models", "", "ListFoundationModels", limit);
        // Without a type, AWS lists its own profiles only.
        let (models, own, accounts) =
            tokio::join!(models, self.profiles("SYSTEM_DEFINED", limit), self.profiles("APPLICATION", limit));
        let Some(models) = models? else { return Ok(None) };
        let profiles = [own?, accounts?].concat();
        Ok(Some(offers(&models.model_summaries, &profiles)))
    }

    async fn profiles(&self, kind: &str, limit: Duration) -> Result<Vec<ProfileSummary>> {
        let mut all = Vec::new();
        let mut token = String::new();
        for _ in 0..MAX_PAGES {
            let query = format!("{PAGE}{token}&type={kind}");
            let page: Option<ProfileList> =
                self.free_answer("/inference-profiles", &query, "ListInferenceProfiles", limit).await?;
            let Some(ProfileList { inference_profile_summaries, next_token }) = page else { break };
            all.extend(inference_profile_summaries);
            match next_token.filter(|token| !token.is_empty()) {
                Some(next) => token = format!("&nextToken={}", utf8_percent_encode(&next, SEGMENT)),
                None => break,
            }
        }
        Ok(all)
    }

    /// Whether AWS lets the account call a model, without calling it. `None` where that cannot be asked: an ARN does not
    /// name its model, or a stand-in is called in place of Bedrock.
    ///
    /// # Errors
    /// As [`Client::offers`].
    pub async fn access(&self, id: &str, limit: Duration) -> Result<Option<Access>> {
        let Some(model) = foundation_model(id) else { return Ok(None) };
        let path = format!("/foundation-model-availability/{}", utf8_percent_encode(model, SEGMENT));
        let action = "GetFoundationModelAvailability";
        let answer: Option<Availability> = self.free_answer(&path, "", action, limit).await?;
        // A profile of a geography leads to other regions too.
        let is_of_region = model == id;
        Ok(answer.map(|answer| answer.access(is_of_region)))
    }

    /// What the control plane answers. `action` is the one of IAM that allows the request.
    async fn free_answer<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &str,
        action: &str,
        limit: Duration,
    ) -> Result<Option<T>> {
        let answer =
            self.transport().ask_control_plane(path, query, limit).await.map_err(|error| match error.kind {
                Kind::AccessDenied => error.advise(format!("allow this identity the action bedrock:{action}")),
                _ => error,
            })?;
        let unknown = |error| {
            let message = format!("Bedrock's answer to {action} cannot be understood: {error}");
            Error::new(Kind::InvalidUpstreamResponse, message)
        };
        answer.map(|body| serde_json::from_slice(&body).map_err(unknown)).transpose()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ModelList {
    model_summaries: Vec<ModelSummary>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ModelSummary {
    model_id: String,
    model_name: String,
    output_modalities: Vec<String>,
    inference_types_supported: Vec<String>,
    model_lifecycle: ModelLifecycle,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct ModelLifecycle {
    status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProfileList {
    inference_profile_summaries: Vec<ProfileSummary>,
    next_token: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProfileSummary {
    inference_profile_id: String,
    inference_profile_arn: String,
    inference_profile_name: String,
    models: Vec<ProfileModel>,
    status: String,
    r#type: String,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProfileModel {
    model_arn: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Availability {
    #[serde(rename = "agreementAvailability")]
    agreement: Agreement,
    #[serde(rename = "authorizationStatus")]
    authorization: String,
    #[serde(rename = "entitlementAvailability")]
    entitlement: String,
    #[serde(rename = "regionAvailability")]
    region: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Agreement {
    status: String,
    error_message: Option<String>,
}

impl Availability {
    /// `is_of_region`: the model is called in this region and in no other.
    fn access(self, is_of_region: bool) -> Access {
        const NOT_AVAILABLE: &str = "NOT_AVAILABLE";
        let Self { agreement: Agreement { status, error_message }, authorization, entitlement, region } = self;
        if authorization == "NOT_AUTHORIZED" {
            Access::NotAuthorized
        } else if is_of_region && region == NOT_AVAILABLE {
            Access::NotInRegion
        } else if matches!(status.as_str(), NOT_AVAILABLE | "PENDING" | "ERROR") {
            Access::NoAgreement(error_message.filter(|words| !words.trim().is_empty()).unwrap_or(status))
        } else if entitlement == NOT_AVAILABLE {
            Access::NoAgreement("no entitlement".to_owned())
        } else {
            Access::Open
        }
    }
}

/// The ids that can be called: models that are called by their own id, and profiles.
fn offers(models: &[ModelSummary], profiles: &[ProfileSummary]) -> Offers {
    let by_id: HashMap<&str, &ModelSummary> = models.iter().map(|model| (model.model_id.as_str(), model)).collect();
    let on_demand =
        models.iter().filter(|model| model.inference_types_supported.iter().any(|kind| kind == "ON_DEMAND"));
    let mut offers: Vec<Offer> = on_demand
        .map(|model| Offer {
            id: model.model_id.clone(),
            name: model.model_name.clone(),
            makes: makes(model),
            is_legacy: model.model_lifecycle.status == "LEGACY",
        })
        .collect();
    let mut names: HashSet<String> = offers.iter().map(|offer| offer.id.clone()).collect();
    for profile in profiles.iter().filter(|profile| profile.status == "ACTIVE" || profile.status.is_empty()) {
        // The models of a profile may be in other regions only, and then this list does not have them.
        let model = profile.models.iter().find_map(|model| by_id.get(base(&model.model_arn)));
        let is_own = profile.r#type == "APPLICATION";
        names.extend([profile.inference_profile_id.clone(), profile.inference_profile_arn.clone()]);
        offers.push(Offer {
            id: if is_own { &profile.inference_profile_arn } else { &profile.inference_profile_id }.clone(),
            name: profile.inference_profile_name.clone(),
            makes: model.map_or(Makes::Text, |model| makes(model)),
            is_legacy: model.is_some_and(|model| model.model_lifecycle.status == "LEGACY"),
        });
    }
    offers.sort_by(|one, other| one.id.cmp(&other.id));
    offers.dedup_by(|one, other| one.id == other.id);
    Offers { offers, names }
}

fn makes(model: &ModelSummary) -> Makes {
    let has = |kind: &str| model.output_modalities.iter().any(|modality| modality == kind);
    if has("TEXT") {
        Makes::Text
    } else if has("EMBEDDING") {
        Makes::Embeddings
    } else {
        Makes::Other
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    #[test]
    fn what_can_be_called_is_a_model_on_demand_or_a_profile() {
        let models: ModelList = serde_json::from_value(json!({"modelSummaries": [
            {"modelId": "z.text-v1:0", "modelName": "Z", "outputModalities": ["TEXT"],
             "inferenceTypesSupported": ["ON_DEMAND"], "modelLifecycle": {"status": "LEGACY"}, "undocumented": 1},
            {"modelId": "a.profile-only", "outputModalities": ["TEXT"], "inferenceTypesSupported": ["INFERENCE_PROFILE"]},
            {"modelId": "a.embed", "outputModalities": ["EMBEDDING"], "inferenceTypesSupported": ["ON_DEMAND", "PROVISIONED"]},
            {"modelId": "a.image", "outputModalities": ["IMAGE"], "inferenceTypesSupported": ["ON_DEMAND"]},
            {"modelId": "a.none"},
        ]}))
        .unwrap();
        let arn = "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abc";
        let profiles: ProfileList = serde_json::from_value(json!({"inferenceProfileSummaries": [
            {"inferenceProfileId": "us.a.profile-only", "inferenceProfileName": "US A", "status": "ACTIVE",
             "inferenceProfileArn": "arn:aws:bedrock:us-west-2:1:inference-profile/us.a.profile-only",
             "models": [{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/a.profile-only"}],
             "type": "SYSTEM_DEFINED"},
            {"inferenceProfileId": "abc", "inferenceProfileArn": arn, "status": "ACTIVE", "type": "APPLICATION",
             "models": [{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/a.embed"}]},
        ]}))
        .unwrap();
        let offers = offers(&models.model_summaries, &profiles.inference_profile_summaries);
        let found: Vec<_> =
            offers.offers.iter().map(|offer| (offer.id.as_str(), offer.makes, offer.is_legacy)).collect();
        let expected = [
            ("a.embed", Makes::Embeddings, false),
            ("a.image", Makes::Other, false),
            (arn, Makes::Embeddings, false),
            ("us.a.profile-only", Makes::Text, false),
            ("z.text-v1:0", Makes::Text, true),
        ];
        assert_eq!(found, expected);
        for (id, can) in [
            ("us.a.profile-only", true),
            ("a.profile-only", false),
            ("z.text-v1:0", true),
            (arn, true),
            ("arn:aws:bedrock:us-west-2:1:inference-profile/us.a.profile-only", true),
            ("arn:aws:bedrock:us-west-2::foundation-model/z.text-v1:0", true),
            ("arn:aws:bedrock:us-west-2:1:application-inference-profile/x", false),
        ] {
            assert_eq!(offers.has(id), can, "{id}");
        }
    }

    #[test]
    fn access_is_what_aws_says_of_it() {
        let answer = |agreement: &str, authorization: &str, entitlement: &str, region: &str| {
            json!({"agreementAvailability": {"status": agreement}, "authorizationStatus": authorization,
                   "entitlementAvailability": entitlement, "regionAvailability": region, "modelId": "m"})
        };
        let no_agreement = |why: &str| Access::NoAgreement(why.to_owned());
        let (yes, no) = ("AVAILABLE", "NOT_AVAILABLE");
        for (answer, is_of_region, expected) in [
            (answer(yes, "AUTHORIZED", yes, yes), true, Access::Open),
            (answer(yes, "AUTHORIZED", yes, no), true, Access::NotInRegion),
            (answer(yes, "AUTHORIZED", yes, no), false, Access::Open),
            (answer(no, "AUTHORIZED", yes, yes), true, no_agreement(no)),
            (answer("PENDING", "AUTHORIZED", yes, yes), true, no_agreement("PENDING")),
            (answer(yes, "AUTHORIZED", no, yes), true, no_agreement("no entitlement")),
            (answer(no, "NOT_AUTHORIZED", no, no), true, Access::NotAuthorized),
            (answer("new word", "new word", "", ""), true, Access::Open),
            (json!({}), true, Access::Open),
        ] {
            let availability: Availability = serde_json::from_value(answer.clone()).unwrap();
            assert_eq!(availability.access(is_of_region), expected, "{answer}");
        }
        let failed = json!({"agreementAvailability": {"status": "ERROR", "errorMessage": "No payment."}});
        let availability: Availability = serde_json::from_value(failed).unwrap();
        assert_eq!(availability.access(true), no_agreement("No payment."));
    }
}
