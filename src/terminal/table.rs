//! Tables of text, paragraphs that fit a width, and bars to compare amounts with.

use super::printable::Printable;

/// The blanks between two columns.
const GAP: &str = "  ";

/// The lines of a table, the heads first. The columns in `right` are aligned to the right.
pub(crate) fn table_lines(
    heads: &[Printable],
    rows: &[Vec<Printable>],
    right: &[usize],
    colour: bool,
) -> Vec<Printable> {
    let widths = widths(heads, rows);
    let all = std::iter::once(heads).chain(rows.iter().map(Vec::as_slice));
    let line = |(index, row): (usize, &[Printable])| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let space = Printable::repeat(" ", widths[column] - cell.width());
            let cell = cell.clone();
            Printable::join(if right.contains(&column) { [space, cell] } else { [cell, space] }, "")
        });
        Printable::join(cells, GAP).trim_end().bold(colour && index == 0)
    };
    all.enumerate().map(line).collect()
}

/// A table under its heads, as [`table_lines`] gives it.
pub(crate) fn table(heads: &[Printable], rows: &[Vec<Printable>], right: &[usize], colour: bool) -> Printable {
    lines(table_lines(heads, rows, right, colour))
}

/// How many columns of a terminal a table takes.
pub(crate) fn table_width(heads: &[Printable], rows: &[Vec<Printable>]) -> usize {
    let widths = widths(heads, rows);
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

fn widths(heads: &[Printable], rows: &[Vec<Printable>]) -> Vec<usize> {
    let all = || std::iter::once(heads).chain(rows.iter().map(Vec::as_slice));
    (0..heads.len()).map(|column| all().map(|row| row[column].width()).max().unwrap_or(0)).collect()
}

/// Lines, each with its newline.
pub(crate) fn lines(lines: impl IntoIterator<Item = Printable>) -> Printable {
    let mut text = Printable::default();
    for line in lines {
        text.push(line);
        text.push("\n");
    }
    text
}

/// Parts with a separator between two of them, in lines of at most `columns`. A part that does not fit on a line is broken
/// between its words; only a word that does not fit makes a longer line. Each line after the first begins with `indent` blanks; the first begins at column `begin`, where
/// something else stands already. `None` for the columns means that all go on one line.
pub(crate) fn wrapped(
    parts: impl IntoIterator<Item = Printable>,
    separator: &'static str,
    begin: usize,
    indent: usize,
    columns: Option<usize>,
) -> Printable {
    let separator = Printable::from(separator);
    let parts = parts.into_iter().flat_map(|part| {
        let is_too_wide = columns.is_some_and(|columns| indent + part.width() > columns);
        // Words of one part have blanks between them, whatever stands between two parts.
        let mut words = if is_too_wide { words(&part) } else { vec![part] }.into_iter();
        let first = words.next().map(|word| (word, separator.clone()));
        first.into_iter().chain(words.map(|word| (word, " ".into()))).collect::<Vec<_>>()
    });
    let mut text = Printable::default();
    let mut at = begin;
    for (index, (part, separator)) in parts.enumerate() {
        let width = part.width();
        if index > 0 {
            // The separator stays on the line that it ends, without a blank behind it.
            let end = separator.trim_end();
            let goes_on = columns.is_none_or(|columns| at + separator.width() + width + end.width() <= columns);
            at += separator.width();
            text.push(if goes_on { separator } else { end });
            if !goes_on {
                text.push("\n");
                text.push(Printable::repeat(" ", indent));
                at = indent;
            }
        }
        at += width;
        text.push(part);
    }
    text
}

/// The words of a text, for [`wrapped`].
pub(crate) fn words(text: &Printable) -> Vec<Printable> {
    text.as_str().split(' ').filter(|word| !word.is_empty()).map(Printable::line).collect()
}

/// A bar of `width` columns, filled by the share of `part` in `whole`. A share above zero is never empty.
pub(crate) fn bar(part: u64, whole: u64, width: usize) -> Printable {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let most = width * 8;
    let share = u128::from(part.min(whole)) * most as u128 / u128::from(whole.max(1));
    let eighths = usize::try_from(share).unwrap_or(most).max(usize::from(part > 0));
    Printable::join([Printable::repeat("█", eighths / 8), EIGHTHS[eighths % 8].into()], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["ä".into(), "7".into()], vec!["bc".into(), "123".into()]];
        let heads = ["NAME".into(), "N".into()];
        assert_eq!(table(&heads, &rows, &[1], false).as_str(), "NAME    N\nä       7\nbc    123\n");
        assert_eq!(table_width(&heads, &rows), 9);
    }

    #[test]
    fn a_paragraph_fits_its_columns() {
        let parts = || ["one", "two", "three"].map(Printable::from);
        for (separator, begin, columns, expected) in [
            (" · ", 0, None, "one · two · three"),
            (" · ", 0, Some(80), "one · two · three"),
            (" · ", 0, Some(17), "one · two ·\n  three"),
            (" · ", 0, Some(11), "one · two ·\n  three"),
            (" · ", 2, Some(11), "one ·\n  two ·\n  three"),
            (" ", 0, Some(7), "one two\n  three"),
            (" ", 0, Some(3), "one\n  two\n  three"),
        ] {
            assert_eq!(wrapped(parts(), separator, begin, 2, columns).as_str(), expected, "{columns:?}");
        }
    }

    #[test]
    fn a_part_that_is_too_long_is_broken_between_its_words() {
        let parts = ["1M context", "legacy until 2027 → other"].map(Printable::from);
        let text = wrapped(parts, " · ", 2, 2, Some(20));
        assert_eq!(text.as_str(), "1M context ·\n  legacy until 2027\n  → other");
    }

    #[test]
    fn bars_show_their_share() {
        for (part, whole, expected) in
            [(0, 10, ""), (10, 10, "████"), (20, 10, "████"), (5, 10, "██"), (1, 1_000_000, "▏"), (3, 0, "▏")]
        {
            assert_eq!(bar(part, whole, 4).as_str(), expected);
        }
    }
}
