//! `chatrix models`: needs no AWS and no network.

use crate::support::{Chatrix, Terminal};
use serde_json::Value;

fn rows() -> Vec<Value> {
    let outcome = Chatrix::models().arg("--json").run().code(0).stderr("");
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn json_holds_the_original_names_with_their_ids() {
    let rows = rows();
    assert!(rows.len() >= 16);
    for (alias, id, lifecycle) in [
        ("claude-sonnet-4", "us.anthropic.claude-sonnet-4-20250514-v1:0", "end-of-life"),
        ("claude-sonnet-3", "us.anthropic.claude-3-7-sonnet-20250219-v1:0", "end-of-life"),
        ("deepseek", "us.deepseek.r1-v1:0", "legacy"),
    ] {
        let row = rows.iter().find(|row| row["alias"] == alias).unwrap();
        assert_eq!((&row["id"], &row["lifecycle"]), (&id.into(), &lifecycle.into()));
        assert!(row["successor"].is_string());
    }
    let defaults: Vec<_> = rows.iter().filter(|row| row["default"] == true).collect();
    assert_eq!(defaults.len(), 1);
    assert_eq!(defaults[0]["lifecycle"], "active");
    let price = |row: &Value| {
        let price = &row["price_usd_per_million_tokens"];
        price["input"].as_f64().unwrap() + price["output"].as_f64().unwrap()
    };
    assert!(rows.windows(2).all(|pair| price(&pair[0]) <= price(&pair[1])), "cheapest first");
}

#[test]
fn a_pipe_gets_every_column_of_every_model() {
    let outcome = Chatrix::models().run().code(0).stderr("");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let rows = rows();
    assert_eq!(lines.len(), rows.len() + 1, "a line for each model, and the heads");
    let heads = "NAME $/M IN $/M OUT CACHED CACHING CONTEXT MAX OUT TAKES LIFE CYCLE ID";
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>().join(" "), heads);
    for (line, row) in lines[1..].iter().zip(&rows) {
        let name = line.split(' ').next().unwrap();
        assert_eq!(name.trim_end_matches('*'), row["alias"], "{line}");
        assert_eq!(name.ends_with('*'), row["default"] == true, "{line}");
        assert!(line.ends_with(row["id"].as_str().unwrap()), "{line}");
        for (word, feature) in [
            ("tools", "tools"),
            ("images", "images"),
            ("docs", "documents"),
            ("json", "json_schema"),
            ("cache", "cache"),
        ] {
            assert_eq!(line.split(' ').any(|part| part == word), row["takes"][feature] == true, "{word}: {line}");
        }
        assert_eq!(line.contains(" think "), row["thinking"] != "none", "{line}");
        let state = match row["lifecycle"].as_str().unwrap() {
            "legacy" => "legacy until ",
            "end-of-life" => "retired ",
            _ => "",
        };
        assert!(line.contains(state) && (!state.is_empty() || !line.contains('→')), "{line}");
    }
    let line = |name: &str| *lines.iter().find(|line| line.starts_with(name)).unwrap();
    let haiku = line("claude-haiku*").split_whitespace().take(7).collect::<Vec<_>>().join(" ");
    assert_eq!(haiku, "claude-haiku* 0.11 0.55 0.011 0.1375 1M 128K");
    assert!(line("claude-sonnet-4 ").contains("retired 2026-10-14 → claude-sonnet-4-6 "));
    assert!(!outcome.stdout.contains('\u{1b}'), "no colour into a pipe");
    let other = Chatrix::models().env("CHATRIX_MODEL", "nova-pro").run().code(0);
    assert!(other.stdout.contains("nova-pro*"));
    // The width of a pipe does not depend on a window.
    assert_eq!(Chatrix::models().env("COLUMNS", "40").run().stdout, outcome.stdout);
    let sources = Chatrix::models().args(["-v", "nova"]).run().code(0).stdout;
    assert!(sources.lines().skip(1).all(|line| line.contains(" https://")), "{sources}");
}

#[test]
fn the_list_fits_terminals_of_every_width() {
    for (columns, heads) in [
        (40, "NAME               $/M IN  $/M OUT"),
        (80, "NAME               $/M IN  $/M OUT  CONTEXT  TAKES"),
        (
            200,
            "NAME               $/M IN  $/M OUT   CACHED  CACHING  CONTEXT  MAX OUT  TAKES                               LIFE CYCLE                                   ID",
        ),
    ] {
        for args in [&[][..], &["-v"], &["--all"]] {
            let models = args.iter().fold(Chatrix::models(), |models, arg| models.arg(arg));
            let mut terminal = Terminal::start(models, columns, 400);
            assert_eq!(terminal.exit_code(), Some(0));
            let screen = terminal.wait_for("--help explains the");
            if args.is_empty() {
                assert_eq!(screen.lines().next(), Some(heads));
                // What there is no room for stands below its row.
                let state = "legacy until 2027-04-08";
                assert!(screen.contains(state) && screen.contains("→ claude-sonnet-4-6"), "{screen}");
                assert!(screen.contains("tools images docs") || screen.contains("tools      images docs"), "{screen}");
                assert!(screen.contains("* is the default model"), "{screen}");
            }
            // At 40 columns some ids and addresses are longer than a line, and nobody may break them.
            if columns > 40 || args.is_empty() {
                terminal.assert_nothing_wraps();
            }
        }
    }
}

