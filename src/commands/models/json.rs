//! `chatrix models --json`.

use super::words::is_implied;
use crate::catalog::{Features, Model, NanoDollars, Rate};
use serde_json::{Value, json};

/// Everything that the catalog knows about a model.
pub(super) fn row(model: &Model, default: bool) -> Value {
    let Model {
        alias,
        id,
        name,
        provider,
        lifecycle,
        end_of_life,
        successor,
        context_window,
        max_output,
        prices,
        capabilities,
        source,
        date,
    } = model;
    let dollars = |rate: Rate| NanoDollars(rate.0).number();
    json!({
        "alias": alias,
        "id": id,
        "name": name,
        "provider": provider,
        "default": default,
        "lifecycle": lifecycle.as_str(),
        "end_of_life": end_of_life,
        "successor": successor,
        "context_window": context_window,
        "max_output": max_output,
        "price_usd_per_million_tokens": prices.map(|prices| json!({
            "input": dollars(prices.input),
            "output": dollars(prices.output),
            "cache_read": prices.cache_read.map(dollars),
            "cache_write_5m": prices.cache_write_5m.map(dollars),
            "cache_write_1h": prices.cache_write_1h.map(dollars),
            "long_context": prices.long.map(|long| json!({
                "above_tokens": long.above, "input": dollars(long.input), "output": dollars(long.output),
            })),
        })),
        "sampling": capabilities.sampling.as_str(),
        "thinking": capabilities.thinking.as_str(),
        "takes": features(capabilities.features),
        "source": source,
        "date": date,
    })
}

fn features(features: Features) -> Value {
    let members = Features::ALL.iter().map(|feature| {
        (feature.name.to_owned(), Value::from(feature.is_in(features) || is_implied(feature, features)))
    });
    Value::Object(members.collect())
}
