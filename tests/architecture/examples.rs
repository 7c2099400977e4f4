//! What the checks say about small sets of files: the breaches that they must see, and what must pass.

mod example;
mod named;
mod shown;

use super::rules::{Exception, RULES, Rules};
use super::sources::{Texts, extension};
use example::Example;

/// The tables of the crate without exceptions, so that an example needs only what it shows.
const STRICT: Rules = Rules { floor_exceptions: &[], circle_exceptions: &[], leak_exceptions: &[], ..RULES };

fn texts(files: &[(&str, &str)]) -> Texts {
    let first_line = |path: &str| if extension(path) == "rs" { "//! An example.\n" } else { "" };
    files.iter().map(|(path, text)| ((*path).to_owned(), format!("{}{text}\n", first_line(path)))).collect()
}

/// What differs from the expected complaints, if anything does.
fn difference(name: &str, files: &[(&str, &str)], rules: &Rules, says: &[&str]) -> Option<String> {
    let complaints = super::complaints(&texts(files), rules);
    let all_said = says.iter().all(|part| complaints.iter().any(|complaint| complaint.contains(part)));
    let same = all_said && complaints.len() == says.len();
    (!same).then(|| format!("{name}: expected {says:#?}, got {complaints:#?}"))
}

fn expect(name: &str, files: &[(&str, &str)], rules: &Rules, says: &[&str]) {
    assert_eq!(difference(name, files, rules, says), None);
}

#[test]
fn every_example_is_judged_as_expected() {
    let examples =
        [named::FLOORS, named::CIRCLES, named::WALLS, named::WRITERS, shown::LEAKS, shown::CITATIONS, shown::HARMLESS];
    let judge = |example: &Example| difference(example.name, example.files, &STRICT, example.says);
    let wrong: Vec<_> = examples.into_iter().flatten().filter_map(judge).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_exception_excuses_what_it_names_and_must_be_needed() {
    let import = [("src/api.rs", "use crate::policy::Edit;")];
    let rules = Rules { floor_exceptions: &[Exception { from: "api", to: "policy", reason: "why" }], ..STRICT };
    expect("a floor", &import, &rules, &[]);
    expect("no floor", &[], &rules, &["the exception api → policy (why) is not needed"]);
    let rules = Rules { floor_exceptions: &[Exception { from: "engine", to: "policy", reason: "why" }], ..STRICT };
    let lower = [("src/engine.rs", "use crate::policy::Edit;")];
    expect("a floor that needs none", &lower, &rules, &["the exception engine → policy (why) is not needed"]);

    let circle = [("src/api/a.rs", "use super::b::B;"), ("src/api/b.rs", "use super::a::A;\npub struct B;")];
    let exception = &[Exception { from: "src/api/a.rs", to: "src/api/b.rs", reason: "why" }];
    let rules = Rules { circle_exceptions: exception, ..STRICT };
    expect("a circle", &circle, &rules, &[]);
    expect("no circle", &circle[..1], &rules, &["the exception src/api/a.rs → src/api/b.rs (why) is not needed"]);

    let leak = [("src/ledger.rs", "mod sqlite;"), ("src/ledger/sqlite.rs", "pub type Row = rusqlite::Row;")];
    let exception = &[Exception { from: "src/ledger/sqlite.rs", to: "Row", reason: "why" }];
    let rules = Rules { leak_exceptions: exception, ..STRICT };
    expect("a leak", &leak, &rules, &[]);
    expect("no leak", &leak[..1], &rules, &["the exception src/ledger/sqlite.rs → Row (why) is not needed"]);
}

#[test]
fn sizes_have_limits() {
    let function = |lines: usize| format!("pub(crate) fn long() {{\n{}}}", "    g();\n".repeat(lines - 2));
    expect("60 lines", &[("src/policy.rs", &function(60))], &STRICT, &[]);
    let says = &["src/policy.rs:2: fn long has 61 lines; 60 are the limit"];
    expect("61 lines", &[("src/policy.rs", &function(61))], &STRICT, says);
    let in_a_test = format!("#[cfg(test)]\nmod tests {{ {} }}", function(61));
    expect("61 lines of a test", &[("src/policy.rs", &in_a_test)], &STRICT, &[]);
    let in_an_impl = format!("struct A;\nimpl A {{ {} }}", function(61));
    expect("61 lines of a method", &[("src/policy.rs", &in_an_impl)], &STRICT, &["fn long has 61 lines"]);
    let comments = "// Text.\n".repeat(399);
    expect("401 lines", &[("src/policy.rs", &comments)], &STRICT, &["src/policy.rs: has 401 lines"]);
    expect("mod.rs", &[("src/policy/mod.rs", "")], &STRICT, &["a module `foo` is in `foo.rs`"]);
}
