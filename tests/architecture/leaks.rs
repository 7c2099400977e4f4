//! What a file inside a wall shows to files outside must not mention the package: no signature, field, alias,
//! associated type or re-export of it. `impl From<vendor::Error> for Error` is how a wall translates, and is allowed.

use super::exposure::{Exposure, Regions, narrower, of_member};
use super::names::{Names, Target, visible_in};
use super::paths::{Path, imported};
use super::rules::{Rules, is_inside};
use super::sources::{Module, SourceFile, line_of};
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{Field, ImplItem, Item, ItemImpl, ItemUse, Type, Visibility};

pub(super) fn complaints(names: &Names<'_>, files: &[SourceFile], rules: &Rules) -> Vec<String> {
    let exposure = Exposure::of(names);
    let mut checker =
        Checker { names, exposure: &exposure, rules, file: "", complaints: Vec::new(), used: BTreeSet::new() };
    for file in files {
        checker.file = &file.path;
        checker.items(&file.module, &file.syntax.items);
    }
    let Checker { mut complaints, used, .. } = checker;
    let unused = (0..rules.leak_exceptions.len()).filter(|index| !used.contains(index));
    complaints.extend(unused.map(|index| rules.leak_exceptions[index].unused()));
    complaints
}

struct Checker<'a> {
    names: &'a Names<'a>,
    exposure: &'a Exposure<'a>,
    rules: &'a Rules,
    file: &'a str,
    complaints: Vec<String>,
    /// The exceptions that something needed.
    used: BTreeSet<usize>,
}

/// Something that is shown: what it is called, where it stands and from where it is seen.
struct Shown {
    what: String,
    line: usize,
    regions: Regions,
}

