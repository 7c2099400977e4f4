//! Text with its emphasis and links, by the rules of <https://spec.commonmark.org/0.31.2/#inlines>, of which one line of
//! the source sees nothing beyond its end: what is open there was no markup.

use super::links::is_clickable;
use super::tokens::{Marks, Part, Token, tokens};
use crate::terminal::look::{Colour, Look};

/// A piece of text that looks the same throughout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) text: String,
    pub(super) look: Look,
    /// Where it leads, for a terminal that can follow links.
    pub(super) url: Option<String>,
}

/// The spans of a part of a line, and the bytes that they come from. The rest depends on what follows; with `ended`, there
/// is none. `before` is the character before the text.
///
/// What is given for a text is also given, first of all, for every longer one. So it does not matter how often and when
/// this is called while a text comes.
pub(super) fn spans(text: &str, before: char, ended: bool, can_click: bool) -> (Vec<Span>, usize) {
    let tokens = tokens(text, before, ended);
    let mut emphasis = Emphasis::new(tokens.tokens.len());
    let mut certain = 0;
    for (index, token) in tokens.tokens.iter().enumerate() {
        emphasis.add(index, &token.part);
        if ended || emphasis.is_settled() {
            certain = index + 1;
        }
    }
    let length = tokens.tokens.get(certain).map_or(tokens.length, |token| token.start);
    (Writer { can_click, ..Writer::default() }.write(&tokens.tokens[..certain], &emphasis), length)
}

const EM: Look = Look { italic: true, ..Look::PLAIN };
const STRIKE: Look = Look { struck: true, ..Look::PLAIN };
const LINK: Look = Look { underline: true, ..Look::coloured(Colour::Blue) };
const CODE: Look = Look::coloured(Colour::Cyan);

/// What a run of marks stands for.
#[derive(Debug, Clone, Default)]
struct Role {
    /// What ends here, and then what begins here. The outermost comes last.
    ends: Vec<Look>,
    begins: Vec<Look>,
    /// Marks that are text.
    left: usize,
}

/// Which marks belong together.
struct Emphasis {
    /// For each token.
    roles: Vec<Role>,
    /// The runs that may still open something, for each mark and for one, two and more marks.
    open: [[Vec<usize>; 3]; 3],
    /// Where the links begin that are open.
    links: Vec<usize>,
}

impl Emphasis {
    fn new(tokens: usize) -> Self {
        Self { roles: vec![Role::default(); tokens], open: Default::default(), links: Vec::new() }
    }

    /// Whether nothing is open.
    fn is_settled(&self) -> bool {
        self.links.is_empty() && self.open.iter().flatten().all(Vec::is_empty)
    }

    fn add(&mut self, index: usize, part: &Part) {
        match part {
            Part::Marks(marks) => self.marks(index, *marks),
            Part::LinkStart => self.links.push(index),
            Part::LinkEnd(_) => {
                if let Some(start) = self.links.pop() {
                    self.forget(start);
                }
            }
            _ => {}
        }
    }

    fn marks(&mut self, index: usize, marks: Marks) {
        let row = match marks.mark {
            '*' => 0,
            '_' => 1,
            _ => 2,
        };
        let mut left = marks.length;
        while left > 0 && marks.may_close {
            let Some(opener) = self.opener(row, left) else { break };
            self.forget(opener);
            let marks_left = self.roles[opener].left;
            let (used, look) = match row {
                2 => (2, STRIKE),
                _ if marks_left.min(left) >= 2 => (2, Look::BOLD),
                _ => (1, EM),
            };
            self.roles[opener].begins.push(look);
            self.roles[opener].left -= used;
            self.roles[index].ends.push(look);
            left -= used;
            if let Some(class) = class(marks_left - used) {
                self.open[row][class].push(opener);
            }
        }
        self.roles[index].left = left;
        if let (true, Some(class)) = (marks.may_open, class(left)) {
            self.open[row][class].push(index);
        }
    }

