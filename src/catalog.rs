//! Which models exist, what they take and what they cost. The data is in three TOML files beside this one;
//! the operator's own models are added on top. Nothing here knows what a request is.

mod embedding;
mod id;
mod model;
mod money;

pub use embedding::{EmbeddingDialect, EmbeddingModel, embedding_model};
pub use id::base;
pub use model::{
    Capabilities, Effort, Feature, Features, Lifecycle, LongContext, Model, Prices, Sampling, Thinking, ThinkingOff,
    TierRates,
};
pub use money::{NanoDollars, Rate};

use crate::error::{Error, Kind, Result};
use id::{is_bedrock_id, provider, without_geography};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelsFile {
    default: String,
    model: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    alias: String,
    id: String,
    name: String,
    provider: String,
    lifecycle: Lifecycle,
    end_of_life: Option<String>,
    successor: Option<String>,
    context_window: u64,
    max_output: u64,
    price: Prices,
    source: String,
    date: String,
}

#[derive(Deserialize)]
struct FamiliesFile {
    family: Vec<Family>,
}

#[derive(Deserialize)]
struct Family {
    r#match: String,
    #[serde(flatten)]
    capabilities: Capabilities,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PricesFile {
    source: String,
    date: String,
    id: HashMap<String, PricedId>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct PricedId {
    context_window: u64,
    max_output: u64,
    price: Prices,
}

/// A model the operator added or changed in the config file.
#[derive(Debug, Clone, Default)]
pub struct OwnModel {
    /// Its short name.
    pub alias: String,
    /// What Bedrock is asked for.
    pub id: String,
    /// A known model or id whose capabilities and limits it shares: an ARN hides its own.
    pub like: Option<String>,
    /// Its prices; those of `like` when `None`.
    pub prices: Option<Prices>,
}

/// All models that can be asked by name.
#[derive(Debug)]
pub struct Catalog {
    models: Vec<Arc<Model>>,
    default: String,
    families: Vec<(String, Capabilities)>,
    // Read only when an id without an alias is asked for: `chatrix models` starts faster without it.
    priced: OnceLock<HashMap<String, Arc<Model>>>,
}

impl Catalog {
    /// The models this build knows, and the operator's own.
    ///
    /// # Errors
    /// `Config` when an own model repeats an alias or is like nothing known; `Internal` when a data file is broken.
    pub fn load(own: &[OwnModel]) -> Result<Self> {
        let file: ModelsFile = read("models.toml", include_str!("catalog/models.toml"))?;
        let families: FamiliesFile = read("families.toml", include_str!("catalog/families.toml"))?;
        let mut catalog = Self {
            models: Vec::with_capacity(file.model.len() + own.len()),
            default: file.default,
            families: families.family.into_iter().map(|family| (family.r#match, family.capabilities)).collect(),
            priced: OnceLock::new(),
        };
        for row in file.model {
            let capabilities = catalog.capabilities(&row.id);
            catalog.models.push(Arc::new(Model {
                alias: Some(row.alias),
                id: row.id,
                name: row.name,
                provider: row.provider,
                lifecycle: row.lifecycle,
                end_of_life: row.end_of_life,
                successor: row.successor,
                context_window: Some(row.context_window),
                max_output: Some(row.max_output),
                prices: Some(row.price),
                capabilities,
                source: row.source,
                date: row.date,
            }));
        }
        for model in own {
            catalog.add(model)?;
        }
        Ok(catalog)
    }

    /// Every model with a name, in the order of the file.
    pub fn models(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.models.iter()
    }

    /// Every other id with a known price, sorted by id.
    ///
    /// # Errors
    /// `Internal` when the data file is broken.
    pub fn priced_ids(&self) -> Result<Vec<Arc<Model>>> {
        let mut models: Vec<_> = self.priced()?.values().cloned().collect();
        models.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(models)
    }

    /// The alias of the default model of this build.
    #[must_use]
    pub fn default_alias(&self) -> &str {
        &self.default
    }

    /// The model behind a name: an alias, or any Bedrock id, inference-profile id or ARN.
    ///
    /// # Errors
    /// `ModelNotFound`, with the names that come close.
    pub fn resolve(&self, name: &str) -> Result<Arc<Model>> {
        let listed = self.models.iter().find(|model| model.alias.as_deref() == Some(name) || model.id == name);
        if let Some(model) = listed {
            return Ok(Arc::clone(model));
        }
        if is_bedrock_id(name) {
            return Ok(self.unlisted(name));
        }
        let error = Error::new(Kind::ModelNotFound, format!("no model is called {name:?}")).at("model");
        Err(match self.closest(name) {
            Some(alias) => error.advise(format!("did you mean {alias}? `chatrix models` lists the names")),
            None => error,
        })
    }

    /// An id nobody gave a name: capabilities by family, price only if exactly this id has one.
    fn unlisted(&self, id: &str) -> Arc<Model> {
        // An ARN of a system-defined profile or foundation model ends in the id it stands for.
        let plain = if id.starts_with("arn:") { id.rsplit('/').next().unwrap_or(id) } else { id };
        let known = self.models.iter().find(|model| model.id == plain).or_else(|| self.priced().ok()?.get(plain));
        let mut model = known.map_or_else(
            || Model {
                alias: None,
                id: String::new(),
                name: plain.to_owned(),
                provider: provider(plain),
                lifecycle: Lifecycle::Unknown,
                end_of_life: None,
                successor: None,
                context_window: None,
                max_output: None,
                prices: None,
                capabilities: self.capabilities(plain),
                source: "families.toml".to_owned(),
                date: String::new(),
            },
            |model| Model::clone(model),
        );
        model.alias = None;
        id.clone_into(&mut model.id);
        // The same model in another geography goes the same way at the end of its life.
        if let Some(twin) = self.models.iter().find(|twin| without_geography(&twin.id) == without_geography(plain)) {
            model.lifecycle = twin.lifecycle;
            model.end_of_life.clone_from(&twin.end_of_life);
            model.name.clone_from(&twin.name);
            model.context_window = model.context_window.or(twin.context_window);
            model.max_output = model.max_output.or(twin.max_output);
        }
        Arc::new(model)
    }

    fn add(&mut self, own: &OwnModel) -> Result<()> {
        if !is_bedrock_id(&own.id) {
            let advice = "a Bedrock id looks like us.anthropic.claude-sonnet-4-6, an ARN like arn:aws:bedrock:…";
            return Err(Error::new(Kind::Config, format!("model {}: {:?} is not a Bedrock id", own.alias, own.id))
                .advise(advice));
        }
        let like = self.resolve(own.like.as_deref().unwrap_or(&own.id)).map_err(|error| {
            Error::new(Kind::Config, format!("model {}: `like`: {}", own.alias, error.message)).advise(error.advice())
        })?;
        let mut model = Model::clone(&like);
        model.id.clone_from(&own.id);
        model.prices = own.prices.or(like.prices);
        "config file".clone_into(&mut model.source);
        // A model named by its id keeps the name it has.
        let by_id = own.alias == own.id;
        model.alias = if by_id { like.alias.clone() } else { Some(own.alias.clone()) };
        // An operator who takes a name over means it: the row replaces ours.
        let same = |known: &Model| if by_id { known.id == own.id } else { known.alias == model.alias };
        match self.models.iter().position(|known| same(known)) {
            Some(place) => self.models[place] = Arc::new(model),
            None => self.models.push(Arc::new(model)),
        }
        Ok(())
    }

    fn capabilities(&self, id: &str) -> Capabilities {
        let family = self.families.iter().find(|(piece, _)| id.contains(piece.as_str()));
        // The last family matches everything; a test holds that.
        family.map_or(
            Capabilities {
                sampling: Sampling::Both,
                thinking: Thinking::None,
                thinking_off: ThinkingOff::Nothing,
                max_effort: None,
                cache: None,
                features: Features::default(),
            },
            |(_, capabilities)| *capabilities,
        )
    }

    fn priced(&self) -> Result<&HashMap<String, Arc<Model>>> {
        if let Some(priced) = self.priced.get() {
            return Ok(priced);
        }
        let file: PricesFile = read("prices.toml", include_str!("catalog/prices.toml"))?;
        let models = file.id.into_iter().map(|(id, row)| {
            let model = Model {
                alias: None,
                name: id.clone(),
                provider: provider(&id),
                lifecycle: Lifecycle::Unknown,
                end_of_life: None,
                successor: None,
                context_window: Some(row.context_window),
                max_output: Some(row.max_output),
                prices: Some(row.price),
                capabilities: self.capabilities(&id),
                source: file.source.clone(),
                date: file.date.clone(),
                id: id.clone(),
            };
            (id, Arc::new(model))
        });
        Ok(self.priced.get_or_init(|| models.collect()))
    }

    fn closest(&self, name: &str) -> Option<&str> {
        let aliases = self.models.iter().filter_map(|model| model.alias.as_deref());
        aliases
            .map(|alias| (strsim::jaro_winkler(alias, name), alias))
            .filter(|(similarity, _)| *similarity > 0.88)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, alias)| alias)
    }
}

fn read<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| Error::new(Kind::Internal, format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn catalog() -> Catalog {
        Catalog::load(&[]).unwrap()
    }

    #[test]
    fn the_original_names_resolve() {
        for (name, id) in [
            ("claude-sonnet-4", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
            ("claude-sonnet-3", "us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
            ("deepseek", "us.deepseek.r1-v1:0"),
        ] {
            assert_eq!(catalog().resolve(name).unwrap().id, id);
        }
    }

    #[test]
    fn c10_every_row_is_whole_and_its_price_is_one() {
        let catalog = catalog();
        assert!(catalog.models().count() >= 16);
        assert_eq!(catalog.families.last().unwrap().0, "", "the last family matches everything");
        let default = catalog.resolve(catalog.default_alias()).unwrap();
        assert_eq!(default.lifecycle, Lifecycle::Active);
        assert_ne!(default.capabilities.thinking, Thinking::Always);
        for model in catalog.models().cloned().chain(catalog.priced_ids().unwrap()) {
            let prices = model.prices.unwrap();
            // C10: a price typed per token, or per thousand tokens, is caught here.
            assert!(prices.output >= prices.input && prices.output <= Rate(200_000_000_000), "{}", model.id);
            assert!(prices.input >= Rate(10_000_000), "{}", model.id);
            assert!(prices.cache_read.is_none_or(|rate| rate < prices.input), "{}", model.id);
            assert!(prices.cache_write_1h.is_none_or(|rate| Some(rate) > prices.cache_write_5m), "{}", model.id);
            assert!(prices.long.is_none_or(|long| long.input > prices.input), "{}", model.id);
            assert_eq!(model.lifecycle == Lifecycle::EndOfLife, model.lifecycle.as_str() == "end-of-life");
            if let Some(successor) = &model.successor {
                assert_eq!(catalog.resolve(successor).unwrap().lifecycle, Lifecycle::Active);
            }
        }
    }

    #[test]
    fn any_bedrock_id_is_a_model_but_a_typo_is_not() {
        let catalog = catalog();
        let european = catalog.resolve("eu.anthropic.claude-sonnet-4-6").unwrap();
        assert_eq!(european.capabilities.sampling, Sampling::Temperature);
        assert!(european.prices.is_some());
        let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6";
        assert_eq!(catalog.resolve(arn).unwrap().id, arn);
        assert!(catalog.resolve(arn).unwrap().prices.is_some());
        let opaque = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/1arbu5hu2sjr";
        assert!(catalog.resolve(opaque).unwrap().prices.is_none());
        let unknown = catalog.resolve("eu.anthropic.claude-next-9").unwrap();
        assert_eq!((unknown.capabilities.sampling, unknown.prices), (Sampling::None, None));
        for wrong in ["gpt-3.5-turbo", "claude", "claude-sonet-4", "", "a b.c"] {
            assert_eq!(catalog.resolve(wrong).unwrap_err().kind, Kind::ModelNotFound, "{wrong}");
        }
        assert!(catalog.resolve("claude-sonet-4").unwrap_err().to_string().contains("did you mean claude-sonnet-4?"));
    }

    #[test]
    fn an_own_model_takes_its_capabilities_from_another() {
        let own = OwnModel {
            alias: "house".into(),
            id: "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc".into(),
            like: Some("claude-sonnet-4-6".into()),
            prices: None,
        };
        let catalog = Catalog::load(&[own]).unwrap();
        let house = catalog.resolve("house").unwrap();
        assert_eq!(house.capabilities.sampling, Sampling::Temperature);
        assert!(house.id.starts_with("arn:"));
    }
}
