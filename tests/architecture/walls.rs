//! A package is named only inside its wall.

use super::names::{Names, Target};
use super::paths::Reference;
use super::rules::{Rules, is_inside};
use std::collections::BTreeMap;

pub(super) fn complaints(names: &Names<'_>, references: &[Reference], rules: &Rules) -> Vec<String> {
    let mut breaches = BTreeMap::new();
    for reference in references {
        let Target::Outside(path) = names.resolve(&reference.module, &reference.path) else { continue };
        let package = path.segments[0].clone();
        if let Some((_, places)) = rules.wall(&package)
            && !is_inside(&reference.file, places)
        {
            breaches.entry((&reference.file, package)).or_insert((reference.line, path, places));
        }
    }
    let complaint = |((file, package), (line, path, places)): ((&String, String), (usize, _, &[&str]))| {
        format!("{file}:{line}: names {package} (`{path}`), which belongs to {}", places.join(", "))
    };
    breaches.into_iter().map(complaint).collect()
}
