//! Which models exist, what they support and what they cost. The data is in the TOML files of `src/catalog/`; the
//! operator's own models are added to it. This module does not know what a request is, and no code outside it derives
//! a model's family or capabilities from its id, except the offline Bedrock, which must not share its mistakes.

mod data;
mod embedding;
mod family_rules;
mod id;
mod model;
mod money;
mod names;
mod near_miss;
mod spelling;
mod typed_name;

pub use embedding::{EmbeddingFamily, EmbeddingModel};
pub use family_rules::{FamilyRules, ReasoningTags, ToolIds, ToolNameForm};
pub use id::{MAX_NAME_LENGTH, base, foundation_model};
pub use model::{
    Capabilities, Family, Feature, Features, Lifecycle, LongContext, Model, Prices, Sampling, Thinking, ThinkingOff,
    TierRates,
};
pub use money::{NanoDollars, Rate};
pub(crate) use near_miss::{closest, did_you_mean};

use crate::error::{Error, Field, Kind, Result};
use data::{FamiliesFile, ModelRow, ModelsFile, PricesFile};
use id::{is_bedrock_id, provider_of, without_geography};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// A model that the operator adds or changes in the config file.
#[derive(Debug, Clone, Default)]
pub struct OwnModel {
    /// The short name, or the name of a known model whose price or limits the operator changes.
    pub alias: String,
    /// The id that is sent to Bedrock. `None` stands for the id of the known model called `alias`.
    pub id: Option<String>,
    /// A known model or id whose capabilities and limits the model shares, because an ARN may not show its model.
    pub like: Option<String>,
    /// `None` stands for the prices of `like`.
    pub prices: Option<Prices>,
}

/// The source of the capabilities of an id that the catalog does not list.
const UNLISTED_SOURCE: &str = "https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html";

/// All models that have a name, and the data from which any other Bedrock id is resolved.
#[derive(Debug)]
pub struct Catalog {
    models: Vec<Arc<Model>>,
    default: String,
    families: Vec<(String, Capabilities)>,
    // Parsed on first use: most runs need no id without an alias, and start faster without it.
    priced: OnceLock<HashMap<String, Arc<Model>>>,
    // Parsed on first use.
    embeddings: OnceLock<Vec<EmbeddingModel>>,
}

impl Catalog {
    /// Loads the models that this build knows, and the operator's own.
    ///
    /// # Errors
    /// `Config` when an own model has no valid id or its `like` names no known model; `Internal` when a data file is
    /// broken.
    pub fn load(own: &[OwnModel]) -> Result<Self> {
        let file: ModelsFile = data::parse("models.toml", include_str!("catalog/models.toml"))?;
        let families: FamiliesFile = data::parse("families.toml", include_str!("catalog/families.toml"))?;
        let mut catalog = Self {
            models: Vec::with_capacity(file.model.len() + own.len()),
            default: file.default,
            families: families.families()?,
            priced: OnceLock::new(),
            embeddings: OnceLock::new(),
        };
        for row in file.model {
            catalog.models.push(Arc::new(catalog.listed_model(row)));
        }
        for model in own {
            catalog.add_own(model)?;
        }
        Ok(catalog)
    }

    fn listed_model(&self, row: ModelRow) -> Model {
        Model {
            capabilities: self.capabilities(&row.id),
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
            source: row.source,
            date: row.date,
        }
    }

    /// Every model with a name, in the order of `models.toml`, with the operator's new models at the end.
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
    /// `ModelNotFound`, with the closest name as advice.
    pub fn resolve(&self, name: &str) -> Result<Arc<Model>> {
        check_length(name)?;
        let bare_name = names::without_route(name);
        let listed = |name: &str| {
            self.models.iter().find(|model| model.alias.as_deref() == Some(name) || model.id == name).map(Arc::clone)
        };
        if let Some(model) = listed(name) {
            return Ok(model);
        }
        check_characters(name)?;
        if let Some(model) = listed(bare_name) {
            return Ok(model);
        }
        if is_bedrock_id(bare_name) {
            return Ok(self.unlisted_model(bare_name));
        }
        if let Some(model) = self.by_other_spelling(bare_name) {
            return Ok(model);
        }
        let error = Error::new(Kind::ModelNotFound, format!("no model is called {name:?}")).at(Field::Model);
        Err(match self.closest_alias(name) {
            Some(alias) => error.advise(format!("did you mean {alias}? `chatrix models` lists the names")),
            None => error,
        })
    }

