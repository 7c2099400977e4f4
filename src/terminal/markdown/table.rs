//! Tables, by the rules of <https://github.github.com/gfm/#tables-extension->. Columns are aligned by the width of what is
//! shown, and cells wrap when the table is wider than the screen.

use super::flow::Flow;
use super::links::link;
use super::scripts::is_cjk;
use super::spans::{Span, spans};
use crate::terminal::look::{Format, Look};
use crate::terminal::printable::Printable;
use unicode_width::UnicodeWidthStr;

/// Columns that are narrower than this, because the screen is, cannot be read.
const NARROWEST: usize = 6;

const BETWEEN: &str = " │ ";
const BETWEEN_WIDTH: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alignment {
    Left,
    Centre,
    Right,
}

/// How a table is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    /// In columns.
    pub(super) width: usize,
    pub(super) has_styles: bool,
    pub(super) can_click: bool,
}

/// The alignment of each column, from the row below the heads. `None` if this is no such row.
pub(super) fn alignments(row: &str) -> Option<Vec<Alignment>> {
    let alignment = |cell: String| {
        let (left, right) = (cell.starts_with(':'), cell.ends_with(':'));
        let dashes = cell.trim_start_matches(':').trim_end_matches(':');
        let is_dashes = !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-');
        let colons = usize::from(left) + usize::from(right);
        (is_dashes && cell.len() == dashes.len() + colons).then_some(match (left, right) {
            (true, true) => Alignment::Centre,
            (false, true) => Alignment::Right,
            _ => Alignment::Left,
        })
    };
    cells(row).into_iter().map(alignment).collect()
}

/// The cells of a row.
pub(super) fn cells(row: &str) -> Vec<String> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut escaped = false;
    for c in row.chars() {
        match c {
            '|' if escaped => {
                // The backslash was for the table, not for the text.
                cell.pop();
                cell.push('|');
            }
            '|' => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            c => cell.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    if !cell.trim().is_empty() || !row.ends_with('|') {
        cells.push(cell.trim().to_owned());
    }
    cells
}

/// The lines of a table, without prefixes. `None` when the screen is too narrow for its columns.
pub(super) fn lines(rows: &[String], alignments: &[Alignment], screen: Screen) -> Option<Vec<Printable>> {
    let between = BETWEEN_WIDTH * alignments.len().saturating_sub(1);
    let room = screen.width.saturating_sub(between);
    if room < alignments.len() {
        return None;
    }
    let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row_of(row, alignments.len(), screen)).collect();
    let widest = |of: &dyn Fn(&Cell) -> usize| -> Vec<usize> {
        let column = |index: usize| rows.iter().filter_map(|row| row.get(index)).map(of).max().unwrap_or(0);
        (0..alignments.len()).map(column).collect()
    };
    let widths = shrink(&widest(&|cell| cell.width(screen)), &widest(&Cell::word_width), room)?;
    let laid_out: Vec<Vec<Vec<(Printable, usize)>>> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            row.iter().zip(&widths).map(|(cell, width)| cell.lines(*width, index == 0, screen)).collect()
        })
        .collect();
    let wraps = laid_out.iter().skip(1).flatten().any(|cell| cell.len() > 1);
    let mut lines = Vec::new();
    for (index, row) in laid_out.iter().enumerate() {
        // Rows of several lines would run into each other.
        if index == 1 || (index > 1 && wraps) {
            lines.push(rule(&widths, screen));
        }
        let height = row.iter().map(Vec::len).max().unwrap_or(0).max(1);
        lines.extend((0..height).map(|line| joined(row, line, &widths, alignments, screen)));
    }
    if laid_out.len() == 1 {
        lines.push(rule(&widths, screen));
    }
    Some(lines)
}

fn row_of(row: &str, columns: usize, screen: Screen) -> Vec<Cell> {
    let mut cells = cells(row);
    // More cells than heads: no text is lost.
    if let Some(further) = cells.get(columns..).map(|further| further.join(" ")).filter(|_| columns > 0) {
        cells.truncate(columns);
        if let Some(last) = cells.last_mut().filter(|_| !further.is_empty()) {
            last.push(' ');
            last.push_str(&further);
        }
    }
    cells.into_iter().map(|cell| Cell::new(&cell, screen)).collect()
}

/// What a cell holds: the spans of each line that its source asks for.
struct Cell(Vec<Vec<Span>>);

