//! Finds models by names that are not quite theirs: the spellings of other programs, and typing mistakes.

use super::names::{key, key_with_provider, without_route};
use super::typed_name::word_starts;
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

/// The name that was probably meant by what was typed: of a model, a key, a command. `None` when none is close.
/// A mistyped word of a name is close to the whole name.
pub(crate) fn closest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are compared letter by letter, each with each, so only one that may be a typing mistake is.
    const LONGEST: usize = 64;
    const CLOSE_ENOUGH: f64 = 0.88;
    let typed = Some(typed).filter(|typed| typed.len() <= LONGEST)?.to_ascii_lowercase();
    let similarity = |name: &str| {
        let name = name.to_ascii_lowercase();
        word_starts(&name).map(|rest| similarity(&typed, rest)).max_by(f64::total_cmp).unwrap_or_default()
    };
    names
        .into_iter()
        .map(|name| (similarity(name), name))
        .filter(|(similarity, _)| *similarity > CLOSE_ENOUGH)
        // Of those that are equally close, the first.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, name)| name)
}

/// Advice for a name that does not exist: the one that was probably meant, if any, and where the names are listed.
pub(crate) fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>, list: &str) -> String {
    match closest(typed, names) {
        Some(name) => format!("did you mean {name}? {list}"),
        None => list.to_owned(),
    }
}

/// How similar two texts are, from 0 to 1.
fn similarity(typed: &str, name: &str) -> f64 {
    // One letter too many, too few or wrong, or two that changed places. Short names have no more similarity than that.
    const ONE_MISTAKE: f64 = 0.95;
    let similar = strsim::jaro_winkler(typed, name);
    let is_long_enough = typed.len() >= 3;
    if is_long_enough && strsim::osa_distance(typed, name) == 1 { similar.max(ONE_MISTAKE) } else { similar }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_close_and_another_name_is_not() {
        let names = ["models", "ask", "chat", "serve", "usage", "keys", "claude-sonnet", "claude-sonnet-4", "laptop"];
        for (typed, expected) in [
            ("aks", Some("ask")),
            ("modles", Some("models")),
            ("chta", Some("chat")),
            ("sevre", Some("serve")),
            ("key", Some("keys")),
            ("Lapotp", Some("laptop")),
            ("sonet", Some("claude-sonnet")),
            ("claude-sonet-4", Some("claude-sonnet-4")),
            ("frob", None),
            ("", None),
            ("a", None),
        ] {
            assert_eq!(closest(typed, names), expected, "{typed}");
        }
        assert_eq!(closest(&"sonet".repeat(20), names), None);
    }
}
