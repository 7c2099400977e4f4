//! A file begins with what it is for and stays short, and so does a function.

use super::sources::{SourceFile, Texts, line_of, rust_files};
use syn::visit::{self, Visit};
use syn::{Block, Signature, Visibility};

const LINES_PER_FILE: usize = 400;
const LINES_PER_FUNCTION: usize = 60;

pub(super) fn complaints(texts: &Texts, files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in rust_files(texts) {
        if !text.starts_with("//! ") {
            complaints.push(format!("{path}: does not begin with `//! ` and what the file is for"));
        }
        let lines = text.lines().count();
        if lines > LINES_PER_FILE {
            complaints.push(format!("{path}: has {lines} lines; {LINES_PER_FILE} are the limit"));
        }
        if path.ends_with("/mod.rs") {
            complaints.push(format!("{path}: a module `foo` is in `foo.rs`, not in `foo/mod.rs`"));
        }
    }
    for file in files {
        let mut measure = Measure { path: &file.path, complaints: &mut complaints };
        measure.visit_file(&file.syntax);
    }
    complaints
}

struct Measure<'a> {
    path: &'a str,
    complaints: &'a mut Vec<String>,
}

impl Measure<'_> {
    /// From the line on which the signature begins to that of the closing brace.
    fn measure(&mut self, visibility: &Visibility, signature: &Signature, body: &Block) {
        let mut starts = vec![signature.fn_token.span];
        match visibility {
            Visibility::Public(token) => starts.push(token.span),
            Visibility::Restricted(restricted) => starts.push(restricted.pub_token.span),
            Visibility::Inherited => {}
        }
        starts.extend(signature.constness.as_ref().map(|token| token.span));
        starts.extend(signature.asyncness.as_ref().map(|token| token.span));
        starts.extend(signature.unsafety.as_ref().map(|token| token.span));
        let first = starts.into_iter().map(line_of).min().unwrap_or(1);
        let lines = line_of(body.brace_token.span.close()) - first + 1;
        if lines > LINES_PER_FUNCTION {
            let (path, name) = (self.path, &signature.ident);
            self.complaints
                .push(format!("{path}:{first}: fn {name} has {lines} lines; {LINES_PER_FUNCTION} are the limit"));
        }
    }
}

impl<'ast> Visit<'ast> for Measure<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.vis, &item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.vis, &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.measure(&Visibility::Inherited, &item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
