//! What each name in each module stands for: an item, a module, or something of another package.

use super::paths::{Imported, Path, imported, plain};
use super::sources::{Module, SourceFile};
use std::collections::BTreeMap;
use syn::visit::{self, Visit};
use syn::{Item, Visibility};

/// The library's name, by which `main` calls it.
const LIBRARY: &str = "chatrix";

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Module(Module),
    /// An item, by the module that defines it.
    Item(Module, String),
    /// Something outside the crate, by its whole path: the first name is the package.
    Outside(Path),
}

/// All modules of the crate with their names.
pub(super) struct Names<'a> {
    pub(super) modules: BTreeMap<Module, Scope<'a>>,
}

/// What one module declares and imports.
pub(super) struct Scope<'a> {
    /// The file in which the module's body stands.
    pub(super) file: &'a str,
    /// The module itself is seen everywhere inside this one.
    pub(super) visible_in: Module,
    pub(super) items: BTreeMap<String, Definition<'a>>,
    pub(super) imports: Vec<Import>,
}

pub(super) struct Definition<'a> {
    pub(super) visible_in: Module,
    /// For a type alias, what it stands for.
    pub(super) alias: Option<&'a syn::Type>,
}

pub(super) struct Import {
    pub(super) imported: Imported,
    pub(super) visible_in: Module,
}

impl<'a> Names<'a> {
    pub(super) fn of(files: &'a [SourceFile]) -> Self {
        let mut names = Self { modules: BTreeMap::new() };
        let mut declared = BTreeMap::new();
        for file in files {
            names.add_module(&file.path, &file.module, &file.syntax.items, &mut declared);
        }
        for (module, visible_in) in declared {
            if let Some(scope) = names.modules.get_mut(&module) {
                scope.visible_in = visible_in;
            }
        }
        names
    }

    fn add_module(
        &mut self,
        file: &'a str,
        module: &Module,
        items: &'a [Item],
        declared: &mut BTreeMap<Module, Module>,
    ) {
        // Until its declaration is found, a module counts as private to its parent.
        let parent = module.split_last().map_or(Module::new(), |(_, parent)| parent.to_vec());
        let mut scope = Scope { file, visible_in: parent, items: BTreeMap::new(), imports: Vec::new() };
        for item in items {
            if let Item::Mod(child) = item {
                let path = [module.as_slice(), &[plain(&child.ident)]].concat();
                declared.insert(path.clone(), visible_in(&child.vis, module));
                if let Some((_, items)) = &child.content {
                    self.add_module(file, &path, items, declared);
                }
            } else if let Some((ident, visibility)) = name_of(item) {
                let alias = if let Item::Type(alias) = item { Some(&*alias.ty) } else { None };
                let visible_in = visibility.map_or_else(Module::new, |visibility| visible_in(visibility, module));
                scope.items.insert(plain(ident), Definition { visible_in, alias });
            }
            // Imports inside functions are kept with the module's: at worst a name is resolved that is not in scope.
            ImportCollector { module, imports: &mut scope.imports }.visit_item(item);
        }
        self.modules.insert(module.clone(), scope);
    }

    /// Where a path leads when it stands in a module. A name that nothing here defines is taken for a package's.
    pub(super) fn resolve(&self, from: &[String], path: &Path) -> Target {
        self.walk(from, path, &mut Vec::new())
    }

    fn walk(&self, from: &[String], path: &Path, seen: &mut Vec<Target>) -> Target {
        let mut rest = path.segments.iter();
        let first = path.segments.first().map_or("", String::as_str);
        let mut here = if !path.absolute && matches!(first, "crate" | "self" | "super") {
            Target::Module(start(from, &mut rest))
        } else {
            rest.next();
            let found = if path.absolute { None } else { self.look_up(from, first, seen) };
            match found {
                Some(target) => target,
                None if first == LIBRARY => Target::Module(Module::new()),
                None => Target::Outside(Path { absolute: path.absolute, segments: vec![first.to_owned()] }),
            }
        };
        for name in rest {
            here = match here {
                Target::Module(module) => {
                    let found = self.look_up(&module, name, seen);
                    found.unwrap_or_else(|| Target::Item(module, name.clone()))
                }
                Target::Outside(mut path) => {
                    path.segments.push(name.clone());
                    Target::Outside(path)
                }
                // What follows an item is its own: a variant, a method, an associated type.
                Target::Item(..) => return here,
            };
        }
        here
    }

    /// What a name stands for in a module. `seen` ends a search that comes back to where it was.
    fn look_up(&self, module: &[String], name: &str, seen: &mut Vec<Target>) -> Option<Target> {
        let child = [module, &[name.to_owned()]].concat();
        if self.is_module(&child) {
            return Some(Target::Module(child));
        }
        let scope = self.modules.get(module)?;
        let item = Target::Item(module.to_vec(), name.to_owned());
        if scope.items.contains_key(name) {
            return Some(item);
        }
        if seen.contains(&item) {
            return None;
        }
        seen.push(item);
        let named = scope.imports.iter().find(|import| import.imported.name.as_deref() == Some(name));
        let found = match named {
            Some(import) => Some(self.walk(module, &import.imported.path, seen)),
            None => self.look_through_globs(module, scope, name, seen),
        };
        seen.pop();
        found
    }