    /// Finds out whether a name stands for a model, of either kind.
    ///
    /// # Errors
    /// As [`Catalog::resolve`].
    pub fn check_name(&self, name: &str) -> Result<()> {
        match self.resolve(name) {
            Err(error) if self.resolve_embedding(name).is_err() => Err(error),
            _ => Ok(()),
        }
    }

    /// The embedding model behind a name: an alias, or a known id in any geography.
    ///
    /// # Errors
    /// `ModelNotFound`, with the known names as advice; `Internal` when the data file is broken.
    pub fn resolve_embedding(&self, name: &str) -> Result<EmbeddingModel> {
        check_length(name)?;
        let known = self.embeddings()?;
        let bare_name = names::without_route(name);
        if bare_name != name {
            check_characters(name)?;
        }
        let name = bare_name;
        let Some(model) = known.iter().find(|model| model.is_called(name)) else {
            let names: Vec<&str> = known.iter().map(|model| model.alias.as_str()).collect();
            return Err(Error::new(Kind::ModelNotFound, format!("no embedding model is called {name:?}"))
                .at(Field::Model)
                .advise(format!("the embedding models are {}", names.join(", "))));
        };
        let mut model = model.clone();
        if model.alias != name {
            name.clone_into(&mut model.id);
        }
        Ok(model)
    }

    /// Every embedding model.
    ///
    /// # Errors
    /// `Internal` when the data file is broken.
    pub fn embedding_models(&self) -> Result<&[EmbeddingModel]> {
        self.embeddings().map(Vec::as_slice)
    }

    fn embeddings(&self) -> Result<&Vec<EmbeddingModel>> {
        if let Some(models) = self.embeddings.get() {
            return Ok(models);
        }
        let models = embedding::load()?;
        Ok(self.embeddings.get_or_init(|| models))
    }

    /// A model for an id without an alias. Its capabilities come from its family; it has a price only if this id, or
    /// another spelling of it, has one.
    fn unlisted_model(&self, id: &str) -> Arc<Model> {
        let bare_id = id::of_arn(id);
        let known = self.models.iter().find(|model| model.id == bare_id).or_else(|| self.priced().ok()?.get(bare_id));
        let mut model = known.map_or_else(
            || Model {
                alias: None,
                id: String::new(),
                name: bare_id.to_owned(),
                provider: provider_of(bare_id),
                lifecycle: Lifecycle::Unknown,
                end_of_life: None,
                successor: None,
                context_window: None,
                max_output: None,
                prices: None,
                capabilities: self.capabilities(bare_id),
                source: UNLISTED_SOURCE.to_owned(),
                date: String::new(),
            },
            |model| Model::clone(model),
        );
        model.alias = None;
        id.clone_into(&mut model.id);
        // The same model in another geography has the same life cycle.
        if let Some(twin) = self.models.iter().find(|twin| without_geography(&twin.id) == without_geography(bare_id)) {
            model.lifecycle = twin.lifecycle;
            model.end_of_life.clone_from(&twin.end_of_life);
            model.name.clone_from(&twin.name);
            model.context_window = model.context_window.or(twin.context_window);
            model.max_output = model.max_output.or(twin.max_output);
        }
        if let Some(priced) = model.prices.is_none().then(|| self.priced_twin(bare_id)).flatten() {
            model.prices = priced.prices;
            model.context_window = model.context_window.or(priced.context_window);
            model.max_output = model.max_output.or(priced.max_output);
            model.source.clone_from(&priced.source);
            model.date.clone_from(&priced.date);
        }
        Arc::new(model)
    }

