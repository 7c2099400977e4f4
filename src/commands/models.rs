//! `chatrix models` lists the models, cheapest first, or shows one in full. It reads the catalog only, and needs neither
//! AWS nor a network.

mod abilities;
mod available;
mod description;
mod json;
mod list;
mod words;

use crate::catalog::{Catalog, Model, Prices};
use crate::cli::Models;
use crate::config::Settings;
use crate::terminal::output::{note, print, print_json, stdout};
use crate::terminal::printable::Printable;
use crate::terminal::size::columns;
use crate::terminal::table::lines;
use available::Available;
use serde_json::Value;
use std::sync::Arc;

pub(crate) fn run(args: &Models, settings: &Settings) -> anyhow::Result<u8> {
    let catalog = settings.catalog();
    let filter = args.filter.as_deref().unwrap_or_default();
    let models = fitting(args, catalog)?;
    let default = catalog.resolve(&settings.model.value)?;
    if args.json {
        print_rows(&models, &default)?;
        return Ok(0);
    }
    if args.quiet {
        print(&lines(models.iter().map(|model| Printable::line(model.display_name()))))?;
    } else if let Some(model) = the_one(filter, &models, catalog) {
        let default = is_same(&model, &default);
        print(&description::describe(&model, default, &models, settings, columns()))?;
        return Ok(0);
    } else if let Some(embedding) = models.is_empty().then(|| catalog.resolve_embedding(filter).ok()).flatten() {
        print(&description::describe_embedding(&embedding, columns()))?;
        return Ok(0);
    } else if !models.is_empty() {
        print_list(&models, &default, args.verbose)?;
    }
    if models.is_empty() {
        note(Printable::line(not_found(filter, catalog)));
    }
    Ok(u8::from(models.is_empty()))
}

/// As [`run`], for `--available`: the models that AWS lets this account call, and the ids of others after them.
pub(crate) async fn run_available(args: Models, settings: Settings) -> anyhow::Result<u8> {
    let available = Available::ask(&settings).await?;
    let catalog = settings.catalog();
    let filter = args.filter.as_deref().unwrap_or_default().to_lowercase();
    let mut models = fitting(&args, catalog)?;
    let left = available.narrow(&mut models);
    let others = available.others(catalog, &filter);
    let default = catalog.resolve(&settings.model.value)?;
    if args.json || args.quiet {
        models.extend(others.iter().filter_map(|offer| catalog.resolve(&offer.id).ok()));
    }
    if args.json {
        print_rows(&models, &default)?;
    } else if args.quiet {
        print(&lines(models.iter().map(|model| Printable::line(model.display_name()))))?;
    } else {
        if !models.is_empty() {
            print_list(&models, &default, args.verbose)?;
        }
        print(&available.remarks(&left, &others))?;
    }
    let is_empty = models.is_empty() && others.is_empty();
    if is_empty && !args.json {
        note(Printable::line(format_args!("AWS offers no model that matches {filter:?}")));
    }
    Ok(u8::from(is_empty && !args.json))
}

/// The models that fit the filter, cheapest first.
fn fitting(args: &Models, catalog: &Catalog) -> anyhow::Result<Vec<Arc<Model>>> {
    let mut models: Vec<Arc<Model>> = catalog.models().cloned().collect();
    if args.all {
        models.extend(catalog.priced_ids()?);
    }
    let filter = args.filter.as_deref().unwrap_or_default();
    models.retain(|model| fits(model, &filter.to_lowercase()));
    models.sort_by_key(|model| (Prices::sort_key(model.prices), model.display_name().to_owned()));
    Ok(models)
}

fn print_rows(models: &[Arc<Model>], default: &Model) -> anyhow::Result<()> {
    let rows: Vec<Value> = models.iter().map(|model| json::row(model, is_same(model, default))).collect();
    print_json(format_args!("{:#}", Value::from(rows)))?;
    Ok(())
}

fn print_list(models: &[Arc<Model>], default: &Model, verbose: bool) -> anyhow::Result<()> {
    let default = models.iter().position(|model| is_same(model, default));
    let list = list::List { models, default, verbose, colour: stdout().colour() };
    print(&list.text(columns()))?;
    Ok(())
}

/// Whether a model is listed for a filter: its name, id or provider contains it, or it is the word for one of its
/// features.
fn fits(model: &Model, filter: &str) -> bool {
    [model.display_name(), &model.id, &model.name, &model.provider]
        .iter()
        .any(|text| text.to_lowercase().contains(filter))
        || words::has_feature(model, filter)
}

/// The model that a filter means and no other: by a whole name, as the only one that fits it, or, where none fits it, in
/// the way that people shorten names.
fn the_one(filter: &str, fitting: &[Arc<Model>], catalog: &Catalog) -> Option<Arc<Model>> {
    if filter.is_empty() {
        return None;
    }
    match (catalog.resolve(filter), fitting) {
        // The beginning of an id looks like an id of which nothing is known.
        (Ok(model), fitting) if model.prices.is_some() || fitting.is_empty() => Some(model),
        (_, [only]) => Some(Arc::clone(only)),
        (_, []) => catalog.resolve_typed(filter).ok().map(|meant| meant.model),
        _ => None,
    }
}

fn not_found(filter: &str, catalog: &Catalog) -> String {
    let error = catalog.resolve_typed(filter).err();
    let advice = error.as_ref().map_or("", |error| error.advice());
    format!("no model matches {filter:?}; {advice}")
}

/// An alias and its id are two rows of the table, and only one of them is the default.
fn is_same(model: &Model, default: &Model) -> bool {
    model.id == default.id && model.alias == default.alias
}
