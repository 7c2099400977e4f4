//! `chatrix models --available`: what AWS lets this account call in this region. Asking is free of charge.

use crate::bedrock::{Access, Client, Makes, Offer, Offers};
use crate::catalog::{Catalog, Model, base};
use crate::commands::setup::endpoint;
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::telemetry::Telemetry;
use crate::terminal::printable::Printable;
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long each request to AWS may take.
const LIMIT: Duration = Duration::from_secs(15);
/// How many models are asked about at once.
const AT_ONCE: usize = 8;
const COLUMNS: usize = 80;

/// What AWS offers, and which of it the account may call.
pub(crate) struct Available {
    region: String,
    offers: Offers,
    /// By the id of the foundation model. Those of which AWS does not say it are missing.
    access: BTreeMap<String, Access>,
    /// Why AWS does not say which models the account may call, if it does not.
    silence: Option<Error>,
}

impl Available {
    /// Asks AWS.
    ///
    /// # Errors
    /// Any upstream kind; `Config` where Bedrock's address is set by hand and that of its control plane is not.
    pub(crate) async fn ask(settings: &Settings) -> anyhow::Result<Self> {
        if settings.offline {
            let error = Error::new(Kind::Config, "--available asks AWS, and nothing is sent to AWS offline");
            return Err(error.advise("`chatrix models --offline` lists what answers offline").into());
        }
        let endpoint = endpoint(settings, Duration::ZERO).await?;
        let client = Client::new(endpoint, settings.aws.limits, Telemetry::default()).await?;
        let Some(offers) = client.offers(LIMIT).await? else {
            let message = "Bedrock's address is set by hand, so AWS is not asked what it offers";
            let advice = "set AWS_ENDPOINT_URL_BEDROCK to the address of the control plane, or unset the other";
            return Err(Error::new(Kind::Config, message).advise(advice).into());
        };
        let named = settings.catalog().models().filter(|model| offers.has(&model.id));
        // One question for all ids of a model.
        let ids: BTreeMap<String, String> = named.map(|model| (base(&model.id).to_owned(), model.id.clone())).collect();
        let (mut access, mut silence) = (BTreeMap::new(), None);
        let asked = ids.into_iter().map(|(base, id)| {
            let client = &client;
            async move { (client.access(&id, LIMIT).await, base) }
        });
        let mut answers = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
        while let Some((answer, base)) = answers.next().await {
            match answer {
                Ok(Some(found)) => drop(access.insert(base, found)),
                Ok(None) => {}
                // Without the permission, the others would fail too.
                Err(error) if error.kind == Kind::AccessDenied => {
                    silence = Some(error);
                    break;
                }
                Err(error) => silence = Some(error),
            }
        }
        drop(answers);
        Ok(Self { region: client.account().place().region.clone(), offers, access, silence })
    }

    /// Keeps the models that can be called.
    pub(crate) fn narrow(&self, models: &mut Vec<Arc<Model>>) -> Left {
        let mut left = Left::default();
        models.retain(|model| {
            let name = model.display_name().to_owned();
            if !self.offers.has(&model.id) {
                left.not_offered.push(name);
                return false;
            }
            match self.access.get(base(&model.id)) {
                Some(Access::NotAuthorized) => {
                    left.not_authorized.push(name);
                    false
                }
                Some(Access::NoAgreement(_)) => {
                    left.without_agreement.push(name);
                    true
                }
                Some(Access::Open | Access::NotInRegion) | None => true,
            }
        });
        left
    }

    /// What can be called besides the models of the catalog: ids for text and embeddings that contain `filter`, in lower
    /// case.
    pub(crate) fn others(&self, catalog: &Catalog, filter: &str) -> Vec<&Offer> {
        let is_known = |id: &str| {
            catalog.models().any(|model| model.id == id)
                || catalog.embedding_models().is_ok_and(|models| models.iter().any(|model| model.id == id))
        };
        let fits = |offer: &Offer| [&offer.id, &offer.name].iter().any(|text| text.to_lowercase().contains(filter));
        let offers = self.offers.offers.iter();
        offers.filter(|offer| offer.makes != Makes::Other && fits(offer) && !is_known(&offer.id)).collect()
    }

    /// What is said after the list of models.
    pub(crate) fn remarks(&self, left: &Left, others: &[&Offer]) -> Printable {
        let Self { region, silence, .. } = self;
        let Left { not_offered, not_authorized, without_agreement } = left;
        let mut text = Printable::from("\n");
        let mut say = |words: String, names: &[String]| {
            if !names.is_empty() {
                let line = Printable::line(format_args!("{words}: {}", names.join(", ")));
                for line in line.wrapped(COLUMNS) {
                    text.push(line);
                    text.push("\n");
                }
            }
        };
        say(format!("Not offered in {region}"), not_offered);
        say("This account is not authorized for".to_owned(), not_authorized);
        say("Without an agreement, which the first call accepts".to_owned(), without_agreement);
        if let Some(error) = silence {
            say("Whether this account may call each of them is not known".to_owned(), &[error.to_string()]);
        }
        if !others.is_empty() {
            text.push("\n");
            text.push(Printable::line(format_args!("Other ids that {region} offers, usable as model names:")));
            text.push("\n");
            for offer in others {
                text.push(row(offer));
            }
        }
        text
    }
}

/// Models of the catalog that are not listed, or only with a remark.
#[derive(Debug, Default)]
pub(crate) struct Left {
    not_offered: Vec<String>,
    not_authorized: Vec<String>,
    without_agreement: Vec<String>,
}

fn row(offer: &Offer) -> Printable {
    let Offer { id, name, makes, is_legacy } = offer;
    let kind = match makes {
        Makes::Embeddings => " (embeddings)",
        Makes::Text | Makes::Other => "",
    };
    let legacy = if *is_legacy { " (legacy)" } else { "" };
    let id = Printable::line(id);
    let space = Printable::repeat(" ", 52_usize.saturating_sub(id.width()).max(2));
    let name = Printable::line(format_args!("{name}{kind}{legacy}"));
    Printable::join(["  ".into(), Printable::join([id, space, name], "").trim_end(), "\n".into()], "")
}
