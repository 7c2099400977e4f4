//! Names and ids within Bedrock's alphabet: tool names `[a-zA-Z0-9_-]{1,64}`, tool-use ids `[a-zA-Z0-9_.:-]{1,64}`
//! (docs/bedrock.md §1.2). What is legal stays as it is; what is not is mapped, and names are mapped back in the answer.
//! The same name always becomes the same name, and two never become one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hasher;

const LONGEST: usize = 64;

/// The tool names of one request, both ways.
#[derive(Debug, Default, Clone)]
pub(crate) struct ToolNames {
    legal: HashMap<String, String>,
    original: HashMap<String, String>,
}

impl ToolNames {
    /// Takes a request's names: legal ones first, so that a mapped one never takes the place of a real one.
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

    /// The name to send.
    pub(crate) fn send<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match self.legal.get(name) {
            Some(legal) if legal != name => Cow::Owned(legal.clone()),
            _ => Cow::Borrowed(name),
        }
    }

    /// The name the client knows.
    pub(crate) fn restore(&self, name: &str) -> String {
        self.original.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }
}

/// An id to send. Only ever one way: Bedrock's own ids are legal.
pub(super) fn id(id: &str) -> String {
    const ALSO: &str = ".:";
    if is_legal(id, ALSO) { id.to_owned() } else { shorten(id, ALSO) }
}

fn is_legal(name: &str, also: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && name.chars().all(|c| legal_char(c, also))
}

fn legal_char(c: char, also: &str) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-' || also.contains(c)
}

/// A readable beginning and a hash of the whole: different names stay different.
fn shorten(name: &str, also: &str) -> String {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    hasher.write(name.as_bytes());
    let start: String = name.chars().take(LONGEST - 17).map(|c| if legal_char(c, also) { c } else { '_' }).collect();
    format!("{start}_{:016x}", hasher.finish())
}

/// FNV-1a: the standard library's hasher may change from release to release, and the bytes of a request may not.
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
    fn t5_names_are_mapped_and_restored_without_collision() {
        let long = "x".repeat(80);
        let mapped_already = shorten("a.b", "");
        let all = ["plain", "a.b", "a/b", "ä", "", long.as_str(), mapped_already.as_str()];
        let names = ToolNames::new(all.into_iter());
        let mut seen = std::collections::HashSet::new();
        for name in all {
            let sent = names.send(name);
            assert!(is_legal(&sent, ""), "{name} {sent}");
            assert!(seen.insert(sent.to_string()), "{sent} twice");
            assert_eq!(names.restore(&sent), name);
        }
        assert_eq!(names.send("plain"), "plain");
        assert_eq!(ToolNames::new(["a.b"].into_iter()).send("a.b"), mapped_already, "always the same");
        assert_eq!(id("tooluse_abc.1:2"), "tooluse_abc.1:2");
        assert!(is_legal(&id(&"i".repeat(300)), ".:") && id("a b") != id("a/b"));
    }
}
