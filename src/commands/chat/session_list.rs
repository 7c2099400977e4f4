//! `chatrix chat --list` and `--delete`: the saved sessions.

use super::running_chat::first_words;
use crate::catalog::NanoDollars;
use crate::ledger;
use crate::sessions::{Sessions, Summary};
use crate::terminal::output::{note, note_error, print, print_json, stdout};
use crate::terminal::printable::Printable;
use crate::terminal::size::columns;
use crate::terminal::table::table;
use serde_json::json;

/// The widest column of models; ids can be long.
const WIDEST_MODEL: usize = 18;
/// The narrowest column of titles.
const NARROWEST_TITLE: usize = 16;

/// Lists the sessions, the one that was used last first.
pub(super) fn list(sessions: &Sessions, as_json: bool) -> anyhow::Result<u8> {
    let (rows, refused) = sessions.list()?;
    for error in &refused {
        note_error(error);
    }
    if as_json {
        let rows: Vec<_> = rows.iter().map(row_json).collect();
        print_json(format_args!("{:#}", serde_json::Value::from(rows)))?;
    } else if rows.is_empty() {
        note("there are no saved sessions; `chatrix chat` begins one");
    } else {
        print(&listing(&rows))?;
    }
    Ok(0)
}

/// Removes one session.
///
/// # Errors
/// As [`Sessions::find`] and [`Sessions::remove`].
pub(super) fn delete(sessions: &Sessions, prefix: &str) -> anyhow::Result<u8> {
    let id = sessions.find(prefix)?;
    let title = sessions.summary(id).ok().and_then(|summary| summary.title).unwrap_or_default();
    sessions.remove(id)?;
    note(Printable::line(format_args!("deleted session {id}: {}", first_words(&title))));
    Ok(0)
}

fn listing(rows: &[Summary]) -> Printable {
    let heads: Vec<Printable> =
        ["ID", "LAST USED (UTC)", "MODEL", "COST", "TITLE"].into_iter().map(Printable::from).collect();
    let mut cells: Vec<Vec<Printable>> = rows.iter().map(row).collect();
    // In a pipe nothing is cut.
    if let Some(columns) = columns() {
        for row in &mut cells {
            row[2] = shortened(&row[2], WIDEST_MODEL);
        }
        let width = |column: usize| cells.iter().map(|row| row[column].width()).max().unwrap_or_default();
        let others: usize = (0..4).map(|column| width(column).max(heads[column].width()) + 2).sum();
        let room = columns.saturating_sub(others).max(NARROWEST_TITLE);
        for row in &mut cells {
            row[4] = shortened(&row[4], room);
        }
    }
    table(&heads, &cells, &[3], stdout().colour())
}

/// The text in at most so many columns, with a mark where it was cut.
fn shortened(text: &Printable, columns: usize) -> Printable {
    if text.width() <= columns {
        return text.clone();
    }
    Printable::join([text.cut(columns.saturating_sub(1)).trim_end(), "…".into()], "")
}

fn row(summary: &Summary) -> Vec<Printable> {
    let Summary { id, title, model, offline, exchanges: _, spent, last } = summary;
    let most = spent.settled() + spent.uncertain();
    let cost = match (offline, spent.unpriced) {
        (true, _) => "offline".into(),
        (false, 1..) => "unknown".into(),
        (false, 0) if spent.uncertain() > NanoDollars(0) => Printable::line(format_args!("at most {most}")),
        (false, 0) => Printable::line(most),
    };
    let title = Printable::line(title.as_deref().unwrap_or_default());
    vec![Printable::line(id), Printable::line(moment(*last)), Printable::line(model), cost, title]
}

fn row_json(row: &Summary) -> serde_json::Value {
    json!({
        "id": row.id.to_string(),
        "title": row.title,
        "last_used": moment(row.last),
        "model": row.model,
        "offline": row.offline,
        "exchanges": row.exchanges,
        "cost_usd": row.spent.settled().number(),
        "cost_at_most_usd": (row.spent.settled() + row.spent.uncertain()).number(),
        "answers_without_price": row.spent.unpriced,
    })
}

/// A time as people read it: `2026-11-26 18:45`, in UTC.
fn moment(at: i64) -> String {
    let mut text = ledger::moment(at);
    text.truncate(text.len() - ":00".len());
    text
}
