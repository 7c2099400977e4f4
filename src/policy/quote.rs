//! What a call can cost at most, for any length of its answer. When the successor of a model may answer instead of it,
//! a call has two quotes, and the higher worst case is reserved.

use super::price;
use crate::catalog::{NanoDollars, Prices};
use crate::conversation::{CacheTtl, ServiceTier};

/// What the worst case of a call depends on, for one model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quote {
    /// `None` when unknown.
    pub prices: Option<Prices>,
    /// The upper bound of the input tokens.
    pub input_bound: u64,
    /// The upper bound of the answer (tokens).
    pub max_tokens: u32,
    /// The longest time to live of the request's cache points.
    pub cache: Option<CacheTtl>,
    pub tier: ServiceTier,
}

impl Quote {
    /// The worst case with an answer of at most `max_tokens` tokens; `None` without a price.
    pub(super) fn worst_case(&self, max_tokens: u32) -> Option<NanoDollars> {
        let max_tokens = max_tokens.min(self.max_tokens);
        Some(price::worst_case(self.prices.as_ref()?, self.input_bound, max_tokens, self.cache, self.tier))
    }
}

/// The highest worst case among some quotes; `None` when one of them has no price.
pub(super) fn highest_worst_case(quotes: &[Quote], max_tokens: u32) -> Option<NanoDollars> {
    let costs: Option<Vec<NanoDollars>> = quotes.iter().map(|quote| quote.worst_case(max_tokens)).collect();
    costs?.into_iter().max()
}

/// The longest answer, up to `max_tokens`, whose worst case fits an amount; `None` when not even one token does.
pub(super) fn longest_affordable(quotes: &[Quote], max_tokens: u32, amount: NanoDollars) -> Option<u32> {
    let fits = |tokens: u32| highest_worst_case(quotes, tokens).is_some_and(|cost| cost <= amount);
    if fits(max_tokens) {
        return Some(max_tokens);
    }
    // The worst case grows with the length of the answer, so a binary search finds the longest one that fits.
    let mut low = 0;
    let mut high = max_tokens;
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
