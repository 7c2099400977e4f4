//! Only a few files write to stdout and stderr: those that make text safe for a terminal first. The macros that print
//! are refused by clippy (`print_stdout` and `print_stderr` in `Cargo.toml`).

use super::names::{Names, Target};
use super::paths::{Path, Reference};
use super::rules::{Rules, is_inside};
use std::collections::BTreeSet;

pub(super) fn complaints(names: &Names<'_>, references: &[Reference], rules: &Rules) -> Vec<String> {
    let mut complaints = BTreeSet::new();
    for Reference { file, line, module, path } in references {
        if let Target::Outside(found) = names.resolve(module, path)
            && is_stream(&found)
        {
            complaints.insert((file.as_str(), *line, found.to_string()));
        }
    }
    for (module, scope) in &names.modules {
        for import in scope.imports.iter().filter(|import| import.imported.glob) {
            if let Target::Outside(found) = names.resolve(module, &import.imported.path)
                && is_io(&found.segments)
            {
                complaints.insert((scope.file, import.imported.line, format!("{found}::*")));
            }
        }
    }
    let outside = complaints.into_iter().filter(|(file, ..)| !is_inside(file, rules.writers));
    let complaint = |(file, line, path): (&str, usize, String)| {
        format!("{file}:{line}: names `{path}`; only {} write to stdout and stderr", rules.writers.join(" and "))
    };
    outside.map(complaint).collect()
}

fn is_stream(path: &Path) -> bool {
    let names = ["stdout", "stderr"];
    path.segments.split_last().is_some_and(|(name, module)| is_io(module) && names.contains(&name.as_str()))
}

fn is_io(module: &[String]) -> bool {
    matches!(module, [package, io] if ["std", "tokio"].contains(&package.as_str()) && io == "io")
}
