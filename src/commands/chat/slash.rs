//! The commands of a chat. Only their words; what they do is the session's business.

/// What `/help` shows.
pub(crate) const HELP: &str = "\
/model [NAME]   show or change the model; the conversation goes on
/system [TEXT]  show or set the system prompt; `none` removes it
/clear          begin a new conversation
/cost           what this session cost
/exit           leave (also Ctrl-D)
/help           this list
Ctrl-C stops an answer and keeps what came of it. Alt-Enter begins a new line.";

/// A typed command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Slash {
    /// `/help`
    Help,
    /// `/model [NAME]`
    Model(Option<String>),
    /// `/system [TEXT]`
    System(Option<String>),
    /// `/clear`
    Clear,
    /// `/cost`
    Cost,
    /// `/exit`
    Exit,
    /// Any other.
    Unknown(String),
}

impl Slash {
    /// The command a line is, if it is one. `/etc/hosts says…` is a question, not a command.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
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
