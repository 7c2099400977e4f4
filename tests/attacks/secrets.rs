//! A corpus of secrets, put wherever a secret can come from. None of them may be where people other than their owner look:
//! in the log, in the metrics, in the ledger, or in what is told to a client that has not sent it.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, delta, signal};
use serde_json::{Value, json};

const ACCESS_KEY: &str = "AKIASECRETACCESSKEY1";
const SECRET_KEY: &str = "secret/KEY+of+AWS+0123456789abcdefghijkl";
const SESSION_TOKEN: &str = "IQoJSECRETSESSIONTOKEN0123456789";
const HOOK_PATH: &str = "SECRETHOOKPATH";
const HOOK_SECRET: &str = "SECRETHOOKKEY0123456789";
const FOREIGN_KEY: &str = "sk-proj-SECRETFOREIGNKEY0123456789";
const ACCOUNT: &str = "123456789012";

/// What only the owner of this machine may see.
const OF_OPERATOR: [&str; 5] = [ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, HOOK_PATH, HOOK_SECRET];
/// What clients and models say.
const OF_CLIENTS: [&str; 12] = [
    FOREIGN_KEY,
    "SECRETPROMPT",
    "SECRETSYSTEM",
    "SECRETARGUMENTS",
    "SECRETRESULT",
    "SECRETFILE",
    "SECRETIMAGE",
    "SECRETTAG",
    "SECRETUSER",
    "SECRETPATH",
    "SECRETHEADER",
    "SECRETANSWER",
];

fn question(model: &str, stream: bool) -> Value {
    json!({
        "model": model, "stream": stream, "user": "SECRETUSER", "metadata": {"tag": "SECRETTAG"},
        "messages": [
            {"role": "system", "content": "SECRETSYSTEM"},
            {"role": "user", "content": [
                {"type": "text", "text": "SECRETPROMPT"},
                {"type": "file", "file": {"filename": "SECRETFILE.txt", "file_data": "data:text/plain;base64,aGk="}},
            ]},
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "function",
                "function": {"name": "look", "arguments": "{\"a\": \"SECRETARGUMENTS\"}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "SECRETRESULT"},
        ],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
    })
}

/// Requests of every kind, each with its path and a body.
fn requests() -> Vec<(&'static str, String)> {
    let chat = "/v1/chat/completions";
    let arn = format!("arn:aws:bedrock:us-west-2:{ACCOUNT}:inference-profile/us.amazon.nova-micro-v1:0");
    let mut image = question("nova-lite", false);
    image["messages"][1]["content"][1] =
        json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png?token=SECRETIMAGE"}});
    vec![
        (chat, question("nova-micro", false).to_string()),
        (chat, question("nova-micro", true).to_string()),
        (chat, question(&arn, false).to_string()),
        (chat, question(FOREIGN_KEY, false).to_string()),
        (chat, question("no-such-model", false).to_string()),
        (chat, image.to_string()),
        (
            chat,
            question("nova-micro", false).to_string().replace("\"stream\":false", "\"max_tokens\":\"SECRETPROMPT\""),
        ),
        (chat, question("nova-micro", false).to_string().replace("{\"role\":\"tool\"", "{\"role\":\"SECRETPROMPT\"")),
        (chat, question("nova-micro", false).to_string().trim_end_matches('}').to_owned()),
        ("/v1/completions", json!({"model": "nova-micro", "prompt": "SECRETPROMPT"}).to_string()),
        ("/v1/embeddings", json!({"model": "titan-embed", "input": "SECRETPROMPT"}).to_string()),
        ("/SECRETPATH?api_key=SECRETPATH", String::new()),
        ("/v1/models/SECRETPATH", String::new()),
    ]
}

/// What Bedrock answers, one after the other. Its refusals quote what it was sent, and who has sent it.
fn replies() -> Vec<Reply> {
    const DENIED: &str = "User: arn:aws:sts::123456789012:assumed-role/gateway/me is not authorized to perform: \
                          bedrock:InvokeModel on resource: arn:aws:bedrock:us-west-2:123456789012:inference-profile/x";
    let refusal = Reply::Error(400, "ValidationException", "The text SECRETPROMPT is not valid for SECRETFILE.");
    let answer = || Reply::text("SECRETANSWER");
    vec![
        answer(),
        answer(),
        Reply::Error(403, "AccessDeniedException", DENIED),
        refusal,
        Reply::Cut(vec![delta("SECRETANSWER")]),
        answer(),
    ]
}

#[track_caller]
fn check(place: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} is in {place}: {text}");
    }
}

#[test]
fn secrets_are_nowhere_but_where_they_belong() {
    for format in ["text", "json"] {
        let home = Home::new(&format!(
            "[budget]\nday_usd = 1\n[alerts]\nwebhook = \"http://127.0.0.1:9/{HOOK_PATH}\"\nsecret = \"{HOOK_SECRET}\"\n"
        ));
        home.write(
            ".aws/credentials",
            &format!(
                "[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n\
                 aws_session_token = {SESSION_TOKEN}\n"
            ),
        );
        let token = Chatrix::keys().home(&home).args(["add", "laptop"]).run().code(0).stdout;
        let bearer = format!("Bearer {}", token.trim());
        let bedrock = Bedrock::script(replies());
        let serve = Chatrix::serve().home(&home).args(["--log-format", format]);
        let server = Server::run(serve.env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url));
        let foreign = format!("Bearer {FOREIGN_KEY}");
        let wrong = format!("{bearer}0");
        for authorization in [&bearer, &foreign, &wrong] {
            for (path, body) in requests() {
                let headers = [("authorization", authorization.as_str()), ("x-custom", "SECRETHEADER")];
                let method = if body.is_empty() { "GET" } else { "POST" };
                let answer = server.send(method, path, &headers, &body);
                let told = format!("{:?} {}", answer.headers, answer.body);
                check(&format!("the answer to {path}"), &told, &OF_OPERATOR);
                check(&format!("the answer to {path}"), &told, &[token.trim(), "SECRETHEADER"]);
                // A client may see the ARN that it has named itself.
                if !body.contains(ACCOUNT) {
                    check(&format!("the answer to {path}"), &told, &[ACCOUNT]);
                }
            }
        }
        home.configure("[budget\nSECRETHOOKKEY0123456789 = 1");
        signal(server.pid(), "HUP");
        let shown = ["/metrics", "/readyz", "/healthz", "/v1/models"].map(|path| server.get(path).body).join("\n");
        let log = server.stop();
        assert!(log.contains("was not reloaded"), "{log}");
        let ledger: Vec<u8> = ["", "-wal"]
            .iter()
            .filter_map(|end| std::fs::read(format!("{}{end}", home.ledger().display())).ok())
            .flatten()
            .collect();
        let ledger = String::from_utf8_lossy(&ledger).into_owned();
        for (place, text) in [("the log", &log), ("the metrics", &shown), ("the ledger", &ledger)] {
            check(place, text, &OF_OPERATOR);
            check(place, text, &OF_CLIENTS);
            check(place, text, &[token.trim()]);
        }
        check("the log", &log, &[ACCOUNT, "arn:"]);
        check("the metrics", &shown, &[ACCOUNT, "arn:"]);
    }
}
