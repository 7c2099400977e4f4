//! The table of models. It has as many columns as the terminal has room for, and what is left out stands below its row;
//! in a pipe it always has all of them.

use super::words::{life, rate, short, takes, takes_in_columns};
use crate::catalog::{Model, Prices};
use crate::terminal::printable::Printable;
use crate::terminal::table::{lines, table_lines, table_width, wrapped};
use std::sync::Arc;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Input,
    Output,
    CacheRead,
    CacheWrite,
    Context,
    MaxOutput,
    Takes,
    Life,
    Id,
    Source,
}

use Column::{CacheRead, CacheWrite, Context, Id, Input, Life, MaxOutput, Name, Output, Source, Takes};

/// All columns. A pipe gets them, with the source only where it is asked for.
const ALL: [Column; 11] = [Name, Input, Output, CacheRead, CacheWrite, Context, MaxOutput, Takes, Life, Id, Source];

/// The columns that a terminal may have room for, the widest table first.
const LAYOUTS: [&[Column]; 7] = [
    ALL.split_at(10).0,
    &[Name, Input, Output, Context, MaxOutput, Takes, Life],
    &[Name, Input, Output, Context, MaxOutput, Takes],
    &[Name, Input, Output, Context, Takes],
    &[Name, Input, Output, Context],
    &[Name, Input, Output],
    &[Name],
];

/// What nobody chooses a model without knowing, in the order in which it stands below a row that has no room for it.
const NEEDED: [Column; 5] = [Input, Output, Context, Takes, Life];

/// The blanks before what stands below a row.
const INDENT: usize = 2;

impl Column {
    fn head(self) -> &'static str {
        match self {
            Name => "NAME",
            Input => "$/M IN",
            Output => "$/M OUT",
            CacheRead => "CACHED",
            CacheWrite => "CACHING",
            Context => "CONTEXT",
            MaxOutput => "MAX OUT",
            Takes => "TAKES",
            Life => "LIFE CYCLE",
            Id => "ID",
            Source => "SOURCE",
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Input | Output | CacheRead | CacheWrite | Context | MaxOutput)
    }

    fn cell(self, model: &Model, is_default: bool) -> Printable {
        let price = |of: fn(Prices) -> _| rate(model.prices.map(of));
        let optional_price =
            |of: fn(Prices) -> Option<_>| model.prices.and_then(of).map_or_else(String::new, |price| rate(Some(price)));
        match self {
            Name => Printable::line(format_args!("{}{}", model.display_name(), if is_default { "*" } else { "" })),
            Input => Printable::line(price(|prices| prices.input)),
            Output => Printable::line(price(|prices| prices.output)),
            CacheRead => Printable::line(optional_price(|prices| prices.cache_read)),
            CacheWrite => Printable::line(optional_price(|prices| prices.cache_write_5m)),
            Context => Printable::line(short(model.context_window)),
            MaxOutput => Printable::line(short(model.max_output)),
            // The blanks between its words are kept.
            Takes => Printable::lines(takes_in_columns(model)),
            Life => Printable::line(life(model)),
            Id => Printable::line(&model.id),
            Source => Printable::line(format_args!("{} {}", model.source, model.date)),
        }
    }

    /// The same below a row; empty when there is nothing to say.
    fn below(self, model: &Model) -> Printable {
        let price = |of: fn(Prices) -> _| rate(model.prices.map(of));
        match self {
            Input => Printable::line(format_args!("${} in", price(|prices| prices.input))),
            Output => Printable::line(format_args!("${} out", price(|prices| prices.output))),
            Context => Printable::line(format_args!("{} context", short(model.context_window))),
            Takes => Printable::line(takes(model)),
            other => other.cell(model, false),
        }
    }
}

/// A list of models.
pub(super) struct List<'a> {
    pub(super) models: &'a [Arc<Model>],
    /// The place of the default model in the list.
    pub(super) default: Option<usize>,
    /// Whether ids and sources are shown too.
    pub(super) verbose: bool,
    pub(super) colour: bool,
}

impl List<'_> {
    /// The list for a terminal with this many columns, or for a pipe.
    pub(super) fn text(&self, columns: Option<usize>) -> Printable {
        let heads = |layout: &[Column]| layout.iter().map(|column| column.head().into()).collect::<Vec<Printable>>();
        let layout = match columns {
            None => ALL.split_at(if self.verbose { ALL.len() } else { ALL.len() - 1 }).0,
            Some(columns) => {
                let has_room = |layout: &&&[Column]| table_width(&heads(layout), &self.rows(layout)) <= columns;
                LAYOUTS.iter().find(has_room).unwrap_or(&LAYOUTS[LAYOUTS.len() - 1])
            }
        };
        let right: Vec<usize> = (0..layout.len()).filter(|index| layout[*index].is_number()).collect();
        let sources = self.sources();
        let mut text = Vec::new();
        for (index, line) in
            table_lines(&heads(layout), &self.rows(layout), &right, self.colour).into_iter().enumerate()
        {
            text.push(line);
            let Some(model) = index.checked_sub(1).and_then(|index| self.models.get(index)) else { continue };
            text.extend(self.below(model, layout, &sources, columns).map(|line| line.dim(self.colour)));
        }
        if self.verbose && !layout.contains(&Source) {
            text.push(Printable::default());
            text.extend(
                sources.iter().zip(1..).map(|(source, number)| Printable::line(format_args!("[{number}] {source}"))),
            );
        }
        if let Some(columns) = columns {
            text.push(Printable::default());
            text.extend(
                self.hints().into_iter().map(|hint| wrapped([hint], " ", 0, 0, Some(columns)).dim(self.colour)),
            );
        }
        lines(text)
    }

    fn rows(&self, layout: &[Column]) -> Vec<Vec<Printable>> {
        let row = |(index, model): (usize, &Arc<Model>)| {
            layout.iter().map(|column| column.cell(model, self.default == Some(index))).collect()
        };
        self.models.iter().enumerate().map(row).collect()
    }

    /// The line below a row, if it has one: what its row has no room for, and with `-v` where its figures come from.
    fn below(&self, model: &Model, layout: &[Column], sources: &[&str], columns: Option<usize>) -> Option<Printable> {
        let mut parts: Vec<Printable> = Vec::new();
        if self.verbose && !layout.contains(&Source) {
            parts.extend((!layout.contains(&Id)).then(|| Id.below(model)));
            let number =
                sources.iter().position(|source| *source == without_scheme(&model.source)).unwrap_or_default() + 1;
            parts.push(Printable::line(format_args!("{} [{number}]", model.date)));
        }
        parts.extend(NEEDED.iter().filter(|column| !layout.contains(column)).map(|column| column.below(model)));
        parts.retain(|part| part.width() > 0);
        let mut line = Printable::repeat(" ", INDENT);
        line.push(wrapped(parts, " · ", INDENT, INDENT, columns));
        (line.width() > INDENT).then_some(line)
    }

    /// The sources of all rows, each once.
    fn sources(&self) -> Vec<&str> {
        let mut sources: Vec<&str> = Vec::new();
        for model in self.models {
            let source = without_scheme(&model.source);
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }

    fn hints(&self) -> Vec<Printable> {
        let mut hints = Vec::new();
        if self.default.is_some() {
            hints.push("* is the default model".into());
        }
        hints.push("`chatrix models NAME` shows one in full; --help explains the words".into());
        hints
    }
}

/// An address without `https://`, which leaves room for the rest on one line.
fn without_scheme(source: &str) -> &str {
    source.strip_prefix("https://").unwrap_or(source)
}
