//! The block that a line belongs to, by the rules of <https://spec.commonmark.org/0.31.2/> with four exceptions, because
//! what a model writes is shown while it comes and is often indented wrongly:
//! - A line never belongs to a list or a quote by laziness: it stands where its own indentation says.
//! - A nested list may be indented by two columns, whatever the width of the marker above it.
//! - Fenced code in a list ends with its fence, not with the first line that is not indented enough.
//! - The line under a text does not make it a heading, because the text is on the screen by then.

use super::cursor::Cursor;
use super::seen::Seen;

/// A quote or a list item inside another one, beyond which markers are text. A line of a million `>` must not make every
/// further line cost a million steps.
const DEEPEST: usize = 24;

/// How far a nested list is indented at least, in columns.
const NARROWEST: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Container {
    Quote,
    Item(Item),
}

/// A list item. Columns count from the content of what it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Columns before the marker.
    indent: usize,
    /// Columns before the content.
    content: usize,
    /// The number with its dot or bracket; `None` for a bullet.
    pub(super) number: Option<String>,
}

/// What a line is, or begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    Text,
    /// Of this level.
    Heading(usize),
    ThematicBreak,
    FenceStart(Opening),
    /// A line of fenced code.
    Code(String),
    FenceEnd,
    /// A line of indented code.
    Indented,
    /// It may belong to a table.
    Row,
    /// A line of a formula.
    Formula,
}

/// A fence that opens code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    /// Everything behind its mark.
    pub(super) info: String,
    pub(super) language: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) kind: Kind,
    /// The bytes before the content.
    pub(super) consumed: usize,
    /// Columns of a tab among those bytes that belong to the content.
    pub(super) spare: usize,
    /// Whether it stands in the same quotes and list items as the line before.
    pub(super) same_place: bool,
}

/// The open block inside the containers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Leaf {
    #[default]
    None,
    Paragraph,
    Fence(Fence),
    Formula,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fence {
    mark: char,
    length: usize,
    indent: usize,
}

/// The blocks that are open.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    containers: Vec<Container>,
    /// How many of them were there before the present line.
    kept: usize,
    leaf: Leaf,
}

impl Blocks {
    /// The quotes and list items around the present line, and how many of them were there before it.
    pub(super) fn containers(&self) -> (&[Container], usize) {
        (&self.containers, self.kept)
    }

    /// Takes the start of a line, without its line break, and says what the line is. `None` when that cannot be said yet;
    /// with `ended`, all of the line is there, and it always can.
    pub(super) fn start(&mut self, line: &str, ended: bool) -> Option<Start> {
        if let Leaf::Fence(fence) = self.leaf {
            if !ended {
                return None;
            }
            if let Some(kind) = self.in_fence(line, fence) {
                return Some(Start { kind, consumed: line.len(), spare: 0, same_place: true });
            }
        }
        let mut cursor = Cursor::new(line);
        let mut narrower = Vec::new();
        let kept = self.kept(&mut cursor, ended, &mut narrower)?;
        let was_text = self.leaf == Leaf::Paragraph && kept == self.containers.len();
        let mut opened = Vec::new();
        let (kind, leaf) = if cursor.word().is_empty() {
            if !ended {
                return None;
            }
            (Kind::Blank, Leaf::None)
        } else if self.leaf == Leaf::Formula && kept == self.containers.len() {
            let closes = formula_ends(cursor.word(), ended)?;
            (Kind::Formula, if closes { Leaf::None } else { Leaf::Formula })
        } else {
            self.open(&mut cursor, ended, kept, was_text, &mut opened)?
        };
        let same_place = kept == self.containers.len() && opened.is_empty();
        self.containers.truncate(kept);
        for index in narrower {
            if let Some(Container::Item(item)) = self.containers.get_mut(index) {
                item.content = item.indent + NARROWEST;
            }
        }
        self.containers.append(&mut opened);
        self.kept = kept;
        self.leaf = leaf;
        Some(Start { kind, consumed: cursor.at(), spare: cursor.spare(), same_place })
    }

