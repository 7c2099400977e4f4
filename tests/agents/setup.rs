//! What `chatrix setup` prints is all that the real agents need.

use super::{Ended, Place, installed, requests};
use crate::support::{Chatrix, Home, Server};
use std::path::Path;

/// A server that wants a key, in a home with one for agents.
struct Gateway {
    home: Home,
    server: Server,
    token: String,
}

impl Gateway {
    fn new() -> Self {
        let home = Home::new("[serve]\nrequire_key = true\n");
        let add = ["add", "agent", "--for", "agents", "--offline"];
        let token = Chatrix::keys().args(add).home(&home).run().code(0).stdout.trim().to_owned();
        let serve = Chatrix::serve().arg("--offline").home(&home).env("CHATRIX_OFFLINE_PACE", "0");
        Self { home, server: Server::run(serve), token }
    }

    fn setup(&self, client: &[&str]) -> String {
        let url = format!("http://{}", self.server.address());
        let setup = Chatrix::setup().home(&self.home).arg("--offline");
        let setup = client.iter().fold(setup, |setup, arg| setup.arg(arg));
        setup.args(["--url", &url, "--key", "agent"]).run().code(0).stdout
    }

    /// Runs a line of a shell in the agent's project folder.
    fn shell(&self, place: &Place, line: &str, program: &Path, prompt: &str) -> Ended {
        let mut command = place.command(Path::new("/bin/sh"));
        command.args(["-c", line]).arg(program).arg(prompt);
        command.env("CHATRIX_KEY", &self.token).env("CODEX_HOME", place.path("home/.codex"));
        place.run(command)
    }
}

#[test]
fn claude_code_works_with_the_variables() {
    let Some(program) = installed("claude-code/node_modules/.bin/claude") else { return };
    let (gateway, place) = (Gateway::new(), Place::new());
    let variables = gateway.setup(&["claude-code"]);
    let line = format!("{variables}export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1\nexec \"$0\" -p \"$1\"");
    let ended = gateway.shell(&place, &line, &program, "echo hello there");
    assert_eq!((ended.code, ended.stdout.trim()), (Some(0), "hello there"), "{ended:?}");
    let log = gateway.server.stop();
    assert!(log.contains(" key=agent ") && requests(&log, "/v1/messages") > 0, "{log}");
}

#[test]
fn codex_patches_files_with_the_catalog() {
    let Some(program) = installed("codex/node_modules/.bin/codex") else { return };
    let (gateway, place) = (Gateway::new(), Place::new());
    std::fs::create_dir(place.path("home/.codex")).unwrap();
    let catalog = place.path("home/.codex/models.json");
    let config = gateway.setup(&["codex", "--catalog", catalog.to_str().unwrap()]);
    place.write("home/.codex/config.toml", config.as_bytes());
    let line = "exec \"$0\" exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox \"$1\"";
    let patch = r#"apply_patch {"input": "*** Begin Patch\n*** Add File: a.txt\n+from a patch\n*** End Patch\n"}"#;
    let ended = gateway.shell(&place, line, &program, patch);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("metadata") && !ended.stderr.contains("metadata"), "{ended:?}");
    assert_eq!(std::fs::read_to_string(place.path("project/a.txt")).unwrap(), "from a patch\n", "{ended:?}");
    let log = gateway.server.stop();
    assert_eq!(requests(&log, "/v1/responses"), 2, "{log}");
}
