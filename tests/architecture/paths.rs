//! Every path that a file names: in imports, expressions, types, bounds, attributes and the arguments of macros.

use super::sources::{Module, SourceFile, line_of};
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use std::iter::Peekable;
use syn::UseTree;
use syn::visit::{self, Visit};

/// A path as it is written. `absolute`: it begins with `::`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) absolute: bool,
    pub(super) segments: Vec<String>,
}

impl Path {
    pub(super) fn of(path: &syn::Path) -> Self {
        let segments = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        Self { absolute: path.leading_colon.is_some(), segments }
    }

    fn then(&self, segment: String) -> Self {
        let mut longer = self.clone();
        longer.segments.push(segment);
        longer
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.absolute { "::" } else { "" }, self.segments.join("::"))
    }
}

/// A path and where it stands.
pub(super) struct Reference {
    pub(super) file: String,
    pub(super) line: usize,
    /// The module it is resolved from.
    pub(super) module: Module,
    pub(super) path: Path,
}

/// One name that a `use` item brings in.
pub(super) struct Imported {
    pub(super) path: Path,
    /// `None` for a glob and for `as _`.
    pub(super) name: Option<String>,
    pub(super) glob: bool,
    pub(super) line: usize,
}

/// Takes a `use` item apart.
pub(super) fn imported(item: &syn::ItemUse) -> Vec<Imported> {
    let mut found = Vec::new();
    let start = Path { absolute: item.leading_colon.is_some(), segments: Vec::new() };
    flatten(&item.tree, &start, &mut found);
    found
}

fn flatten(tree: &UseTree, prefix: &Path, found: &mut Vec<Imported>) {
    let (ident, name) = match tree {
        UseTree::Path(path) => return flatten(&path.tree, &prefix.then(plain(&path.ident)), found),
        UseTree::Group(group) => return group.items.iter().for_each(|tree| flatten(tree, prefix, found)),
        UseTree::Glob(glob) => {
            let line = line_of(glob.star_token.spans[0]);
            return found.push(Imported { path: prefix.clone(), name: None, glob: true, line });
        }
        UseTree::Name(name) => (&name.ident, &name.ident),
        UseTree::Rename(rename) => (&rename.ident, &rename.rename),
    };
    // `a::{self}` and `a::{self as b}` name `a` itself.
    let path = if *ident == "self" && !prefix.segments.is_empty() { prefix.clone() } else { prefix.then(plain(ident)) };
    let name = match plain(name).as_str() {
        "_" => None,
        "self" => path.segments.last().cloned(),
        name => Some(name.to_owned()),
    };
    found.push(Imported { path, name, glob: false, line: line_of(ident.span()) });
}

/// Every path in a file but those of a single name: such a name is either defined nearby or imported, and then the
/// import is listed.
pub(super) fn references(file: &SourceFile) -> Vec<Reference> {
    let mut collector = Collector { file: &file.path, module: file.module.clone(), found: Vec::new() };
    collector.visit_file(&file.syntax);
    collector.found
}

struct Collector<'a> {
    file: &'a str,
    module: Module,
    found: Vec<Reference>,
}

impl Collector<'_> {
    fn add(&mut self, path: Path, line: usize) {
        self.found.push(Reference { file: self.file.to_owned(), line, module: self.module.clone(), path });
    }

    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut found = Vec::new();
        scan(tokens, &Path::default(), &mut found);
        for (path, line) in found {
            self.add(path, line);
        }
    }

    /// A string in an attribute may be a path: `#[serde(with = "crate::a::b")]`.
    fn add_strings(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.add_strings(group.stream()),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    if let Ok(path) = syn::parse_str::<syn::Path>(text.trim_matches('"'))
                        && path.segments.len() > 1
                    {
                        self.add(Path::of(&path), line_of(literal.span()));
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.module.push(plain(&item.ident));
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for import in imported(item) {
            self.add(import.path, import.line);
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let path = Path { absolute: true, segments: vec![plain(&item.ident)] };
        self.add(path, line_of(item.ident.span()));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.add(Path::of(path), line_of(path.segments[0].ident.span()));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        self.add_tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        visit::visit_attribute(self, attribute);
        if let syn::Meta::List(list) = &attribute.meta {
            self.add_tokens(list.tokens.clone());
            self.add_strings(list.tokens.clone());
        }
    }

    /// `pub(in …)` says who may look, and names nothing that the file uses.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

/// Finds paths in tokens that are not parsed. `prefix` is what stands before a group in braces, as in `crate::{a, b}`.
fn scan(tokens: TokenStream, prefix: &Path, found: &mut Vec<(Path, usize)>) {
    let mut tokens = tokens.into_iter().peekable();
    let (mut start, mut absolute, mut before) = (prefix.clone(), false, String::new());
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => scan(group.stream(), &Path::default(), found),
            TokenTree::Ident(ident) => {
                let start = std::mem::take(&mut start);
                let start = Path { absolute: absolute || start.absolute, ..start };
                let path =
                    if ident == "self" && !start.segments.is_empty() { start } else { start.then(plain(&ident)) };
                // A name alone counts only where it is imported: `use warp;`, `extern crate warp;`.
                let is_import = before == "extern crate" || (before == "use" && ident != "crate");
                let listed = is_import || path.segments.len() > 1;
                before =
                    if before == "extern" && ident == "crate" { "extern crate".to_owned() } else { ident.to_string() };
                scan_path(&mut tokens, path, line_of(ident.span()), listed, found);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ',' => start = prefix.clone(),
                '*' if !start.segments.is_empty() => found.push((std::mem::take(&mut start), line_of(punct.span()))),
                ':' if punct.spacing() == Spacing::Joint => {
                    absolute = tokens.next_if(is_colon).is_some();
                    continue;
                }
                _ => {}
            },
            TokenTree::Literal(_) => {}
        }
        absolute = false;
    }
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':')
}

/// Follows a path whose first name has been read. `listed`: it counts even where it is a single name.
fn scan_path(
    tokens: &mut Peekable<impl Iterator<Item = TokenTree>>,
    mut path: Path,
    line: usize,
    mut listed: bool,
    found: &mut Vec<(Path, usize)>,
) {
    let is_joint = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
    while tokens.next_if(|token| is_colon(token) && is_joint(token)).is_some() {
        tokens.next();
        match tokens.peek() {
            Some(TokenTree::Ident(ident)) => path = path.then(plain(ident)),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let group = group.stream();
                tokens.next();
                return scan(group, &path, found);
            }
            _ => {
                listed |= matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '*');
                break;
            }
        }
        tokens.next();
        listed = true;
    }
    if listed {
        found.push((path, line));
    }
}

/// A name without `r#`.
pub(super) fn plain(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}
