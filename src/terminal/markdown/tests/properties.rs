//! What holds for any text. The seed is fixed, so that a failure can be repeated.

use super::super::code_blocks::code_blocks;
use super::*;
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthStr;

/// Bytes.
const LARGE: usize = 1 << 16;

/// Long enough for a busy machine and a build for tests, and short for anything that grows faster than the text.
const NET: Duration = Duration::from_secs(20);

const STYLED: Abilities = Abilities { styles: true, links: false };
const CLICKABLE: Abilities = Abilities { styles: true, links: true };

/// Grapheme clusters of more than one character.
const CLUSTERS: [&str; 8] = [
    "👩\u{200d}👩\u{200d}👧\u{200d}👦",
    "👍🏽",
    "🇩🇪",
    "❤\u{fe0f}\u{200d}🔥",
    "e\u{301}\u{323}",
    "नि",
    "각",
    "1\u{fe0f}\u{20e3}",
];

/// What texts are made of: marks, words, and whole constructions.
const PIECES: [&str; 79] = [
    "*",
    "**",
    "_",
    "__",
    "***",
    "`",
    "``",
    "```",
    "~~",
    "~",
    "[",
    "]",
    "(",
    ")",
    "](",
    "![",
    "<",
    ">",
    "&",
    "\\",
    "|",
    "#",
    "## ",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "> ",
    "$",
    "$$",
    "\\(",
    "\\)",
    "!",
    ":",
    "\n",
    "\n",
    "\n",
    "\n\n",
    "  ",
    "    ",
    "\t",
    "```rust\n",
    "```\n",
    "~~~\n",
    "---\n",
    "|-|-|\n",
    "| a | b |\n",
    "|:-:|--:|\n",
    "\n| x **y** | `z` |\n",
    "word",
    "two words",
    "snake_case",
    "2*3",
    "**bold**",
    "*it*",
    "`code`",
    "[text](https://a.b/c)",
    "https://x.y/z_z",
    "<https://q.r>",
    "&amp;",
    "x & y",
    "日本語",
    "テスト。",
    "（括弧）",
    "a-very-long-word-that-does-not-fit-anywhere",
    "let x = \"s\"; // c",
    "    indented",
    "- [ ] task",
    "\\*",
    "http",
    "__init__",
    "$x_1$",
    "# h #\n",
    "\n# C# a#",
    "\n- a\n  - b\n",
    "\n1. c\n   ```sh\n   ls\n   ```\n",
    "\n> q\n",
    "%",
    ".",
];

fn any_text(random: &mut fastrand::Rng) -> String {
    let mut text = String::new();
    for _ in 0..random.usize(1..40) {
        text.push_str(match random.u8(..12) {
            0 => CLUSTERS[random.usize(..CLUSTERS.len())],
            1..4 => " ",
            _ => PIECES[random.usize(..PIECES.len())],
        });
    }
    text
}

/// Texts of every kind: generated, by hand, and what models have said.
fn texts() -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(20_261_126);
    let mut texts: Vec<String> = (0..2500).map(|_| any_text(&mut random)).collect();
    texts.push(include_str!("answer.md").to_owned());
    texts.extend(recorded());
    texts
}

/// The texts of recorded answers. Without `CHATRIX_RECORDINGS`, there are none.
fn recorded() -> Vec<String> {
    let Some(root) = std::env::var_os("CHATRIX_RECORDINGS").map(std::path::PathBuf::from) else {
        return Vec::new();
    };
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(root.join("converse")).unwrap() {
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let body = json["response"]["body_base64"].as_str().unwrap_or_default();
        let body = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(&body) else { continue };
        let blocks = body["output"]["message"]["content"].as_array().cloned().unwrap_or_default();
        texts.extend(blocks.iter().filter_map(|block| block["text"].as_str()).map(str::to_owned));
    }
    assert!(texts.len() > 10, "the recordings hold answers");
    texts
}

/// What is shown of a text that comes in pieces of these many characters.
fn in_pieces(text: &str, width: usize, abilities: Abilities, mut length: impl FnMut() -> usize) -> String {
    let mut sanitizer = Sanitizer::default();
    let mut markdown = Markdown::new(width, abilities);
    let mut shown = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest.char_indices().nth(length()).map_or(rest.len(), |(at, _)| at);
        let (piece, further) = rest.split_at(at);
        shown.push_str(markdown.add(&Printable::piece(&mut sanitizer, piece)).as_str());
        rest = further;
    }
    shown.push_str(markdown.finish().as_str());
    shown
}

/// A text without the styles and links of a terminal.
fn stripped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        // Nothing else is written: Select Graphic Rendition, and the start and end of a link.
        let length = if let Some(parameters) = after.strip_prefix('[') {
            let length = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap();
            assert!(parameters[length..].starts_with('m'), "{text:?}");
            length + 2
        } else {
            assert!(after.starts_with("]8;id=") || after.starts_with("]8;;\u{1b}\\"), "{text:?}");
            after.find('\u{1b}').unwrap() + 2
        };
        rest = &after[length..];
    }
    plain + rest
}

