//! What a typed line is: a command, a question, or something that is neither and must not be sent, because it would be
//! billed by mistake. The rules are in docs/terminal.md, "Chat".

use super::command::{self, Action, Argument, Command};
use super::words::{self, Word};

/// A line that was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Blanks.
    Nothing,
    Question(String),
    Command(Action),
    /// Why it is neither.
    Refused(String),
}

/// What people type in order to leave other programs, or to ask for help.
const WORDS_OF_OTHERS: [(&str, &str); 9] = [
    ("exit", "/exit leaves the chat"),
    ("quit", "/exit leaves the chat"),
    ("bye", "/exit leaves the chat"),
    ("logout", "/exit leaves the chat"),
    (":q", "/exit leaves the chat"),
    (":q!", "/exit leaves the chat"),
    (":wq", "/exit leaves the chat"),
    ("help", "/help lists the commands"),
    ("?", "/help lists the commands"),
];

impl Input {
    /// Reads what was typed, or pasted.
    pub(super) fn read(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Nothing;
        }
        if let Some(question) = text.strip_prefix(' ') {
            // The blank was typed for this program, not for the model. Others belong to the text.
            let is_ours = !question.starts_with(char::is_whitespace);
            return Self::Question(if is_ours { question } else { text }.to_owned());
        }
        let typed = text.trim_end();
        let word = WORDS_OF_OTHERS.iter().find(|(word, _)| word.eq_ignore_ascii_case(typed));
        if let Some((_, meant)) = word {
            return Self::Refused((*meant).to_owned());
        }
        let Some(rest) = text.strip_prefix('/') else { return Self::Question(text.to_owned()) };
        let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let may_be_name = name.is_empty() || name == "?" || name.starts_with(char::is_alphabetic);
        // `/usr/bin/x` is a path, and `/*` or `/2` begin no command.
        if name.contains('/') || !may_be_name {
            return Self::Question(text.to_owned());
        }
        let command = command::named(name).ok_or_else(|| unknown(name));
        let action = command.and_then(|command| {
            if typed.contains(['\n', '\r']) {
                Err(format!("a command is a single line, and these begin with /{name}"))
            } else {
                action(command, argument.trim())
            }
        });
        action.map_or_else(Self::Refused, Self::Command)
    }
}

fn unknown(name: &str) -> String {
    if name.is_empty() {
        return "a slash alone is no command, and /help lists them".to_owned();
    }
    match command::closest(name) {
        Some(meant) => format!("there is no command /{name} (did you mean /{}?)", meant.name),
        None => format!("there is no command /{name}, and /help lists them"),
    }
}

/// What a command does with its argument.
///
/// # Errors
/// What is wrong with the argument.
fn action(command: &Command, argument: &str) -> Result<Action, String> {
    if let Some((_, action)) = command.word.filter(|(word, _)| *word == argument) {
        return Ok(action());
    }
    let wrong = |takes: &str| format!("{} {takes}", command.usage());
    let words = || words::whole(argument).map_err(|quote| wrong(&format!("has a {quote} without an end")));
    let at_most_one = |takes: &str| match argument.split_whitespace().collect::<Vec<_>>().as_slice() {
        [] => Ok(None),
        [word] => Ok(Some((*word).to_owned())),
        _ => Err(wrong(takes)),
    };
    match command.argument {
        Argument::Nothing(action) if argument.is_empty() => Ok(action()),
        Argument::Nothing(_) => Err(wrong("takes nothing after it")),
        Argument::Model(action) => Ok(action(at_most_one("takes one name of a model")?)),
        Argument::Number(action) => match at_most_one("takes one whole number above 0")?.map(|word| number(&word)) {
            Some(None) => Err(wrong("takes one whole number above 0")),
            number => Ok(action(number.flatten())),
        },
        Argument::Text(action) => Ok(action(Some(argument.to_owned()).filter(|text| !text.is_empty()))),
        Argument::Switch(action) => match argument {
            "" => Ok(action(None)),
            "on" => Ok(action(Some(true))),
            "off" => Ok(action(Some(false))),
            _ => Err(wrong("takes on or off")),
        },
        Argument::Files(action) => Ok(action(words()?.iter().map(Word::path).collect())),
        Argument::NewFile(action) => {
            let words = words()?;
            let (flags, paths): (Vec<&Word>, Vec<&Word>) = words.iter().partition(|word| word.text == "--overwrite");
            match (paths.as_slice(), flags.len()) {
                ([path], 0 | 1) if !path.text.is_empty() => Ok(action(path.path(), flags.len() == 1)),
                _ => Err(wrong("takes one file, and --overwrite to replace it")),
            }
        }
        Argument::Session(action) => match at_most_one("takes the id of one session")? {
            Some(id) => Ok(action(id)),
            None => Err(wrong("takes the id of one session")),
        },
    }
}

