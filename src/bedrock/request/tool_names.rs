//! Maps tool names to ones that the model accepts: `[a-zA-Z0-9_-]{1,64}` for most (docs/bedrock.md §1.2, §2.6.10). A legal
//! name stays as it is. The same name always maps to the same name, and no two names map to one. In the answer, names
//! are mapped back.

use super::legal_word::{hashed, is_word};
use crate::catalog::ToolNameForm;
use std::borrow::Cow;
use std::collections::HashMap;

/// The tool names of one request, in both directions.
#[derive(Debug, Default, Clone)]
pub(crate) struct ToolNames {
    legal: HashMap<String, String>,
    original: HashMap<String, String>,
}

impl ToolNames {
    /// Legal names are added first, so that a mapped name never takes the place of one that a client really uses.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>, form: ToolNameForm) -> Self {
        let mut map = Self::default();
        let (legal, illegal): (Vec<&str>, Vec<&str>) = names.partition(|name| is_legal(name, form));
        for name in legal {
            map.insert(name, name.to_owned());
        }
        for name in illegal {
            if map.legal.contains_key(name) {
                continue;
            }
            let mut candidate = made_legal(name, form);
            while map.original.contains_key(&candidate) {
                candidate = made_legal(&format!("{candidate}x{name}"), form);
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

/// The characters of a legal name.
fn legal_char(form: ToolNameForm) -> fn(char) -> bool {
    match form {
        ToolNameForm::Word => |c| c.is_ascii_alphanumeric() || c == '_' || c == '-',
        ToolNameForm::Identifier => |c| c.is_ascii_alphanumeric() || c == '_',
    }
}

fn is_legal(name: &str, form: ToolNameForm) -> bool {
    let begins_well = form == ToolNameForm::Word || !name.starts_with(|c: char| c.is_ascii_digit());
    begins_well && is_word(name, legal_char(form))
}

fn made_legal(name: &str, form: ToolNameForm) -> String {
    if form == ToolNameForm::Identifier && name.starts_with(|c: char| c.is_ascii_digit()) {
        return hashed(&format!("_{name}"), legal_char(form));
    }
    hashed(name, legal_char(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t5_names_are_mapped_and_mapped_back_without_collision() {
        let long = "x".repeat(80);
        for form in [ToolNameForm::Word, ToolNameForm::Identifier] {
            let mapped_already = made_legal("a.b", form);
            let all =
                ["plain", "a.b", "a/b", "ä", "", "$ref", "3d-print", "a-b", long.as_str(), mapped_already.as_str()];
            let names = ToolNames::new(all.into_iter(), form);
            let mut seen = std::collections::HashSet::new();
            for name in all {
                let sent = names.legal_name(name);
                assert!(is_legal(&sent, form), "{name} {sent}");
                assert!(seen.insert(sent.to_string()), "{sent} twice");
                assert_eq!(names.original_name(&sent), name);
            }
            assert_eq!(names.legal_name("plain"), "plain");
            assert_eq!(names.legal_name("a-b") == "a-b", form == ToolNameForm::Word);
            assert_eq!(ToolNames::new(["a.b"].into_iter(), form).legal_name("a.b"), mapped_already, "always the same");
        }
    }
}
