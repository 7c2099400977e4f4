//! The parts of a line of text: code, links, addresses, formulas, and what may be emphasis. What stands inside of the
//! former is never looked at for the latter.

use super::entities::entity;
use super::links;
use super::scripts::is_cjk;
use super::seen::Seen;
use std::collections::HashMap;

/// The longest formula between single dollars, in bytes: a dollar is much more often a price.
const LONGEST_FORMULA: usize = 160;

/// The longest name with two underscores around it, in bytes.
const LONGEST_NAME: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// Where it starts, in bytes.
    pub(super) start: usize,
    pub(super) part: Part<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    /// A character that was written by name or number.
    Character(char),
    Code(&'a str),
    /// An address that is its own text.
    Address(&'a str),
    /// Marks of emphasis.
    Marks(Marks),
    /// The bracket that opens a link or an image.
    LinkStart,
    /// Everything after the text of a link: its address.
    LinkEnd(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// `*`, `_` or `~`.
    pub(super) mark: char,
    pub(super) length: usize,
    pub(super) may_open: bool,
    pub(super) may_close: bool,
}

/// The tokens of a text, as far as they are certain.
pub(super) struct Tokens<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    /// The bytes that they come from.
    pub(super) length: usize,
}

/// Divides a part of a line. `before` is the character before it; with `ended`, the line ends with it.
pub(super) fn tokens(text: &str, before: char, ended: bool) -> Tokens<'_> {
    let mut lexer = Lexer { text, before, ended, at: 0, tokens: Vec::new(), brackets: Vec::new(), runs: None };
    lexer.run();
    lexer.result()
}

struct Lexer<'a> {
    text: &'a str,
    before: char,
    ended: bool,
    at: usize,
    tokens: Vec<Token<'a>>,
    /// The brackets that are open.
    brackets: Vec<Bracket>,
    /// Where a mark stands last: a run of backticks by its length, and the end of a formula (with length 0).
    runs: Option<HashMap<(char, usize), usize>>,
}

