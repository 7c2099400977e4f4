//! Lists of which only those columns are shown that say something.

use crate::terminal::printable::Printable;

/// What stands where there is nothing to say, such as a limit that is not set.
pub(super) const NONE: &str = "-";

/// The columns that say something of at least one row, as heads and rows.
pub(super) fn used_columns(heads: &[&'static str], rows: &[Vec<String>]) -> (Vec<Printable>, Vec<Vec<Printable>>) {
    let shown = |column: &usize| rows.iter().any(|row| row.get(*column).is_some_and(|cell| cell != NONE));
    let shown: Vec<usize> = (0..heads.len()).filter(shown).collect();
    let heads = shown.iter().filter_map(|column| heads.get(*column)).map(|head| Printable::from(*head)).collect();
    let cells = |row: &Vec<String>| shown.iter().filter_map(|column| row.get(*column)).map(Printable::line).collect();
    (heads, rows.iter().map(cells).collect())
}