    /// Adds one of the operator's models, or changes a known one.
    fn add_own(&mut self, own: &OwnModel) -> Result<()> {
        if own.id.is_none()
            && let Some(price) = own.prices
            && self.set_embedding_price(&own.alias, price.input)?
        {
            return Ok(());
        }
        let id = match &own.id {
            Some(id) => id.clone(),
            None => self.id_of_known_model(&own.alias)?,
        };
        if !is_bedrock_id(&id) {
            let advice = "a Bedrock id looks like us.anthropic.claude-sonnet-4-6, an ARN like arn:aws:bedrock:…";
            return Err(
                Error::new(Kind::Config, format!("model {}: {id:?} is not a Bedrock id", own.alias)).advise(advice)
            );
        }
        let like = self.resolve(own.like.as_deref().unwrap_or(&id)).map_err(|error| {
            Error::new(Kind::Config, format!("model {}: `like`: {}", own.alias, error.message)).advise(error.advice())
        })?;
        let mut model = Model::clone(&like);
        model.id.clone_from(&id);
        model.prices = own.prices.or(like.prices);
        "the config file".clone_into(&mut model.source);
        // A known model that is named by its id keeps its alias.
        let by_id = own.alias == id;
        model.alias = if by_id { like.alias.clone() } else { Some(own.alias.clone()) };
        // An own model with the name of a known one replaces it.
        let is_replaced = |known: &Model| if by_id { known.id == id } else { known.alias == model.alias };
        match self.models.iter().position(|known| is_replaced(known)) {
            Some(index) => self.models[index] = Arc::new(model),
            None => self.models.push(Arc::new(model)),
        }
        Ok(())
    }

    /// The id of a known model whose price the operator sets.
    fn id_of_known_model(&self, alias: &str) -> Result<String> {
        let model = self.resolve(alias).map_err(|_| {
            Error::new(Kind::Config, format!("[models.{alias}] has no `id`, and no model is called {alias}"))
                .advise("add id = \"…\" with its Bedrock id or ARN")
        })?;
        Ok(model.id.clone())
    }

    /// Sets the price of an embedding model. Returns `false` when no embedding model has that name.
    fn set_embedding_price(&mut self, name: &str, price: Rate) -> Result<bool> {
        self.embeddings()?;
        let known = self.embeddings.get_mut().into_iter().flatten().find(|model| model.is_called(name));
        if let Some(model) = known {
            model.price = price;
            return Ok(true);
        }
        Ok(false)
    }

    fn capabilities(&self, id: &str) -> Capabilities {
        let family = self.families.iter().find(|(id_part, _)| id.contains(id_part.as_str()));
        // The last family matches every id, so the default below is never used; a test checks that.
        family.map_or_else(Capabilities::unknown, |(_, capabilities)| *capabilities)
    }

    fn priced(&self) -> Result<&HashMap<String, Arc<Model>>> {
        if let Some(priced) = self.priced.get() {
            return Ok(priced);
        }
        let file: PricesFile = data::parse("prices.toml", include_str!("catalog/prices.toml"))?;
        let models = file.id.into_iter().map(|(id, row)| {
            let model = Model {
                alias: None,
                name: id.clone(),
                provider: provider_of(&id),
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
}

fn check_length(name: &str) -> Result<()> {
    if name.len() > MAX_NAME_LENGTH {
        let message = format!("no model has a name of {} bytes; the longest has {MAX_NAME_LENGTH}", name.len());
        return Err(Error::new(Kind::ModelNotFound, message).at(Field::Model));
    }
    Ok(())
}

/// A name that is not listed is kept as it was written, also where a part of it means nothing.
fn check_characters(name: &str) -> Result<()> {
    if name.contains(char::is_control) {
        let message = format!("no model has a name with control characters: {name:?}");
        return Err(Error::new(Kind::ModelNotFound, message).at(Field::Model));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
