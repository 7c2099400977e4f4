//! What `chatrix` alone shows: what this is, how to begin, and where to go on.

use crate::terminal::output::stdout;
use crate::terminal::printable::Printable;
use crate::terminal::table::{lines, words, wrapped};

const TITLE: &str = "Chatrix: AWS Bedrock for the terminal and for apps, within a budget";

/// The examples, and what each does.
const EXAMPLES: [(&str, &str); 3] = [
    ("chatrix ask \"Why is the sky blue?\"", "an answer, also in a pipe"),
    ("chatrix chat", "a conversation"),
    ("chatrix serve", "for Jan, at http://127.0.0.1:3000/v1"),
];

/// `to_use` and `to_operate`: the commands. `columns`: of the terminal; `None` for a pipe.
pub(super) fn text(to_use: &[&str], to_operate: &[&str], columns: Option<usize>) -> Printable {
    let colour = stdout().colour();
    let mut text = vec![wrapped(words(&TITLE.into()), " ", 0, 0, columns).bold(colour), Printable::default()];
    let width = EXAMPLES.iter().map(|(example, _)| example.len()).max().unwrap_or(0);
    let longest = EXAMPLES.iter().map(|(_, does)| does.len()).max().unwrap_or(0);
    let has_room = columns.is_none_or(|columns| 2 + width + 2 + longest <= columns);
    for (example, does) in EXAMPLES {
        let (begin, example, does) =
            (Printable::from("  "), Printable::from(example), Printable::from(does).dim(colour));
        let space = Printable::repeat(" ", width - example.width() + 2);
        if has_room {
            text.push(Printable::join([begin, example, space, does], ""));
        } else {
            text.push(Printable::join([begin, example], ""));
            text.push(Printable::join(["    ".into(), does], ""));
        }
    }
    text.push(Printable::default());
    let mut row = |label: &'static str, words_of_row: String| {
        const INDENT: usize = 9;
        let space = Printable::repeat(" ", INDENT - label.len());
        let rest = wrapped(words(&Printable::line(words_of_row)), " ", INDENT, INDENT, columns);
        text.push(Printable::join([label.into(), space, rest], ""));
    };
    row("use", to_use.join(" "));
    let to_operate: Vec<&str> = to_operate.iter().copied().filter(|name| *name != "help").collect();
    row("operate", to_operate.join(" "));
    row("try", "--offline with any of them needs no AWS account and costs nothing".to_owned());
    if to_operate.contains(&"doctor") {
        row("mend", "chatrix doctor says what is missing, and what to do".to_owned());
    }
    row("more", "chatrix help, or chatrix help COMMAND".to_owned());
    lines(text)
}
