//! Breaches of the floors, circles and walls: what a file may name.

use super::example::{Example, example};

pub(super) const FLOORS: &[Example] = &[
    example(
        "an import wrapped over lines, in nested groups",
        &[("src/policy/x.rs", "use crate::{\n    catalog::Model,\n    engine::{\n        Engine,\n    },\n};")],
        &["src/policy/x.rs:5: policy (floor 1) names engine (floor 3)"],
    ),
    example(
        "the same floor",
        &[("src/api/x.rs", "use crate::policy::Edit;")],
        &["api (floor 1) names policy (floor 1)"],
    ),
    example(
        "an import after a string that holds two slashes",
        &[("src/policy/x.rs", r#"fn f() { g("https://x", crate::engine::LIMIT); }"#)],
        &["names engine"],
    ),
    example("an alias", &[("src/policy/x.rs", "use crate::engine as e;\nfn f() { e::run(); }")], &["names engine"]),
    example(
        "an alias of the crate's root",
        &[("src/policy/x.rs", "use crate as root;\nfn f() { root::engine::run(); }")],
        &["names engine", "names lib"],
    ),
    example(
        "a macro's arguments",
        &[("src/policy/x.rs", "fn f(x: u8) -> bool { matches!(x, crate::engine::LIMIT) }")],
        &["names engine"],
    ),
    example(
        "a group inside a macro's arguments",
        &[("src/policy/x.rs", "made_of! { use crate::{catalog::Model,\n engine::{self, Call}}; }")],
        &["names engine"],
    ),
    example(
        "a macro's definition",
        &[("src/policy/x.rs", "macro_rules! m { () => { $crate::engine::run() } }")],
        &["names engine"],
    ),
    example("super", &[("src/policy/x/y.rs", "use super::super::super::engine::Call;")], &["names engine"]),
    example(
        "super inside an inline module",
        &[("src/policy/x.rs", "mod inner { fn f() { super::super::super::engine::run() } }")],
        &["names engine"],
    ),
    example("super inside a macro", &[("src/policy.rs", "fn f() { g!(super::engine::LIMIT) }")], &["names engine"]),
    example("a glob", &[("src/policy/x.rs", "use crate::engine::*;")], &["names engine"]),
    example("a re-export", &[("src/policy/x.rs", "pub(crate) use super::super::engine::Call;")], &["names engine"]),
    example(
        "a bound and a type",
        &[("src/policy/x.rs", "fn f<T: crate::server::Get>(_: Vec<crate\n    ::engine::Call>) {}")],
        &["names engine", "names server"],
    ),
    example("an attribute", &[("src/policy/x.rs", "#[derive(crate::engine::Derive)]\nstruct A;")], &["names engine"]),
    example(
        "a path in an attribute's string",
        &[("src/policy/x.rs", "struct A { #[serde(with = \"super::super::engine::number\")] b: u8 }")],
        &["names engine"],
    ),
    example("the library by its name", &[("src/server/x.rs", "use chatrix::cli::Cli;")], &["names cli (floor 5)"]),
    example(
        "something that another module only passes on",
        &[
            ("src/conversation.rs", "use crate::catalog::Price;"),
            ("src/catalog.rs", "pub use super::error::Error as Price;"),
            ("src/error.rs", "pub struct Error;"),
        ],
        &[
            "catalog (floor 0) names error",
            "conversation (floor 0) names catalog",
            "conversation (floor 0) names error",
        ],
    ),
    example(
        "an import after an item for tests",
        &[("src/policy/x.rs", "#[cfg(test)]\nuse std::fmt;\nuse crate::engine::Call;")],
        &["names engine"],
    ),
    example("a module without a floor", &[("src/helpers.rs", "")], &["the module helpers has no floor"]),
];

pub(super) const CIRCLES: &[Example] = &[
    example(
        "two files",
        &[
            ("src/offline/model.rs", "use super::tools;\npub struct Block;\nfn f() { tools::calls() }"),
            ("src/offline/tools.rs", "use super::model::Block;\npub fn calls() {}"),
        ],
        &["circle: src/offline/model.rs → src/offline/tools.rs (by `super::tools`, `tools::calls`) → \
           src/offline/model.rs (by `super::model::Block`)"],
    ),
    example(
        "a constant one way, a function the other",
        &[
            ("src/api/chunk.rs", "use super::completion::usage;\npub const FINGERPRINT: &str = \"\";"),
            ("src/api/completion.rs", "use super::chunk::FINGERPRINT;\npub fn usage() {}"),
        ],
        &["circle: src/api/chunk.rs → src/api/completion.rs"],
    ),
    example(
        "three files",
        &[
            ("src/server/answers.rs", "use super::sse;\nfn f() { sse::body() }"),
            ("src/server/routes.rs", "fn f() { crate::server::answers::ask() }"),
            ("src/server/sse.rs", "fn f() { g!(super::routes::shutting_down) }"),
        ],
        &["circle: src/server/answers.rs → src/server/sse.rs (by `sse::body`, `super::sse`) → src/server/routes.rs \
           (by `super::routes::shutting_down`) → src/server/answers.rs (by `crate::server::answers::ask`)"],
    ),
    example(
        "two files by way of their parent's re-exports",
        &[
            ("src/engine.rs", "mod a;\nmod b;\npub use a::A;\npub use b::B as Second;"),
            ("src/engine/a.rs", "use super::Second;\npub struct A;"),
            ("src/engine/b.rs", "use crate::engine::A;\npub struct B;"),
        ],
        &["circle: src/engine/a.rs → src/engine/b.rs (by `super::Second`) → src/engine/a.rs (by `crate::engine::A`)"],
    ),
    example(
        "two files by way of a glob re-export",
        &[
            ("src/engine.rs", "mod a;\nmod b;\npub use a::*;\npub use b::*;"),
            ("src/engine/a.rs", "use super::B;\npub struct A;"),
            ("src/engine/b.rs", "use super::A;\npub struct B;"),
        ],
        &["circle: src/engine/a.rs → src/engine/b.rs"],
    ),
    example(
        "a parent and its child",
        &[
            ("src/policy.rs", "mod quote;\npub use quote::Quote;\npub enum Tier { A }"),
            ("src/policy/quote.rs", "use super::*;\npub struct Quote;"),
        ],
        &["circle: src/policy.rs → src/policy/quote.rs (by `quote::Quote`) → src/policy.rs (by `super`)"],
    ),
];

pub(super) const WALLS: &[Example] = &[
    example(
        "a string beside the import",
        &[("src/commands/x.rs", "use warp::Filter; const TEXT: &str = \"text\";")],
        &["src/commands/x.rs:2: names warp (`warp::Filter`), which belongs to src/server.rs, src/server/"],
    ),
    example("an alias", &[("src/commands/x.rs", "pub use warp as w;\nfn f() { w::reply(); }")], &["names warp"]),
    example("a group", &[("src/commands/x.rs", "use {\n    bytes::Bytes,\n    warp,\n};")], &["names warp"]),
    example("extern crate", &[("src/commands/x.rs", "extern crate warp;")], &["names warp"]),
    example("two colons before it", &[("src/commands/x.rs", "fn f() { :: warp :: reply(); }")], &["names warp"]),
    example(
        "a macro's arguments",
        &[("src/commands/x.rs", "fn f() { g!(\"text\", warp::reply()); }")],
        &["names warp"],
    ),
    example("an import in a macro", &[("src/commands/x.rs", "g! { use warp; extern crate clap; }")], &["warp", "clap"]),
    example("a derive", &[("src/config/x.rs", "#[derive(Debug, clap::Parser)]\nstruct A;")], &["names clap"]),
    example("an attribute", &[("src/config/x.rs", "#[warp::main]\nfn f() {}")], &["names warp"]),
    example("a family of packages", &[("src/engine/x.rs", "fn f(_: aws_config::Region) {}")], &["names aws_config"]),
    example(
        "a package beside another's",
        &[("src/engine/x.rs", "use hyper_util::rt::TokioIo;")],
        &["names hyper_util"],
    ),
    example(
        "a re-export of a package's type",
        &[
            ("src/ledger.rs", "mod sqlite;\nuse sqlite::Connection;"),
            ("src/ledger/sqlite.rs", "pub(super) use rusqlite::Connection;"),
        ],
        &["src/ledger.rs:3: names rusqlite", "Connection shows `rusqlite::Connection` outside its wall"],
    ),
];

pub(super) const WRITERS: &[Example] = &[
    example(
        "stderr by its module",
        &[("src/server/x.rs", "use std::io;\nfn f() { g(io::stderr()) }")],
        &["src/server/x.rs:3: names `std::io::stderr`; only src/terminal/output.rs and src/telemetry/writer.rs write"],
    ),
    example(
        "stdout by another name",
        &[("src/commands/x.rs", "use std::io::{self, stdout as out};")],
        &["names `std::io::stdout`"],
    ),
    example("a macro's arguments", &[("src/engine/x.rs", "fn f() { g!(std::io::stderr()) }")], &["std::io::stderr"]),
    example("a glob", &[("src/engine/x.rs", "use std::io::*;\nfn f() { g(stdout()) }")], &["names `std::io::*`"]),
    example("tokio's", &[("src/engine/x.rs", "fn f() { g(tokio::io::stdout()) }")], &["names `tokio::io::stdout`"]),
    example(
        "stdin, and a file that may write",
        &[
            ("src/engine/x.rs", "fn f() { g(std::io::stdin()) }"),
            ("src/terminal.rs", "mod output;"),
            ("src/terminal/output.rs", "fn f() { g(std::io::stdout()) }"),
        ],
        &[],
    ),
];