    /// What a line is inside a fence; `None` when it has left the quote that the fence is in.
    fn in_fence(&mut self, line: &str, fence: Fence) -> Option<Kind> {
        self.kept = self.containers.len();
        let mut cursor = Cursor::new(line);
        for container in &self.containers {
            match container {
                Container::Quote if cursor.word().starts_with('>') => skip_quote_mark(&mut cursor),
                Container::Quote => return None,
                Container::Item(item) => cursor.skip(item.content),
            }
        }
        let word = cursor.word().trim_end();
        if word.len() >= fence.length && word.chars().all(|c| c == fence.mark) && self.may_be_fence(&cursor, true) {
            self.leaf = Leaf::None;
            return Some(Kind::FenceEnd);
        }
        cursor.skip(fence.indent);
        Some(Kind::Code(cursor.take_rest()))
    }

    /// A fence deeper than three columns is indented code, but not in a list, where models indent too much.
    fn may_be_fence(&self, cursor: &Cursor, in_item: bool) -> bool {
        let in_item = in_item && self.containers.iter().any(|container| matches!(container, Container::Item(_)));
        in_item || cursor.indent() < 4
    }

    /// Passes the indentation and the marks of the open containers, and says how many of them go on. `narrower`: the items
    /// among them whose nested lists are indented less than their own text.
    fn kept(&self, cursor: &mut Cursor, ended: bool, narrower: &mut Vec<usize>) -> Option<usize> {
        for (index, container) in self.containers.iter().enumerate() {
            let word = cursor.word();
            if word.is_empty() && !ended {
                return None;
            }
            match container {
                Container::Quote if cursor.indent() < 4 && word.starts_with('>') => skip_quote_mark(cursor),
                Container::Quote => return Some(index),
                Container::Item(_) if word.is_empty() => {}
                Container::Item(item) if cursor.indent() >= item.content => cursor.skip(item.content),
                Container::Item(item) if cursor.indent() >= item.indent + NARROWEST => match list_marker(word, ended) {
                    Seen::Undecided => return None,
                    Seen::No => return Some(index),
                    Seen::Yes(_) => {
                        cursor.skip(item.indent + NARROWEST);
                        narrower.push(index);
                    }
                },
                Container::Item(_) => return Some(index),
            }
        }
        Some(self.containers.len())
    }

    /// Opens the containers that begin on this line, and says what stands in them.
    fn open(
        &self,
        cursor: &mut Cursor,
        ended: bool,
        kept: usize,
        mut was_text: bool,
        opened: &mut Vec<Container>,
    ) -> Option<(Kind, Leaf)> {
        loop {
            let word = cursor.word();
            if word.is_empty() {
                return ended.then_some((Kind::Text, Leaf::None));
            }
            let in_item = kept > 0 || !opened.is_empty();
            match fence_start(word, ended) {
                Seen::Undecided => return None,
                Seen::Yes((mark, length, opening)) if self.may_be_fence(cursor, in_item) => {
                    let fence = Fence { mark, length, indent: cursor.indent() };
                    return Some((Kind::FenceStart(opening), Leaf::Fence(fence)));
                }
                _ => {}
            }
            let indent = cursor.indent();
            if indent >= 4 {
                cursor.skip(if was_text { indent } else { 0 });
                return Some(if was_text { (Kind::Text, Leaf::Paragraph) } else { (Kind::Indented, Leaf::None) });
            }
            let has_room = kept + opened.len() < DEEPEST;
            if has_room && word.starts_with('>') {
                skip_quote_mark(cursor);
                opened.push(Container::Quote);
            } else if let Some(leaf) = leaf(word, ended)? {
                cursor.skip(indent);
                if let Kind::Heading(level) = leaf.0 {
                    cursor.pass(level);
                    cursor.skip(usize::MAX);
                }
                return Some(leaf);
            } else {
                match list_marker(word, ended) {
                    Seen::Undecided => return None,
                    Seen::Yes(marker) if has_room && !(was_text && word.len() == marker.len()) => {
                        opened.push(Container::Item(item(cursor, indent, marker)));
                    }
                    _ => {
                        cursor.skip(indent);
                        return Some((Kind::Text, Leaf::Paragraph));
                    }
                }
            }
            was_text = false;
        }
    }
}

/// Passes the marker, and gives the item that it begins.
fn item(cursor: &mut Cursor, indent: usize, marker: &str) -> Item {
    cursor.skip(indent);
    cursor.pass(marker.len());
    // More than four columns belong to indented code in the item.
    let gap = if cursor.word().is_empty() || cursor.indent() > 4 { 1 } else { cursor.indent() };
    cursor.skip(gap);
    let number = Some(marker).filter(|marker| marker.len() > 1).map(str::to_owned);
    Item { indent, content: indent + marker.len() + gap, number }
}

