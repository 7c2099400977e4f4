//! What a call costs: one function before it (the worst case), one after it (the truth).

use crate::catalog::{NanoDollars, Prices, Rate};
use crate::conversation::Usage;

/// What a call can cost at most: every input token at the dearest input rate that can apply,
/// and the whole answer at the dearest output rate.
#[must_use]
pub fn worst_case(prices: &Prices, input_bound: u64, max_tokens: u32) -> NanoDollars {
    let (input, output) = match prices.long {
        Some(long) if input_bound > long.above => (long.input.max(prices.input), long.output.max(prices.output)),
        _ => (prices.input, prices.output),
    };
    input.cost(input_bound) + output.cost(u64::from(max_tokens))
}

/// What a call cost.
#[must_use]
pub fn cost(prices: &Prices, usage: &Usage) -> NanoDollars {
    let (input, output) = match prices.long {
        Some(long) if usage.prompt() > long.above => (long.input, long.output),
        _ => (prices.input, prices.output),
    };
    // Cache rates scale with the input rate when the prompt is long (bedrock.md §2.4).
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
    use crate::catalog::LongContext;

    /// Claude Sonnet 4.5 in the us. geography (models.csv): a price with every column.
    const PRICES: Prices = Prices {
        input: Rate(3_300_000_000),
        output: Rate(16_500_000_000),
        cache_read: Some(Rate(330_000_000)),
        cache_write_5m: Some(Rate(4_125_000_000)),
        cache_write_1h: Some(Rate(6_600_000_000)),
        long: Some(LongContext { above: 200_000, input: Rate(6_600_000_000), output: Rate(24_750_000_000) }),
    };

    #[test]
    fn costs_computed_by_hand() {
        let usage = Usage { input: 312, output: 204, ..Usage::default() };
        assert_eq!(cost(&PRICES, &usage), NanoDollars(312 * 3_300 + 204 * 16_500));
        let cached = Usage { cache_read: 1000, cache_write_5m: 100, cache_write_1h: 10, ..usage };
        let expected = 312 * 3_300 + 204 * 16_500 + 1000 * 330 + 100 * 4_125 + 10 * 6_600;
        assert_eq!(cost(&PRICES, &cached), NanoDollars(expected));
        let long = Usage { input: 1, output: 10, cache_read: 200_000, ..Usage::default() };
        assert_eq!(cost(&PRICES, &long), NanoDollars(6_600 + 10 * 24_750 + 200_000 * 660));
    }

    #[test]
    fn the_worst_case_is_never_below_the_truth() {
        for (input, output) in [(1, 1), (1_000, 512), (200_000, 1024), (200_001, 1024), (900_000, 7)] {
            let usage = Usage { input, output: u64::from(output), ..Usage::default() };
            assert!(worst_case(&PRICES, input, output) >= cost(&PRICES, &usage), "{input} {output}");
        }
    }
}
