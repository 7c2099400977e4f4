//! Makes a word out of any text, in a limited alphabet and length. The same text always gives the same word, and two texts
//! give two words.

use std::hash::Hasher;

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

/// FNV-1a. The standard library's hasher may change with a release of Rust, but the bytes of a request must not.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    hasher.write(text.as_bytes());
    hasher.finish()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
