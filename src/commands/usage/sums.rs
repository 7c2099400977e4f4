//! The table of `chatrix usage`: sums of calls, a row for each day, model, key, group or command. It has as many columns as the
//! terminal has room for; what is left out stands below its row.

use crate::catalog::{Catalog, NanoDollars};
use crate::ledger::report::{By, ReportRow, Sums};
use crate::terminal::output::stdout;
use crate::terminal::printable::Printable;
use crate::terminal::table::{bar, table_lines, table_width, wrapped};

/// The bars of a table are at least and at most this wide (columns).
const BARS: std::ops::RangeInclusive<usize> = 8..=40;

/// The blanks before what stands below a row.
const INDENT: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Calls,
    Input,
    /// Input that the prompt cache had, which `Input` includes.
    CacheRead,
    /// Input that it took in, which `Input` includes.
    CacheWrite,
    Output,
    Spent,
    Unpriced,
    Uncertain,
    Reserved,
}

use Column::{CacheRead, CacheWrite, Calls, Input, Name, Output, Reserved, Spent, Uncertain, Unpriced};

/// The columns that a terminal may have room for, the widest table first. A pipe gets those of the second.
const LAYOUTS: [&[Column]; 4] = [
    &[Name, Calls, Input, CacheRead, CacheWrite, Output, Spent, Unpriced, Uncertain, Reserved],
    &[Name, Calls, Input, Output, Spent, Unpriced, Uncertain, Reserved],
    &[Name, Calls, Spent],
    &[Name],
];

/// What stands below a row that has no room for it.
const NEEDED: [Column; 7] = [Calls, Input, Output, Spent, Unpriced, Uncertain, Reserved];

impl Column {
    fn head(self, by: By) -> &'static str {
        match self {
            Name => match by {
                By::Day => "DAY",
                By::Model => "MODEL",
                By::Key => "KEY",
                By::Group => "GROUP",
                By::Command => "COMMAND",
            },
            Calls => "CALLS",
            Input => "TOKENS IN",
            CacheRead => "CACHED",
            CacheWrite => "CACHING",
            Output => "OUT",
            Spent => "SPENT",
            Unpriced => "UNPRICED",
            Uncertain => "UNCERTAIN",
            Reserved => "RESERVED",
        }
    }

    /// Whether the column has anything to say. One without any amount is left out.
    fn is_used(self, total: &Sums) -> bool {
        match self {
            Name | Calls | Input | Output | Spent => true,
            CacheRead => total.cache_read > 0,
            CacheWrite => total.cache_write > 0,
            Unpriced => total.unpriced > 0,
            Uncertain => total.uncertain > NanoDollars(0),
            Reserved => total.reserved > NanoDollars(0),
        }
    }

    fn cell(self, name: &Printable, sums: &Sums) -> Printable {
        let amount = |amount| if amount == NanoDollars(0) { Printable::default() } else { Printable::line(amount) };
        match self {
            Name => name.clone(),
            Calls => Printable::line(sums.calls),
            Input => Printable::line(sums.input + sums.cache_read + sums.cache_write),
            CacheRead => Printable::line(sums.cache_read),
            CacheWrite => Printable::line(sums.cache_write),
            Output => Printable::line(sums.output),
            // What is not known is not $0.00.
            Spent if sums.unpriced > 0 && sums.settled == NanoDollars(0) => "price unknown".into(),
            Spent => Printable::line(sums.settled),
            Unpriced if sums.unpriced == 0 => Printable::default(),
            Unpriced => Printable::line(sums.unpriced),
            Uncertain => amount(sums.uncertain),
            Reserved => amount(sums.reserved),
        }
    }

    /// The same below a row; empty when there is nothing to say.
    fn below(self, sums: &Sums) -> Printable {
        let value = self.cell(&Printable::default(), sums);
        let unit = match self {
            Name | CacheRead | CacheWrite => "",
            Calls => "calls",
            Input => "tokens in",
            Output => "out",
            Spent => "spent",
            Unpriced => "unpriced",
            Uncertain => "uncertain",
            Reserved => "reserved",
        };
        if value.width() == 0 { value } else { Printable::join([value, unit.into()], " ") }
    }
}

/// What the rows are made of.
pub(super) struct Table<'a> {
    pub(super) by: By,
    pub(super) rows: &'a [ReportRow],
    pub(super) total: &'a Sums,
    pub(super) catalog: &'a Catalog,
}

