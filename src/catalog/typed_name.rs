//! What a person means by a model's name. People type less than a whole name and do not mind the case; what is stored or
//! sent by a program must be a name that [`Catalog::resolve`] takes, so that it means the same model tomorrow.
//!
//! The rule, from the first that applies:
//! 1. a name that [`Catalog::resolve`] takes: an alias, an id or an ARN, or another program's spelling, in any case;
//! 2. the beginning of aliases: `claude-so`;
//! 3. words of aliases, of which the last may be incomplete: `haiku`, `son`, `sonnet-4-6`.
//!
//! Several names may fit 2 or 3. One of them is meant only if all others are its name with more words, and AWS goes on
//! serving it: `haiku` is `claude-haiku`, not `claude-haiku-4-5`. Otherwise the name is refused, with all that fit and
//! their prices: nobody pays for a guess.

use super::near_miss::word_starts;
use super::{Catalog, Lifecycle, Model, Prices};
use crate::error::{Error, Field, Kind, Result};
use std::sync::Arc;

/// Fewer characters are a slip rather than a name.
const SHORTEST: usize = 3;

/// How many models an error names at most.
const MOST_NAMED: usize = 8;

/// A model that a person has named.
#[derive(Debug, Clone)]
pub(crate) struct TypedName {
    /// The name to go on with, which [`Catalog::resolve`] takes.
    pub(crate) name: String,
    pub(crate) model: Arc<Model>,
}

impl TypedName {
    /// What to say when another name was typed than the one that is used: `haiku → claude-haiku`.
    pub(crate) fn notice(&self, typed: &str) -> Option<String> {
        (self.name != typed).then(|| format!("{typed} → {}", self.name))
    }
}

impl Catalog {
    /// The model that a person means by what was typed.
    ///
    /// # Errors
    /// `ModelNotFound`, with the models that it could be and their prices, or with the closest name.
    pub(crate) fn resolve_typed(&self, typed: &str) -> Result<TypedName> {
        let not_found = match self.resolve(typed) {
            Ok(model) => {
                // An id stays as it was typed, also one that has an alias.
                let is_whole = model.alias.as_deref() == Some(typed) || model.id == typed;
                let name = if is_whole { typed } else { model.display_name() };
                return Ok(TypedName { name: name.to_owned(), model });
            }
            Err(error) => error,
        };
        let candidates = self.meant_by(typed);
        match the_one_meant(&candidates) {
            Some(model) => Ok(TypedName { name: model.display_name().to_owned(), model: Arc::clone(model) }),
            None if candidates.is_empty() => Err(not_found),
            None => Err(ambiguous(typed, candidates)),
        }
    }

    /// The models whose alias begins with what was typed, or else has its words.
    fn meant_by(&self, typed: &str) -> Vec<&Arc<Model>> {
        let wanted = lower_with_hyphens(typed);
        if wanted.len() < SHORTEST {
            return Vec::new();
        }
        let with = |fits: &dyn Fn(&str) -> bool| -> Vec<&Arc<Model>> {
            self.models().filter(|model| model.alias.as_deref().is_some_and(fits)).collect()
        };
        let beginning = with(&|alias| alias.to_ascii_lowercase().starts_with(&wanted));
        if !beginning.is_empty() {
            return beginning;
        }
        with(&|alias| word_starts(&alias.to_ascii_lowercase()).any(|rest| rest.starts_with(&wanted)))
    }
}