/// A whole number above 0, without a sign.
fn number(word: &str) -> Option<u32> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str) -> Input {
        Input::Question(text.to_owned())
    }

    #[test]
    fn a_command_is_one_line_with_a_known_name_and_the_right_arguments() {
        let text = |text: &str| Some(text.to_owned());
        for (line, action) in [
            ("/help", Action::Help),
            ("/?", Action::Help),
            ("/exit", Action::Exit),
            ("/quit  ", Action::Exit),
            ("/model", Action::Model(None)),
            ("/model nova-pro", Action::Model(text("nova-pro"))),
            ("/retry", Action::Retry(None)),
            ("/retry haiku", Action::Retry(text("haiku"))),
            ("/max-tokens 800", Action::MaxTokens(Some(800))),
            ("/max-tokens", Action::MaxTokens(None)),
            ("/system  be brief ", Action::System(text("be brief"))),
            ("/system none", Action::System(Some(String::new()))),
            ("/system", Action::System(None)),
            ("/reasoning on", Action::Reasoning(Some(true))),
            ("/reasoning", Action::Reasoning(None)),
            ("/file 'a b.png' c\\ d", Action::Attach(vec!["a b.png".into(), "c d".into()])),
            ("/file", Action::Attach(vec![])),
            ("/file none", Action::Detach),
            ("/file ./none", Action::Attach(vec!["./none".into()])),
            ("/code 2", Action::Code(Some(2))),
            ("/save Plans for May", Action::Save(text("Plans for May"))),
            ("/export a.md", Action::Export { path: "a.md".into(), overwrite: false }),
            ("/export --overwrite 'a b.md'", Action::Export { path: "a b.md".into(), overwrite: true }),
            ("/resume 0s4", Action::Resume("0s4".into())),
            ("/clear", Action::Clear),
            ("/clear\t", Action::Clear),
        ] {
            assert_eq!(Input::read(line), Input::Command(action), "{line}");
        }
    }

    #[test]
    fn what_is_not_exactly_a_command_is_neither_executed_nor_sent() {
        for line in [
            "/clear the table",
            "/exit strategy?",
            "/undo that, please",
            "/modle x",
            "/Model x",
            "/",
            "/ what?",
            "/model is what?",
            "/retry with more care",
            "/code it",
            "/code 0",
            "/code -1",
            "/code +1",
            "/code 99999999999",
            "/max-tokens many",
            "/reasoning maybe",
            "/file 'a b",
            "/export",
            "/export a b",
            "/export ''",
            "/export a --overwrite --overwrite",
            "/resume",
            "/resume a b",
            "/clear\nthe table",
            "/help\r\n/exit",
            "/model nova-pro\nnext",
            "/system Be brief.\nAlways.",
            "/clear!",
            "/être",
            "exit",
            "Quit",
            ":q",
            ":wq",
            "bye ",
            "help",
        ] {
            assert!(matches!(Input::read(line), Input::Refused(_)), "{line:?}: {:?}", Input::read(line));
        }
    }

    #[test]
    fn everything_else_is_a_question() {
        for line in [
            "/etc/hosts is what?",
            "/usr/bin/x does what?",
            "/usr/bin/x\nand so on",
            "// a comment",
            "/* a comment */\nint x;",
            "/2 of them?",
            "1/2",
            "exit strategy?",
            "quit smoking, how?",
            "what does /clear do?",
            "one\n/clear",
            "\tindented",
            "  two blanks",
            "help me",
        ] {
            assert_eq!(Input::read(line), question(line));
        }
        for (line, asked) in [
            (" /clear the table", "/clear the table"),
            (" exit", "exit"),
            (" /help", "/help"),
            (" hi", "hi"),
            (" one\n two", "one\n two"),
        ] {
            assert_eq!(Input::read(line), question(asked), "the blank was typed for this program");
        }
        for blank in ["", " ", "\n\t "] {
            assert_eq!(Input::read(blank), Input::Nothing);
        }
    }

    #[test]
    fn a_refusal_says_what_is_wrong() {
        for (line, why) in [
            ("/clear the table", "/clear takes nothing after it"),
            ("/modle x", "there is no command /modle (did you mean /model?)"),
            ("/frob", "there is no command /frob, and /help lists them"),
            ("/", "a slash alone is no command, and /help lists them"),
            ("quit", "/exit leaves the chat"),
            ("/code it", "/code [N] takes one whole number above 0"),
            ("/file 'a", "/file [PATH…] has a ' without an end"),
            ("/clear\nthe table", "a command is a single line, and these begin with /clear"),
        ] {
            assert_eq!(Input::read(line), Input::Refused(why.to_owned()), "{line}");
        }
    }
}