impl Table<'_> {
    /// `columns`: of the terminal; `None` for a pipe.
    pub(super) fn lines(&self, columns: Option<usize>) -> Vec<Printable> {
        let colour = stdout().colour();
        let layout = self.layout(columns);
        let (heads, cells) = (self.heads(&layout), self.cells(&layout));
        let numbers: Vec<usize> = (1..layout.len()).collect();
        let mut lines = table_lines(&heads, &cells, &numbers, colour);
        if let Some(columns) = columns {
            let width = table_width(&heads, &cells);
            self.add_bars(&mut lines, width, columns);
        }
        let mut lines = lines.into_iter();
        let mut all: Vec<Printable> = lines.next().into_iter().collect();
        for (line, (_, sums)) in lines.zip(self.named_sums()) {
            all.push(line);
            all.extend(below(sums, &layout, columns).map(|line| line.dim(colour)));
        }
        all
    }

    fn layout(&self, columns: Option<usize>) -> Vec<Column> {
        let used =
            |layout: &[Column]| layout.iter().copied().filter(|column| column.is_used(self.total)).collect::<Vec<_>>();
        let Some(columns) = columns else { return used(LAYOUTS[1]) };
        let width = |layout: &[Column]| table_width(&self.heads(layout), &self.cells(layout));
        let mut layouts = LAYOUTS.iter().enumerate().map(|(index, layout)| (index, used(layout)));
        // The widest is only for a terminal that has room for bars too.
        let found =
            layouts.find(|(index, layout)| width(layout) + if *index == 0 { 2 + BARS.end() } else { 0 } <= columns);
        found.map_or_else(|| used(LAYOUTS[LAYOUTS.len() - 1]), |(_, layout)| layout)
    }

    fn heads(&self, layout: &[Column]) -> Vec<Printable> {
        layout.iter().map(|column| column.head(self.by).into()).collect()
    }

    fn cells(&self, layout: &[Column]) -> Vec<Vec<Printable>> {
        self.named_sums().map(|(name, sums)| layout.iter().map(|column| column.cell(&name, sums)).collect()).collect()
    }

    /// The rows, and the total at their end.
    fn named_sums(&self) -> impl Iterator<Item = (Printable, &Sums)> {
        let rows = self.rows.iter().map(|row| (self.name(row), &row.sums));
        rows.chain([("total".into(), self.total)])
    }

    /// What a row is called. A model has a shorter name than its id, if it has one.
    fn name(&self, row: &ReportRow) -> Printable {
        let Some(name) = row.name.as_deref() else {
            return if self.by == By::Group { "(no group)" } else { "(no key)" }.into();
        };
        Printable::line(if self.by == By::Model { short_name(self.catalog, name) } else { name })
    }

    /// Adds a bar to each row besides the total, as wide as there is room.
    fn add_bars(&self, lines: &mut [Printable], width: usize, columns: usize) {
        let room = columns.saturating_sub(width + 2).min(*BARS.end());
        if !BARS.contains(&room) {
            return;
        }
        let share = |sums: &Sums| (sums.settled + sums.uncertain).0;
        let most = self.rows.iter().map(|row| share(&row.sums)).max().unwrap_or_default();
        for (line, row) in lines.iter_mut().skip(1).zip(self.rows) {
            line.push(Printable::repeat(" ", (width + 2).saturating_sub(line.width())));
            line.push(bar(share(&row.sums), most, room));
            *line = line.trim_end();
        }
    }
}

/// The name under which people know the model with an id.
pub(super) fn short_name<'a>(catalog: &'a Catalog, id: &'a str) -> &'a str {
    catalog.models().find(|model| model.id == id).map_or(id, |model| model.display_name())
}

fn below(sums: &Sums, layout: &[Column], columns: Option<usize>) -> Option<Printable> {
    let left_out = NEEDED.iter().filter(|column| !layout.contains(column));
    let parts: Vec<Printable> = left_out.map(|column| column.below(sums)).filter(|part| part.width() > 0).collect();
    (columns.is_some() && !parts.is_empty())
        .then(|| Printable::join([Printable::repeat(" ", INDENT), wrapped(parts, " · ", INDENT, INDENT, columns)], ""))
}
