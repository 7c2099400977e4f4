//! Breaches in what a file shows to others, what a comment cites, and what must pass without a complaint.

use super::example::{Example, example};

pub(super) const LEAKS: &[Example] = &[
    example(
        "an alias of a result",
        &[
            ("src/ledger.rs", "mod sqlite;"),
            ("src/ledger/sqlite.rs", "pub type Written<T> = rusqlite::Result<T>;\npub fn f() -> Written<u8> { g() }"),
        ],
        &["src/ledger/sqlite.rs:2: Written shows `rusqlite::Result`", "f shows `rusqlite::Result`"],
    ),
    example(
        "an imported name that hides the prelude's",
        &[
            ("src/ledger.rs", "mod sqlite;"),
            ("src/ledger/sqlite.rs", "use rusqlite::Result;\npub(super) fn open() -> Result<u8> { g() }"),
        ],
        &["open shows `rusqlite::Result`"],
    ),
    example(
        "a method of a type that is passed on",
        &[
            ("src/ledger.rs", "mod sqlite;\npub use sqlite::Pages;"),
            ("src/ledger/sqlite.rs", "mod pages;\npub use pages::Pages;"),
            (
                "src/ledger/sqlite/pages.rs",
                "type Row<'a> = rusqlite::Row<'a>;\npub struct Pages(pub rusqlite::Connection, rusqlite::Connection);\n\
                 impl Pages {\n pub(crate) fn read(&self, _: &[Row<'_>]) {}\n fn own(&self, _: &Row<'_>) {}\n}",
            ),
        ],
        &["Pages::0 shows `rusqlite::Connection`", "Pages::read shows `rusqlite::Row`"],
    ),
    example(
        "a trait, a variant, a constant and an associated type",
        &[
            ("src/lib.rs", "mod terminal;"),
            ("src/terminal.rs", "mod spinner;"),
            (
                "src/terminal/spinner.rs",
                "use indicatif as bars;\npub trait Spin: bars::Tick {}\npub enum Bar { Of { inner: bars::Bar } }\n\
                 pub const STYLE: bars::Style = make();\nimpl Iterator for Bar { type Item = bars::Bar; }\n\
                 impl Spin for bars::Bar {}",
            ),
        ],
        &["Spin shows", "Bar shows", "STYLE shows", "impl Iterator shows", "impl Spin shows"],
    ),
    example(
        "a glob that hides the names",
        &[("src/server/x.rs", "use warp::*;")],
        &["src/server/x.rs:2: `warp::*` hides which names come from the package"],
    ),
];

pub(super) const CITATIONS: &[Example] = &[
    example(
        "a page that is nowhere",
        &[("src/policy.rs", "// See docs/none.md.")],
        &["cites docs/none.md, which does not"],
    ),
    example(
        "a page outside docs/",
        &[("src/policy.rs", "fn f() {} // cases.md T7")],
        &["src/policy.rs:2: cites cases.md"],
    ),
    example("a folder outside docs/", &[("tests/x.rs", "/* facts/prices.csv */")], &["cites facts/"]),
    example("a section of no page", &[("src/policy.rs", "/// A rule (§2.6.1).\nfn f() {}")], &["cites a section (§)"]),
    example(
        "a section of a page outside docs/",
        &[("src/catalog/models.toml", "source = \"bedrock.md §3.1\"")],
        &["models.toml:1: cites bedrock.md"],
    ),
];

pub(super) const HARMLESS: &[Example] = &[
    example(
        "comments",
        &[("src/policy.rs", "// use crate::engine::A;\n/* use warp::B; */\n/// [`crate::engine`]\nfn f() {}")],
        &[],
    ),
    example(
        "strings",
        &[(
            "src/policy.rs",
            "const A: &str = \"use crate::engine\";\nfn f() { g!(\"crate::engine::A\", r#\"warp::b\"#) }",
        )],
        &[],
    ),
    example(
        "code for tests",
        &[
            (
                "src/policy.rs",
                "#[cfg(test)]\nuse crate::engine::A;\n#[cfg(all(test, unix))]\nmod tests { use warp::B; }\n\
                 #[cfg(test)]\nmod other;\nenum E { #[cfg(test)] A(crate::engine::A) }\n\
                 fn f(x: E) { match x { #[cfg(test)] E::A(_) => crate::engine::run(), _ => {} } }",
            ),
            ("src/policy/other.rs", "use crate::engine::A;"),
        ],
        &[],
    ),
    example(
        "lower floors, and a local module called like a package",
        &[
            ("src/engine.rs", "mod warp;\nuse crate::{error, policy::Admitted};\nfn f(_: warp::Speed) {}"),
            ("src/engine/warp.rs", "pub struct Speed;"),
        ],
        &[],
    ),
    example(
        "a child that takes a sibling's item from the parent that passes both on",
        &[
            ("src/engine.rs", "mod a;\nmod b;\npub use a::A;\npub use b::B;"),
            ("src/engine/a.rs", "use super::B;\npub struct A;"),
            ("src/engine/b.rs", "pub struct B;"),
        ],
        &[],
    ),
    example(
        "a parent that declares its children",
        &[("src/engine.rs", "pub mod a;\npub struct Engine;"), ("src/engine/a.rs", "use super::Engine;")],
        &[],
    ),
    example(
        "a package's types that stay inside their wall",
        &[
            ("src/lib.rs", "pub mod ledger;"),
            ("src/ledger.rs", "mod sqlite;\npub use sqlite::Store;"),
            (
                "src/ledger/sqlite.rs",
                "mod rows;\nuse rusqlite::{Connection, Result};\npub struct Store { connection: Connection }\n\
                 impl Store { pub fn open() -> std::result::Result<u8, String> { x() }\n fn own(&self) -> Result<u8> { x() } }\n\
                 impl From<rusqlite::Error> for Store { fn from(_: rusqlite::Error) -> Self { x() } }\n\
                 impl rusqlite::ToSql for Store {}",
            ),
            ("src/ledger/sqlite/rows.rs", "pub(super) fn read(_: &rusqlite::Row<'_>) -> rusqlite::Result<u8> { x() }"),
        ],
        &[],
    ),
    example(
        "files of a walled folder that share a package's types",
        &[
            ("src/bedrock.rs", "mod client;\nmod exchange;\npub use client::Client;"),
            ("src/bedrock/client.rs", "use super::exchange::Log;\npub struct Client(aws_config::Region);"),
            ("src/bedrock/exchange.rs", "pub struct Log(pub aws_config::Region);"),
        ],
        &[],
    ),
    example(
        "citations that can be opened",
        &[
            ("docs/bedrock.md", "# Bedrock"),
            (
                "src/policy.rs",
                "// docs/bedrock.md §2, RFC 9110 §15.5,\n// https://x.org §3, artifacts/x, DESIGNED.\nconst A: &str = \"§\";",
            ),
        ],
        &[],
    ),
];
