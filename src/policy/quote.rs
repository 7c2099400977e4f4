//! What a call can cost at most, for any length of its answer. A model at its end of life may be answered for by its
//! successor: then there are two quotes, and the dearer one is reserved.

use super::price;
use crate::catalog::{NanoDollars, Prices};
use crate::conversation::{CacheTtl, ServiceTier};

/// The worst case of one model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quote {
    /// Its prices; unknown for some models.
    pub prices: Option<Prices>,
    /// Input tokens, from above.
    pub input: u64,
    /// The longest answer that is asked for (tokens).
    pub max_tokens: u32,
    /// The longest time to live of its cache points.
    pub cache: Option<CacheTtl>,
    /// How fast it is to be served.
    pub tier: ServiceTier,
}

impl Quote {
    /// The worst case with an answer of at most so many tokens; `None` without a price.
    pub(super) fn at(&self, max_tokens: u32) -> Option<NanoDollars> {
        let max_tokens = max_tokens.min(self.max_tokens);
        Some(price::worst_case(self.prices.as_ref()?, self.input, max_tokens, self.cache, self.tier))
    }
}

/// The dearest of some quotes; `None` when one of them has no price.
pub(super) fn dearest(quotes: &[Quote], max_tokens: u32) -> Option<NanoDollars> {
    let costs: Option<Vec<NanoDollars>> = quotes.iter().map(|quote| quote.at(max_tokens)).collect();
    costs?.into_iter().max()
}

/// The longest answer, up to `most`, whose worst case fits into an amount; `None` when not even one token does.
pub(super) fn longest(quotes: &[Quote], most: u32, amount: NanoDollars) -> Option<u32> {
    let fits = |tokens: u32| dearest(quotes, tokens).is_some_and(|cost| cost <= amount);
    if fits(most) {
        return Some(most);
    }
    // The worst case grows with the answer: halve the distance until it is found.
    let (mut low, mut high) = (0, most);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low > 0).then_some(low)
}