struct Bracket {
    token: usize,
    is_image: bool,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            let seen = match byte {
                b'\\' => self.backslash(),
                b'`' => self.code(),
                b'<' => self.angle(),
                b'&' => self.entity(),
                b'*' | b'_' | b'~' => self.marks(),
                b'$' => self.dollar(),
                b'!' => self.bang(),
                b'[' => self.bracket(1),
                b']' => self.close(),
                b'h' => self.address(),
                _ => Seen::No,
            };
            match seen {
                Seen::Undecided => return,
                Seen::No => self.plain(),
                Seen::Yes(()) => {}
            }
        }
    }

    /// What is certain. A bracket that is open may become a link, until the line ends.
    fn result(mut self) -> Tokens<'a> {
        let mut length = self.at;
        if let (false, Some(bracket)) = (self.ended, self.brackets.first()) {
            length = self.tokens[bracket.token].start;
            self.tokens.truncate(bracket.token);
        }
        Tokens { tokens: self.tokens, length }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn last(&self) -> char {
        self.text[..self.at].chars().next_back().unwrap_or(self.before)
    }

    fn push(&mut self, part: Part<'a>, length: usize) -> Seen<()> {
        self.tokens.push(Token { start: self.at, part });
        self.at += length;
        Seen::Yes(())
    }

    /// A character that means nothing here, and what follows up to the next one that may mean something.
    fn plain(&mut self) {
        let rest = self.rest();
        let means = |(index, byte): (usize, u8)| match byte {
            b'\\' | b'`' | b'<' | b'&' | b'*' | b'_' | b'~' | b'$' | b'!' | b'[' | b']' => true,
            b'h' => rest.as_bytes()[index..].iter().zip(b"http").all(|(byte, wanted)| byte == wanted),
            _ => false,
        };
        let length = rest.bytes().enumerate().skip(1).position(means).map_or(rest.len(), |further| further + 1);
        self.push(Part::Text(&rest[..length]), length);
    }

    fn backslash(&mut self) -> Seen<()> {
        let rest = self.rest();
        match rest.as_bytes().get(1) {
            None if !self.ended => Seen::Undecided,
            Some(b'(') => self.formula("\\(", "\\)"),
            Some(b'[') => self.formula("\\[", "\\]"),
            Some(
                b'\\' | b'`' | b'*' | b'_' | b'~' | b']' | b')' | b'#' | b'+' | b'-' | b'.' | b'!' | b'|' | b'<' | b'>'
                | b'&' | b'$' | b'"',
            ) => self.push(Part::Text(&rest[1..2]), 2),
            _ => Seen::No,
        }
    }

    /// A formula of TeX, which stays as it is. Without an end, the backslash only keeps the bracket from meaning something.
    fn formula(&mut self, start: &str, end: &str) -> Seen<()> {
        let rest = self.rest();
        let last = self.last_places().get(&(if end == "\\)" { ')' } else { ']' }, 0)).copied();
        if last.is_none_or(|last| last < self.at + start.len()) {
            return if self.ended { self.push(Part::Text(&rest[1..2]), 2) } else { Seen::Undecided };
        }
        let length = rest[start.len()..].find(end).map_or(start.len(), |length| start.len() + length + end.len());
        self.push(Part::Text(&rest[..length]), length)
    }

    fn dollar(&mut self) -> Seen<()> {
        let rest = self.rest();
        if let Some(inside) = rest.strip_prefix("$$") {
            let last = self.last_places().get(&('$', 0)).copied();
            if last.is_none_or(|last| last < self.at + 2) {
                return if self.ended { self.push(Part::Text("$$"), 2) } else { Seen::Undecided };
            }
            let length = inside.find("$$").map_or(2, |length| length + 4);
            return self.push(Part::Text(&rest[..length]), length);
        }
        // As Pandoc has it: no space inside of the dollars, and no digit after the second. A digit after the first is a
        // price.
        match rest[1..].chars().next() {
            None if !self.ended => return Seen::Undecided,
            Some(c) if !(c.is_whitespace() || c.is_ascii_digit() || self.last().is_alphanumeric()) => {}
            _ => return Seen::No,
        }
        let window = &rest[..rest.floor_char_boundary(LONGEST_FORMULA.min(rest.len()))];
        let is_cut = window.len() < rest.len() || self.ended;
        let Some(length) = window[1..].find('$').map(|length| length + 1) else {
            return if is_cut { Seen::No } else { Seen::Undecided };
        };
        match rest[length + 1..].chars().next() {
            None if !self.ended => return Seen::Undecided,
            Some(c) if c.is_ascii_digit() => return Seen::No,
            _ => {}
        }
        if rest[..length].ends_with(char::is_whitespace) {
            return Seen::No;
        }
        self.push(Part::Text(&rest[..=length]), length + 1)
    }

    fn code(&mut self) -> Seen<()> {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches('`').len();
        if length == rest.len() && !self.ended {
            return Seen::Undecided;
        }
        let last = self.last_places().get(&('`', length)).copied();
        if last.is_none_or(|last| last <= self.at) {
            return if self.ended { self.push(Part::Text(&rest[..length]), length) } else { Seen::Undecided };
        }
        let mut at = length;
        while let Some(found) = rest[at..].find('`') {
            at += found;
            let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
            if run == length {
                if at + run == rest.len() && !self.ended {
                    return Seen::Undecided;
                }
                return self.push(Part::Code(without_padding(&rest[length..at])), at + run);
            }
            at += run;
        }
        self.push(Part::Text(&rest[..length]), length)
    }

    fn angle(&mut self) -> Seen<()> {
        let rest = self.rest();
        match links::angle(rest, self.ended) {
            Seen::Yes(length) => self.push(Part::Address(&rest[1..length - 1]), length),
            Seen::No => Seen::No,
            Seen::Undecided => Seen::Undecided,
        }
    }

    fn entity(&mut self) -> Seen<()> {
        match entity(self.rest(), self.ended) {
            Seen::Yes((c, length)) => self.push(Part::Character(c), length),
            Seen::No => Seen::No,
            Seen::Undecided => Seen::Undecided,
        }
    }

    fn address(&mut self) -> Seen<()> {
        let rest = self.rest();
        if self.last().is_alphanumeric() {
            return Seen::No;
        }
        match links::bare(rest, !self.brackets.is_empty(), self.ended) {
            Seen::Yes(length) => self.push(Part::Address(&rest[..length]), length),
            Seen::No => Seen::No,
            Seen::Undecided => Seen::Undecided,
        }
    }

    fn bang(&mut self) -> Seen<()> {
        match self.rest().as_bytes().get(1) {
            None if !self.ended => Seen::Undecided,
            Some(b'[') => self.bracket(2),
            _ => Seen::No,
        }
    }

    fn bracket(&mut self, length: usize) -> Seen<()> {
        self.brackets.push(Bracket { token: self.tokens.len(), is_image: length == 2 });
        let text = &self.rest()[..length];
        self.push(Part::Text(text), length)
    }

    fn close(&mut self) -> Seen<()> {
        let Some(bracket) = self.brackets.last() else { return Seen::No };
        let rest = self.rest();
        let (url, length) = match rest.as_bytes().get(1) {
            None if !self.ended => return Seen::Undecided,
            Some(b'(') => match links::target(&rest[1..], self.ended) {
                Seen::Undecided => return Seen::Undecided,
                Seen::Yes(found) => found,
                Seen::No => {
                    self.brackets.pop();
                    return Seen::No;
                }
            },
            _ => {
                self.brackets.pop();
                return Seen::No;
            }
        };
        let (token, is_image) = (bracket.token, bracket.is_image);
        self.tokens[token].part = Part::LinkStart;
        self.brackets.pop();
        if !is_image {
            // A link contains no links, and is in no image.
            self.brackets.clear();
        }
        self.push(Part::LinkEnd(url), length + 1)
    }

    /// Marks of emphasis, by the rules of <https://spec.commonmark.org/0.31.2/#delimiter-run>. But `2*3*4` is none: single
    /// stars between letters or digits are more often a product than emphasis.
    fn marks(&mut self) -> Seen<()> {
        let rest = self.rest();
        let Some(mark) = rest.chars().next() else { return Seen::No };
        let length = rest.len() - rest.trim_start_matches(mark).len();
        if rest.starts_with("__") {
            match special_name(rest, self.ended) {
                Seen::Undecided => return Seen::Undecided,
                Seen::No => {}
                Seen::Yes(length) => return self.push(Part::Text(&rest[..length]), length),
            }
        }
        let (before, after) = match rest[length..].chars().next() {
            None if !self.ended => return Seen::Undecided,
            after => (self.last(), after.unwrap_or('\n')),
        };
        if mark == '~' && length != 2 {
            return self.push(Part::Text(&rest[..length]), length);
        }
        // Chinese and Japanese have no spaces beside emphasis.
        let ends_word = |c: char| c.is_whitespace() || is_punctuation(c) || is_cjk(c);
        let opens = !after.is_whitespace() && (!is_punctuation(after) || ends_word(before));
        let closes = !before.is_whitespace() && (!is_punctuation(before) || ends_word(after));
        let in_word = before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric();
        let (may_open, may_close) = match mark {
            '_' => (opens && (!closes || is_punctuation(before)), closes && (!opens || is_punctuation(after))),
            '*' => (opens && !in_word, closes && !(in_word && length == 1)),
            _ => (opens, closes),
        };
        self.push(Part::Marks(Marks { mark, length, may_open, may_close }), length)
    }

    /// Where each run of backticks and each end of a formula stands last, so that what has no end is not looked for again
    /// and again.
    fn last_places(&mut self) -> &HashMap<(char, usize), usize> {
        let text = self.text;
        self.runs.get_or_insert_with(|| {
            let mut places = HashMap::new();
            let bytes = text.as_bytes();
            let mut at = 0;
            while at < bytes.len() {
                let length = bytes[at..].iter().take_while(|byte| **byte == bytes[at]).count();
                let end = match bytes[at] {
                    b'`' => Some((('`', length), at)),
                    b'$' if length > 1 => Some((('$', 0), at + length - 2)),
                    mark @ (b')' | b']') if bytes[..at].ends_with(b"\\") => Some(((char::from(mark), 0), at - 1)),
                    _ => None,
                };
                places.extend(end);
                at += length;
            }
            places
        })
    }
}

