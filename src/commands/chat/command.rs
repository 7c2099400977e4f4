//! The commands that can be typed in a chat. Everything that is known of a command stands in one table: its names, what
//! may stand after it, and its line of `/help`. Reading a line, completing it and listing the commands all read the table.

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Retry(Option<String>),
    Continue,
    Undo,
    Clear,
    /// Attaches files, removes all of them, or lists them.
    Attach(Vec<String>),
    Detach,
    Edit,
    System(Option<String>),
    Model(Option<String>),
    MaxTokens(Option<u32>),
    Reasoning(Option<bool>),
    Raw,
    Copy(Option<u32>),
    Code(Option<u32>),
    Save(Option<String>),
    Export {
        path: String,
        overwrite: bool,
    },
    Resume(String),
    Cost,
    Context,
    Help,
    Exit,
}

/// What may stand after the name of a command, and how its action is made of that.
#[derive(Clone, Copy)]
pub(super) enum Argument {
    Nothing(fn() -> Action),
    /// One model, or nothing.
    Model(fn(Option<String>) -> Action),
    /// A whole number above 0, or nothing.
    Number(fn(Option<u32>) -> Action),
    /// Any text on the same line, or nothing.
    Text(fn(Option<String>) -> Action),
    /// `on`, `off`, or nothing.
    Switch(fn(Option<bool>) -> Action),
    /// Files that are there, or nothing.
    Files(fn(Vec<String>) -> Action),
    /// One file that is to be written, and `--overwrite` where it may be there already.
    NewFile(fn(String, bool) -> Action),
    /// The beginning of a session's id.
    Session(fn(String) -> Action),
}

/// A word in place of an argument, and what it does.
type Word = (&'static str, fn() -> Action);

/// One command.
pub(super) struct Command {
    /// Without the slash.
    pub(super) name: &'static str,
    /// Other names for the same.
    pub(super) other_names: &'static [&'static str],
    pub(super) argument: Argument,
    /// A word in place of the argument that means something of its own.
    pub(super) word: Option<Word>,
    /// How the argument is written in `/help`.
    pub(super) form: &'static str,
    pub(super) help: &'static str,
}

/// The commands by what they are about, in the order of `/help`.
pub(super) static GROUPS: [(&str, &[Command]); 5] = [
    ("Conversation", &CONVERSATION),
    ("Questions", &QUESTION),
    ("Answers", &ANSWER),
    ("Session", &SESSION),
    ("Chat", &CHAT),
];

static CONVERSATION: [Command; 4] = [
    Command::new("retry", Argument::Model(Action::Retry), "[MODEL]", "ask the last question again, of MODEL this once"),
    Command::new(
        "continue",
        Argument::Nothing(|| Action::Continue),
        "",
        "go on with an answer that was cut or stopped",
    ),
    Command::new("undo", Argument::Nothing(|| Action::Undo), "", "take back the last question and its answer"),
    Command::new("clear", Argument::Nothing(|| Action::Clear), "", "begin a new conversation, in a session of its own"),
];

static QUESTION: [Command; 6] = [
    Command::new("file", Argument::Files(Action::Attach), "[PATH…]", "attach files, or list them; `none` removes them")
        .with_word("none", || Action::Detach),
    Command::new("edit", Argument::Nothing(|| Action::Edit), "", "write the question in $VISUAL or $EDITOR"),
    Command::new("model", Argument::Model(Action::Model), "[NAME]", "show the model, or switch to another one"),
    Command::new("max-tokens", Argument::Number(Action::MaxTokens), "[N]", "show or set the longest answer, in tokens"),
    Command::new(
        "system",
        Argument::Text(Action::System),
        "[TEXT]",
        "show or set the system prompt; `none` removes it",
    )
    .with_word("none", || Action::System(Some(String::new()))),
    Command::new(
        "reasoning",
        Argument::Switch(Action::Reasoning),
        "[on|off]",
        "ask for reasoning and show it, or neither; it is billed",
    ),
];

static ANSWER: [Command; 3] = [
    Command::new("copy", Argument::Number(Action::Copy), "[N]", "copy the last one, or its Nth code block"),
    Command::new("code", Argument::Number(Action::Code), "[N]", "print the Nth code block of the last one"),
    Command::new("raw", Argument::Nothing(|| Action::Raw), "", "show them as the model writes them, or rendered"),
];

static SESSION: [Command; 5] = [
    Command::new("cost", Argument::Nothing(|| Action::Cost), "", "show what was spent, and what may be"),
    Command::new("context", Argument::Nothing(|| Action::Context), "", "show how full the model's window is"),
    Command::new("save", Argument::Text(Action::Save), "[NAME]", "name the session; it is saved anyway"),
    Command::new(
        "export",
        Argument::NewFile(|path, overwrite| Action::Export { path, overwrite }),
        "FILE",
        "write it as Markdown; --overwrite replaces a file",
    ),
    Command::new("resume", Argument::Session(Action::Resume), "ID", "go on with another session"),
];

static CHAT: [Command; 2] = [
    Command::new("help", Argument::Nothing(|| Action::Help), "", "show this list").also(&["?"]),
    Command::new("exit", Argument::Nothing(|| Action::Exit), "", "leave the chat").also(&["quit", "bye"]),
];

impl Command {
    const fn new(name: &'static str, argument: Argument, form: &'static str, help: &'static str) -> Self {
        Self { name, other_names: &[], argument, word: None, form, help }
    }

    const fn also(self, other_names: &'static [&'static str]) -> Self {
        Self { other_names, ..self }
    }

    const fn with_word(self, word: &'static str, action: fn() -> Action) -> Self {
        Self { word: Some((word, action)), ..self }
    }

    /// All names, without the slash.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.other_names.iter().copied())
    }

    /// The command as `/help` writes it.
    pub(super) fn usage(&self) -> String {
        format!("/{} {}", self.name, self.form).trim_end().to_owned()
    }
}

/// Every command.
pub(super) fn all() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|(_, commands)| commands.iter())
}

/// The command with exactly this name, without the slash.
pub(super) fn named(name: &str) -> Option<&'static Command> {
    all().find(|command| command.names().any(|known| known == name))
}

/// The command that was probably meant.
pub(super) fn closest(name: &str) -> Option<&'static Command> {
    crate::catalog::closest(name, all().flat_map(Command::names)).and_then(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_a_word_of_its_own() {
        let mut seen = HashSet::new();
        for name in all().flat_map(Command::names) {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(name == "?" || name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert_eq!(named(name).map(|command| command.names().any(|known| known == name)), Some(true));
        }
    }

    #[test]
    fn the_command_that_was_meant_is_found() {
        for (typed, meant) in [
            ("modle", Some("model")),
            ("Model", Some("model")),
            ("HELP", Some("help")),
            ("maxtokens", Some("max-tokens")),
            ("export-file", Some("export")),
            ("cler", Some("clear")),
            ("frob", None),
            ("", None),
        ] {
            assert_eq!(closest(typed).map(|command| command.name), meant, "{typed}");
        }
    }
}
