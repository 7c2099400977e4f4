//! `chatrix models` lists the models, cheapest first. It reads the catalog only, and needs neither AWS nor a network.

use crate::catalog::{Feature, Features, Lifecycle, Model, NanoDollars, Rate};
use crate::cli::Models;
use crate::config::Settings;
use crate::terminal::output::{note, print, print_json, stdout};
use crate::terminal::printable::Printable;
use crate::terminal::table::table;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn run(args: &Models, settings: &Settings) -> anyhow::Result<u8> {
    let catalog = settings.catalog();
    let mut models: Vec<Arc<Model>> = catalog.models().cloned().collect();
    if args.all {
        models.extend(catalog.priced_ids()?);
    }
    let filter = args.filter.as_deref().unwrap_or_default().to_lowercase();
    models.retain(|model| {
        [model.display_name(), &model.id, &model.name, &model.provider]
            .iter()
            .any(|text| text.to_lowercase().contains(&filter))
    });
    models.sort_by_key(|model| price_key(model));
    let default = catalog.resolve(&settings.model.value)?;
    if args.json {
        let rows: Vec<Value> = models.iter().map(|model| row_json(model, is_same(model, &default))).collect();
        print_json(format_args!("{:#}", Value::from(rows)))?;
        return Ok(0);
    }
    if models.is_empty() {
        note(Printable::line(format_args!("no model matches {filter:?}; `chatrix models` lists them all")));
        return Ok(1);
    }
    if args.quiet {
        let mut names = Printable::join(models.iter().map(|model| Printable::line(model.display_name())), "\n");
        names.push("\n");
        print(&names)?;
    } else {
        print(&listing(&models, &default, args.verbose))?;
    }
    Ok(0)
}

/// An alias and its id are two rows of the table, and only one of them is the default.
fn is_same(model: &Model, default: &Model) -> bool {
    model.id == default.id && model.alias == default.alias
}

fn price_key(model: &Model) -> (u64, String) {
    let price = model.prices.map_or(u64::MAX, |prices| prices.input.0.saturating_add(prices.output.0));
    (price, model.display_name().to_owned())
}

fn listing(models: &[Arc<Model>], default: &Model, verbose: bool) -> Printable {
    let mut heads = vec!["NAME", "$/M IN", "$/M OUT", "CONTEXT", "FEATURES", "STATE"];
    if verbose {
        heads.extend(["ID", "SOURCE"]);
    }
    let rows = models.iter().map(|model| {
        let star = if is_same(model, default) { "*" } else { "" };
        let rate = |rate: Option<Rate>| rate.map_or_else(|| "?".to_owned(), Rate::dollars);
        let mut row = vec![
            format!("{}{star}", model.display_name()),
            rate(model.prices.map(|prices| prices.input)),
            rate(model.prices.map(|prices| prices.output)),
            model.context_window.map_or_else(|| "?".to_owned(), short),
            letters(model),
            state(model),
        ];
        if verbose {
            row.extend([model.id.clone(), format!("{} {}", model.source, model.date)]);
        }
        row.into_iter().map(Printable::line).collect()
    });
    let colour = stdout().colour();
    let heads: Vec<Printable> = heads.into_iter().map(Printable::from).collect();
    let mut text = table(&heads, &rows.collect::<Vec<_>>(), &[1, 2, 3], colour);
    text.push("\n");
    text.push(Printable::lines(Features::legend()).dim(colour));
    text.push("\n");
    text
}

fn state(model: &Model) -> String {
    let date = model.end_of_life.as_deref().unwrap_or_default();
    let mut text = match model.lifecycle {
        Lifecycle::Active => "active".to_owned(),
        Lifecycle::Legacy => format!("legacy until {date}"),
        Lifecycle::EndOfLife => format!("retired {date}"),
        Lifecycle::Unknown => String::new(),
    };
    if let Some(successor) = &model.successor {
        text.push_str(&format!(" → {successor}"));
    }
    text
}

/// One column for each feature. `a` stands in the column of `f`: a model has at most one of the two.
fn letters(model: &Model) -> String {
    let features = model.capabilities.features;
    let columns = Features::LETTERS.iter().filter(|feature| feature.letter != 'a');
    let letter = |feature: &Feature| match feature.letter {
        letter if feature.is_in(features) => letter,
        'f' if features.any_tool_choice => 'a',
        _ => '-',
    };
    columns.map(letter).collect()
}

fn short(tokens: u64) -> String {
    match tokens {
        1_000_000.. => format!("{}M", tokens / 1_000_000),
        _ => format!("{}K", tokens / 1000),
    }
}

fn row_json(model: &Model, default: bool) -> Value {
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
        "takes": features_json(capabilities.features),
        "source": source,
        "date": date,
    })
}

fn features_json(features: Features) -> Value {
    let members = Features::LETTERS.iter().map(|feature| {
        // Where a tool may be named, any tool may be forced too.
        let implied = feature.letter == 'a' && features.forced_tool_choice;
        (feature.name.to_owned(), Value::from(feature.is_in(features) || implied))
    });
    Value::Object(members.collect())
}