    /// The nearest run that this many marks can close. One mark closes one, two close two, and more close what is there:
    /// in `**see note 1* and 2*.**` it is all bold.
    fn opener(&self, row: usize, left: usize) -> Option<usize> {
        let classes: &[usize] = match left {
            1 => &[0, 2],
            2 => &[1, 2],
            _ => &[0, 1, 2],
        };
        let nearest = classes.iter().filter_map(|class| self.open[row][*class].last().copied()).max()?;
        (self.links.last().is_none_or(|link| nearest > *link)).then_some(nearest)
    }

    /// What is open from this token on can no longer be closed.
    fn forget(&mut self, token: usize) {
        for open in self.open.iter_mut().flatten() {
            while open.last().is_some_and(|last| *last >= token) {
                open.pop();
            }
        }
    }
}

fn class(length: usize) -> Option<usize> {
    length.checked_sub(1).map(|index| index.min(2))
}

/// Makes spans of tokens.
#[derive(Default)]
struct Writer {
    can_click: bool,
    spans: Vec<Span>,
    /// How the text looks inside of each emphasis that is open, with all that is around it.
    looks: Vec<Look>,
    /// The spans before the text of each link that is open.
    links: Vec<usize>,
}

impl Writer {
    fn write(mut self, tokens: &[Token], emphasis: &Emphasis) -> Vec<Span> {
        for (token, role) in tokens.iter().zip(&emphasis.roles) {
            match &token.part {
                Part::Text(text) => self.text(text, Look::PLAIN),
                Part::Character(c) => self.text(c.encode_utf8(&mut [0; 4]), Look::PLAIN),
                Part::Code(code) => self.text(code, CODE),
                Part::Marks(marks) => self.marks(marks.mark, role),
                Part::Address(url) => {
                    let start = self.spans.len();
                    self.text(url, LINK);
                    if self.links.is_empty() {
                        self.lead_to(start, url);
                    }
                }
                Part::LinkStart => self.links.push(self.spans.len()),
                Part::LinkEnd(url) => self.end_link(url),
            }
        }
        self.spans
    }

    fn text(&mut self, text: &str, look: Look) {
        let look = self.around().and(look);
        match self.spans.last_mut() {
            Some(span) if span.look == look && span.url.is_none() && self.links.is_empty() => span.text.push_str(text),
            _ => self.spans.push(Span { text: text.to_owned(), look, url: None }),
        }
    }

    fn marks(&mut self, mark: char, role: &Role) {
        let looks = self.looks.len().saturating_sub(role.ends.len());
        self.looks.truncate(looks);
        if role.left > 0 {
            self.text(&String::from(mark).repeat(role.left), Look::PLAIN);
        }
        for look in role.begins.iter().rev() {
            self.looks.push(self.around().and(*look));
        }
    }

    /// How everything looks here.
    fn around(&self) -> Look {
        self.looks.last().copied().unwrap_or_default()
    }

    /// Ends a link or an image. The address is written out where a terminal does not show it, and also where the text
    /// looks like another address: nobody should believe that a link leads there.
    fn end_link(&mut self, url: &str) {
        let start = self.links.pop().unwrap_or(self.spans.len());
        let label: String = self.spans[start..].iter().map(|span| span.text.as_str()).collect();
        for span in &mut self.spans[start..] {
            span.look = span.look.and(LINK);
        }
        if !self.lead_to(start, url) || looks_like_address(&label) || label.trim().is_empty() {
            let is_said = label == url || url.strip_prefix("mailto:") == Some(&label) || url.is_empty();
            if !is_said {
                let shown = if label.trim().is_empty() { url.to_owned() } else { format!(" ({url})") };
                self.text(&shown, if label.trim().is_empty() { LINK } else { Look::DIM });
            }
        }
    }

    /// Makes the spans from one on lead to an address, if the terminal can follow it.
    fn lead_to(&mut self, start: usize, url: &str) -> bool {
        let clickable = self.can_click && is_clickable(url);
        if clickable {
            for span in self.spans[start..].iter_mut().filter(|span| span.url.is_none()) {
                span.url = Some(url.to_owned());
            }
        }
        clickable
    }
}

/// Whether a reader may take a text for the address that it leads to.
fn looks_like_address(text: &str) -> bool {
    text.contains("://") || text.trim().starts_with("www.") || (text.contains('.') && !text.trim().contains(' '))
}
