//! Characters that are written by name or number: `&amp;`, `&#39;`, `&#x27;`.

use super::seen::Seen;

/// The longest that is looked for, in bytes after the `&`.
const LONGEST: usize = 12;

/// Those that models write. The others stay as they are.
const NAMES: [(&str, char); 18] = [
    ("amp", '&'),
    ("apos", '\''),
    ("bull", '•'),
    ("copy", '©'),
    ("deg", '°'),
    ("euro", '€'),
    ("ge", '≥'),
    ("gt", '>'),
    ("hellip", '…'),
    ("le", '≤'),
    ("lt", '<'),
    ("mdash", '—'),
    ("middot", '·'),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("quot", '"'),
    ("rarr", '→'),
    ("times", '×'),
];

/// The character that a text begins with by name or number, and the length of that.
pub(super) fn entity(text: &str, ended: bool) -> Seen<(char, usize)> {
    let inside = &text[1..];
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'#';
    let length = inside.bytes().take(LONGEST + 1).take_while(|byte| is_inside(*byte)).count();
    match inside.as_bytes().get(length) {
        None if !ended && length <= LONGEST => return Seen::Undecided,
        Some(b';') => {}
        _ => return Seen::No,
    }
    let name = &inside[..length];
    let named = NAMES.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
    named.or_else(|| numbered(name)).map_or(Seen::No, |c| Seen::Yes((c, length + 2)))
}

fn numbered(name: &str) -> Option<char> {
    let number = name.strip_prefix('#')?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    // What a terminal obeys comes as text, not through the back door.
    char::from_u32(code).filter(|c| crate::conversation::text::is_printable(*c))
}
