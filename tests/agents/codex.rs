//! Codex (`codex exec`), which speaks Responses.

use super::{Ended, PIXEL, Place, call, installed, requests, serve, serve_offline, text};
use crate::support::{Bedrock, Chatrix, Home, Reply, Server, delta};
use serde_json::{Value, json};
use std::path::PathBuf;

const ROUTE: &str = "/v1/responses";

struct Codex {
    program: PathBuf,
    place: Place,
}

/// What `codex exec --json` prints.
struct Said {
    events: Vec<Value>,
    ended: Ended,
}

impl Said {
    fn texts(&self, kind: &str, name: &str) -> Vec<&str> {
        let items = self.events.iter().filter(|event| event["type"] == "item.completed").map(|event| &event["item"]);
        items.filter(|item| item["type"] == kind).filter_map(|item| item[name].as_str()).collect()
    }

    #[track_caller]
    fn answer(&self, expected: &str) {
        let answers = self.texts("agent_message", "text");
        assert_eq!((answers.last(), self.ended.code), (Some(&expected), Some(0)), "{:?}", self.ended);
    }

    #[track_caller]
    fn fails_with(&self, piece: &str) {
        let failure = self.events.iter().find(|event| event["type"] == "turn.failed");
        let message = failure.and_then(|event| event["error"]["message"].as_str()).unwrap_or_default();
        assert_eq!(self.ended.code, Some(1), "{:?}", self.ended);
        assert!(message.contains(piece), "no {piece:?} in {:?}", self.ended);
    }
}

impl Codex {
    fn installed() -> Option<Self> {
        let codex = Self { program: installed("codex/node_modules/.bin/codex")?, place: Place::new() };
        std::fs::create_dir(codex.place.path("home/codex")).unwrap();
        Some(codex)
    }

    fn ask(&self, server: &Server, prompt: &str, settings: &[&str]) -> Said {
        // As the README says it, but for the numbers of tries, whose defaults are the more wasteful.
        let config = format!(
            r#"model = "claude-sonnet-4-6"
model_provider = "chatrix"
web_search = "disabled"
[model_providers.chatrix]
name = "Chatrix"
base_url = "http://{}/v1"
env_key = "CHATRIX_KEY"
wire_api = "responses"
"#,
            server.address()
        );
        self.place.write("home/codex/config.toml", config.as_bytes());
        let mut command = self.place.command(&self.program);
        command.args(["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        command.arg(prompt).env("CODEX_HOME", self.place.path("home/codex")).env("CHATRIX_KEY", "any");
        let ended = self.place.run(command);
        let events = ended.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Said { events, ended }
    }
}

/// The blocks of a kind in a Converse body.
fn blocks<'b>(body: &'b Value, kind: &str) -> Vec<&'b Value> {
    let messages = body["messages"].as_array().unwrap().iter();
    let content = messages.flat_map(|message| message["content"].as_array().unwrap());
    content.filter_map(|block| block.get(kind)).collect()
}

