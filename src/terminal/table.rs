//! Tables of text, and bars to compare amounts with.

use super::printable::Printable;

/// A table under its heads. The columns in `right` are aligned to the right.
pub(crate) fn table(heads: &[Printable], rows: &[Vec<Printable>], right: &[usize], colour: bool) -> Printable {
    let lines = || std::iter::once(heads).chain(rows.iter().map(Vec::as_slice));
    let widths: Vec<usize> =
        (0..heads.len()).map(|column| lines().map(|row| row[column].width()).max().unwrap_or(0)).collect();
    let mut text = Printable::default();
    for (index, row) in lines().enumerate() {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let space = Printable::repeat(" ", widths[column] - cell.width());
            let cell = cell.clone();
            Printable::join(if right.contains(&column) { [space, cell] } else { [cell, space] }, "")
        });
        let line = Printable::join(cells, "  ").trim_end();
        text.push(line.bold(colour && index == 0));
        text.push("\n");
    }
    text
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
        let table = table(&["NAME".into(), "N".into()], &rows, &[1], false);
        assert_eq!(table.as_str(), "NAME    N\nä       7\nbc    123\n");
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
