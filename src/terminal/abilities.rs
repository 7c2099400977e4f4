//! What the terminal behind stdout can show.

use super::output::stdout;
use std::env;

/// What a terminal is able and allowed to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// Bold, dim, colours. Without them, no escape sequence is written at all.
    pub(crate) styles: bool,
    /// Links that a click opens (OSC 8), instead of addresses in brackets.
    pub(crate) links: bool,
}

impl Abilities {
    pub(crate) fn of_stdout() -> Self {
        let styles = stdout().colour();
        Self { styles, links: styles && follows_links(|name| env::var(name).ok()) }
    }
}

/// Whether the terminal is one of those that are known to follow links:
/// <https://github.com/Alhadis/OSC8-Adoption#terminal-emulators>. Others may print the address as text, so one that
/// is not known gets none. Inside tmux and screen it depends on two programs, of which one is not seen from here.
fn follows_links(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is = |name: &str, known: &[&str]| variable(name).is_some_and(|value| known.contains(&value.as_str()));
    let at_least = |name: &str, version: u32| {
        variable(name).and_then(|value| value.parse::<u32>().ok()).is_some_and(|value| value >= version)
    };
    let term = variable("TERM").unwrap_or_default();
    let is_inside_another = ["TMUX", "STY"].iter().any(|name| variable(name).is_some_and(|value| !value.is_empty()))
        || term.starts_with("screen")
        || term.starts_with("tmux");
    let is_known = is("TERM_PROGRAM", &["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "zed"])
        || is("TERM", &["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-direct", "contour", "wezterm"])
        // GNOME Terminal, Tilix and others with VTE from 0.50 on. Before 0.50.1 it could crash.
        || at_least("VTE_VERSION", 5001)
        || at_least("KONSOLE_VERSION", 201_200)
        || variable("WT_SESSION").is_some_and(|value| !value.is_empty());
    is_known && !is_inside_another
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_for_terminals_that_follow_them() {
        for (variables, expected) in [
            (&[][..], false),
            (&[("TERM", "xterm-256color")], false),
            (&[("TERM", "xterm-kitty")], true),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], true),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")], false),
            (&[("VTE_VERSION", "7600")], true),
            (&[("VTE_VERSION", "4602")], false),
            (&[("VTE_VERSION", "new")], false),
            (&[("WT_SESSION", "")], false),
            (&[("TERM", "tmux-256color"), ("VTE_VERSION", "7600")], false),
            (&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/tmux-1000/default,1,0")], false),
        ] {
            let find =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(follows_links(find), expected, "{variables:?}");
        }
    }
}