fn lower_with_hyphens(typed: &str) -> String {
    typed.trim().chars().map(|c| if "@_ .".contains(c) { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// The only candidate, or the one whose name all others continue, if AWS goes on serving it.
fn the_one_meant<'a>(candidates: &[&'a Arc<Model>]) -> Option<&'a Arc<Model>> {
    if let [only] = candidates {
        return Some(only);
    }
    let shortest = candidates.iter().min_by_key(|model| model.display_name().len())?;
    let continues = |model: &Model| {
        let rest = model.display_name().strip_prefix(shortest.display_name());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let is_meant = shortest.lifecycle == Lifecycle::Active && candidates.iter().all(|model| continues(model));
    is_meant.then_some(shortest)
}

fn ambiguous(typed: &str, mut candidates: Vec<&Arc<Model>>) -> Error {
    candidates.sort_by_key(|model| (Prices::sort_key(model.prices), model.display_name().to_owned()));
    let described = |model: &&Arc<Model>| match model.prices {
        Some(prices) => format!("{} (${}/${})", model.display_name(), prices.input.dollars(), prices.output.dollars()),
        None => format!("{} (price unknown)", model.display_name()),
    };
    let mut names: Vec<String> = candidates.iter().take(MOST_NAMED).map(described).collect();
    if candidates.len() > MOST_NAMED {
        names.push(format!("and {} more", candidates.len() - MOST_NAMED));
    }
    Error::new(Kind::ModelNotFound, format!("{typed:?} could be {}", names.join(", ")))
        .at(Field::Model)
        .advise("type more of the name; the prices are for a million tokens in and out")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::super::OwnModel;
    use super::*;

    fn catalog() -> Catalog {
        Catalog::load(&[]).unwrap()
    }

    #[test]
    fn less_than_a_name_is_enough_where_it_can_mean_one_model_only() {
        let catalog = catalog();
        for (typed, name) in [
            // Whole names stay as they are.
            ("claude-haiku", "claude-haiku"),
            ("claude-sonnet-4", "claude-sonnet-4"),
            ("claude-sonnet-3", "claude-sonnet-3"),
            ("deepseek", "deepseek"),
            ("us.anthropic.claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6"),
            ("eu.anthropic.claude-next-9", "eu.anthropic.claude-next-9"),
            // Other spellings, in any case.
            ("CLAUDE-HAIKU", "claude-haiku"),
            ("anthropic/claude-sonnet-4.6", "claude-sonnet-4-6"),
            ("Claude Haiku 4.5", "claude-haiku-4-5"),
            ("claude-sonnet-4-20250514", "claude-sonnet-4"),
            // The beginning of a name.
            ("claude-so", "claude-sonnet"),
            ("claude-haiku-4", "claude-haiku-4-5"),
            ("mistral", "mistral-large-3"),
            ("qwen", "qwen3"),
            ("Kim", "kimi"),
            // Words of a name.
            ("haiku", "claude-haiku"),
            ("SONNET", "claude-sonnet"),
            ("son", "claude-sonnet"),
            ("opus", "claude-opus"),
            ("sonnet-4-6", "claude-sonnet-4-6"),
            ("Sonnet 4.6", "claude-sonnet-4-6"),
            ("sonnet-3", "claude-sonnet-3"),
            ("micro", "nova-micro"),
            ("120b", "gpt-oss-120b"),
        ] {
            let typed_name = catalog.resolve_typed(typed).unwrap();
            assert_eq!(typed_name.name, name, "{typed}");
            assert_eq!(catalog.resolve(&typed_name.name).unwrap().id, typed_name.model.id, "{typed}");
            assert_eq!(typed_name.notice(typed), (name != typed).then(|| format!("{typed} → {name}")));
        }
    }

    #[test]
    fn several_models_are_refused_with_their_prices_cheapest_first() {
        for (typed, expected) in [
            (
                "nova",
                "nova-micro ($0.035/$0.14), nova-lite ($0.06/$0.24), nova-2-lite ($0.33/$2.75), nova-pro ($0.80/$3.20)",
            ),
            ("lite", "nova-lite ($0.06/$0.24), nova-2-lite ($0.33/$2.75)"),
            // The shorter name is that of a model which AWS will not serve for long.
            ("deep", "deepseek-v3 ($0.62/$1.85), deepseek ($1.35/$5.40)"),
            (
                "sonnet-4",
                "claude-sonnet-4 ($3.00/$15.00), claude-sonnet-4-5 ($3.30/$16.50), claude-sonnet-4-6 ($3.30/$16.50)",
            ),
            ("gpt", "gpt-oss-20b ($0.07/$0.30), gpt-oss-120b ($0.15/$0.60)"),
        ] {
            let error = catalog().resolve_typed(typed).unwrap_err();
            assert_eq!(error.kind, Kind::ModelNotFound);
            assert_eq!(error.message, format!("{typed:?} could be {expected}"));
        }
        assert!(catalog().resolve_typed("claude").unwrap_err().message.contains(" more"));
    }

    #[test]
    fn what_is_no_part_of_a_name_is_not_found() {
        for (typed, tip) in [
            ("sonet", "did you mean claude-sonnet?"),
            ("claude-sonet-4", "did you mean claude-sonnet-4?"),
            ("hiaku", "did you mean claude-haiku?"),
            ("onnet", "did you mean claude-sonnet?"),
            ("so", "`chatrix models` lists the names"),
            ("", "`chatrix models` lists the names"),
            ("gpt-5", "`chatrix models` lists the names"),
        ] {
            let error = catalog().resolve_typed(typed).unwrap_err();
            assert!(error.to_string().contains(tip), "{typed}: {error}");
        }
    }

    #[test]
    fn what_is_stored_or_sent_by_a_program_must_be_a_whole_name() {
        for typed in ["haiku", "son", "claude-so", "micro"] {
            assert!(catalog().resolve(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn an_own_model_may_be_called_by_a_word() {
        let own = OwnModel {
            alias: "haiku".into(),
            like: Some("nova-micro".into()),
            id: Some("us.amazon.x-v1:0".into()),
            prices: None,
        };
        let catalog = Catalog::load(&[own]).unwrap();
        assert_eq!(catalog.resolve_typed("haiku").unwrap().model.id, "us.amazon.x-v1:0");
        assert_eq!(catalog.resolve_typed("Haiku").unwrap().name, "haiku");
    }
}
