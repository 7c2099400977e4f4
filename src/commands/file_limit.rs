//! The number of files that this process may have open. Each connection is one.

/// Raises the limit as far as this process may, and gives it; `None` where it is unknown.
#[cfg(unix)]
pub(crate) fn raise() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => Some(hard),
        Err(_) => Some(soft),
    }
}

#[cfg(not(unix))]
pub(crate) fn raise() -> Option<u64> {
    None
}

/// How many connections leave room for as many calls to Bedrock, and for the files of the process itself.
pub(crate) fn connections(files: Option<u64>) -> usize {
    const OWN_FILES: u64 = 64;
    const MOST: usize = 1024;
    let fit = files.map_or(u64::MAX, |files| files.saturating_sub(OWN_FILES) / 2);
    usize::try_from(fit).unwrap_or(MOST).clamp(1, MOST)
}

#[cfg(test)]
mod tests {
    use super::connections;

    #[test]
    fn connections_fit_the_file_limit() {
        for (files, expected) in [(None, 1024), (Some(1_000_000), 1024), (Some(1024), 480), (Some(10), 1)] {
            assert_eq!(connections(files), expected, "{files:?}");
        }
    }
}