    /// A module whose own file is not among the files is known by what is inside it.
    fn is_module(&self, module: &Module) -> bool {
        self.modules.range(module.clone()..).next().is_some_and(|(found, _)| found.starts_with(module))
    }

    fn look_through_globs(
        &self,
        module: &[String],
        scope: &Scope<'_>,
        name: &str,
        seen: &mut Vec<Target>,
    ) -> Option<Target> {
        scope.imports.iter().filter(|import| import.imported.glob).find_map(|import| {
            match self.walk(module, &import.imported.path, seen) {
                Target::Module(other) if self.sees(module, &other, name) => self.look_up(&other, name, seen),
                _ => None,
            }
        })
    }

    /// Whether a glob in one module takes a name from another. What that one takes by globs may be it, too.
    fn sees(&self, module: &[String], other: &[String], name: &str) -> bool {
        let Some(scope) = self.modules.get(other) else { return false };
        let child = self.modules.get([other, &[name.to_owned()]].concat().as_slice()).map(|scope| &scope.visible_in);
        let item = scope.items.get(name).map(|item| &item.visible_in);
        let imports = scope.imports.iter();
        let imports = imports
            .filter(|import| import.imported.glob || import.imported.name.as_deref() == Some(name))
            .map(|import| &import.visible_in);
        child.into_iter().chain(item).chain(imports).any(|visible_in| module.starts_with(visible_in))
    }

    /// The top-level module that a path spells out after `crate`, `super` or the library's name, if it does.
    pub(super) fn spelled_module(&self, from: &[String], path: &Path) -> Option<String> {
        let mut rest = path.segments.iter();
        let module = match path.segments.first()?.as_str() {
            "crate" | "self" | "super" if !path.absolute => start(from, &mut rest),
            LIBRARY => {
                rest.next();
                Module::new()
            }
            _ => return None,
        };
        let name = module.first().or_else(|| rest.next())?;
        self.is_module(&vec![name.clone()]).then(|| name.clone())
    }

    /// The file that holds what a path leads to.
    pub(super) fn file_of(&self, target: &Target) -> Option<&'a str> {
        match target {
            Target::Module(module) | Target::Item(module, _) => self.modules.get(module).map(|scope| scope.file),
            Target::Outside(_) => None,
        }
    }
}

/// Where `crate`, `self` and `super` at the beginning of a path lead. Takes them from the path.
fn start<'p>(from: &[String], rest: &mut (impl Iterator<Item = &'p String> + Clone)) -> Module {
    let mut module = from.to_vec();
    loop {
        match rest.clone().next().map(String::as_str) {
            Some("crate") => module.truncate(usize::from(from.first().is_some_and(|first| first == "main"))),
            Some("self") => {}
            Some("super") => drop(module.pop()),
            _ => return module,
        }
        rest.next();
    }
}

/// The module inside which something of this visibility is seen.
pub(super) fn visible_in(visibility: &Visibility, module: &[String]) -> Module {
    match visibility {
        Visibility::Public(_) => Module::new(),
        Visibility::Restricted(restricted) => start(module, &mut Path::of(&restricted.path).segments.iter()),
        Visibility::Inherited => module.to_vec(),
    }
}

/// An item's name and visibility. A macro has none of its own; it is taken as seen everywhere.
fn name_of(item: &Item) -> Option<(&syn::Ident, Option<&Visibility>)> {
    match item {
        Item::Const(item) => Some((&item.ident, Some(&item.vis))),
        Item::Enum(item) => Some((&item.ident, Some(&item.vis))),
        Item::Fn(item) => Some((&item.sig.ident, Some(&item.vis))),
        Item::Static(item) => Some((&item.ident, Some(&item.vis))),
        Item::Struct(item) => Some((&item.ident, Some(&item.vis))),
        Item::Trait(item) => Some((&item.ident, Some(&item.vis))),
        Item::TraitAlias(item) => Some((&item.ident, Some(&item.vis))),
        Item::Type(item) => Some((&item.ident, Some(&item.vis))),
        Item::Union(item) => Some((&item.ident, Some(&item.vis))),
        Item::Macro(item) => item.ident.as_ref().map(|ident| (ident, None)),
        _ => None,
    }
}

/// Collects the imports of an item, without those of modules inside it.
struct ImportCollector<'a> {
    module: &'a Module,
    imports: &'a mut Vec<Import>,
}

impl<'ast> Visit<'ast> for ImportCollector<'_> {
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for imported in imported(item) {
            self.imports.push(Import { imported, visible_in: visible_in(&item.vis, self.module) });
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let name = plain(item.rename.as_ref().map_or(&item.ident, |(_, name)| name));
        let path = Path { absolute: true, segments: vec![plain(&item.ident)] };
        let imported = Imported { path, name: Some(name), glob: false, line: 0 };
        self.imports.push(Import { imported, visible_in: visible_in(&item.vis, self.module) });
        visit::visit_item_extern_crate(self, item);
    }
}
