//! The files that are checked: read from disk or given by an example, and parsed without what only tests compile.

use super::test_code;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Each file's text by its path from the root of the crate, such as `src/ledger/budget.rs`.
pub(super) type Texts = BTreeMap<String, String>;

/// The path of a module without `crate`: `["ledger", "budget"]`. The library's root is empty.
pub(super) type Module = Vec<String>;

/// A parsed file of `src/`.
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) module: Module,
    pub(super) syntax: syn::File,
}

/// Reads everything that is checked or that a comment may cite.
pub(super) fn read(root: &Path) -> Texts {
    let mut texts = Texts::new();
    for folder in ["src", "tests", "docs"] {
        read_folder(root, &root.join(folder), &mut texts);
    }
    texts
}

fn read_folder(root: &Path, folder: &Path, texts: &mut Texts) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            read_folder(root, &path, texts);
        } else if ["rs", "toml", "md"].contains(&extension(path.to_str().unwrap())) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            texts.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// The Rust files under `src/`.
pub(super) fn rust_files(texts: &Texts) -> impl Iterator<Item = (&String, &String)> {
    texts.iter().filter(|(path, _)| path.starts_with("src/") && extension(path) == "rs")
}

/// What follows the last dot of a path.
pub(super) fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Parses the Rust files under `src/`, without items under `cfg(test)` and without files that only they declare.
pub(super) fn parse(texts: &Texts) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let mut test_modules: Vec<Module> = Vec::new();
    for (path, text) in rust_files(texts) {
        let mut syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{path} cannot be parsed: {error}"));
        let module = module_of(path);
        for name in test_code::test_modules(&syntax) {
            test_modules.push([module.as_slice(), &[name]].concat());
        }
        if test_code::is_test(&syntax.attrs) {
            test_modules.push(module.clone());
        }
        test_code::remove(&mut syntax);
        files.push(SourceFile { path: path.clone(), module, syntax });
    }
    files.retain(|file| !test_modules.iter().any(|module| file.module.starts_with(module)));
    files
}

/// The module that a file holds. `main` is a crate of its own and is treated as a module beside the library's.
pub(super) fn module_of(path: &str) -> Module {
    let inner = path.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    match inner {
        "lib" => Vec::new(),
        _ => inner.split('/').filter(|part| *part != "mod").map(str::to_owned).collect(),
    }
}

/// The top-level module that a module is part of.
pub(super) fn top_level(module: &[String]) -> &str {
    module.first().map_or("lib", String::as_str)
}

/// The line on which a token begins.
pub(super) fn line_of(span: proc_macro2::Span) -> usize {
    span.start().line
}
