//! Finds models by names that are not quite theirs: the spellings of other programs, and typing mistakes.

use super::names::{key, key_with_provider, without_route};
use super::near_miss::closest;
use super::{Catalog, Model, base};
use std::sync::Arc;

impl Catalog {
    /// The model that another program calls so; `None` when there is none.
    pub(super) fn by_other_spelling(&self, name: &str) -> Option<Arc<Model>> {
        let wanted = key(name);
        if wanted.is_empty() {
            return None;
        }
        let is_meant = |model: &Model| {
            model.alias.as_deref().is_some_and(|alias| key(alias) == wanted)
                || key(&model.id) == wanted
                || key_with_provider(&model.id) == wanted
        };
        if let Some(model) = self.models.iter().find(|model| is_meant(model)) {
            return Some(Arc::clone(model));
        }
        let mut priced: Vec<&Arc<Model>> = self.priced().ok()?.values().filter(|model| is_meant(model)).collect();
        // The default region is in the United States; an id without a geography often cannot be called at all.
        let order = |id: &str| ["us.", "global."].iter().position(|geography| id.starts_with(geography)).unwrap_or(2);
        priced.sort_by(|a, b| (order(&a.id), &a.id).cmp(&(order(&b.id), &b.id)));
        priced.first().map(|model| Arc::clone(model))
    }

    /// A model with a price whose id is another spelling of this one: of another geography, or with another date or
    /// version. In the same geography if there is one, and the dearest of them, because the price must not be too low.
    pub(super) fn priced_twin(&self, id: &str) -> Option<Arc<Model>> {
        if id.starts_with("arn:") {
            return None;
        }
        let wanted = key_with_provider(id);
        let all = self.models.iter().chain(self.priced().ok()?.values());
        let twins: Vec<_> =
            all.filter(|model| model.prices.is_some() && key_with_provider(&model.id) == wanted).collect();
        let geography = |id: &str| id.strip_suffix(base(id)).map(ToOwned::to_owned);
        let near: Vec<_> = twins.iter().copied().filter(|model| geography(&model.id) == geography(id)).collect();
        let candidates = if near.is_empty() { twins } else { near };
        let dearest = candidates.into_iter().max_by_key(|model| {
            let rates = model.prices.map(|prices| (prices.output, prices.input));
            (rates, model.id.clone())
        });
        dearest.map(Arc::clone)
    }

    /// The alias that was probably meant; `None` when none is close.
    pub(super) fn closest_alias(&self, name: &str) -> Option<&str> {
        let name = without_route(name);
        let aliases = || self.models.iter().filter_map(|model| model.alias.as_deref());
        let containing = || {
            let name = name.to_ascii_lowercase();
            let is_long_enough = name.len() >= 4;
            aliases().filter(|alias| is_long_enough && alias.contains(&name)).min_by_key(|alias| alias.len())
        };
        closest(name, aliases()).or_else(containing)
    }
}
