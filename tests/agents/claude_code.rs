//! Claude Code (`claude -p`), which speaks Messages. Its requests for a Claude model go through `InvokeModel`.

use super::{Ended, PIXEL, Place, call, installed, requests, serve, serve_offline, text};
use crate::support::{Bedrock, Chatrix, Form, Home, Reply, Server};
use serde_json::{Value, json};
use std::path::PathBuf;

const ROUTE: &str = "/v1/messages";

struct ClaudeCode {
    program: PathBuf,
    place: Place,
}

impl ClaudeCode {
    fn installed() -> Option<Self> {
        Some(Self { program: installed("claude-code/node_modules/.bin/claude")?, place: Place::new() })
    }

    /// Asks one question. The model may use the tools `Bash` and `Read`.
    #[track_caller]
    fn ask(&self, server: &Server, prompt: &str, environment: &[(&str, &str)]) -> Said {
        let mut command = self.place.command(&self.program);
        command.args(["-p", prompt, "--output-format", "json", "--allowedTools", "Bash,Read"]);
        command.env("CLAUDE_CONFIG_DIR", self.place.path("home/claude"));
        command.env("ANTHROPIC_BASE_URL", format!("http://{}", server.address())).env("ANTHROPIC_AUTH_TOKEN", "any");
        command.env("ANTHROPIC_MODEL", "claude-sonnet-4-6").env("ANTHROPIC_DEFAULT_HAIKU_MODEL", "claude-haiku-4-5");
        command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
        command.envs(environment.iter().copied());
        let ended = self.place.run(command);
        let said = ended.stdout.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
        let Some(said) = said else { panic!("{ended:?}") };
        Said { result: said["result"].as_str().unwrap_or_default().to_owned(), json: said, ended }
    }
}

/// What `--output-format json` prints.
struct Said {
    result: String,
    json: Value,
    ended: Ended,
}

impl Said {
    #[track_caller]
    fn result(&self, expected: &str) {
        assert_eq!((self.result.as_str(), self.ended.code), (expected, Some(0)), "{:?}", self.ended);
    }

    #[track_caller]
    fn fails_with(&self, piece: &str) {
        assert_eq!((&self.json["is_error"], self.ended.code), (&json!(true), Some(1)), "{:?}", self.ended);
        assert!(self.result.contains(piece), "no {piece:?} in {:?}", self.result);
    }
}

/// The content of the last turn of a call.
fn last_turn(body: &Value) -> &Vec<Value> {
    body["messages"].as_array().unwrap().last().unwrap()["content"].as_array().unwrap()
}

