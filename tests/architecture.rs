//! The architecture, checked on the parsed code: which module may name which, which file may name which package,
//! and how long a file or a function may grow. `rules` holds the tables; `examples` shows what each rule refuses.

mod circles;
mod citations;
mod examples;
mod exposure;
mod floors;
mod leaks;
mod names;
mod paths;
mod rules;
mod size;
mod sources;
mod test_code;
mod walls;
mod writers;

use rules::{RULES, Rules};
use sources::Texts;
use std::path::PathBuf;

/// The crate that is checked: this one, unless the environment names another.
fn root() -> PathBuf {
    std::env::var_os("CHATRIX_ROOT").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// Everything that is wrong with the given files, in sentences.
fn complaints(texts: &Texts, rules: &Rules) -> Vec<String> {
    let files = sources::parse(texts);
    let names = names::Names::of(&files);
    let references: Vec<_> = files.iter().flat_map(paths::references).collect();
    [
        floors::complaints(&names, &references, rules),
        circles::complaints(&names, &references, rules),
        walls::complaints(&names, &references, rules),
        writers::complaints(&names, &references, rules),
        leaks::complaints(&names, &files, rules),
        size::complaints(texts, &files),
        citations::complaints(texts),
    ]
    .concat()
}

#[test]
fn the_code_keeps_every_rule() {
    let complaints = complaints(&sources::read(&root()), &RULES);
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn one_http_and_tls_stack() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for package in ["hyper", "h2", "http", "http-body", "rustls", "tokio-rustls", "hyper-rustls", "tokio"] {
        let count = lock.matches(&format!("name = \"{package}\"\n")).count();
        assert!(count <= 1, "{package} is in Cargo.lock {count} times");
    }
}
