//! What the config file sets for API keys by their names. It wins over what is stored with a key, and whoever reads
//! keys applies it to them.

use super::budget::BudgetLimit;
use super::key::{Key, KeyLimits};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The limits of keys by name. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeySettings(Arc<BTreeMap<String, KeyLimits>>);

impl KeySettings {
    #[must_use]
    pub fn new(limits: BTreeMap<String, KeyLimits>) -> Self {
        Self(Arc::new(limits))
    }

    /// The key with the limits that hold for it.
    #[must_use]
    pub fn apply(&self, mut key: Key) -> Key {
        if let Some(limits) = self.0.get(&key.name) {
            key.limits = key.limits.with(limits);
        }
        key
    }

    /// The names that no usable key has.
    pub fn unused<'a>(&'a self, keys: &'a [Key]) -> impl Iterator<Item = &'a str> {
        let has_key = |name: &str| keys.iter().any(|key| key.name == name && key.revoked.is_none());
        self.0.keys().map(String::as_str).filter(move |name| !has_key(name))
    }
}

/// The budgets whose thresholds are told to the operator.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WatchedBudgets {
    /// Those of all calls together.
    pub common: Vec<BudgetLimit>,
    /// What the config file sets for keys. The rest of their limits is in the ledger.
    pub keys: KeySettings,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::NanoDollars;
    use crate::ledger::KeyId;
    use crate::ledger::rate::RateLimits;
    use crate::policy::KeyOverrides;
    use std::num::NonZeroU32;

    fn key(name: &str, revoked: Option<i64>, limits: KeyLimits) -> Key {
        let (id, hash) = (KeyId(1), String::new());
        Key { id, name: name.into(), hash, made: 0, revoked, expires: None, previous: None, limits, group: None }
    }

    fn every_limit(n: u32, model: &str) -> KeyLimits {
        let (usd, number) = (Some(NanoDollars(n.into())), NonZeroU32::new(n));
        KeyLimits {
            request: usd,
            day: usd,
            week: usd,
            month: usd,
            models: vec![model.into()],
            rates: RateLimits { requests: number, tokens: number, running: number },
            overrides: KeyOverrides {
                max_tokens: Some(n),
                max_tokens_limit: Some(n),
                prompt_cache: Some(n.is_multiple_of(2)),
            },
        }
    }

    #[test]
    fn the_file_wins_over_what_is_stored_for_the_key_of_its_name() {
        let settings = KeySettings::new(BTreeMap::from([
            ("all".to_owned(), every_limit(2, "b")),
            ("none".to_owned(), KeyLimits::default()),
        ]));
        let applied = |name, limits| settings.apply(key(name, None, limits)).limits;
        assert_eq!(applied("all", every_limit(1, "a")), every_limit(2, "b"));
        assert_eq!(applied("all", KeyLimits::default()), every_limit(2, "b"));
        assert_eq!(applied("none", every_limit(1, "a")), every_limit(1, "a"));
        assert_eq!(applied("other", every_limit(1, "a")), every_limit(1, "a"));
    }

    #[test]
    fn a_name_is_unused_without_a_key_that_can_be_used() {
        let limits = KeyLimits::default;
        let settings = KeySettings::new(["a", "b", "c"].map(|name| (name.to_owned(), limits())).into());
        let keys = [key("a", None, limits()), key("b", Some(1), limits())];
        assert_eq!(settings.unused(&keys).collect::<Vec<_>>(), ["b", "c"]);
    }
}
