//! Money is integers. One dollar is 10⁹ nano-dollars; a rate is nano-dollars per million tokens,
//! so that even $0.00875 per million is exact. All money is printed by one function, [`NanoDollars`]'s `Display`.

use serde::{Deserialize, Deserializer};
use std::fmt;
use std::ops::{Add, AddAssign};

/// An amount of money (nano-dollars).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct NanoDollars(pub u64);

impl Add for NanoDollars {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for NanoDollars {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// A price (nano-dollars per million tokens).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Rate(pub u64);

impl Rate {
    /// What `tokens` cost at this rate, rounded up: the house never books less than was billed.
    #[must_use]
    pub fn cost(self, tokens: u64) -> NanoDollars {
        let exact = (u128::from(self.0) * u128::from(tokens)).div_ceil(1_000_000);
        NanoDollars(u64::try_from(exact).unwrap_or(u64::MAX))
    }

    /// Dollars per million tokens, for display.
    #[must_use]
    pub fn dollars(self) -> String {
        NanoDollars(self.0).dollars()
    }
}

impl NanoDollars {
    /// Dollars without the sign: at least two decimals, at most nine, no trailing zeros beyond.
    #[must_use]
    pub fn dollars(self) -> String {
        let (whole, nano) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let mut text = format!("{whole}.{nano:09}");
        while text.ends_with('0') && text.len() > text.find('.').unwrap_or(0) + 3 {
            text.pop();
        }
        text
    }
}

impl fmt::Display for NanoDollars {
    /// Four decimals, rounded half up; amounts below a hundredth of a cent keep two digits that count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut unit = 100_000; // 10⁻⁴ dollars
        while unit > 1 && self.0 > 0 && self.0 < unit * 10 {
            unit /= 10;
        }
        let rounded = (self.0 + unit / 2) / unit * unit;
        let text = NanoDollars(rounded).dollars();
        write!(f, "${text}")
    }
}

impl<'de> Deserialize<'de> for Rate {
    /// Reads dollars per million tokens, the unit of every price list.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        // No model costs a thousand dollars per million tokens; a per-token price typed as
        // per-million would be far below any real one (cases.md C10).
        if !(0.0..=1000.0).contains(&dollars) {
            return Err(serde::de::Error::custom(format!(
                "{dollars} is not a price in dollars per million tokens (0 to 1000)"
            )));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded above and below just now")]
        Ok(Self((dollars * 1e9).round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_rounds_up_and_never_overflows() {
        assert_eq!(Rate(35_000_000).cost(1), NanoDollars(35));
        assert_eq!(Rate(8_750_000).cost(1), NanoDollars(9));
        assert_eq!(Rate(3_300_000_000).cost(1_000_000), NanoDollars(3_300_000_000));
        assert_eq!(Rate(u64::MAX).cost(u64::MAX), NanoDollars(u64::MAX));
    }

    #[test]
    fn prints_what_a_person_can_read() {
        for (nano, text) in [
            (0, "$0.00"),
            (9, "$0.000000009"),
            (2_100_000, "$0.0021"),
            (2_149_999, "$0.0021"),
            (56_789, "$0.000057"),
            (14_000_000, "$0.014"),
            (1_234_567_890, "$1.2346"),
            (25_000_000_000, "$25.00"),
        ] {
            assert_eq!(NanoDollars(nano).to_string(), text);
        }
    }
}
