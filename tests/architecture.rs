//! The house's walls (DESIGN §2), read from the sources: who may import whom, and who may name which package.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and its floor. A room imports only from floors below its own; `config` is also open to floor 4.
const FLOORS: [(&str, u32); 15] = [
    ("error", 0),
    ("conversation", 0),
    ("catalog", 0),
    ("policy", 1),
    ("api", 1),
    ("terminal", 1),
    ("bedrock", 2),
    ("ledger", 2),
    ("engine", 3),
    ("server", 4),
    ("commands", 4),
    ("offline", 4),
    ("config", 5),
    ("cli", 5),
    ("main", 6),
];

/// Imports that the floors forbid or do not settle, each with its reason.
const EXCEPTIONS: [(&str, &str, &str); 6] = [
    ("conversation", "error", "media are checked where they come in"),
    ("catalog", "error", "a floor of its own below the bottom would say no more"),
    ("commands", "config", "commands act on settings"),
    ("commands", "cli", "each command takes its own arguments"),
    ("commands", "server", "`serve` runs the server"),
    ("commands", "offline", "--offline starts it"),
];

/// Packages that only some files may name.
const WALLS: [(&str, &[&str]); 9] = [
    ("aws_", &["src/bedrock/", "src/offline/wire.rs"]),
    ("warp", &["src/server.rs", "src/server/"]),
    ("rustyline", &["src/terminal/editor.rs"]),
    ("indicatif", &["src/terminal/spinner.rs"]),
    ("rusqlite", &["src/ledger/sqlite.rs", "src/ledger/sqlite/"]),
    ("clap", &["src/cli.rs", "src/main.rs", "src/commands/completions.rs"]),
    ("clap_complete", &["src/commands/completions.rs"]),
    ("hyper", &["src/offline.rs", "src/bedrock/classify.rs", "src/server/images.rs"]),
    ("toml", &["src/catalog.rs", "src/config/"]),
];

fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join("src"), &mut files);
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The lines of a file that are code: no comments, no tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .map(|line| line.split("//").next().unwrap())
        .filter(|line| !line.trim().is_empty())
}

fn room(path: &str) -> &str {
    path.strip_prefix("src/").unwrap().split(['/', '.']).next().unwrap()
}

fn floor(room: &str) -> u32 {
    FLOORS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("room {room} has no floor")).1
}

/// The rooms a line of code names: `crate::room` or `chatrix::room`, alone or in a group.
fn rooms_named(line: &str) -> Vec<&str> {
    let mut named = Vec::new();
    for prefix in ["crate::", "chatrix::"] {
        for (at, _) in line.match_indices(prefix) {
            let rest = &line[at + prefix.len()..];
            let group = rest.strip_prefix('{').map_or(rest, |group| group);
            let words = if group.len() < rest.len() { group.split(',').collect() } else { vec![group] };
            named.extend(
                words
                    .into_iter()
                    .filter_map(|word| word.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next()),
            );
        }
    }
    named.retain(|name| FLOORS.iter().any(|(room, _)| room == name));
    named
}

/// What is wrong with a set of sources, in sentences.
fn broken_walls(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, text) in sources {
        let here = room(path);
        if here == "lib" {
            continue; // the map names every room
        }
        for line in code(text) {
            for there in rooms_named(line) {
                let excused = EXCEPTIONS.iter().any(|(from, to, _)| (*from, *to) == (here, there));
                if there != here && floor(there) >= floor(here) && !excused {
                    broken.push(format!(
                        "{path}: {here} (floor {}) imports {there} (floor {})",
                        floor(here),
                        floor(there)
                    ));
                }
            }
            for (package, allowed) in WALLS {
                let prefix = package.ends_with('_');
                let names = line
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| if prefix { word.starts_with(package) } else { word == package });
                let path_or_use =
                    line.contains(&format!("{package}::")) || prefix || line.trim_start().starts_with("use ");
                if names && path_or_use && !allowed.iter().any(|place| path.starts_with(place)) && !line.contains('"') {
                    broken.push(format!("{path}: names {package}: {}", line.trim()));
                }
            }
        }
    }
    broken
}

#[test]
fn every_wall_stands() {
    let broken = broken_walls(&sources());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_broken_wall_is_seen() {
    for (path, line, expected) in [
        ("src/policy/x.rs", "use crate::engine::Engine;", "policy (floor 1) imports engine"),
        ("src/api/x.rs", "use crate::policy::Edit;", "api (floor 1) imports policy (floor 1)"),
        ("src/engine/x.rs", "let x = crate::server::serve();", "engine (floor 3) imports server"),
        ("src/bedrock/x.rs", "use crate::{catalog, engine};", "bedrock (floor 2) imports engine"),
        ("src/engine/x.rs", "use aws_sdk_bedrockruntime::Client;", "names aws_"),
        ("src/commands/x.rs", "let reply = warp::reply();", "names warp"),
        ("src/terminal/x.rs", "use rustyline::Editor;", "names rustyline"),
        ("src/config/x.rs", "use clap::Parser;", "names clap"),
    ] {
        let broken = broken_walls(&BTreeMap::from([(path.to_owned(), line.to_owned())]));
        assert!(broken.len() == 1 && broken[0].contains(expected), "{line}: {broken:?}");
    }
    let harmless = "// use crate::engine::Engine;\n#[cfg(test)]\nuse crate::server::x;\n";
    assert!(broken_walls(&BTreeMap::from([("src/policy/x.rs".to_owned(), harmless.to_owned())])).is_empty());
}

#[test]
fn one_http_and_tls_stack() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    for package in ["hyper", "h2", "http", "http-body", "rustls", "tokio-rustls", "hyper-rustls", "tokio"] {
        let count = lock.matches(&format!("name = \"{package}\"\n")).count();
        assert!(count <= 1, "{package} is in the tree {count} times");
    }
}

#[test]
fn files_begin_with_what_they_answer_for() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{path} has no first paragraph");
        assert!(text.lines().count() <= 400, "{path} has more than 400 lines: is it still one noun?");
        assert!(!path.ends_with("/mod.rs"), "{path}");
    }
}
