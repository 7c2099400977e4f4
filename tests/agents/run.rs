//! `chatrix run` with the real agents, whose own settings lead elsewhere and stay as they are.

use super::{Ended, Place, installed};
use std::path::Path;

/// Runs `chatrix run --offline`, with the folder of the program first in `PATH`.
fn run(place: &Place, program: &Path, args: &[&str]) -> Ended {
    let mut command = place.command(Path::new(env!("CARGO_BIN_EXE_chatrix")));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    command.env("PATH", path).env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    command.env("CODEX_HOME", place.path("home/.codex")).args(["run", "--offline"]).args(args);
    place.run(command)
}

#[track_caller]
fn cost_line(ended: &Ended, calls: &str) {
    let line = ended.stderr.lines().last().unwrap_or_default();
    assert!(line.starts_with("this run cost $") && line.ends_with(&format!(" of $0.50; {calls}")), "{ended:?}");
}

#[test]
fn claude_code_asks_the_server_of_its_run() {
    let Some(program) = installed("claude-code/node_modules/.bin/claude") else { return };
    let place = Place::new();
    std::fs::create_dir(place.path("home/.claude")).unwrap();
    let elsewhere = r#"{"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "CLAUDE_CODE_USE_BEDROCK": "1"}}"#;
    place.write("home/.claude/settings.json", elsewhere.as_bytes());
    let args = ["claude", "--max-cost", "0.50", "--", "-p", "echo hello there"];
    let ended = run(&place, &program, &args);
    assert_eq!((ended.code, ended.stdout.trim()), (Some(0), "hello there"), "{ended:?}");
    cost_line(&ended, "1 call");
    assert_eq!(std::fs::read_to_string(place.path("home/.claude/settings.json")).unwrap(), elsewhere);
}

#[test]
fn codex_asks_the_server_of_its_run() {
    let Some(program) = installed("codex/node_modules/.bin/codex") else { return };
    let place = Place::new();
    std::fs::create_dir(place.path("home/.codex")).unwrap();
    let elsewhere = "model = \"other\"\nmodel_provider = \"elsewhere\"\n\n[model_providers.elsewhere]\nname = \"E\"\n\
                     base_url = \"http://127.0.0.1:9/v1\"\n\n[model_providers.chatrix]\nname = \"C\"\n\
                     base_url = \"http://127.0.0.1:9/v1\"\nenv_key = \"OTHER\"\n";
    place.write("home/.codex/config.toml", elsewhere.as_bytes());
    let patch = r#"apply_patch {"input": "*** Begin Patch\n*** Add File: a.txt\n+from a patch\n*** End Patch\n"}"#;
    let exec = ["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", patch];
    let ended = run(&place, &program, &[&["codex", "--max-cost", "0.50", "--"], &exec[..]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(std::fs::read_to_string(place.path("project/a.txt")).unwrap(), "from a patch\n", "{ended:?}");
    cost_line(&ended, "2 calls");
    assert_eq!(std::fs::read_to_string(place.path("home/.codex/config.toml")).unwrap(), elsewhere);
}
