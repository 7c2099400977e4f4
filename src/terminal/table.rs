//! Tables of text, and bars to compare amounts with.

use super::style;
use unicode_width::UnicodeWidthStr;

/// A table under its heads. The columns in `right` are aligned to the right.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>], right: &[usize], colour: bool) -> String {
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let lines = || std::iter::once(&heads).chain(rows);
    let widths: Vec<usize> =
        (0..heads.len()).map(|column| lines().map(|row| row[column].width()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (index, row) in lines().enumerate() {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let space = " ".repeat(widths[column] - cell.width());
            if right.contains(&column) { format!("{space}{cell}") } else { format!("{cell}{space}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        let line = line.trim_end();
        text.push_str(&if index == 0 { style::bold(line, colour) } else { line.to_owned() });
        text.push('\n');
    }
    text
}

/// A bar of `width` columns, filled by the share of `part` in `whole`. A share above zero is never empty.
pub(crate) fn bar(part: u64, whole: u64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let most = width * 8;
    let share = u128::from(part.min(whole)) * most as u128 / u128::from(whole.max(1));
    let eighths = usize::try_from(share).unwrap_or(most).max(usize::from(part > 0));
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["ä".to_owned(), "7".to_owned()], vec!["bc".to_owned(), "123".to_owned()]];
        assert_eq!(table(&["NAME", "N"], &rows, &[1], false), "NAME    N\nä       7\nbc    123\n");
    }

    #[test]
    fn bars_show_their_share() {
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(20, 10, 4), "████");
        assert_eq!(bar(5, 10, 4), "██");
        assert_eq!(bar(1, 1_000_000, 4), "▏");
        assert_eq!(bar(3, 0, 4), "▏");
    }
}
