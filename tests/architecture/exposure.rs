//! From where an item can be named: through the visibility of its modules, or through a re-export.

use super::names::{Names, Target};
use super::rules::is_inside;
use super::sources::Module;

/// An item is seen in regions: each is a module with everything inside it.
pub(super) type Regions = Vec<Module>;

pub(super) struct Exposure<'n> {
    names: &'n Names<'n>,
    /// What each import leads to, whether it is a glob, and where it is seen.
    imports: Vec<(Target, bool, Module)>,
}

impl<'n> Exposure<'n> {
    pub(super) fn of(names: &'n Names<'n>) -> Self {
        let mut imports = Vec::new();
        for (module, scope) in &names.modules {
            for import in &scope.imports {
                let target = names.resolve(module, &import.imported.path);
                let region = narrower(&import.visible_in, &region_of(names, module));
                imports.extend(region.map(|region| (target, import.imported.glob, region)));
            }
        }
        Self { names, imports }
    }

    /// Where an item can be named from.
    pub(super) fn of_item(&self, module: &Module, name: &str) -> Regions {
        let definition = self.names.modules.get(module).and_then(|scope| scope.items.get(name));
        let Some(definition) = definition else { return Vec::new() };
        let item = Target::Item(module.clone(), name.to_owned());
        let through_imports = self.imports.iter().filter_map(|(target, glob, region)| match target {
            Target::Module(globbed) if *glob && globbed == module => narrower(region, &definition.visible_in),
            target => (*target == item).then(|| region.clone()),
        });
        self.of_declaration(module, &definition.visible_in).into_iter().chain(through_imports).collect()
    }

    /// Where something can be named from that is declared in a module and seen in another, ignoring re-exports.
    /// What is private is seen nowhere, although the modules inside its own could name it.
    pub(super) fn of_declaration(&self, module: &Module, visible_in: &Module) -> Regions {
        if visible_in == module {
            return Vec::new();
        }
        narrower(visible_in, &region_of(self.names, module)).into_iter().collect()
    }

    /// Whether a file outside a wall is in one of the regions. The parent of a walled folder counts as inside: the
    /// files of the folder share with each other what it sees.
    pub(super) fn leaves(&self, regions: &Regions, places: &[&str]) -> bool {
        let is_outside = |file: &str| {
            let folder = format!("{}/", file.trim_end_matches(".rs"));
            !is_inside(file, places) && !places.contains(&folder.as_str())
        };
        let is_seen_in = |module: &Module| regions.iter().any(|region| module.starts_with(region));
        self.names.modules.iter().any(|(module, scope)| is_seen_in(module) && is_outside(scope.file))
    }
}

/// The regions of a member that is declared in a module, by its own visibility.
pub(super) fn of_member(regions: &Regions, module: &Module, visible_in: &Module) -> Regions {
    if visible_in == module {
        return Vec::new();
    }
    regions.iter().filter_map(|region| narrower(region, visible_in)).collect()
}

/// Where a module can be named from: every module around it has to be seen too.
fn region_of(names: &Names<'_>, module: &Module) -> Module {
    let around = (1..=module.len()).filter_map(|length| names.modules.get(&module[..length]));
    around.map(|scope| &scope.visible_in).max_by_key(|region| region.len()).cloned().unwrap_or_default()
}

/// What two regions have in common: one of the two, if one is inside the other.
pub(super) fn narrower(one: &Module, other: &Module) -> Option<Module> {
    match (one.starts_with(other), other.starts_with(one)) {
        (true, _) => Some(one.clone()),
        (_, true) => Some(other.clone()),
        _ => None,
    }
}
