//! What a call costs: one function computes the worst case before the call, and one the actual cost after it.

use crate::catalog::{NanoDollars, Prices, Rate};
use crate::conversation::{CacheTtl, ServiceTier, Usage};

/// What a call can cost at most: every input token at the highest input rate that can apply, and the whole answer at
/// the highest output rate. `cache` is the longest time to live of the request's cache points.
#[must_use]
pub fn worst_case(
    prices: &Prices,
    input_bound: u64,
    max_tokens: u32,
    cache: Option<CacheTtl>,
    tier: ServiceTier,
) -> NanoDollars {
    let output = u64::from(max_tokens);
    let uncached = Usage { input: input_bound, output, ..Usage::default() };
    // Writing to the cache costs more than reading from it, so reading need not be considered.
    let written = match cache {
        None => uncached,
        Some(CacheTtl::FiveMinutes) => Usage { cache_write_5m: input_bound, output, ..Usage::default() },
        Some(CacheTtl::OneHour) => Usage { cache_write_1h: input_bound, output, ..Usage::default() },
    };
    cost(prices, &uncached, tier).max(cost(prices, &written, tier))
}

#[must_use]
pub fn cost(prices: &Prices, usage: &Usage, tier: ServiceTier) -> NanoDollars {
    let (mut input, mut output) = match prices.long {
        Some(long) if usage.prompt() > long.above => (long.input, long.output),
        _ => (prices.input, prices.output),
    };
    if tier == ServiceTier::Priority
        && let Some(priority) = prices.priority
    {
        input = input.max(priority.input);
        output = output.max(priority.output);
    }
    // For a long prompt or the priority tier, the cache rates rise in proportion to the input rate (docs/bedrock.md
    // §2.4).
    let scaled = |rate: Option<Rate>, otherwise: Rate| match rate {
        Some(rate) if input == prices.input || prices.input == Rate(0) => rate,
        Some(rate) => Rate(
            u64::try_from(u128::from(rate.0) * u128::from(input.0) / u128::from(prices.input.0)).unwrap_or(u64::MAX),
        ),
        None => otherwise,
    };
    input.cost(usage.input)
        + output.cost(usage.output)
        + scaled(prices.cache_read, input).cost(usage.cache_read)
        + scaled(prices.cache_write_5m, input).cost(usage.cache_write_5m)
        + scaled(prices.cache_write_1h, Rate(input.0.saturating_mul(2))).cost(usage.cache_write_1h)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{LongContext, TierRates};

    /// Claude Sonnet 4.5 in the `us.` geography, whose price has nearly every column.
    const PRICES: Prices = Prices {
        input: Rate(3_300_000_000),
        output: Rate(16_500_000_000),
        cache_read: Some(Rate(330_000_000)),
        cache_write_5m: Some(Rate(4_125_000_000)),
        cache_write_1h: Some(Rate(6_600_000_000)),
        long: Some(LongContext { above: 200_000, input: Rate(6_600_000_000), output: Rate(24_750_000_000) }),
        priority: None,
        flex: false,
    };

    #[test]
    fn costs_computed_by_hand() {
        let usage = Usage { input: 312, output: 204, ..Usage::default() };
        assert_eq!(cost(&PRICES, &usage, ServiceTier::Standard), NanoDollars(312 * 3_300 + 204 * 16_500));
        let cached = Usage { cache_read: 1000, cache_write_5m: 100, cache_write_1h: 10, ..usage };
        let expected = 312 * 3_300 + 204 * 16_500 + 1000 * 330 + 100 * 4_125 + 10 * 6_600;
        assert_eq!(cost(&PRICES, &cached, ServiceTier::Standard), NanoDollars(expected));
        let long = Usage { input: 1, output: 10, cache_read: 200_000, ..Usage::default() };
        assert_eq!(cost(&PRICES, &long, ServiceTier::Standard), NanoDollars(6_600 + 10 * 24_750 + 200_000 * 660));
    }

    #[test]
    fn a_geography_has_its_own_price() {
        // The costs are computed by hand for 1,000 input tokens, 100 output tokens, 10 tokens read from the cache and
        // 10 written to it for an hour.
        let usage = Usage { input: 1000, output: 100, cache_read: 10, cache_write_1h: 10, ..Usage::default() };
        for (id, nano) in [
            ("us.anthropic.claude-sonnet-4-6", 1000 * 3300 + 100 * 16_500 + 10 * 330 + 10 * 6600),
            ("global.anthropic.claude-sonnet-4-6", 1000 * 3000 + 100 * 15_000 + 10 * 300 + 10 * 6000),
            ("us.anthropic.claude-haiku-5-5", 1000 * 110 + 100 * 550 + 10 * 11 + 10 * 220),
            ("apac.amazon.nova-lite-v1:0", 1000 * 63 + 100 * 252 + (10_u64 * 15_750).div_ceil(1000) + 10 * 126),
        ] {
            let catalog = crate::catalog::Catalog::load(&[]);
            let prices = catalog.and_then(|catalog| catalog.resolve(id)).map(|model| model.prices);
            let prices = prices.unwrap_or_default();
            assert_eq!(
                prices.map(|prices| cost(&prices, &usage, ServiceTier::Standard)),
                Some(NanoDollars(nano)),
                "{id}"
            );
        }
    }

    #[test]
    fn c2_c6_the_worst_case_is_never_below_the_cost() {
        for (input, output) in [(1, 1), (1_000, 512), (200_000, 1024), (200_001, 1024), (900_000, 7)] {
            for tier in [ServiceTier::Standard, ServiceTier::Flex, ServiceTier::Priority] {
                let prices = Prices {
                    priority: Some(TierRates { input: Rate(5_775_000_000), output: Rate(28_875_000_000) }),
                    ..PRICES
                };
                let plain = Usage { input, output: u64::from(output), ..Usage::default() };
                let short = Usage { input: 0, cache_write_5m: input, ..plain };
                let hour = Usage { input: 0, cache_write_1h: input, ..plain };
                let read = Usage { input: 0, cache_read: input, ..plain };
                for (cache, usages) in [
                    (None, vec![plain]),
                    (Some(CacheTtl::FiveMinutes), vec![plain, short, read]),
                    (Some(CacheTtl::OneHour), vec![plain, hour, read]),
                ] {
                    let bound = worst_case(&prices, input, output, cache, tier);
                    assert!(
                        usages.iter().all(|usage| bound >= cost(&prices, usage, tier)),
                        "{input} {output} {cache:?}"
                    );
                }
            }
        }
    }
}
