//! `chatrix models`: needs no AWS and no network.

use crate::support::Chatrix;
use serde_json::Value;

#[test]
fn json_holds_the_original_names_with_their_ids() {
    let outcome = Chatrix::models().arg("--json").run().code(0).stderr("");
    let rows: Vec<Value> = serde_json::from_str(&outcome.stdout).unwrap();
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
fn the_table_stars_the_default_and_names_successors() {
    let outcome = Chatrix::models().run().code(0).stderr("");
    let line = |name: &str| outcome.stdout.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("claude-haiku*").contains("0.11     0.55"));
    assert!(line("claude-sonnet-4 ").ends_with("retired 2026-10-14 → claude-sonnet-4-6"));
    assert!(!outcome.stdout.contains('\u{1b}'), "no colour into a pipe");
    let other = Chatrix::models().env("CHATRIX_MODEL", "nova-pro").run().code(0);
    assert!(other.stdout.contains("nova-pro*"));
}

#[test]
fn filters_names_and_everything() {
    Chatrix::models().args(["-q", "NOVA"]).stdout("nova-micro\nnova-lite\nnova-2-lite\nnova-pro\n").code(0);
    Chatrix::models().arg("nothing-like-this").stdout("").code(1).stderr_has("`chatrix models` lists them all");
    let all = Chatrix::models().args(["--all", "-q", "eu.anthropic.claude-sonnet-4-6"]).run().code(0);
    assert_eq!(all.stdout, "eu.anthropic.claude-sonnet-4-6\n");
    let verbose = Chatrix::models().args(["-v", "claude-haiku"]).run().code(0);
    assert!(verbose.stdout.contains("us.anthropic.claude-haiku-5-5"));
}
