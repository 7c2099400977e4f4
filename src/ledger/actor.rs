//! Who makes a change: the user of the operating system, and the machine.

/// `ana@build-1`. What the operating system does not know is `unknown`.
pub(super) fn actor() -> String {
    let unknown = || "unknown".to_owned();
    format!("{}@{}", user().unwrap_or_else(unknown), machine_name().unwrap_or_else(unknown))
}

/// The name of the user; their number where there is no name, as for the user of a container.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems may have none")]
fn user() -> Option<String> {
    let id = nix::unistd::Uid::effective();
    let known = nix::unistd::User::from_uid(id).ok().flatten();
    Some(known.map_or_else(|| format!("user {id}"), |user| user.name))
}

/// The name of this machine.
#[cfg(unix)]
pub(crate) fn machine_name() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok()
}

#[cfg(not(unix))]
fn user() -> Option<String> {
    std::env::var("USERNAME").ok()
}

#[cfg(not(unix))]
pub(crate) fn machine_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}