impl Checker<'_> {
    fn items(&mut self, module: &Module, items: &[Item]) {
        for item in items {
            match item {
                Item::Fn(item) => {
                    self.declared(module, &item.sig.ident, |paths| paths.visit_signature(&item.sig));
                }
                Item::Type(item) => self.declared(module, &item.ident, |paths| paths.visit_item_type(item)),
                Item::Const(item) => self.declared(module, &item.ident, |paths| paths.visit_item_const(item)),
                Item::Static(item) => self.declared(module, &item.ident, |paths| paths.visit_item_static(item)),
                Item::Trait(item) => self.declared(module, &item.ident, |paths| paths.visit_item_trait(item)),
                Item::Enum(item) => self.declared(module, &item.ident, |paths| paths.visit_item_enum(item)),
                Item::Struct(item) => {
                    self.declared(module, &item.ident, |paths| paths.visit_generics(&item.generics));
                    self.fields(module, &item.ident, item.fields.iter());
                }
                Item::Union(item) => {
                    self.declared(module, &item.ident, |paths| paths.visit_generics(&item.generics));
                    self.fields(module, &item.ident, item.fields.named.iter());
                }
                Item::Use(item) => self.import(module, item),
                Item::Impl(item) => match &item.trait_ {
                    None => self.inherent(module, item),
                    Some((_, path, _)) => self.implementation(module, item, path),
                },
                Item::Mod(item) => {
                    if let Some((_, items)) = &item.content {
                        self.items(&[module.as_slice(), &[item.ident.to_string()]].concat(), items);
                    }
                }
                _ => {}
            }
        }
    }

    fn declared(&mut self, module: &Module, ident: &syn::Ident, visit: impl FnOnce(&mut PathCollector)) {
        let regions = self.exposure.of_item(module, &ident.to_string());
        self.check(module, &Shown { what: ident.to_string(), line: line_of(ident.span()), regions }, visit);
    }

    fn fields<'f>(&mut self, module: &Module, owner: &syn::Ident, fields: impl Iterator<Item = &'f Field>) {
        let regions = self.exposure.of_item(module, &owner.to_string());
        for (index, field) in fields.enumerate() {
            let name = field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
            let regions = of_member(&regions, module, &visible_in(&field.vis, module));
            let line = line_of(field.ident.as_ref().map_or_else(|| owner.span(), syn::Ident::span));
            let shown = Shown { what: format!("{owner}::{name}"), line, regions };
            self.check(module, &shown, |paths| paths.visit_type(&field.ty));
        }
    }

    fn inherent(&mut self, module: &Module, block: &ItemImpl) {
        let Some((name, regions)) = self.own_type(module, &block.self_ty) else { return };
        for item in &block.items {
            let (ident, visibility): (&syn::Ident, &Visibility) = match item {
                ImplItem::Fn(item) => (&item.sig.ident, &item.vis),
                ImplItem::Const(item) => (&item.ident, &item.vis),
                ImplItem::Type(item) => (&item.ident, &item.vis),
                _ => continue,
            };
            let regions = of_member(&regions, module, &visible_in(visibility, module));
            let shown = Shown { what: format!("{name}::{ident}"), line: line_of(ident.span()), regions };
            self.check(module, &shown, |paths| paths.visit_impl_item(item));
        }
    }

    /// A trait of a package behind a wall, implemented for a type of ours, shows nothing of the package.
    fn implementation(&mut self, module: &Module, block: &ItemImpl, path: &syn::Path) {
        let own_type = self.own_type(module, &block.self_ty);
        let regions = match (self.names.resolve(module, &Path::of(path)), own_type) {
            (Target::Item(place, name), None) => self.exposure.of_item(&place, &name),
            (Target::Item(place, name), Some((_, regions))) => {
                let mut of_trait = self.exposure.of_item(&place, &name);
                of_trait.retain(|region| regions.iter().any(|other| narrower(region, other).is_some()));
                of_trait
            }
            (Target::Outside(found), Some((_, regions))) if self.rules.wall(&found.segments[0]).is_none() => regions,
            _ => return,
        };
        let Some(last) = path.segments.last().filter(|last| last.ident != "From") else { return };
        let shown = Shown { what: format!("impl {}", last.ident), line: line_of(last.ident.span()), regions };
        self.check(module, &shown, |paths| {
            paths.visit_generics(&block.generics);
            paths.visit_path(path);
            paths.visit_type(&block.self_ty);
            block.items.iter().filter(|item| matches!(item, ImplItem::Type(_))).for_each(|i| paths.visit_impl_item(i));
        });
    }

    fn import(&mut self, module: &Module, item: &ItemUse) {
        for import in imported(item) {
            let Target::Outside(path) = self.names.resolve(module, &import.path) else { continue };
            let Some((_, places)) = self.rules.wall(&path.segments[0]) else { continue };
            if import.glob && is_inside(self.file, places) {
                let (file, line) = (self.file, import.line);
                self.complaints.push(format!("{file}:{line}: `{path}::*` hides which names come from the package"));
            }
            let regions = self.exposure.of_declaration(module, &visible_in(&item.vis, module));
            let what = import.name.unwrap_or_else(|| "*".to_owned());
            self.judge(&Shown { what, line: import.line, regions }, &path);
        }
    }

    /// The name and the regions of a type that this crate defines.
    fn own_type(&self, module: &Module, ty: &Type) -> Option<(String, Regions)> {
        let Type::Path(ty) = ty else { return None };
        match self.names.resolve(module, &Path::of(&ty.path)) {
            Target::Item(place, name) => {
                let regions = self.exposure.of_item(&place, &name);
                Some((name, regions))
            }
            _ => None,
        }
    }

    /// Complains about the first path of a package that something mentions where it should not.
    fn check(&mut self, module: &Module, shown: &Shown, visit: impl FnOnce(&mut PathCollector)) {
        let mut paths = PathCollector::default();
        visit(&mut paths);
        for path in paths.found {
            if let Some(vendor) = self.vendor(module, &path, &mut Vec::new())
                && self.judge(shown, &vendor)
            {
                return;
            }
        }
    }

    /// Follows a path through imports and aliases to a package behind a wall.
    fn vendor(&self, module: &Module, path: &Path, seen: &mut Vec<Target>) -> Option<Path> {
        match self.names.resolve(module, path) {
            Target::Outside(path) => self.rules.wall(&path.segments[0]).map(|_| path),
            item if seen.contains(&item) => None,
            Target::Item(place, name) => {
                let alias = self.names.modules.get(&place)?.items.get(&name)?.alias?;
                seen.push(Target::Item(place.clone(), name));
                let mut paths = PathCollector::default();
                paths.visit_type(alias);
                paths.found.iter().find_map(|path| self.vendor(&place, path, seen))
            }
            Target::Module(_) => None,
        }
    }

    /// Whether something that mentions a package is seen outside the package's wall. Complains if nothing excuses it.
    fn judge(&mut self, shown: &Shown, vendor: &Path) -> bool {
        let Some((_, places)) = self.rules.wall(&vendor.segments[0]) else { return false };
        let leaks = is_inside(self.file, places) && self.exposure.leaves(&shown.regions, places);
        if leaks {
            let (file, Shown { what, line, .. }) = (self.file, shown);
            let mut exceptions = self.rules.leak_exceptions.iter();
            match exceptions.position(|exception| (exception.from, exception.to) == (file, what.as_str())) {
                Some(index) => drop(self.used.insert(index)),
                None => self.complaints.push(format!("{file}:{line}: {what} shows `{vendor}` outside its wall")),
            }
        }
        leaks
    }
}

/// Collects the paths of types and bounds, without what is inside bodies, values and attributes.
#[derive(Default)]
struct PathCollector {
    found: Vec<Path>,
}

impl<'ast> Visit<'ast> for PathCollector {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.found.push(Path::of(path));
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_block(&mut self, _: &'ast syn::Block) {}

    fn visit_expr(&mut self, _: &'ast syn::Expr) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}