/// A name such as `__init__` at the start of a text: its length. Models make text bold with stars, and where they do not,
/// it is hardly ever one word in lower case.
fn special_name(text: &str, ended: bool) -> Seen<usize> {
    let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    for (index, byte) in text.bytes().enumerate().skip(2) {
        if text[index..].starts_with("__") {
            return match text[index + 2..].chars().next() {
                None if !ended => Seen::Undecided,
                Some(c) if c.is_alphanumeric() || c == '_' => Seen::No,
                _ if index == 2 => Seen::No,
                _ => Seen::Yes(index + 2),
            };
        }
        if !is_inside(byte) || index > LONGEST_NAME {
            return Seen::No;
        }
    }
    if ended { Seen::No } else { Seen::Undecided }
}

/// The content of code, without the spaces that keep backticks inside of it from those around it.
fn without_padding(code: &str) -> &str {
    match code.strip_prefix(' ').and_then(|code| code.strip_suffix(' ')) {
        Some(inside) if !inside.trim().is_empty() => inside,
        _ => code,
    }
}

/// Punctuation or a symbol. The standard library knows letters and digits, marks are part of letters, and what is left
/// beyond ASCII is mostly one of the two.
fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation();
    }
    !c.is_alphanumeric() && !c.is_whitespace() && unicode_width::UnicodeWidthChar::width(c) != Some(0)
}
