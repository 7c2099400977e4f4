//! The name that somebody meant who has mistyped one: of a model, an API key, a command or a setting.

/// The name that was probably meant by what was typed: of a model, a key, a command. `None` when none is close.
/// A mistyped word of a name is close to the whole name.
pub(crate) fn closest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are compared letter by letter, each with each, so only one that may be a typing mistake is.
    const LONGEST: usize = 64;
    const CLOSE_ENOUGH: f64 = 0.88;
    let typed = Some(typed).filter(|typed| typed.len() <= LONGEST)?.to_ascii_lowercase();
    let similarity = |name: &str| {
        let name = name.to_ascii_lowercase();
        word_starts(&name).map(|rest| similarity(&typed, rest)).max_by(f64::total_cmp).unwrap_or_default()
    };
    names
        .into_iter()
        .map(|name| (similarity(name), name))
        .filter(|(similarity, _)| *similarity > CLOSE_ENOUGH)
        // Of those that are equally close, the first.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, name)| name)
}

/// Advice for a name that does not exist: the one that was probably meant, if any, and where the names are listed.
pub(crate) fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>, list: &str) -> String {
    match closest(typed, names) {
        Some(name) => format!("did you mean {name}? {list}"),
        None => list.to_owned(),
    }
}

/// The rest of a name from each of its words on.
pub(super) fn word_starts(name: &str) -> impl Iterator<Item = &str> {
    std::iter::once(name).chain(name.match_indices('-').map(|(at, _)| &name[at + 1..]))
}

/// How similar two texts are, from 0 to 1.
fn similarity(typed: &str, name: &str) -> f64 {
    // One letter too many, too few or wrong, or two that changed places. Short names have no more similarity than that.
    const ONE_MISTAKE: f64 = 0.95;
    let similar = strsim::jaro_winkler(typed, name);
    let is_long_enough = typed.len() >= 3;
    if is_long_enough && strsim::osa_distance(typed, name) == 1 { similar.max(ONE_MISTAKE) } else { similar }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_close_and_another_name_is_not() {
        let names = ["models", "ask", "chat", "serve", "usage", "keys", "claude-sonnet", "claude-sonnet-4", "laptop"];
        for (typed, expected) in [
            ("aks", Some("ask")),
            ("modles", Some("models")),
            ("chta", Some("chat")),
            ("sevre", Some("serve")),
            ("key", Some("keys")),
            ("Lapotp", Some("laptop")),
            ("sonet", Some("claude-sonnet")),
            ("claude-sonet-4", Some("claude-sonnet-4")),
            ("frob", None),
            ("", None),
            ("a", None),
        ] {
            assert_eq!(closest(typed, names), expected, "{typed}");
        }
        assert_eq!(closest(&"sonet".repeat(20), names), None);
    }
}
