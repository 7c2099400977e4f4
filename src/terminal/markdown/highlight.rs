//! Colours for code. The only file that knows the highlighter and its grammars.

use crate::terminal::look::{Colour, Look};
use std::ops::Range;
use std::sync::LazyLock;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

/// Longer lines keep the default colour, in bytes: what a grammar does with a line may cost far more than the line is long,
/// and where it does not, nobody reads such a line.
const LONGEST_LINE: usize = 500;

/// The grammars. Loading takes a few milliseconds, and each is unpacked when it is first used.
static GRAMMARS: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// How scopes look: <https://www.sublimetext.com/docs/scope_naming.html>. The first line that a scope begins with counts.
static LOOKS: LazyLock<Vec<(Scope, Look)>> = LazyLock::new(|| {
    let bold_blue = Look { bold: true, ..Look::coloured(Colour::Blue) };
    let table = [
        ("comment", Look::DIM),
        ("punctuation.definition.comment", Look::DIM),
        ("constant.character.escape", Look::coloured(Colour::Magenta)),
        ("constant", Look::coloured(Colour::Magenta)),
        ("string", Look::coloured(Colour::Green)),
        ("keyword.operator", Look::PLAIN),
        ("keyword", bold_blue),
        ("storage", bold_blue),
        ("entity.name.function", Look::coloured(Colour::Cyan)),
        ("support.function", Look::coloured(Colour::Cyan)),
        ("entity.name.tag", bold_blue),
        ("entity.other.attribute-name", Look::coloured(Colour::Cyan)),
        ("variable.language", Look::coloured(Colour::Magenta)),
        ("markup.deleted", Look::coloured(Colour::Red)),
        ("markup.inserted", Look::coloured(Colour::Green)),
        ("markup.heading", Look::BOLD),
        ("markup.bold", Look::BOLD),
        ("entity.name", Look::BOLD),
        ("meta.diff.range", Look::coloured(Colour::Cyan)),
    ];
    table.into_iter().filter_map(|(scope, look)| Some((Scope::new(scope).ok()?, look))).collect()
});

/// The names that fences use and the grammars do not know.
const NAMES: [(&str, &str); 14] = [
    ("console", "sh"),
    ("shell", "sh"),
    ("shell-session", "sh"),
    ("fish", "fish"),
    ("golang", "go"),
    ("jsonc", "json"),
    ("json5", "json"),
    ("jsonl", "json"),
    ("jsx", "tsx"),
    ("node", "js"),
    ("python3", "py"),
    ("csharp", "cs"),
    ("hcl", "tf"),
    ("postgresql", "sql"),
];

/// The highlighter of one piece of code.
pub(super) struct Highlighter {
    state: ParseState,
    scopes: ScopeStack,
}

impl Highlighter {
    /// `None` for a language without a grammar.
    pub(super) fn new(language: &str) -> Option<Self> {
        let language = language.to_ascii_lowercase();
        let token = NAMES.iter().find(|(name, _)| *name == language).map_or(language.as_str(), |(_, token)| token);
        if matches!(token, "text" | "txt" | "plain" | "plaintext") {
            return None;
        }
        let syntax = GRAMMARS.find_syntax_by_token(token)?;
        Some(Self { state: ParseState::new(syntax), scopes: ScopeStack::new() })
    }

    /// The parts of the next line, each with its look.
    pub(super) fn line<'a>(&mut self, line: &'a str) -> Vec<(&'a str, Look)> {
        if line.len() > LONGEST_LINE {
            return vec![(line, Look::PLAIN)];
        }
        let Ok(changes) = self.state.parse_line(&format!("{line}\n"), &GRAMMARS) else {
            // A regular expression that gives up. The next line may do better.
            return vec![(line, Look::PLAIN)];
        };
        let mut parts: Vec<(Range<usize>, Look)> = Vec::new();
        let mut at = 0;
        for (index, change) in changes {
            self.add(&mut parts, at..index.min(line.len()));
            at = index.min(line.len());
            // Fails when a grammar takes off more than there is. The line is then shown with what is left.
            let _ = self.scopes.apply(&change);
        }
        self.add(&mut parts, at..line.len());
        parts.into_iter().filter_map(|(range, look)| Some((line.get(range)?, look))).collect()
    }

    fn add(&self, parts: &mut Vec<(Range<usize>, Look)>, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let look = self.look();
        match parts.last_mut() {
            Some((before, same)) if *same == look => before.end = range.end,
            _ => parts.push((range, look)),
        }
    }

    /// How the innermost scope looks that has a look.
    fn look(&self) -> Look {
        let of = |scope: &Scope| LOOKS.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, look)| *look);
        self.scopes.as_slice().iter().rev().find_map(of).unwrap_or_default()
    }
}
