//! One model in full: `chatrix models NAME`.

use super::abilities::abilities;
use crate::catalog::{EmbeddingModel, Lifecycle, LongContext, Model, Prices, Rate};
use crate::config::Settings;
use crate::terminal::footer::grouped;
use crate::terminal::output::stdout;
use crate::terminal::printable::Printable;
use crate::terminal::table::{words, wrapped};
use std::sync::Arc;

/// Where labels and texts begin (columns).
const MARGIN: usize = 2;
const INDENT: usize = 14;

/// How many other models are named at most.
const MOST_OTHERS: usize = 6;

/// The tokens in and out of the example.
const EXAMPLE: (u64, u64) = (1000, 500);

/// A label, and what there is to say.
type Row = (&'static str, String);

/// `others`: the models that the same word could mean. `columns`: of the terminal; `None` for a pipe.
pub(super) fn describe(
    model: &Model,
    is_default: bool,
    others: &[Arc<Model>],
    settings: &Settings,
    columns: Option<usize>,
) -> Printable {
    let Model { name, provider, source, date, .. } = model;
    let called = if name == model.display_name() { String::new() } else { format!(": {name}") };
    let default = if is_default { ", the default model" } else { "" };
    let title = format!("{}{called} by {provider}{default}", model.display_name());
    let mut rows = facts(model, settings);
    let others = others.iter().filter(|other| other.id != model.id).map(|other| other.display_name());
    let others: Vec<&str> = others.take(MOST_OTHERS).collect();
    if !others.is_empty() {
        rows.push(("see also", others.join(", ")));
    }
    rows.push((
        "source",
        if date.is_empty() {
            "this version does not know the id, and assumes that it supports what most do".to_owned()
        } else {
            format!("as of {date}")
        },
    ));
    let mut text = page(&title, rows, columns);
    // An address is broken by nobody, so it has a line of its own.
    text.push(Printable::repeat(" ", MARGIN));
    text.push(Printable::line(source.strip_prefix("https://").unwrap_or(source)));
    text.push("\n");
    text
}

/// An embedding model, which has little in common with the others.
pub(super) fn describe_embedding(model: &EmbeddingModel, columns: Option<usize>) -> Printable {
    let EmbeddingModel { alias, id, family: _, price, batch, dimensions } = model;
    let title = format!("{alias}: an embedding model");
    let lengths: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
    let vectors =
        if lengths.is_empty() { "of one length only".to_owned() } else { format!("of {} numbers", lengths.join(", ")) };
    let texts = if *batch == 1 { "one text in a call".to_owned() } else { format!("up to {batch} texts in a call") };
    let rows = vec![
        ("id", id.clone()),
        ("input", format!("${} for a million tokens; vectors cost nothing", price.dollars())),
        ("vectors", format!("{vectors}; {texts}")),
        ("try it", "POST /v1/embeddings of `chatrix serve`".to_owned()),
    ];
    page(&title, rows, columns)
}

fn page(title: &str, rows: Vec<Row>, columns: Option<usize>) -> Printable {
    let mut text = wrapped(words(&Printable::line(title)), " ", 0, 0, columns).bold(stdout().colour());
    text.push("\n\n");
    for (label, value) in rows {
        let label = Printable::from(label);
        let space = Printable::repeat(" ", INDENT - MARGIN - label.width());
        text.push(Printable::repeat(" ", MARGIN));
        text.push(label);
        text.push(space);
        text.push(wrapped(words(&Printable::line(value)), " ", INDENT, INDENT, columns));
        text.push("\n");
    }
    text
}

/// What there is to say about a model.
fn facts(model: &Model, settings: &Settings) -> Vec<Row> {
    let context = model.context_window.map_or("unknown".to_owned(), |tokens| format!("{} tokens", grouped(tokens)));
    let mut rows = vec![
        ("id", model.id.clone()),
        ("life cycle", life_cycle(model, settings.policy().follow_successor)),
        ("context", context),
        ("answers", answers(model, settings)),
    ];
    match model.prices {
        Some(prices) => rows.extend(price_rows(prices)),
        None => rows.push((
            "price",
            format!(
                "unknown, and so is what a call costs; set `price` under [models.{:?}] in the config file",
                model.display_name()
            ),
        )),
    }
    rows.extend(
        abilities(model)
            .into_iter()
            .enumerate()
            .map(|(index, sentence)| (if index == 0 { "features" } else { "" }, sentence)),
    );
    rows.push(("try it", format!("chatrix ask -m {} \"Why is the sky blue?\"", model.display_name())));
    rows.push(("", format!("chatrix chat -m {}", model.display_name())));
    rows
}

fn life_cycle(model: &Model, follow_successor: bool) -> String {
    let date = model.end_of_life.as_deref().unwrap_or("an unknown day");
    let successor = model.successor.as_ref();
    match model.lifecycle {
        Lifecycle::Active => "active".to_owned(),
        Lifecycle::Legacy => {
            let successor = successor.map_or_else(String::new, |name| format!("; its successor is {name}"));
            format!("legacy: AWS serves it until {date}, but not to new accounts{successor}")
        }
        Lifecycle::EndOfLife => match successor {
            Some(name) if follow_successor => {
                format!("retired: AWS served it until {date}; {name} answers in its place")
            }
            Some(name) => format!("retired: AWS served it until {date}; its successor is {name}"),
            None => format!("retired: AWS served it until {date}"),
        },
        Lifecycle::Unknown => "unknown to this version".to_owned(),
    }
}

fn answers(model: &Model, settings: &Settings) -> String {
    let allowed = grouped(settings.policy().longest_answer(model, None).into());
    match model.max_output {
        Some(most) => format!("up to {} tokens; the policy allows {allowed}", grouped(most)),
        None => format!("the policy allows {allowed} tokens"),
    }
}

fn price_rows(prices: Prices) -> Vec<Row> {
    let Prices { input, output, cache_read, cache_write_5m, cache_write_1h, long, priority, flex } = prices;
    let dollars = |rate: Rate| format!("${}", rate.dollars());
    let above = |of: fn(LongContext) -> Rate| {
        long.map_or_else(String::new, |long| {
            format!(", or {} where the prompt has more than {} tokens", dollars(of(long)), grouped(long.above))
        })
    };
    let mut rows = vec![
        ("input", format!("{} for a million tokens{}", dollars(input), above(|long| long.input))),
        ("output", format!("{} for a million tokens{}", dollars(output), above(|long| long.output))),
    ];
    rows.extend(cache_read.map(|rate| ("cache read", format!("{} for a million tokens", dollars(rate)))));
    let writes = [(cache_write_5m, "kept for 5 minutes"), (cache_write_1h, "kept for an hour")];
    let writes: Vec<String> =
        writes.into_iter().filter_map(|(rate, kept)| Some(format!("{} {kept}", dollars(rate?)))).collect();
    rows.extend((!writes.is_empty()).then(|| ("cache write", writes.join(", "))));
    rows.extend(priority.map(|tier| {
        (
            "priority",
            format!(
                "{} for a million tokens in, {} out, in AWS's priority tier",
                dollars(tier.input),
                dollars(tier.output)
            ),
        )
    }));
    rows.extend(flex.then(|| ("flex", "AWS's flex tier costs less; Chatrix books the full price".to_owned())));
    let (tokens_in, tokens_out) = EXAMPLE;
    let example = input.cost(tokens_in) + output.cost(tokens_out);
    rows.push(("example", format!("{} tokens in and {tokens_out} out cost {example}", grouped(tokens_in))));
    rows
}
