//! Makes a word out of any text, in a limited alphabet and length. The same text always gives the same word, and two texts
//! give two words.

use sha2::{Digest, Sha256};

/// The longest name or id (bytes).
pub(super) const MAX_LENGTH: usize = 64;

/// Whether a text is a word: 1 to 64 of these characters.
pub(super) fn is_word(text: &str, legal: fn(char) -> bool) -> bool {
    !text.is_empty() && text.len() <= MAX_LENGTH && text.chars().all(legal)
}

/// A readable beginning followed by a hash of the whole text, so that different texts stay different.
pub(super) fn hashed(text: &str, legal: fn(char) -> bool) -> String {
    let start: String = text.chars().take(MAX_LENGTH - 17).map(|c| if legal(c) { c } else { '_' }).collect();
    format!("{start}_{:016x}", hash(text))
}

/// The first 64 bits of SHA-256. Texts of the same hash would each have to be told apart, one by one, so a client must not
/// be able to find many of them.
pub(super) fn hash(text: &str) -> u64 {
    Sha256::digest(text).iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}
