//! A comment cites only what a reader can open: a page in `docs/`, an address, or an RFC.

use super::sources::{Texts, extension};
use proc_macro2::{Span, TokenStream, TokenTree};

/// Pages that are cited by this name only after `docs/`, and folders that are not in the repository.
const PAGES: [&str; 6] = ["cases.md", "bedrock.md", "openai-clients.md", "terminal.md", "DESIGN", "facts/"];

pub(super) fn complaints(texts: &Texts) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in texts.iter().filter(|(_, text)| may_cite(text)) {
        // All of a data file is read: its sources are shown to people.
        let comments = match extension(path) {
            "rs" => comments(path, text),
            "toml" if path.starts_with("src/") => text.clone(),
            _ => continue,
        };
        let lines: Vec<_> = comments.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let before = index.checked_sub(1).map_or("", |index| lines[index]);
            for problem in problems(line, before, texts) {
                complaints.push(format!("{path}:{}: {problem}", index + 1));
            }
        }
    }
    complaints
}

/// Whether a file has any of the marks of a citation. Most have none, and are not taken apart.
fn may_cite(text: &str) -> bool {
    ["docs/", "§"].iter().chain(&PAGES).any(|mark| text.contains(mark))
}

/// What is wrong with the citations of a line. `before` is the line above.
fn problems(line: &str, before: &str, texts: &Texts) -> Vec<String> {
    let mut problems = Vec::new();
    for (start, _) in line.match_indices("docs/").filter(|(start, _)| begins_a_word(&line[..*start])) {
        let page = line[start..].split(|c: char| !is_of_a_path(c)).next().unwrap_or_default();
        let page = page.trim_end_matches(['.', '/']);
        if extension(page) == "md" && !texts.contains_key(page) {
            problems.push(format!("cites {page}, which does not exist"));
        }
    }
    for page in PAGES {
        let stands_alone = |start: usize| {
            let after = line[start + page.len()..].chars().next();
            let ends = page.ends_with('/') || !after.is_some_and(char::is_alphanumeric);
            ends && begins_a_word(&line[..start]) && !line[..start].ends_with("docs/")
        };
        if line.match_indices(page).any(|(start, _)| stands_alone(start)) {
            problems.push(format!("cites {page}, which is not a page in docs/"));
        }
    }
    if problems.is_empty()
        && let Some((head, _)) = line.split_once('§')
        && !["docs/", "RFC", "://"].iter().any(|source| head.contains(source) || before.contains(source))
    {
        problems.push("cites a section (§) without its page in docs/, its RFC or its address".to_owned());
    }
    problems
}

/// Whether a word begins after this text, so that `artifacts/` does not count as a mention of a shorter name.
fn begins_a_word(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

fn is_of_a_path(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')
}

/// The text of a file with everything but its comments replaced by spaces.
fn comments(path: &str, text: &str) -> String {
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path} cannot be read: {error}"));
    let mut bytes = text.as_bytes().to_vec();
    blank_out(tokens, text, &mut bytes);
    String::from_utf8(bytes).unwrap()
}

fn blank_out(tokens: TokenStream, text: &str, bytes: &mut [u8]) {
    let mut blank = |span: Span| {
        let range = span.byte_range();
        // A doc comment is read as an attribute, whose tokens all have the place of the comment.
        let is_comment = text[range.clone()].starts_with("//") || text[range.clone()].starts_with("/*");
        if !is_comment {
            bytes[range].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
    };
    let mut groups = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                blank(group.span_open());
                blank(group.span_close());
                groups.push(group.stream());
            }
            token => blank(token.span()),
        }
    }
    for group in groups {
        blank_out(group, text, bytes);
    }
}
