//! The tables that a change to the architecture has to touch.

/// Everything that the checks need to know about this crate. The examples check with other exceptions.
pub(super) struct Rules {
    /// Each top-level module and its floor.
    pub(super) floors: &'static [(&'static str, u32)],
    pub(super) floor_exceptions: &'static [Exception],
    pub(super) circle_exceptions: &'static [Exception],
    /// Each package and the files that may name it. `aws_*` stands for every package whose name begins so;
    /// a place that ends in `/` is a folder.
    pub(super) walls: &'static [(&'static str, &'static [&'static str])],
    /// The files that write to stdout and stderr.
    pub(super) writers: &'static [&'static str],
    pub(super) leak_exceptions: &'static [Exception],
}

/// Who, what it may do to whom, and why. An exception that nothing needs any more is itself a complaint.
///
/// Between floors `from` and `to` are modules, in circles they are files, and for leaks `from` is a file and `to` is
/// the item in it.
pub(super) struct Exception {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) reason: &'static str,
}

impl Exception {
    const fn new(from: &'static str, to: &'static str, reason: &'static str) -> Self {
        Self { from, to, reason }
    }

    /// What to say when nothing needs this exception.
    pub(super) fn unused(&self) -> String {
        format!("the exception {} → {} ({}) is not needed: remove it", self.from, self.to, self.reason)
    }
}

const TRANSPORT: &str = "src/bedrock/transport.rs";
const TRANSPORT_FOLDER: &str = "src/bedrock/transport/";

pub(super) const RULES: Rules = Rules {
    floors: &[
        ("error", 0),
        ("conversation", 0),
        ("catalog", 0),
        ("telemetry", 0),
        ("policy", 1),
        ("api", 1),
        ("terminal", 1),
        ("sessions", 1),
        ("ledger", 2),
        ("bedrock", 2),
        ("engine", 3),
        ("alerts", 4),
        ("server", 4),
        ("commands", 4),
        ("offline", 4),
        ("config", 5),
        ("cli", 5),
        ("main", 5),
        ("lib", 5),
    ],
    floor_exceptions: &[
        Exception::new("conversation", "error", "media are checked where they come in"),
        Exception::new("catalog", "error", "a floor between the two would say no more"),
        Exception::new("catalog", "conversation", "the highest effort of a model is one that a request can ask for"),
        Exception::new("telemetry", "error", "failures are counted and logged by their kind"),
        Exception::new("telemetry", "conversation", "a request is logged with its usage"),
        Exception::new("telemetry", "catalog", "money is printed by one function"),
        Exception::new("commands", "config", "commands act on settings"),
        Exception::new("cli", "config", "an address is typed as it is configured"),
        Exception::new("commands", "cli", "each command takes its own arguments"),
        Exception::new("commands", "server", "`serve` runs the server"),
        Exception::new("commands", "alerts", "`serve` sends alerts"),
        Exception::new("commands", "offline", "`--offline` starts the offline Bedrock"),
    ],
    circle_exceptions: &[],
    walls: &[
        ("aws_*", &["src/bedrock/", "src/offline/wire.rs"]),
        ("warp", &["src/server.rs", "src/server/"]),
        ("rustyline", &["src/terminal/editor.rs", "src/terminal/editor/"]),
        ("rustix", &["src/terminal/mode/"]),
        ("indicatif", &["src/terminal/spinner.rs"]),
        ("console", &["src/terminal/size.rs"]),
        ("syntect", &["src/terminal/markdown/highlight.rs"]),
        ("two_face", &["src/terminal/markdown/highlight.rs"]),
        ("textwrap", &["src/terminal/printable.rs"]),
        ("rusqlite", &["src/ledger/sqlite.rs", "src/ledger/sqlite/"]),
        ("tokio_postgres", &["src/ledger/postgres.rs", "src/ledger/postgres/"]),
        ("tokio_postgres_rustls", &["src/ledger/postgres/session.rs"]),
        ("clap", &["src/cli.rs", "src/cli/", "src/commands/command_line.rs", "src/commands/command_line/"]),
        ("clap_mangen", &["src/commands/command_line/man.rs"]),
        (
            "hyper",
            &[TRANSPORT, TRANSPORT_FOLDER, "src/offline.rs", "src/server.rs", "src/server/", "src/alerts/delivery.rs"],
        ),
        (
            "hyper_util",
            &[
                "src/bedrock/transport/connector.rs",
                "src/offline.rs",
                "src/server.rs",
                "src/server/",
                "src/alerts/delivery.rs",
            ],
        ),
        (
            "hyper_rustls",
            &[
                "src/bedrock/transport/connector.rs",
                "src/server/images.rs",
                "src/alerts/delivery.rs",
                "src/ledger/postgres/session.rs",
            ],
        ),
        ("rustls", &["src/bedrock/transport/connector.rs", "src/ledger/postgres/session.rs"]),
        ("toml", &["src/catalog.rs", "src/catalog/", "src/config/"]),
    ],
    writers: &["src/terminal/output.rs", "src/telemetry/writer.rs"],
    leak_exceptions: &[],
};

impl Rules {
    pub(super) fn floor(&self, module: &str) -> Option<u32> {
        self.floors.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
    }

    /// The wall that stands around a package: how the table calls it, and the files inside.
    pub(super) fn wall(&self, package: &str) -> Option<(&'static str, &'static [&'static str])> {
        self.walls.iter().copied().find(|(name, _)| match name.strip_suffix('*') {
            Some(prefix) => package.starts_with(prefix),
            None => package == *name,
        })
    }
}

/// Whether a file is one of the places of a wall.
pub(super) fn is_inside(file: &str, places: &[&str]) -> bool {
    places.iter().any(|place| if place.ends_with('/') { file.starts_with(place) } else { file == *place })
}
