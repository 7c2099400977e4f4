//! The commands that can be typed in a chat. Only their syntax: the session carries them out.

/// What `/help` shows.
pub(crate) const HELP: &str = "\
/model [NAME]   show the model, or switch to another one and continue the conversation
/system [TEXT]  show or set the system prompt; `none` removes it
/clear          start a new conversation
/cost           show what this session has cost
/exit           leave the chat (or press Ctrl-D)
/help           show this list
Ctrl-C stops an answer and keeps what has arrived. Alt-Enter starts a new line.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Slash {
    Help,
    Model(Option<String>),
    System(Option<String>),
    Clear,
    Cost,
    Exit,
    /// A name that is not a command.
    Unknown(String),
}

impl Slash {
    /// The command on a line; `None` for a question. `/etc/hosts says…` is a question.
    #[must_use]
    pub(super) fn parse(line: &str) -> Option<Self> {
        let rest = line.trim().strip_prefix('/')?;
        let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic()) {
            return None;
        }
        let argument = Some(argument.trim().to_owned()).filter(|argument| !argument.is_empty());
        Some(match name {
            "help" => Self::Help,
            "model" => Self::Model(argument),
            "system" => Self::System(argument),
            "clear" => Self::Clear,
            "cost" => Self::Cost,
            "exit" | "quit" | "bye" => Self::Exit,
            other => Self::Unknown(other.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_questions() {
        assert_eq!(Slash::parse("/model nova-pro"), Some(Slash::Model(Some("nova-pro".into()))));
        assert_eq!(Slash::parse("  /system  be brief "), Some(Slash::System(Some("be brief".into()))));
        assert_eq!(Slash::parse("/modle x"), Some(Slash::Unknown("modle".into())));
        assert_eq!(Slash::parse("/etc/hosts is what?"), None);
        assert_eq!(Slash::parse("1/2"), None);
        assert_eq!(Slash::parse("/"), None);
    }
}
