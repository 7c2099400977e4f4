//! The ids of sessions. They are short to type, and sort by the time at which the sessions began.

use std::fmt;
use std::str::FromStr;

/// Base 32 without letters that are mistaken for digits (<https://www.crockford.com/base32.html>), in the order of their
/// values.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Six digits hold 34 years of seconds.
const LENGTH: usize = 6;
/// The beginning of 2026, before which no session began (seconds since 1970).
const FIRST_SECOND: i64 = 1_767_225_600;
/// The number of ids.
const COUNT: u32 = 1 << (5 * LENGTH);

/// The id of a session: the second in which it began, or a later one where that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionId(u32);

impl SessionId {
    /// The id for a session that begins at this time (milliseconds since 1970).
    pub(super) fn at(now: i64) -> Self {
        let seconds = (now.div_euclid(1000) - FIRST_SECOND).rem_euclid(i64::from(COUNT));
        Self(u32::try_from(seconds).unwrap_or_default())
    }

    /// The next id, for when this one is taken.
    pub(super) fn next(self) -> Self {
        Self((self.0 + 1) % COUNT)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..LENGTH).rev() {
            let digit = (self.0 >> (5 * place)) & 31;
            write!(f, "{}", char::from(DIGITS[digit as usize]))?;
        }
        Ok(())
    }
}

impl FromStr for SessionId {
    type Err = ();

    /// Reads an id exactly as it is written.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != LENGTH {
            return Err(());
        }
        let mut number = 0;
        for byte in text.bytes() {
            let digit = DIGITS.iter().position(|digit| *digit == byte).ok_or(())?;
            number = number << 5 | u32::try_from(digit).map_err(|_| ())?;
        }
        Ok(Self(number))
    }
}

/// The beginning of an id as a person types it: letters of any case, and those that are mistaken for digits.
pub(super) fn as_typed(prefix: &str) -> String {
    let digit = |c: char| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    };
    prefix.trim().chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_are_read_back() {
        let day = 86_400_000;
        let mut last = SessionId::at(FIRST_SECOND * 1000);
        assert_eq!(last.to_string(), "000000");
        for days in 1..12_000 {
            let id = SessionId::at(FIRST_SECOND * 1000 + days * day + days);
            assert!(id > last && id.to_string() > last.to_string(), "{id} {last}");
            assert_eq!(id.to_string().parse(), Ok(id));
            last = id;
        }
        assert!(last.next() > last);
        for wrong in ["", "00000", "0000000", "00000u", "00000O", "../../", "00000é"] {
            assert_eq!(wrong.parse::<SessionId>(), Err(()), "{wrong}");
        }
        assert_eq!(as_typed(" OilX "), "011x");
    }
}