fn skip_quote_mark(cursor: &mut Cursor) {
    cursor.skip(usize::MAX);
    cursor.pass(1);
    cursor.skip(1);
}

/// A heading, a thematic break, a formula or a row; `Some(None)` for anything else.
#[expect(clippy::option_option, reason = "the outer one says whether enough of the line has come to tell")]
fn leaf(word: &str, ended: bool) -> Option<Option<(Kind, Leaf)>> {
    let found = match word.as_bytes()[0] {
        b'#' => heading(word, ended),
        b'-' | b'*' | b'_' => thematic_break(word, ended),
        b'$' | b'\\' => formula(word, ended),
        b'|' => Seen::Yes((Kind::Row, Leaf::Paragraph)),
        _ => Seen::No,
    };
    match found {
        Seen::Undecided => None,
        Seen::No => Some(None),
        Seen::Yes(found) => Some(Some(found)),
    }
}

fn heading(word: &str, ended: bool) -> Seen<(Kind, Leaf)> {
    let level = run(word, '#');
    let rest = &word[level..];
    let text = rest.trim_start_matches([' ', '\t']);
    if level > 6 || (text.len() == rest.len() && !text.is_empty()) {
        Seen::No
    } else if text.is_empty() && !ended {
        Seen::Undecided
    } else {
        Seen::Yes((Kind::Heading(level), Leaf::None))
    }
}

fn thematic_break(word: &str, ended: bool) -> Seen<(Kind, Leaf)> {
    let mark = word.as_bytes()[0];
    let mut marks = 0;
    for byte in word.bytes() {
        match byte {
            byte if byte == mark => marks += 1,
            b' ' | b'\t' => {}
            _ => return Seen::No,
        }
    }
    match (ended, marks) {
        (false, _) => Seen::Undecided,
        (true, 3..) => Seen::Yes((Kind::ThematicBreak, Leaf::None)),
        _ => Seen::No,
    }
}

/// A formula of TeX begins with `$$` or `\[` on a line of its own.
fn formula(word: &str, ended: bool) -> Seen<(Kind, Leaf)> {
    let mark = word.trim_end();
    match (ended, mark) {
        (true, "$$" | "\\[") => Seen::Yes((Kind::Formula, Leaf::Formula)),
        (false, "$" | "$$" | "\\" | "\\[") => Seen::Undecided,
        _ => Seen::No,
    }
}

/// Whether a line of a formula is its last one.
fn formula_ends(word: &str, ended: bool) -> Option<bool> {
    ended.then(|| matches!(word.trim_end(), "$$" | "\\]"))
}

/// The bullet, or the number with what follows it.
fn list_marker(word: &str, ended: bool) -> Seen<&str> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let length = match word.as_bytes().get(digits) {
        Some(b'-' | b'+' | b'*') if digits == 0 => 1,
        Some(b'.' | b')') if (1..10).contains(&digits) => digits + 1,
        None if !ended && digits < 10 => return Seen::Undecided,
        _ => return Seen::No,
    };
    match word[length..].chars().next() {
        None if !ended => Seen::Undecided,
        None | Some(' ' | '\t') => Seen::Yes(&word[..length]),
        Some(_) => Seen::No,
    }
}

/// The mark of a fence, its length, and what is behind it.
fn fence_start(word: &str, ended: bool) -> Seen<(char, usize, Opening)> {
    let Some(mark @ ('`' | '~')) = word.chars().next() else { return Seen::No };
    let length = run(word, mark);
    let info = word[length..].trim();
    let is_code_span = mark == '`' && info.contains('`');
    if is_code_span || (length < 3 && (ended || length < word.len())) {
        return Seen::No;
    }
    if !ended {
        return Seen::Undecided;
    }
    // ```rust,no_run and ```{.python} are common, too.
    let language = info.trim_start_matches(['{', '.']).split([' ', '\t', ',', '{', '}', ';']).next();
    let language = language.filter(|language| !language.is_empty()).map(str::to_owned);
    Seen::Yes((mark, length, Opening { info: info.to_owned(), language }))
}

/// How often a mark stands at the start of a text.
fn run(text: &str, mark: char) -> usize {
    text.len() - text.trim_start_matches(mark).len()
}
