//! Facts about a model, in words for people.

use crate::catalog::{Feature, Features, Lifecycle, Model, Rate, Thinking};

/// The words for what a model takes, each at its own place, so that they line up in a table.
pub(super) fn takes_in_columns(model: &Model) -> String {
    let all = Features::words()
        .map(|(word, _)| if has_feature(model, word) { word.to_owned() } else { " ".repeat(word.len()) });
    all.collect::<Vec<_>>().join(" ")
}

/// The same words without the places of those that are missing.
pub(super) fn takes(model: &Model) -> String {
    takes_in_columns(model).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a model has the feature of this word, or of this name in JSON.
pub(super) fn has_feature(model: &Model, word: &str) -> bool {
    let capabilities = &model.capabilities;
    match Features::find(word) {
        Some(feature) => feature.is_in(capabilities.features) || is_implied(&feature, capabilities.features),
        None => word == Features::THINK.0 && capabilities.thinking != Thinking::None,
    }
}

/// Where a tool may be named, any tool may be forced too.
pub(super) fn is_implied(feature: &Feature, features: Features) -> bool {
    feature.name == "any_tool_choice" && features.forced_tool_choice
}

/// What is not usual about a model's life, and what replaces it; empty for one that is simply there.
pub(super) fn life(model: &Model) -> String {
    let date = model.end_of_life.as_deref().unwrap_or_default();
    let mut text = match model.lifecycle {
        Lifecycle::Active | Lifecycle::Unknown => String::new(),
        Lifecycle::Legacy => format!("legacy until {date}"),
        Lifecycle::EndOfLife => format!("retired {date}"),
    };
    if let Some(successor) = &model.successor {
        text.push_str(&format!(" → {successor}"));
    }
    text
}

/// Dollars for a million tokens, without the sign.
pub(super) fn rate(rate: Option<Rate>) -> String {
    rate.map_or_else(|| "?".to_owned(), Rate::dollars)
}

/// A number of tokens in three or four characters: `128K`, `1M`.
pub(super) fn short(tokens: Option<u64>) -> String {
    match tokens {
        None => "?".to_owned(),
        Some(tokens @ 1_000_000..) => format!("{}M", tokens / 1_000_000),
        Some(tokens) => format!("{}K", tokens / 1000),
    }
}