impl Cell {
    fn new(text: &str, screen: Screen) -> Self {
        // HTML is the only way to write a line break in a cell.
        let text = text.replace("<br/>", "<br>").replace("<br />", "<br>");
        Self(text.split("<br>").map(|line| spans(line.trim(), '\n', true, screen.can_click).0).collect())
    }

    fn width(&self, screen: Screen) -> usize {
        self.lines(usize::MAX, false, screen).iter().map(|(_, width)| *width).max().unwrap_or(0)
    }

    /// The width of its longest word.
    fn word_width(&self) -> usize {
        let text = |line: &Vec<Span>| line.iter().map(|span| span.text.as_str()).collect::<String>();
        let width = |line: String| {
            line.split(|c: char| c.is_whitespace() || is_cjk(c)).map(UnicodeWidthStr::width).max().unwrap_or(0)
        };
        self.0.iter().map(text).map(width).max().unwrap_or(0)
    }

    /// Its lines, and the width of each.
    fn lines(&self, width: usize, is_head: bool, screen: Screen) -> Vec<(Printable, usize)> {
        let mut flow = Flow::new(width, screen.has_styles);
        let base = if is_head { Look::BOLD } else { Look::PLAIN };
        for line in &self.0 {
            for Span { text, look, url } in line {
                let link = url.as_deref().map(link);
                flow.text(text, &Format { look: base.and(*look), link });
            }
            flow.end_line();
        }
        let widths = flow.take_line_widths();
        flow.take().split_lines().into_iter().zip(widths).collect()
    }
}

/// The width of each column, so that they fit into the room. Wide columns give before narrow ones do, and no column gets
/// narrower than its longest word, if that can be had. `None` when a column would be too narrow to read.
fn shrink(natural: &[usize], words: &[usize], room: usize) -> Option<Vec<usize>> {
    let of = |widest: usize, words: &[usize]| -> Vec<usize> {
        natural.iter().zip(words).map(|(natural, word)| (*natural).min(widest.max(*word))).collect()
    };
    let fits = |widest: usize, words: &[usize]| of(widest, words).iter().sum::<usize>() <= room;
    if fits(usize::MAX, words) {
        return Some(natural.to_vec());
    }
    let narrowest = vec![0; words.len()];
    let words = if fits(NARROWEST, words) { words } else { &narrowest };
    if !fits(NARROWEST, words) {
        return None;
    }
    let (mut widest, mut too_wide) = (NARROWEST, room + 1);
    while widest + 1 < too_wide {
        let middle = usize::midpoint(widest, too_wide);
        *(if fits(middle, words) { &mut widest } else { &mut too_wide }) = middle;
    }
    let mut widths = of(widest, words);
    let mut spare = room - widths.iter().sum::<usize>();
    for (width, natural) in widths.iter_mut().zip(natural) {
        let given = usize::from(*width < *natural && *width == widest && spare > 0);
        *width += given;
        spare -= given;
    }
    Some(widths)
}

/// One line of a row.
fn joined(
    row: &[Vec<(Printable, usize)>],
    line: usize,
    widths: &[usize],
    alignments: &[Alignment],
    screen: Screen,
) -> Printable {
    let dim = Format::from(if screen.has_styles { Look::DIM } else { Look::PLAIN });
    let empty = (Printable::default(), 0);
    let mut text = Printable::default();
    for (column, (width, alignment)) in widths.iter().zip(alignments).enumerate() {
        let (cell, taken) = row.get(column).and_then(|cell| cell.get(line)).unwrap_or(&empty);
        let blanks = width.saturating_sub(*taken);
        let before = match alignment {
            Alignment::Left => 0,
            Alignment::Centre => blanks / 2,
            Alignment::Right => blanks,
        };
        let is_last = column + 1 == widths.len();
        let is_empty = is_last && *taken == 0;
        if column > 0 {
            text.push_formatted(if is_empty { BETWEEN.trim_end() } else { BETWEEN }, &dim);
        }
        if !is_empty {
            text.push(Printable::repeat(" ", before));
            text.push(cell.clone());
        }
        if !is_last {
            text.push(Printable::repeat(" ", blanks - before));
        }
    }
    text
}

/// The line between rows.
fn rule(widths: &[usize], screen: Screen) -> Printable {
    let dashes: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    let mut text = Printable::default();
    let look = if screen.has_styles { Look::DIM } else { Look::PLAIN };
    text.push_formatted(&dashes.join("─┼─"), &look.into());
    text
}
