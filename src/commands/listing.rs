//! Lists of keys, groups and changes, as a table for people or as JSON for scripts.

use crate::terminal::output::{note, print, print_json, stdout};
use crate::terminal::printable::Printable;
use crate::terminal::table::table;
use serde_json::Value;

/// What stands where there is nothing to say, such as a limit that is not set.
pub(super) const NONE: &str = "-";

/// A line of a list.
pub(super) trait Listed {
    /// The heads of the table.
    const HEADS: &'static [&'static str];
    /// The columns of the table that hold numbers.
    const NUMBERS: &'static [usize];

    /// One for each of the heads.
    fn cells(&self) -> Vec<String>;

    fn json(&self) -> Value;
}

/// Prints a list. `nothing`: what is said to people where it is empty. Only those columns are shown that say something.
pub(super) fn print_list<T: Listed>(lines: &[T], as_json: bool, nothing: &'static str) -> anyhow::Result<u8> {
    if as_json {
        print_json(format_args!("{:#}", lines.iter().map(T::json).collect::<Value>()))?;
    } else if lines.is_empty() {
        note(nothing);
    } else {
        let rows: Vec<Vec<String>> = lines.iter().map(T::cells).collect();
        let (heads, rows) = used_columns(T::HEADS, &rows);
        print(&table(&heads, &rows, T::NUMBERS, stdout().colour()))?;
    }
    Ok(0)
}

/// The columns that say something of at least one row, as heads and rows.
fn used_columns(heads: &[&'static str], rows: &[Vec<String>]) -> (Vec<Printable>, Vec<Vec<Printable>>) {
    let shown = |column: &usize| rows.iter().any(|row| row.get(*column).is_some_and(|cell| cell != NONE));
    let shown: Vec<usize> = (0..heads.len()).filter(shown).collect();
    let heads = shown.iter().filter_map(|column| heads.get(*column)).map(|head| Printable::from(*head)).collect();
    let cells = |row: &Vec<String>| shown.iter().filter_map(|column| row.get(*column)).map(Printable::line).collect();
    (heads, rows.iter().map(cells).collect())
}