#[test]
fn pieces_make_no_difference() {
    let mut random = fastrand::Rng::with_seed(1);
    for text in texts() {
        for abilities in [PLAIN, CLICKABLE] {
            let whole = rendered(&text, 30, abilities);
            assert_eq!(in_pieces(&text, 30, abilities, || 1), whole, "{text:?}");
            assert_eq!(in_pieces(&text, 30, abilities, || random.usize(1..20)), whole, "{text:?}");
        }
    }
}

#[test]
fn styles_change_no_character() {
    for text in texts() {
        for width in [12, 40, 80, 200] {
            let plain = shown(&text, width);
            assert!(!plain.contains('\u{1b}'), "{text:?}");
            assert_eq!(stripped(&rendered(&text, width, STYLED)), plain, "{text:?}");
        }
    }
}

#[test]
fn no_line_is_wider_than_the_screen_but_those_that_are_kept_as_they_are() {
    for text in texts() {
        for width in [12, 40, 80] {
            for line in shown(&text, width).lines() {
                let is_kept = || text.lines().any(|source| source.trim_end().ends_with(line.trim()));
                assert!(line.width() <= width || is_kept(), "{line:?} on {width} columns of {text:?}");
            }
        }
    }
}

#[test]
fn no_cluster_is_cut() {
    for text in texts() {
        for width in [12, 40] {
            let shown = shown(&text, width);
            for cluster in CLUSTERS {
                let (before, after) = (text.matches(cluster).count(), shown.matches(cluster).count());
                assert_eq!(before, after, "{cluster} in {text:?}: {shown:?}");
            }
        }
    }
}

#[test]
fn no_text_is_lost() {
    // Cells that wrap stand beside each other, so that their order is another one on narrow screens.
    let is_text = |c: &char| c.is_alphanumeric() || matches!(c, '%' | '=' | '/' | '{' | '}' | '"');
    for text in texts() {
        for width in [16, 200] {
            let mut before: Vec<char> = without_names(&text).chars().filter(is_text).collect();
            let mut after: Vec<char> = without_names(&shown(&text, width)).chars().filter(is_text).collect();
            if width < 200 && text.contains('|') {
                before.sort_unstable();
                after.sort_unstable();
            }
            assert_eq!(before.iter().collect::<String>(), after.iter().collect::<String>(), "{text:?}");
        }
    }
}

/// A text without the names of characters and line breaks.
fn without_names(text: &str) -> String {
    text.replace("&amp;", "&").replace("amp;", "").replace("<br>", "")
}

#[test]
fn code_is_shown_as_it_is() {
    for text in texts() {
        let shown = shown(&text, 20);
        let mut lines = shown.lines();
        for block in code_blocks(&text) {
            for line in block.code.lines() {
                assert!(lines.any(|shown| shown == line), "{line:?} in {text:?}: {shown:?}");
            }
        }
    }
}

#[test]
fn nothing_that_a_terminal_obeys_gets_through() {
    const DIRT: [&str; 14] = [
        "\u{1b}]52;c;ZXZpbA==\u{7}",
        "\u{1b}[2J",
        "\u{9b}31m",
        "\u{1b}",
        "\u{7}",
        "\r",
        "\u{8}",
        "\u{202e}",
        "\u{2066}",
        "&#27;[2J",
        "&#x9b;2J",
        "&#x202e;",
        "&#7;",
        "](https://a.b/\u{1b}\\)",
    ];
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..1000 {
        let mut text = any_text(&mut random);
        for _ in 0..random.usize(1..6) {
            let mut at = random.usize(..=text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            text.insert_str(at, DIRT[random.usize(..DIRT.len())]);
        }
        let shown = in_pieces(&text, 40, CLICKABLE, || random.usize(1..20));
        assert!(stripped(&shown).chars().all(crate::terminal::sanitize::may_stay), "{text:?}: {shown:?}");
    }
}

/// Each would take hours if anything of it were looked at again and again.
#[test]
fn the_cost_grows_with_the_text_only() {
    for piece in [
        "*",
        "**a ",
        "_a ",
        "*a _b ",
        "[",
        "![",
        "[a](b",
        "[a](<b",
        "]",
        "|",
        "> ",
        "- ",
        "`",
        "``a` ",
        "$a",
        "\\(",
        "&a",
        "<a:",
        "<a@",
        "~~a ",
        "word",
        "e\u{301}",
        "\u{301}",
        "👩\u{200d}",
        "🇩🇪",
        " ",
        "#",
        "-",
        "1. ",
        "http://",
        "__a",
        "\n> a",
        "\n- a",
        "\n|a|b\n|-|-",
        "\n\n",
        "日",
        "```\n",
        "*a**b***c",
        "a](b) [",
    ] {
        let text = piece.repeat(LARGE / piece.len());
        for length in [LARGE, 50] {
            let began = Instant::now();
            in_pieces(&text, 80, STYLED, || length);
            assert!(began.elapsed() < NET, "{piece:?} in pieces of {length} took {:?}", began.elapsed());
        }
    }
}