#[test]
fn one_model_is_shown_in_full() {
    for (name, expected) in [
        (
            "claude-haiku",
            &[
                "claude-haiku: Claude Haiku 5.5 by Anthropic, the default model",
                "  id          us.anthropic.claude-haiku-5-5",
                "  life cycle  active",
                "  context     1,000,000 tokens",
                "  answers     up to 128,000 tokens; the policy allows 1,024",
                "  input       $0.11 for a million tokens, or $0.55 where the prompt has more than 100,000 tokens",
                "  cache write $0.1375 kept for 5 minutes, $0.22 kept for an hour",
                "  try it      chatrix ask -m claude-haiku \"Why is the sky blue?\"",
                "  see also    claude-haiku-4-5",
            ][..],
        ),
        (
            "CLAUDE-SONNET-4",
            &["  life cycle  retired: AWS served it until 2026-10-14; claude-sonnet-4-6 answers in its place"],
        ),
        ("deepseek", &["  features    calls no tools", "              reads text only"]),
        ("nova-pro", &["  priority    $1.40 for a million tokens in, $5.60 out, in AWS's priority tier"]),
        ("micro", &["nova-micro: Nova Micro by Amazon"]),
        ("Sonnet 4.6", &["claude-sonnet-4-6: Claude Sonnet 4.6 by Anthropic"]),
        ("us.anthropic.claude-sonnet-4-6", &["claude-sonnet-4-6: Claude Sonnet 4.6 by Anthropic"]),
        (
            "eu.anthropic.claude-sonnet-4-6",
            &["  id          eu.anthropic.claude-sonnet-4-6", "  input       $3.30 for a million tokens"],
        ),
        ("us.acme.unknown-1", &["  life cycle  unknown to this version"]),
        (
            "titan-embed",
            &["titan-embed: an embedding model", "  input       $0.02 for a million tokens; vectors cost nothing"],
        ),
    ] {
        let shown = Chatrix::models().arg(name).run().code(0).stderr("").stdout;
        for line in expected {
            assert!(shown.lines().any(|shown| shown.starts_with(line)), "{name}: {line}\n{shown}");
        }
    }
    for columns in [80, 200] {
        for name in ["claude-haiku", "claude-sonnet-4", "nova-pro", "titan-embed", "us.acme.unknown-1"] {
            let mut terminal = Terminal::start(Chatrix::models().arg(name), columns, 60);
            assert_eq!(terminal.exit_code(), Some(0));
            terminal.wait_for("try it");
            terminal.assert_nothing_wraps();
        }
    }
    let follows = Chatrix::models().config("follow_successor = false\n").arg("claude-sonnet-4").run().stdout;
    assert!(follows.contains("until 2026-10-14; its successor is claude-sonnet-4-6"), "{follows}");
}

#[test]
fn filters_names_features_and_everything() {
    Chatrix::models().args(["-q", "NOVA"]).stdout("nova-micro\nnova-lite\nnova-2-lite\nnova-pro\n").code(0);
    let images = Chatrix::models().args(["-q", "images"]).run().code(0).stdout;
    assert!(images.contains("claude-haiku\n") && !images.contains("nova-micro\n"), "{images}");
    let documents = Chatrix::models().args(["-q", "documents"]).run().code(0).stdout;
    assert_eq!(Chatrix::models().args(["-q", "docs"]).run().stdout, documents);
    Chatrix::models().arg("nothing-like-this").stdout("").code(1).stderr_has("`chatrix models` lists the names");
    Chatrix::models().arg("sonet").stdout("").code(1).stderr_has("did you mean claude-sonnet?");
    let all = Chatrix::models().args(["--all", "-q", "eu.anthropic.claude-sonnet-4-6"]).run().code(0);
    assert_eq!(all.stdout, "eu.anthropic.claude-sonnet-4-6\n");
    // The beginning of an id looks like an id, but is a filter.
    let ids = Chatrix::models().arg("us.anthropic.claude-opus").run().code(0).stdout;
    assert!(ids.starts_with("NAME") && ids.lines().count() > 3, "{ids}");
}

#[test]
fn a_feature_that_a_model_lacks_is_refused_with_the_way_to_others() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
    let ask = Chatrix::ask().file_bytes("x.png", png);
    let path = ask.path("x.png");
    ask.args(["--offline", "-m", "nova-micro", "hi", "-f", &path])
        .run()
        .code(2)
        .stderr_has("`chatrix models images` lists the models that do");
    Chatrix::models().args(["images", "-q"]).run().code(0);
}
