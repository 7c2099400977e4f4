//! Maps tool names and ids to ones that Bedrock accepts: tool names match `[a-zA-Z0-9_-]{1,64}`, tool-use ids
//! `[a-zA-Z0-9_.:-]{1,64}` (docs/bedrock.md §1.2). A legal name stays as it is. The same name always maps to the same
//! name, and no two names map to one. In the answer, names are mapped back.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hasher;

/// The longest name or id (bytes).
const MAX_LENGTH: usize = 64;

/// The tool names of one request, in both directions.
#[derive(Debug, Default, Clone)]
pub(crate) struct ToolNames {
    legal: HashMap<String, String>,
    original: HashMap<String, String>,
}

impl ToolNames {
    /// Legal names are added first, so that a mapped name never takes the place of one that a client really uses.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut map = Self::default();
        let (legal, illegal): (Vec<&str>, Vec<&str>) = names.partition(|name| is_legal(name, ""));
        for name in legal {
            map.insert(name, name.to_owned());
        }
        for name in illegal {
            if map.legal.contains_key(name) {
                continue;
            }
            let mut candidate = shorten(name, "");
            while map.original.contains_key(&candidate) {
                candidate = shorten(&format!("{candidate}x{name}"), "");
            }
            map.insert(name, candidate);
        }
        map
    }

    fn insert(&mut self, original: &str, legal: String) {
        self.original.insert(legal.clone(), original.to_owned());
        self.legal.insert(original.to_owned(), legal);
    }

    /// The name to send to Bedrock.
    pub(crate) fn legal_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match self.legal.get(name) {
            Some(legal) if legal != name => Cow::Owned(legal.clone()),
            _ => Cow::Borrowed(name),
        }
    }

    /// The client's own name for a tool that Bedrock names.
    pub(crate) fn original_name(&self, name: &str) -> String {
        self.original.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }
}

/// A tool-use id to send to Bedrock. Nothing maps ids back, because the ids in an answer are Bedrock's own.
pub(super) fn legal_id(id: &str) -> String {
    const EXTRA: &str = ".:";
    if is_legal(id, EXTRA) { id.to_owned() } else { shorten(id, EXTRA) }
}

/// `extra`: the characters that are legal besides letters, digits, `_` and `-`.
fn is_legal(name: &str, extra: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_LENGTH && name.chars().all(|c| legal_char(c, extra))
}

fn legal_char(c: char, extra: &str) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-' || extra.contains(c)
}

/// A readable beginning followed by a hash of the whole name, so that different names stay different.
fn shorten(name: &str, extra: &str) -> String {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    hasher.write(name.as_bytes());
    let start: String =
        name.chars().take(MAX_LENGTH - 17).map(|c| if legal_char(c, extra) { c } else { '_' }).collect();
    format!("{start}_{:016x}", hasher.finish())
}

/// FNV-1a. The standard library's hasher may change with a release of Rust, but the bytes of a request must not.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t5_names_are_mapped_and_mapped_back_without_collision() {
        let long = "x".repeat(80);
        let mapped_already = shorten("a.b", "");
        let all = ["plain", "a.b", "a/b", "ä", "", long.as_str(), mapped_already.as_str()];
        let names = ToolNames::new(all.into_iter());
        let mut seen = std::collections::HashSet::new();
        for name in all {
            let sent = names.legal_name(name);
            assert!(is_legal(&sent, ""), "{name} {sent}");
            assert!(seen.insert(sent.to_string()), "{sent} twice");
            assert_eq!(names.original_name(&sent), name);
        }
        assert_eq!(names.legal_name("plain"), "plain");
        assert_eq!(ToolNames::new(["a.b"].into_iter()).legal_name("a.b"), mapped_already, "always the same");
        assert_eq!(legal_id("tooluse_abc.1:2"), "tooluse_abc.1:2");
        assert!(is_legal(&legal_id(&"i".repeat(300)), ".:") && legal_id("a b") != legal_id("a/b"));
    }
}
