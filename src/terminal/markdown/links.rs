//! Addresses: behind the text of a link, in angle brackets, and bare.

use super::seen::Seen;
use crate::terminal::look::Link;

/// The longest address of a link, in bytes, so that looking for the end of one costs no more than this.
const LONGEST: usize = 4096;

/// How deep brackets in an address may be nested, as in other implementations.
const DEEPEST: usize = 32;

/// `(address "title")` at the start of a text: the address, and the length of it all.
pub(super) fn target(text: &str, ended: bool) -> Seen<(String, usize)> {
    let cut = text.len() > LONGEST;
    let text = if cut { &text[..text.floor_char_boundary(LONGEST)] } else { text };
    let undecided = if ended || cut { Seen::No } else { Seen::Undecided };
    let inside = text[1..].trim_start();
    let (url, after) = match destination(inside) {
        Seen::Yes((url, length)) => (url, &inside[length..]),
        Seen::No => return Seen::No,
        Seen::Undecided => return undecided,
    };
    let rest = after.trim_start();
    let has_gap = rest.len() < after.len();
    let rest = match rest.chars().next() {
        Some(quote @ ('"' | '\'' | '(')) if has_gap => {
            let close = if quote == '(' { ')' } else { quote };
            match unescaped(&rest[1..], |c| c == close || c == quote) {
                Some((index, found)) if found == close => rest[index + 2..].trim_start(),
                Some(_) => return Seen::No,
                None => return undecided,
            }
        }
        _ => rest,
    };
    match rest.chars().next() {
        Some(')') => Seen::Yes((url, text.len() - rest.len() + 1)),
        Some(_) => Seen::No,
        None => undecided,
    }
}

/// The address at the start of a text, and its length.
fn destination(text: &str) -> Seen<(String, usize)> {
    if let Some(inside) = text.strip_prefix('<') {
        return match unescaped(inside, |c| matches!(c, '<' | '>')) {
            Some((length, '>')) => Seen::Yes((without_escapes(&inside[..length]), length + 2)),
            Some(_) => Seen::No,
            None => Seen::Undecided,
        };
    }
    let mut depth = 0;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' if depth == DEEPEST => return Seen::No,
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            c if c == ')' || c.is_whitespace() => return Seen::Yes((without_escapes(&text[..index]), index)),
            _ => {}
        }
    }
    Seen::Undecided
}

/// The first character that is wanted and has no backslash before it, and where it stands.
fn unescaped(text: &str, is_wanted: impl Fn(char) -> bool) -> Option<(usize, char)> {
    let mut escaped = false;
    text.char_indices().find(|(_, c)| {
        let found = !escaped && is_wanted(*c);
        escaped = !escaped && *c == '\\';
        found
    })
}

fn without_escapes(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => clean.extend(chars.next()),
            _ => clean.push(c),
        }
    }
    clean
}

/// `<address>` at the start of a text: its length. The address of a page or a person.
pub(super) fn angle(text: &str, ended: bool) -> Seen<usize> {
    let inside = &text[1..];
    let Some((length, c)) = inside.char_indices().find(|(_, c)| c.is_whitespace() || matches!(c, '<' | '>')) else {
        return if ended || !begins_address(inside) { Seen::No } else { Seen::Undecided };
    };
    let address = &inside[..length];
    let is_page = address.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty() && (2..=32).contains(&scheme.len()) && scheme.bytes().all(is_of_scheme)
    });
    let is_person = address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if c == '>' && begins_address(address) && (is_page || is_person) { Seen::Yes(length + 2) } else { Seen::No }
}

fn begins_address(text: &str) -> bool {
    text.bytes().next().is_none_or(|byte| byte.is_ascii_alphanumeric())
}

fn is_of_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-')
}

/// A web address at the start of a text: its length. `in_link`: it stands in the text of a link, whose bracket ends it.
pub(super) fn bare(text: &str, in_link: bool, ended: bool) -> Seen<usize> {
    const STARTS: [&str; 2] = ["https://", "http://"];
    if !STARTS.iter().any(|start| text.starts_with(start)) {
        let may_come = !ended && STARTS.iter().any(|start| start.starts_with(text));
        return if may_come { Seen::Undecided } else { Seen::No };
    }
    // Models write addresses in ASCII, and other punctuation directly after them.
    let is_inside = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '`' | '"') && !(in_link && c == ']');
    let Some(end) = text.find(|c| !is_inside(c)).or(ended.then_some(text.len())) else { return Seen::Undecided };
    let length = without_punctuation(&text[..end]);
    if STARTS.iter().any(|start| length <= start.len()) && text[..length].ends_with("//") {
        return Seen::No;
    }
    Seen::Yes(length)
}

/// What is left of an address without the punctuation of the sentence around it, by the rules of
/// <https://github.github.com/gfm/#extended-autolink-path-validation>.
fn without_punctuation(address: &str) -> usize {
    let count = |mark: u8| address.bytes().filter(|byte| *byte == mark).count();
    let (opening, mut closing) = (count(b'('), count(b')'));
    let mut length = address.len();
    for byte in address.bytes().rev() {
        match byte {
            b'?' | b'!' | b'.' | b',' | b':' | b';' | b'*' | b'_' | b'~' | b'\'' => {}
            b')' if closing > opening => closing -= 1,
            _ => break,
        }
        length -= 1;
    }
    length
}

/// Whether a terminal may open an address on a click: a page or a person, in characters that cannot end the sequence.
pub(super) fn is_clickable(url: &str) -> bool {
    let known = ["https://", "http://", "mailto:"].iter().any(|start| url.starts_with(start));
    known && url.len() <= 2000 && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a terminal needs to follow an address. Its number is made of the address, so that the parts of a link belong
/// together, wherever it wraps and however it came.
pub(super) fn link(url: &str) -> Link {
    // FNV-1a: <https://www.rfc-editor.org/rfc/rfc9923>. It is always the same, which the hash of a hash map is not.
    let hash = url.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    Link { id: hash, url: url.into() }
}
