//! A module names only modules on lower floors.

use super::names::{Names, Target};
use super::paths::Reference;
use super::rules::Rules;
use super::sources::top_level;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn complaints(names: &Names<'_>, references: &[Reference], rules: &Rules) -> Vec<String> {
    let mut complaints = Vec::new();
    for (module, scope) in names.modules.iter().filter(|(module, _)| module.len() < 2) {
        if rules.floor(top_level(module)).is_none() {
            complaints.push(format!("{}: the module {} has no floor", scope.file, top_level(module)));
        }
    }
    let (mut used, mut breaches) = (BTreeSet::new(), BTreeMap::new());
    for reference in references {
        let here = top_level(&reference.module);
        for there in modules_in(names, reference, rules) {
            let (Some(floor), Some(other)) = (rules.floor(here), rules.floor(&there)) else { continue };
            if there == here || other < floor {
                continue;
            }
            match rules.floor_exceptions.iter().position(|exception| (exception.from, exception.to) == (here, &there)) {
                Some(index) => drop(used.insert(index)),
                None => drop(breaches.entry((&reference.file, there)).or_insert((reference, floor, other))),
            }
        }
    }
    for ((file, there), (Reference { line, module, path, .. }, floor, other)) in breaches {
        let here = top_level(module);
        complaints
            .push(format!("{file}:{line}: {here} (floor {floor}) names {there} (floor {other}), through `{path}`"));
    }
    let unused = (0..rules.floor_exceptions.len()).filter(|index| !used.contains(index));
    complaints.extend(unused.map(|index| rules.floor_exceptions[index].unused()));
    complaints
}

/// The top-level modules that a path names: the one that it spells, and the one that defines what it leads to.
fn modules_in(names: &Names<'_>, reference: &Reference, rules: &Rules) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match names.resolve(&reference.module, &reference.path) {
        // A module without a file here is known by its floor.
        Target::Item(module, name) if module.is_empty() && rules.floor(&name).is_some() => drop(found.insert(name)),
        Target::Module(module) | Target::Item(module, _) => drop(found.insert(top_level(&module).to_owned())),
        Target::Outside(_) => {}
    }
    found.extend(names.spelled_module(&reference.module, &reference.path));
    found
}
