//! Where files are kept.

use std::path::{Path, PathBuf};

/// The history and the sessions in the state folder. The operator may want none.
pub(super) fn kept(state: Option<&Path>, history: Option<bool>, sessions: Option<bool>) -> [Option<PathBuf>; 2] {
    let path =
        |name: &str, wanted: Option<bool>| state.filter(|_| wanted.unwrap_or(true)).map(|folder| folder.join(name));
    [path("history", history), path("sessions", sessions)]
}

/// Chatrix's folder of a kind: below the folder that the XDG variable names; the folder that systemd has made for the
/// service; or below the default in the home folder.
pub(super) fn folder(
    xdg: &str,
    systemd: &str,
    default: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<PathBuf> {
    let absolute = |path: &str| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    if let Some(base) = environment(xdg).as_deref().and_then(absolute) {
        return Some(base.join("chatrix"));
    }
    // systemd separates several folders by colons; the first is ours.
    if let Some(folder) = environment(systemd).as_deref().and_then(|list| absolute(list.split(':').next()?)) {
        return Some(folder);
    }
    Some(environment("HOME").as_deref().and_then(absolute)?.join(default).join("chatrix"))
}