#[test]
fn it_works_against_the_offline_model() {
    let Some(codex) = Codex::installed() else { return };
    let server = serve_offline();
    codex.ask(&server, "echo hello there", &[]).answer("hello there");
    codex.ask(&server, "echo hello there", &["model='nova-pro'"]).answer("hello there");
    let said = codex.ask(&server, r#"exec_command {"cmd": "echo from-the-shell"}"#, &["model_reasoning_effort='high'"]);
    assert_eq!(said.texts("command_execution", "aggregated_output"), ["from-the-shell\n"]);
    assert!(said.texts("agent_message", "text").last().unwrap().contains("from-the-shell"), "{:?}", said.ended);
    let image = codex.place.path("project/pixel.png");
    let said = codex.ask(&server, &format!(r#"view_image {{"path": {image:?}}}"#), &[]);
    assert!(said.texts("agent_message", "text").last().unwrap().contains("png image"), "{:?}", said.ended);
    let log = server.stop();
    assert_eq!(requests(&log, ROUTE), 1 + 1 + 2 + 2, "{log}");
}

#[test]
fn thoughts_and_calls_make_the_round_unchanged() {
    let Some(codex) = Codex::installed() else { return };
    let shell = |id: &str, word: &str| call(id, "exec_command", &json!({"cmd": format!("echo {word}")}));
    let thought = json!({"type": "thinking", "thinking": "I should run both.", "signature": "c2lnbmF0dXJl"});
    let content = json!([thought, text("I will."), shell("tooluse_1", "one"), shell("tooluse_2", "two")]);
    let bedrock = Bedrock::script([Reply::Message(content, "tool_use", (9000, 50)), Reply::text("Both ran.")]);
    let server = serve(&bedrock);
    codex.ask(&server, "run both", &["model_reasoning_effort='high'"]).answer("Both ran.");
    let calls = bedrock.calls();
    assert_eq!(calls.len(), 2);
    let body = &calls[1].body;
    let reasoning = json!({"reasoningText": {"text": "I should run both.", "signature": "c2lnbmF0dXJl"}});
    assert_eq!(blocks(body, "reasoningContent"), [&reasoning]);
    let results: Vec<_> = blocks(body, "toolResult").iter().map(|result| result["toolUseId"].clone()).collect();
    assert_eq!(results, ["tooluse_1", "tooluse_2"]);
    let texts: Vec<_> =
        blocks(body, "toolResult").iter().map(|result| result["content"][0]["text"].to_string()).collect();
    assert!(texts[0].contains("one") && texts[1].contains("two"), "{texts:?}");
}

#[test]
fn an_image_reaches_the_model() {
    let Some(codex) = Codex::installed() else { return };
    let look = call("tooluse_1", "view_image", &json!({"path": codex.place.path("project/pixel.png")}));
    let bedrock = Bedrock::script([Reply::Message(json!([look]), "tool_use", (9000, 50)), Reply::text("A pixel.")]);
    let server = serve(&bedrock);
    codex.ask(&server, "what is it?", &[]).answer("A pixel.");
    let body = &bedrock.calls()[1].body;
    let content = blocks(body, "toolResult")[0]["content"].as_array().unwrap();
    let image = content.iter().find_map(|piece| piece.pointer("/image/source/bytes")).and_then(Value::as_str);
    // Codex encodes images anew.
    assert!(image.is_some_and(|bytes| bytes.starts_with(&PIXEL[..20])), "{content:?}");
}

#[test]
fn a_member_of_a_namespace_and_a_patch_are_called() {
    let Some(codex) = Codex::installed() else { return };
    let wait = call("tooluse_1", "multi_agent_v1__wait_agent", &json!({"targets": ["nobody"]}));
    let bedrock =
        Bedrock::script([Reply::Message(json!([wait]), "tool_use", (9000, 50)), Reply::text("Nobody is there.")]);
    let server = serve(&bedrock);
    codex.ask(&server, "wait for nobody", &[]).answer("Nobody is there.");
    let body = bedrock.calls()[1].body.clone();
    let result = blocks(&body, "toolResult")[0]["content"].to_string();
    assert!(!result.contains("unsupported call"), "{result}");

    let patch = "*** Begin Patch\n*** Update File: notes.txt\n@@\n-buy milk\n+buy bread\n*** End Patch\n";
    let catalog = json!({"models": [{
        "slug": "claude-sonnet-4-6", "display_name": "Sonnet", "supported_reasoning_levels": [{"effort": "low", "description": "low"}],
        "default_reasoning_level": "low", "shell_type": "shell_command", "visibility": "list", "supported_in_api": true, "priority": 1,
        "base_instructions": "Be brief.", "truncation_policy": {"mode": "tokens", "limit": 10000}, "supports_parallel_tool_calls": true,
        "experimental_supported_tools": [], "support_verbosity": false, "context_window": 200_000,
        "apply_patch_tool_type": "freeform", "input_modalities": ["text", "image"],
    }]});
    codex.place.write("home/catalog.json", catalog.to_string().as_bytes());
    let patching = call("tooluse_1", "apply_patch", &json!({"input": patch}));
    let bedrock = Bedrock::script([Reply::Message(json!([patching]), "tool_use", (9000, 50)), Reply::text("Patched.")]);
    let server = serve(&bedrock);
    let setting = format!("model_catalog_json={:?}", codex.place.path("home/catalog.json"));
    codex.ask(&server, "buy bread instead", &[&setting]).answer("Patched.");
    assert_eq!(std::fs::read_to_string(codex.place.path("project/notes.txt")).unwrap(), "buy bread\n");
}

#[test]
fn a_long_conversation_is_compacted() {
    let Some(codex) = Codex::installed() else { return };
    let shell = call("tooluse_1", "exec_command", &json!({"cmd": "echo one"}));
    let bedrock = Bedrock::script([
        Reply::Message(json!([shell]), "tool_use", (99_000, 50)),
        Reply::text("So far: one was said."),
        Reply::text("That was all."),
    ]);
    let server = serve(&bedrock);
    codex.ask(&server, "say one", &["model_context_window=100000"]).answer("That was all.");
    let bodies: Vec<Value> = bedrock.calls().into_iter().map(|call| call.body).collect();
    assert_eq!(bodies.len(), 3);
    // It offers no tools then, but Bedrock wants them described, because the conversation has calls.
    assert_eq!(bodies[1]["toolConfig"]["tools"][0]["toolSpec"]["name"], "exec_command");
    assert!(bodies[2]["messages"].to_string().contains("So far: one was said."), "{}", bodies[2]["messages"]);
    assert_eq!(blocks(&bodies[2], "toolUse").len(), 0);
}

#[test]
fn a_budget_refuses_once() {
    let Some(codex) = Codex::installed() else { return };
    let bedrock = Bedrock::script([Reply::text("too dear")]);
    let home = Home::new("[budget]\nday_usd = 0.01\n");
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).home(&home));
    codex.ask(&server, "hello", &[]).fails_with("Quota exceeded");
    assert_eq!((bedrock.calls().len(), requests(&server.stop(), ROUTE)), (0, 1));
}

#[test]
fn it_waits_when_bedrock_is_busy() {
    let Some(codex) = Codex::installed() else { return };
    let busy = || Reply::Error(429, "ThrottlingException", "Too many requests, please wait before trying again.");
    let bedrock = Bedrock::script((0..5).map(|_| busy()).chain([Reply::text("Now it works.")]));
    let server = serve(&bedrock);
    codex.ask(&server, "hello", &[]).answer("Now it works.");
    assert_eq!(bedrock.calls().len(), 6);
}

#[test]
fn a_broken_stream_is_not_paid_for_again() {
    let Some(codex) = Codex::installed() else { return };
    let bedrock = Bedrock::script([Reply::Cut(vec![delta("half of")])]);
    let server = serve(&bedrock);
    codex.ask(&server, "hello", &[]).fails_with("the stream broke off");
    assert_eq!(bedrock.calls().len(), 1);
}

#[test]
fn a_cut_answer_ends_the_turn() {
    let Some(codex) = Codex::installed() else { return };
    let half = call("tooluse_1", "exec_command", &json!(r#"{"cmd": "touch half-a-call; cat > "#));
    for content in [json!([text("On and on")]), json!([text("I will write."), half])] {
        let bedrock = Bedrock::script([Reply::Message(content, "max_tokens", (9000, 16000))]);
        let server = serve(&bedrock);
        codex.ask(&server, "write a book", &[]).fails_with("max_output_tokens");
        assert_eq!(bedrock.calls().len(), 1);
        assert!(!codex.place.path("project/half-a-call").exists());
    }
}
