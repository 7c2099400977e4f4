//! `chatrix setup`: what it prints is what the README shows, and follows the configured address, key and limits.

use crate::support::{Chatrix, Home};
use serde_json::{Value, json};

fn setup(home: &Home, args: &[&str]) -> Chatrix {
    args.iter().fold(Chatrix::setup(), |command, arg| command.arg(arg)).home(home)
}

/// The value of a variable or key in what was printed.
fn value<'a>(printed: &'a str, name: &str) -> Option<&'a str> {
    let lines = printed.lines().map(|line| line.strip_prefix("export ").unwrap_or(line));
    lines.filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let home = Home::new("");
    let printed = setup(&home, &["claude-code"]).run().code(0).stdout;
    assert!(readme.contains(&format!("```sh\n{printed}```\n")), "{printed}");
    let catalog = home.path("chatrix-models.json").display().to_string();
    let printed = setup(&home, &["codex", "--catalog", &catalog]).run().code(0).stdout;
    let printed = printed.replace(&catalog, "/home/me/.codex/chatrix-models.json");
    assert!(readme.contains(&format!("```toml\n{printed}```\n")), "{printed}");
    assert!(!home.ledger().exists(), "nothing is opened that is not asked for");
}

#[test]
fn address_and_limits_are_those_of_the_config_and_the_key() {
    let home = Home::new(
        "[serve]\nhost = \"0.0.0.0\"\nport = 4000\nrequire_key = true\n[keys.team]\nmax_tokens_limit = 20000\n",
    );
    for (name, more) in [
        ("team", &["--max-tokens", "12000", "--max-tokens-limit", "30000"][..]),
        ("wide", &["--max-tokens-limit", "24000"]),
        ("plain", &[]),
        ("nova", &["--for", "agents", "--models", "nova-pro,titan-embed"]),
    ] {
        let add = Chatrix::keys().args(["add", name]).home(&home);
        more.iter().fold(add, |add, arg| add.arg(arg)).run().code(0);
    }
    // The file lowers the limit of `team`, but not its default. A limit alone is what an agent gets. Nova Pro gives 10,000.
    for (key, model, tokens, context, warning) in [
        ("team", "claude-sonnet-4-6", "12000", None, None),
        ("wide", "claude-sonnet-4-6", "24000", None, None),
        ("plain", "claude-sonnet-4-6", "1024", None, Some("max_tokens_limit = 32000 under [keys.\"plain\"]")),
        ("nova", "nova-pro", "10000", Some("200000"), None),
    ] {
        let outcome = setup(&home, &["claude-code", "--key", key]).run().code(0);
        let printed = &outcome.stdout;
        assert_eq!(value(printed, "ANTHROPIC_BASE_URL"), Some("http://127.0.0.1:4000"), "{key}");
        assert_eq!(value(printed, "ANTHROPIC_MODEL"), Some(model), "{key}");
        assert_eq!(value(printed, "CLAUDE_CODE_MAX_OUTPUT_TOKENS"), Some(tokens), "{key}");
        assert_eq!(value(printed, "CLAUDE_CODE_MAX_CONTEXT_TOKENS"), context, "{key}");
        assert_eq!(outcome.stderr.contains("warning: "), warning.is_some(), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(warning.unwrap_or_default()), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(&format!("the token of the key {key} into CHATRIX_KEY")), "{}", outcome.stderr);
    }
    // Codex names no length, so that the limit alone does not help it.
    for (key, warns) in [("team", false), ("wide", true)] {
        let said = setup(&home, &["codex", "--key", key, "--key-env", "MY_KEY"]).run().code(0);
        assert_eq!(
            said.stderr.contains("answers of claude-sonnet-4-6 have at most 512 tokens"),
            warns,
            "{}",
            said.stderr
        );
        assert_eq!(value(&said.stdout, "env_key"), Some("\"MY_KEY\""));
    }
    setup(&home, &["codex", "--key", "nova", "-m", "claude-haiku"]).stdout("").code(3);
    setup(&home, &["codex", "--key", "nobody"]).run().code(2).stderr_has("there is no key \"nobody\"");
    let jan = setup(&home, &["jan", "--url", "https://box.lan/v1/"]).run().code(0);
    assert_eq!(jan.stdout, "Name: Chatrix\nBase URL: https://box.lan/v1\nAPI key: the token in CHATRIX_KEY\n");
    assert!(!jan.stderr.contains("takes anything"), "{}", jan.stderr);
}

#[test]
fn the_catalog_of_codex_is_written_whole_or_not_at_all() {
    let home = Home::new("");
    let names = "nova-micro,claude-haiku-4-5,titan-embed,claude-sonnet-4-6";
    Chatrix::keys().args(["add", "team", "--for", "agents", "--models", names]).home(&home).run().code(0);
    let folder = home.path("codex");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("models.json");
    let path = file.to_str().unwrap();
    let args = ["codex", "--key", "team", "--model", "claude-sonnet-4-6", "--catalog", path];
    setup(&home, &args).run().code(0).stderr_has("wrote the model catalog");
    let catalog: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let models = catalog["models"].as_array().unwrap();
    let shown: Vec<_> =
        models.iter().map(|model| json!([model["slug"], model["priority"], model["context_window"]])).collect();
    let expected = [
        json!(["claude-sonnet-4-6", 1, 200_000]),
        json!(["nova-micro", 2, 128_000]),
        json!(["claude-haiku-4-5", 3, 200_000]),
    ];
    assert_eq!(shown, expected);
    let (sonnet, nova) = (&models[0], &models[1]);
    assert_eq!((&sonnet["input_modalities"], &nova["input_modalities"]), (&json!(["text", "image"]), &json!(["text"])));
    let efforts = |model: &Value| model["supported_reasoning_levels"].as_array().unwrap().len();
    assert_eq!((efforts(sonnet), efforts(nova)), (3, 1));
    for model in models {
        assert!(model["base_instructions"].as_str().unwrap().len() > 2000);
        // Every member that Codex needs.
        for (member, value) in [
            ("default_reasoning_level", json!("medium")),
            ("shell_type", json!("shell_command")),
            ("visibility", json!("list")),
            ("supported_in_api", json!(true)),
            ("truncation_policy", json!({"mode": "tokens", "limit": 10_000})),
            ("supports_parallel_tool_calls", json!(true)),
            ("experimental_supported_tools", json!([])),
            ("support_verbosity", json!(false)),
            ("apply_patch_tool_type", json!("freeform")),
        ] {
            assert_eq!(model[member], value, "{member}");
        }
    }
    // A file that is there stays, and nothing is printed that would not be true.
    std::fs::write(&file, "mine").unwrap();
    setup(&home, &args).stdout("").code(2).stderr_has("there is already a file");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let overwrite = [&args[..], &["--overwrite"]].concat();
    setup(&home, &overwrite).run().code(0);
    assert_eq!(serde_json::from_str::<Value>(&std::fs::read_to_string(&file).unwrap()).unwrap(), catalog);
    // What cannot be put in its place leaves nothing behind.
    std::fs::create_dir(folder.join("folder")).unwrap();
    let onto_a_folder = folder.join("folder");
    let args = ["codex", "--catalog", onto_a_folder.to_str().unwrap(), "--overwrite"];
    setup(&home, &args).stdout("").code(2).stderr_has("cannot write ");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
}
