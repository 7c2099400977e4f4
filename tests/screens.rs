//! The screens that the README shows: each is made here, so that it stays true. `CHATRIX_REWRITE_TRANSCRIPTS=1` writes
//! them into the README, between `<!-- screen: NAME -->` and `<!-- /screen -->`.

use crate::support::{Bedrock, Chatrix, Home, Reply, Terminal};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

static README: Mutex<()> = Mutex::new(());

/// Compares a screen with the one in the README.
#[track_caller]
fn compare(name: &str, screen: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let begin = format!("<!-- screen: {name} -->\n");
    let (_, rest) = readme.split_once(&begin).unwrap_or_else(|| panic!("README.md has no {begin}"));
    let (shown, _) = rest.split_once("<!-- /screen -->").unwrap();
    let expected = format!("```text\n{}\n```\n", screen.trim_end());
    if std::env::var_os("CHATRIX_REWRITE_TRANSCRIPTS").is_some() {
        // The tests run at once, and each replaces a part of the file.
        let _one_at_a_time = README.lock().unwrap_or_else(PoisonError::into_inner);
        let readme = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = readme.split_once(&begin).unwrap();
        let (_, after) = rest.split_once("<!-- /screen -->").unwrap();
        std::fs::write(&path, format!("{before}{begin}{expected}<!-- /screen -->{after}")).unwrap();
    } else {
        assert_eq!(shown, expected, "README.md, screen {name}");
    }
}

/// The screen with what differs from run to run made the same: times, and the home.
fn normalized(screen: &str, home: &Path) -> String {
    let seconds = |word: &str| word.strip_suffix('s').is_some_and(|digits| digits.parse::<f64>().is_ok());
    let lines = screen.lines().map(|line| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for index in 1..words.len() {
            if ["s", "ms"].contains(&words[index].as_str()) && words[index - 1].parse::<f64>().is_ok() {
                "1.2".clone_into(&mut words[index - 1]);
            } else if seconds(&words[index]) {
                "1.2s".clone_into(&mut words[index]);
            }
        }
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n").replace(home.to_str().unwrap(), "~")
}

/// What a command shows on a terminal of 80 columns, below the line that was typed for it.
fn screen(typed: &str, chatrix: Chatrix, home: &Home) -> String {
    let mut terminal = Terminal::start(chatrix.home(home), 80, 60);
    terminal.exit_code();
    let screen = terminal.wait_until("something is shown", |screen| !screen.is_empty());
    format!("$ {typed}\n{}", normalized(&screen, &home.path("")))
}

/// The same with one day in place of every other, on which budgets reset.
fn with_one_date(screen: &str) -> String {
    let words = screen.split_inclusive([' ', '\n']).map(|word| match word.trim_end() {
        date if is_date(date) => word.replace(date, "2026-12-01"),
        _ => word.to_owned(),
    });
    words.collect()
}

/// Whether a word is the day on which a budget resets, and nothing but that.
fn is_date(word: &str) -> bool {
    word.len() == 10 && word.split('-').map(str::len).eq([4, 2, 2])
}

const ANSWER: &str = "Use a **set** to remember what you have seen:\n\n```python\ndef unique(items):\n    seen = set()\n    \
                      return [x for x in items if not (x in seen or seen.add(x))]\n```\n\nIt keeps the first of each, in \
                      order, and looks at every item once.\n\n| way | order | time |\n|---|:---:|---:|\n\
                      | `set(items)` | lost | O(n) |\n| the list above | kept | O(n) |\n| `sorted(set(items))` | sorted \
                      | O(n log n) |\n";

fn answer() -> Reply {
    let pieces = ANSWER.split_inclusive(' ').map(ToOwned::to_owned).collect();
    Reply::Text(pieces, "end_turn", (38, 131))
}

#[test]
fn chat() {
    let bedrock = Bedrock::script([answer()]);
    let home = Home::new("[budget]\nday_usd = 2\n");
    let chatrix = Chatrix::chat().args(["-m", "claude-haiku-4-5"]).home(&home).bedrock(&bedrock);
    let mut terminal = Terminal::start(chatrix, 80, 40);
    terminal.wait_for_prompt();
    terminal.line("remove duplicates from a list, keep the order");
    terminal.wait_for("session $");
    let screen = terminal.wait_for_prompt();
    compare("chat", &format!("$ chatrix chat\n{}", normalized(&screen, &home.path(""))));
}

#[test]
fn models() {
    let home = Home::new("");
    compare("models", &screen("chatrix models claude", Chatrix::models().arg("claude"), &home));
}

#[test]
fn usage() {
    let home = Home::new("[budget]\nday_usd = 0.01\nmonth_usd = 0.05\n");
    let ask = |model: &str, tokens| {
        let bedrock = Bedrock::script([Reply::Text(vec!["fine".to_owned()], "end_turn", tokens)]);
        Chatrix::ask().args(["-q", "--no-stdin", "hi", "-m", model]).home(&home).bedrock(&bedrock).run().code(0);
    };
    ask("claude-haiku-4-5", (1800, 420));
    ask("claude-haiku-4-5", (900, 80));
    ask("nova-micro", (3200, 512));
    let screen = screen("chatrix usage --by model", Chatrix::usage().args(["--by", "model"]), &home);
    compare("usage", &with_one_date(&screen));
}

#[test]
fn doctor() {
    let bedrock = Bedrock::script([answer()]);
    let home = Home::new("[budget]\nday_usd = 2\n");
    let doctor = Chatrix::doctor().aws(&bedrock).env("CHATRIX_PORT", "0");
    let screen = screen("chatrix doctor", doctor, &home).replace(&bedrock.url, "http://127.0.0.1:9000");
    compare("doctor", &with_one_date(&screen));
}
