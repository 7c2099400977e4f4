//! What an example is.

/// Files by path, and a part of each complaint that is expected. Every Rust file is given its first paragraph.
pub(super) struct Example {
    pub(super) name: &'static str,
    pub(super) files: &'static [(&'static str, &'static str)],
    pub(super) says: &'static [&'static str],
}

pub(super) const fn example(
    name: &'static str,
    file: &'static [(&'static str, &'static str)],
    says: &'static [&'static str],
) -> Example {
    Example { name, files: file, says }
}
