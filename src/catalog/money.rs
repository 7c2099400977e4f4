//! Money is stored in integers. One dollar is 10⁹ nano-dollars, and a rate is in nano-dollars per million tokens, so
//! that even $0.00875 per million tokens is exact.

use serde::{Deserialize, Deserializer};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

/// An amount of money in nano-dollars.
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

impl Sub for NanoDollars {
    type Output = Self;
    /// The result is never below zero: nothing is left of an overdrawn budget.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for NanoDollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), Add::add)
    }
}

/// The largest amount that can be typed or configured: a million dollars. More is taken for a typing mistake.
const MAX_AMOUNT: u64 = 1_000_000_000_000_000;

impl FromStr for NanoDollars {
    type Err = String;
    /// Parses dollars as a person types them, without rounding: `5`, `0.05` or `$1.50`, with up to nine decimals.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not an amount of dollars, like 5 or 0.05");
        let digits = text.trim().trim_start_matches('$');
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let only_digits = |digits: &str| digits.chars().all(|c| c.is_ascii_digit());
        if (whole.is_empty() && part.is_empty()) || !only_digits(whole) || !only_digits(part) || part.len() > 9 {
            return Err(wrong());
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| wrong())? };
        let nano: u64 = format!("{part:0<9}").parse().map_err(|_| wrong())?;
        let amount = whole.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(nano));
        amount.filter(|amount| *amount <= MAX_AMOUNT).map(Self).ok_or_else(|| format!("{text:?} is more than $1000000"))
    }
}

impl<'de> Deserialize<'de> for NanoDollars {
    /// Reads a number of dollars.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        if !(0.0..=1e6).contains(&dollars) {
            return Err(serde::de::Error::custom(format!("{dollars} is not an amount of dollars (0 to 1000000)")));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked above")]
        Ok(Self((dollars * 1e9).round() as u64))
    }
}

/// A price in nano-dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Rate(pub u64);

impl Rate {
    /// What `tokens` cost at this rate. The result is rounded up, so that the ledger never books less than AWS bills.
    #[must_use]
    pub fn cost(self, tokens: u64) -> NanoDollars {
        let exact = (u128::from(self.0) * u128::from(tokens)).div_ceil(1_000_000);
        NanoDollars(u64::try_from(exact).unwrap_or(u64::MAX))
    }

    /// Dollars per token, without the dollar sign, with all decimals.
    #[must_use]
    pub fn dollars_per_token(self) -> String {
        let (whole, part) = (self.0 / 1_000_000_000_000_000, self.0 % 1_000_000_000_000_000);
        let text = format!("{whole}.{part:015}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// Dollars per million tokens, without the dollar sign.
    #[must_use]
    pub fn dollars(self) -> String {
        NanoDollars(self.0).dollars()
    }
}

impl NanoDollars {
    /// Dollars as a JSON number.
    #[must_use]
    pub fn number(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "exact up to nine million dollars")]
        let nano = self.0 as f64;
        nano / 1e9
    }

    /// Dollars with the sign and all decimals, for messages that compare two amounts.
    #[must_use]
    pub fn exact(self) -> String {
        format!("${}", self.dollars())
    }

    /// Dollars without the sign, with two to nine decimals. Zeros after the second decimal are left out.
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
    /// Prints two to four decimals, rounded half up. Amounts below a tenth of a cent keep two significant digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut unit = 100_000; // 10⁻⁴ dollars
        while unit > 1 && self.0 > 0 && self.0 < unit * 10 {
            unit /= 10;
        }
        let rounded = self.0.saturating_add(unit / 2) / unit * unit;
        let text = NanoDollars(rounded).dollars();
        write!(f, "${text}")
    }
}

impl<'de> Deserialize<'de> for Rate {
    /// Reads a number of dollars per million tokens, the unit of every price list.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        // No model costs a thousand dollars per million tokens, and a price per token is far below any real price per
        // million tokens (docs/cases.md, C10).
        if !(0.0..=1000.0).contains(&dollars) {
            return Err(serde::de::Error::custom(format!(
                "{dollars} is not a price in dollars per million tokens (0 to 1000)"
            )));
        }
        if dollars > 0.0 && dollars < 0.001 {
            return Err(serde::de::Error::custom(format!(
                "{dollars} looks like a price per token; prices are in dollars per million tokens"
            )));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked above")]
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
        assert_eq!(Rate(110_000_000).dollars_per_token(), "0.00000011");
        assert_eq!(Rate(0).dollars_per_token(), "0");
    }

    #[test]
    fn dollars_are_read_exactly() {
        for (text, nano) in [("5", 5_000_000_000), ("0.05", 50_000_000), ("$1.50", 1_500_000_000), (".000000001", 1)] {
            assert_eq!(text.parse(), Ok(NanoDollars(nano)), "{text}");
        }
        for wrong in ["", "$", ".", "-1", "1e3", "1,5", "0.0000000001", "2000000", "five"] {
            assert!(wrong.parse::<NanoDollars>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_are_printed_with_the_digits_that_matter() {
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
