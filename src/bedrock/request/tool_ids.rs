//! Gives the calls of a conversation ids that the model takes (docs/bedrock.md §2.6.10). A conversation may have begun with
//! another model, whose ids have another form. A call's id depends only on its own and on those before it, so that a
//! conversation that goes on keeps its beginning. Nothing maps ids back, because the ids in an answer are Bedrock's own.

use super::legal_word::{hash, hashed, is_word};
use crate::catalog;
use std::collections::{HashMap, HashSet};

/// The ids of one conversation.
pub(super) struct ToolIds {
    form: catalog::ToolIds,
    taken: HashSet<String>,
    /// How often each of the client's ids has occurred.
    times: HashMap<String, usize>,
}

impl ToolIds {
    pub(super) fn new(form: catalog::ToolIds) -> Self {
        Self { form, taken: HashSet::new(), times: HashMap::new() }
    }

    /// The id to send for the next call. A call that repeats an id gets another one.
    pub(super) fn assign(&mut self, own: &str) -> String {
        let times = self.times.entry(own.to_owned()).or_default();
        loop {
            *times += 1;
            let id = if *times == 1 { legal(own, self.form) } else { legal(&format!("{own}-{times}"), self.form) };
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }
}

fn legal(id: &str, form: catalog::ToolIds) -> String {
    let legal_char: fn(char) -> bool = match form {
        catalog::ToolIds::Word => |c| c.is_ascii_alphanumeric() || "_-".contains(c),
        catalog::ToolIds::Dotted => |c| c.is_ascii_alphanumeric() || "_-.:".contains(c),
        catalog::ToolIds::Nine => return nine(id),
    };
    if is_word(id, legal_char) { id.to_owned() } else { hashed(id, legal_char) }
}

/// Nine letters and digits: the id itself, or its hash. Bedrock's own ids stay: for a model that wants nine, the service
/// shortens them itself.
fn nine(id: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let is_nine = id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric());
    let is_bedrocks = id.strip_prefix("tooluse_").is_some_and(|rest| rest.len() == 22);
    if is_nine || (is_bedrocks && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))) {
        return id.to_owned();
    }
    let mut rest = hash(id);
    let digits = (0..9).map(|_| {
        let digit = DIGITS[usize::try_from(rest % 62).unwrap_or_default()];
        rest /= 62;
        char::from(digit)
    });
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t5_ids_have_the_form_that_the_model_wants_and_stay_different() {
        let long = "i".repeat(300);
        let all = [
            "tooluse_a1",
            "functions.bash:0",
            "functions_bash_0",
            "call|fc_1",
            "",
            "ä",
            "a b",
            "a/b",
            "abcdefghi",
            "a-b",
            "a-b",
            long.as_str(),
        ];
        for form in [catalog::ToolIds::Word, catalog::ToolIds::Dotted, catalog::ToolIds::Nine] {
            let assigned = || {
                let mut ids = ToolIds::new(form);
                all.map(|id| ids.assign(id))
            };
            let sent = assigned();
            assert_eq!(sent, assigned(), "always the same");
            assert_eq!(sent.iter().collect::<HashSet<_>>().len(), all.len(), "{sent:?}");
            for id in &sent {
                let fits = match form {
                    catalog::ToolIds::Word => is_word(id, |c| c.is_ascii_alphanumeric() || c == '_' || c == '-'),
                    catalog::ToolIds::Dotted => is_word(id, |c| c.is_ascii_alphanumeric() || "_-.:".contains(c)),
                    catalog::ToolIds::Nine => id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric()),
                };
                assert!(fits, "{form:?} {id}");
            }
            assert_eq!(sent[8], "abcdefghi", "a legal id stays as it is");
            assert_eq!(sent[1] == "functions.bash:0", form == catalog::ToolIds::Dotted);
        }
    }

    #[test]
    fn an_id_that_occurs_often_takes_no_longer() {
        let mut ids = ToolIds::new(catalog::ToolIds::Word);
        let sent: HashSet<String> = (0..20_000).map(|_| ids.assign("c")).collect();
        assert_eq!(sent.len(), 20_000);
        assert!(sent.contains("c") && sent.contains("c-2") && sent.contains("c-20000"));
    }
}
