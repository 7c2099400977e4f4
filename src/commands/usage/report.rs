//! What `chatrix usage` shows to people: a table, and the state of each budget.

use super::sums::{Table, short_name};
use crate::catalog::{Catalog, NanoDollars};
use crate::ledger::budget::{BudgetStatus, date};
use crate::ledger::moment;
use crate::ledger::report::{By, ReportRow, Sums, UncertainCall};
use crate::terminal::output::stdout;
use crate::terminal::printable::Printable;
use crate::terminal::table::{bar, lines, table_lines, table_width, words, wrapped};

/// The bar of a budget is at least and at most this wide (columns).
const BARS: std::ops::RangeInclusive<usize> = 8..=40;

/// Where the figures of a budget begin (columns).
const INDENT: usize = 13;

/// What a report is made of.
pub(super) struct Report<'a> {
    pub(super) by: By,
    /// The first day (days since 1970).
    pub(super) since: i64,
    /// Whether the ledger has no call at all.
    pub(super) never_used: bool,
    pub(super) rows: &'a [ReportRow],
    pub(super) statuses: &'a [BudgetStatus],
    pub(super) catalog: &'a Catalog,
}

impl Report<'_> {
    /// The sums, a row for each group, and the budgets. `columns`: of the terminal; `None` for a pipe.
    pub(super) fn lines(&self, columns: Option<usize>) -> Vec<Printable> {
        let Self { by, since, never_used, rows, statuses, catalog } = *self;
        let paragraph = |text: Printable| wrapped(words(&text), " ", 0, 0, columns);
        let total = total(rows);
        let mut text = if !rows.is_empty() {
            Table { by, rows, total: &total, catalog }.lines(columns)
        } else if never_used {
            vec![paragraph(
                "no calls yet; `chatrix ask \"hello\"` makes one, and with --offline one that costs nothing".into(),
            )]
        } else {
            vec![paragraph(Printable::line(format_args!(
                "no calls since {}; --since all shows older ones",
                date(since)
            )))]
        };
        for status in statuses {
            text.push(Printable::default());
            text.extend(budget(status, columns));
        }
        if total.uncertain > NanoDollars(0) {
            let hint = Printable::from(
                "uncertain (may have been billed): the usage never came; `chatrix usage --uncertain` lists these calls",
            );
            text.push(paragraph(hint).dim(stdout().colour()));
        }
        text
    }
}

pub(super) fn total(rows: &[ReportRow]) -> Sums {
    rows.iter().fold(Sums::default(), |sum, ReportRow { name: _, sums }| Sums {
        calls: sum.calls + sums.calls,
        unpriced: sum.unpriced + sums.unpriced,
        input: sum.input + sums.input,
        output: sum.output + sums.output,
        cache_read: sum.cache_read + sums.cache_read,
        cache_write: sum.cache_write + sums.cache_write,
        settled: sum.settled + sums.settled,
        reserved: sum.reserved + sums.reserved,
        uncertain: sum.uncertain + sums.uncertain,
    })
}

/// The lines about a budget: what is spent, with a bar on a terminal, and what is left.
fn budget(status: &BudgetStatus, columns: Option<usize>) -> [Printable; 2] {
    let BudgetStatus { limit, totals, resets } = status;
    let name = Printable::line(limit);
    let spent = Printable::line(format_args!("{} of {} spent", totals.settled, limit.amount));
    let space = Printable::repeat(" ", INDENT.saturating_sub(name.width()).max(1));
    let mut first = Printable::join([name, space], "");
    let room = columns.map_or(0, |columns| columns.saturating_sub(first.width() + 2 + spent.width()).min(*BARS.end()));
    if BARS.contains(&room) {
        let filled = bar(totals.all().0, limit.amount.0, room);
        let empty = Printable::repeat(" ", room - filled.width());
        first.push(Printable::join([filled, empty, "▏ ".into()], ""));
    }
    first.push(spent);
    let mut parts = vec![format!("{} left", status.left())];
    if totals.uncertain > NanoDollars(0) {
        parts.push(format!("{} uncertain (may have been billed)", totals.uncertain));
    }
    if totals.reserved > NanoDollars(0) {
        parts.push(format!("{} reserved", totals.reserved));
    }
    parts.push(format!("resets {}", date(*resets)));
    let begin = Printable::repeat(" ", INDENT);
    let second = wrapped(parts.into_iter().map(Printable::line), " · ", INDENT, INDENT, columns);
    [first, Printable::join([begin, second], "")]
}

/// The calls whose usage never came. `columns`: of the terminal; `None` for a pipe.
pub(super) fn uncertain(calls: &[UncertainCall], catalog: &Catalog, columns: Option<usize>) -> Printable {
    if calls.is_empty() {
        return "no call is uncertain\n".into();
    }
    let colour = stdout().colour();
    let full = calls.iter().map(|call| Uncertain::of(call, catalog)).collect::<Vec<_>>();
    // What has no room stands below its row: first the request's id, then also who called what.
    let layouts = [&[0, 1, 2, 3, 4, 5][..], &[0, 1, 2, 3, 4], &[0, 1, 4]];
    let pick = |cells: &[Printable; 6], layout: &[usize]| layout.iter().map(|index| cells[*index].clone()).collect();
    let heads = ["ID", "BEGAN (UTC)", "COMMAND", "MODEL", "AT MOST", "AWS REQUEST ID"].map(Printable::from);
    let rows = |layout: &[usize]| full.iter().map(|call| pick(&call.0, layout)).collect::<Vec<Vec<Printable>>>();
    let fits =
        |layout: &&&[usize]| columns.is_none_or(|columns| table_width(&pick(&heads, layout), &rows(layout)) <= columns);
    let layout = layouts.iter().find(fits).unwrap_or(&layouts[2]);
    let right: Vec<usize> = (0..layout.len()).filter(|place| [0, 4].contains(&layout[*place])).collect();
    let mut table = table_lines(&pick(&heads, layout), &rows(layout), &right, colour).into_iter();
    let mut text: Vec<Printable> = table.next().into_iter().collect();
    for (line, Uncertain(cells)) in table.zip(&full) {
        text.push(line);
        let mut parts: Vec<Printable> =
            [2, 3].into_iter().filter(|index| !layout.contains(index)).map(|index| cells[index].clone()).collect();
        if !layout.contains(&5) && cells[5].width() > 0 {
            parts.push(Printable::join(["AWS request id".into(), cells[5].clone()], " "));
        }
        if !parts.is_empty() {
            text.push(Printable::join(["  ".into(), wrapped(parts, " · ", 2, 2, columns)], "").dim(colour));
        }
    }
    lines(text)
}

/// What is shown of a call, in the order of the heads.
struct Uncertain([Printable; 6]);

impl Uncertain {
    fn of(call: &UncertainCall, catalog: &Catalog) -> Self {
        let UncertainCall { id, began, command, key, model, reserved, chatrix_request_id: _, bedrock_request_id } =
            call;
        let command = key.as_ref().map_or_else(|| command.clone(), |key| format!("{command} ({key})"));
        let model = short_name(catalog, model).to_owned();
        let request_id = bedrock_request_id.clone().unwrap_or_default();
        Self([id.to_string(), moment(*began), command, model, reserved.to_string(), request_id].map(Printable::line))
    }
}
