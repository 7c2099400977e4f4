//! What `chatrix usage` shows to people: tables, and the state of each budget.

use crate::catalog::NanoDollars;
use crate::ledger::budget::{BudgetStatus, date};
use crate::ledger::moment;
use crate::ledger::report::{By, ReportRow, Sums, UncertainCall};
use crate::terminal::output::stdout;
use crate::terminal::printable::Printable;
use crate::terminal::table::{bar, table};

/// The width of a bar (columns).
const BAR: usize = 24;

/// The sums, a row for each group, and the budgets.
pub(super) fn report(by: By, since: i64, rows: &[ReportRow], statuses: &[BudgetStatus]) -> Printable {
    if rows.is_empty() {
        let mut text = Printable::line(format_args!("no calls since {}", date(since)));
        text.push("\n");
        text.push(budgets(statuses));
        return text;
    }
    let total = total(rows);
    let mut text = sums_table(by, rows, &total);
    text.push(budgets(statuses));
    if total.uncertain > NanoDollars(0) {
        let hint = Printable::from(
            "uncertain (may have been billed): the usage never came; `chatrix usage --uncertain` lists these calls",
        );
        text.push(hint.dim(stdout().colour()));
        text.push("\n");
    }
    text
}

fn sums_table(by: By, rows: &[ReportRow], total: &Sums) -> Printable {
    let most = rows.iter().map(|row| row.sums.settled + row.sums.uncertain).max().unwrap_or_default();
    let columns = Columns {
        unpriced: total.unpriced > 0,
        uncertain: total.uncertain > NanoDollars(0),
        reserved: total.reserved > NanoDollars(0),
    };
    let line = |ReportRow { name, sums }: &ReportRow| {
        let name = Printable::line(name.as_deref().unwrap_or("(no key)"));
        // A bar is for eyes.
        let share = (sums.settled + sums.uncertain).0;
        columns.row(name, sums, if stdout().is_terminal() { bar(share, most.0, BAR) } else { Printable::default() })
    };
    let mut lines: Vec<Vec<Printable>> = rows.iter().map(line).collect();
    lines.push(columns.row("total".into(), total, Printable::default()));
    let heads = columns.heads(match by {
        By::Day => "DAY",
        By::Model => "MODEL",
        By::Key => "KEY",
        By::Command => "COMMAND",
    });
    let numbers: Vec<usize> = (1..heads.len() - 1).collect();
    table(&heads, &lines, &numbers, stdout().colour())
}

/// Which columns there are. One without any amount is left out.
struct Columns {
    unpriced: bool,
    uncertain: bool,
    reserved: bool,
}

impl Columns {
    fn heads(&self, by: &'static str) -> Vec<Printable> {
        let mut heads = vec![by, "CALLS", "TOKENS IN", "OUT", "SPENT"];
        heads.extend(self.unpriced.then_some("UNPRICED"));
        heads.extend(self.uncertain.then_some("UNCERTAIN"));
        heads.extend(self.reserved.then_some("RESERVED"));
        heads.push("");
        heads.into_iter().map(Printable::from).collect()
    }

    fn row(&self, name: Printable, sums: &Sums, bar: Printable) -> Vec<Printable> {
        let mut cells = vec![
            name,
            Printable::line(sums.calls),
            Printable::line(sums.input + sums.cache_read + sums.cache_write),
            Printable::line(sums.output),
            // What is not known is not $0.00.
            if sums.unpriced > 0 && sums.settled == NanoDollars(0) {
                "price unknown".into()
            } else {
                Printable::line(sums.settled)
            },
        ];
        cells.extend(self.unpriced.then(|| match sums.unpriced {
            0 => Printable::default(),
            count => Printable::line(count),
        }));
        cells.extend(self.uncertain.then(|| amount(sums.uncertain)));
        cells.extend(self.reserved.then(|| amount(sums.reserved)));
        cells.push(bar);
        cells
    }
}

/// An amount; an empty cell for none.
fn amount(amount: NanoDollars) -> Printable {
    if amount == NanoDollars(0) { Printable::default() } else { Printable::line(amount) }
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

fn budgets(statuses: &[BudgetStatus]) -> Printable {
    let is_terminal = stdout().is_terminal();
    let lines = statuses.iter().map(|status| {
        let BudgetStatus { limit, totals, resets } = status;
        let mut filled = Printable::default();
        if is_terminal {
            filled.push(bar(totals.all().0, limit.amount.0, BAR));
            filled.push(Printable::repeat(" ", BAR.saturating_sub(filled.width())));
            filled.push("▏ ");
        }
        let name = Printable::line(limit);
        let indent = Printable::repeat(" ", 12_usize.saturating_sub(name.width()));
        let mut parts = vec![format!("{} left", status.left())];
        if totals.uncertain > NanoDollars(0) {
            parts.push(format!("{} uncertain (may have been billed)", totals.uncertain));
        }
        if totals.reserved > NanoDollars(0) {
            parts.push(format!("{} reserved", totals.reserved));
        }
        parts.push(format!("resets {}", date(*resets)));
        let parts = [
            "\n".into(),
            name,
            indent,
            " ".into(),
            filled,
            Printable::line(format_args!("{} of {} spent", totals.settled, limit.amount)),
            "\n             ".into(),
            Printable::line(parts.join(" · ")),
        ];
        Printable::join(parts, "")
    });
    let mut text = Printable::join(lines, "");
    if !statuses.is_empty() {
        text.push("\n");
    }
    text
}

pub(super) fn uncertain(calls: &[UncertainCall]) -> Printable {
    if calls.is_empty() {
        return "no call is uncertain\n".into();
    }
    let row = |call: &UncertainCall| {
        let UncertainCall { id, began, command, key, model, reserved, chatrix_request_id: _, bedrock_request_id } =
            call;
        let command = key.as_ref().map_or_else(|| command.clone(), |key| format!("{command} ({key})"));
        let request_id = bedrock_request_id.clone().unwrap_or_default();
        let row = [id.to_string(), moment(*began), command, model.clone(), reserved.to_string(), request_id];
        row.map(Printable::line).into()
    };
    let rows: Vec<Vec<Printable>> = calls.iter().map(row).collect();
    let heads = ["ID", "BEGAN (UTC)", "COMMAND", "MODEL", "AT MOST", "AWS REQUEST ID"].map(Printable::from);
    table(&heads, &rows, &[0, 4], stdout().colour())
}