#[test]
fn it_works_against_the_offline_model() {
    let Some(claude) = ClaudeCode::installed() else { return };
    let server = serve_offline();
    let ask = |prompt: &str, environment: &[(&str, &str)]| claude.ask(&server, prompt, environment);
    ask("echo hello there", &[]).result("hello there");
    for model in ["claude-opus-5-5", "claude-haiku-4-5", "nova-pro"] {
        ask("echo hello there", &[("ANTHROPIC_MODEL", model)]).result("hello there");
    }
    let said = ask(r#"Bash {"command": "echo from-the-shell", "description": "say it"}"#, &[]);
    // It may append a reminder of its own to what the tool said.
    assert!(said.result.starts_with("The tool says: from-the-shell"), "{}", said.result);
    assert!(said.json["usage"]["input_tokens"].as_u64().unwrap() > 1000, "{}", said.json);
    let file = claude.place.path("project/notes.txt");
    let both = format!(r#"Bash {{"command": "echo one", "description": "say it"}} Read {{"file_path": {file:?}}}"#);
    let said = ask(&both, &[]);
    assert!(said.result.contains("one") && said.result.contains("buy milk"), "{}", said.result);
    let image = claude.place.path("project/pixel.png");
    let said = ask(&format!(r#"Read {{"file_path": {image:?}}}"#), &[]);
    assert!(said.result.contains("png image"), "{}", said.result);
    let log = server.stop();
    assert_eq!(requests(&log, ROUTE), 4 + 2 + 2 + 2, "{log}");
}

#[test]
fn thoughts_and_calls_make_the_round_unchanged() {
    let Some(claude) = ClaudeCode::installed() else { return };
    let shell =
        |id: &str, word: &str| call(id, "Bash", &json!({"command": format!("echo {word}"), "description": "say it"}));
    let thoughts = [
        json!({"type": "thinking", "thinking": "I should run both.", "signature": "c2lnbmF0dXJl"}),
        json!({"type": "redacted_thinking", "data": "cmVkYWN0ZWQ="}),
    ];
    let content = json!([thoughts[0], thoughts[1], text("I will."), shell("toolu_1", "one"), shell("toolu_2", "two")]);
    let bedrock = Bedrock::script([Reply::Message(content.clone(), "tool_use", (9000, 50)), Reply::text("Both ran.")]);
    let server = serve(&bedrock);
    claude.ask(&server, "run both", &[]).result("Both ran.");
    let calls = bedrock.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call.operation == "invoke-with-response-stream"));
    let messages = calls[1].body["messages"].as_array().unwrap();
    let assistant = messages.iter().find(|message| message["role"] == "assistant").unwrap();
    assert_eq!(assistant["content"], content);
    // In the order in which they ended; it appends reminders of its own.
    let result = |id: &str| {
        last_turn(&calls[1].body).iter().find(|block| block["tool_use_id"] == id).unwrap()["content"].as_str()
    };
    for (id, word) in [("toolu_1", "one"), ("toolu_2", "two")] {
        assert!(result(id).is_some_and(|content| content.starts_with(word)), "{:?}", result(id));
    }
}

#[test]
fn an_image_reaches_the_model() {
    let Some(claude) = ClaudeCode::installed() else { return };
    let read = call("toolu_1", "Read", &json!({"file_path": claude.place.path("project/pixel.png")}));
    for (model, pointer) in
        [("claude-sonnet-4-6", "/content/0/source/data"), ("nova-pro", "/toolResult/content/0/image/source/bytes")]
    {
        let bedrock = Bedrock::script([Reply::Message(json!([read]), "tool_use", (9000, 50)), Reply::text("A pixel.")]);
        let server = serve(&bedrock);
        claude.ask(&server, "what is it?", &[("ANTHROPIC_MODEL", model)]).result("A pixel.");
        let body = &bedrock.calls()[1].body;
        let image = last_turn(body).iter().find_map(|block| block.pointer(pointer));
        assert_eq!(image, Some(&json!(PIXEL)), "{}", body["messages"]);
    }
}

#[test]
fn a_budget_refuses_once_and_says_why() {
    let Some(claude) = ClaudeCode::installed() else { return };
    let bedrock = Bedrock::script([Reply::text("too dear")]);
    let home = Home::new("[budget]\nday_usd = 0.01\n");
    let chatrix = Chatrix::serve().bedrock(&bedrock).home(&home);
    let server = Server::run(chatrix.args(["--max-tokens", "16000", "--max-tokens-limit", "16000"]));
    claude.ask(&server, "hello", &[]).fails_with("of the day budget");
    assert_eq!((bedrock.calls().len(), requests(&server.stop(), ROUTE)), (0, 1));
}

#[test]
fn it_waits_when_bedrock_is_busy() {
    let Some(claude) = ClaudeCode::installed() else { return };
    let busy = || Reply::Error(429, "ThrottlingException", "Too many requests, please wait before trying again.");
    let bedrock = Bedrock::script((0..5).map(|_| busy()).chain([Reply::text("Now it works.")]));
    let server = serve(&bedrock);
    claude.ask(&server, "hello", &[]).result("Now it works.");
    assert_eq!(bedrock.calls().len(), 6);
}

#[test]
fn a_broken_stream_is_asked_for_once_more() {
    let Some(claude) = ClaudeCode::installed() else { return };
    let half = || Reply::Cut(vec![Form::Anthropic.before_text(9000), Form::Anthropic.text("half of")]);
    let bedrock = Bedrock::script([half(), Reply::text("A whole answer.")]);
    let server = serve(&bedrock);
    claude.ask(&server, "hello", &[]).result("A whole answer.");
    let operations: Vec<_> = bedrock.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(operations, ["invoke-with-response-stream", "invoke"]);
    // Told not to, it does not ask again, and shows the error.
    let bedrock = Bedrock::script([half()]);
    let server = serve(&bedrock);
    claude.ask(&server, "hello", &[("CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK", "1")]).fails_with("API Error");
    assert_eq!(bedrock.calls().len(), 1);
}

#[test]
fn an_answer_that_is_always_cut_comes_to_an_end() {
    let Some(claude) = ClaudeCode::installed() else { return };
    // In a text: it asks to go on three times.
    let bedrock = Bedrock::script([Reply::Message(json!([text("On and on")]), "max_tokens", (9000, 16000))]);
    let server = serve(&bedrock);
    claude.ask(&server, "write a book", &[]).fails_with("output token maximum");
    assert_eq!(bedrock.calls().len(), 4);
    // In a call: it never gets half of one, and does not ask for ever.
    let write = call("toolu_1", "Bash", &json!(r#"{"command": "touch half-a-call; cat > notes.txt <<'"#));
    // Whether the server sets the limit, or the client asks for no more than that by itself.
    for own in [&[][..], &[("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "16000"), ("CLAUDE_CODE_MAX_RETRIES", "2")]] {
        let half = Reply::Message(json!([text("I will write."), write]), "max_tokens", (9000, 16000));
        let bedrock = Bedrock::script([half]);
        let server = serve(&bedrock);
        let said = claude.ask(&server, "write a file", own);
        assert_eq!(said.ended.code, Some(1), "{:?}", said.ended);
        assert!(bedrock.calls().len() <= 5, "{own:?}: {} calls", bedrock.calls().len());
        assert!(!claude.place.path("project/half-a-call").exists());
    }
}

#[test]
fn its_bedrock_mode_has_the_same_limits() {
    let Some(claude) = ClaudeCode::installed() else { return };
    let model = "us.anthropic.claude-sonnet-4-6";
    let shell = call("toolu_1", "Bash", &json!({"command": "echo one", "description": "say it"}));
    let bedrock = Bedrock::script([
        Reply::text("A plain answer."),
        Reply::Message(json!([text("I will."), shell]), "tool_use", (9000, 50)),
        Reply::text("It ran."),
    ]);
    let server = serve(&bedrock);
    let url = format!("http://{}", server.address());
    let environment = [
        ("CLAUDE_CODE_USE_BEDROCK", "1"),
        ("ANTHROPIC_BEDROCK_BASE_URL", url.as_str()),
        ("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "1"),
        ("AWS_REGION", "us-west-2"),
        ("ANTHROPIC_MODEL", model),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ];
    // It sends its own limit, which is above that of the server.
    let environment = [&environment[..], &[("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "32000")]].concat();
    claude.ask(&server, "hello", &environment).result("A plain answer.");
    claude.ask(&server, "run it", &environment).result("It ran.");
    let calls = bedrock.calls();
    assert_eq!(calls.len(), 3);
    for call in &calls {
        assert_eq!((call.operation.as_str(), call.model.as_str()), ("invoke-with-response-stream", model));
        assert_eq!(call.body["max_tokens"], 16000, "{}", call.body);
    }
    let result = last_turn(&calls[2].body).iter().find(|block| block["tool_use_id"] == "toolu_1").unwrap();
    assert!(result["content"].as_str().is_some_and(|content| content.starts_with("one")), "{result}");
    let log = server.stop();
    assert_eq!(requests(&log, "/model/{id}/invoke-with-response-stream"), 3, "{log}");
    assert_eq!(requests(&log, ROUTE), 0, "{log}");
}
