//! What people may type for a name, and what programs may not. The rule itself is a table in `src/catalog/typed_name.rs`.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server};
use serde_json::{Value, json};

#[test]
fn a_word_of_a_name_is_enough_wherever_a_person_names_a_model() {
    let home = Home::new("");
    let ask = |args: &[&str]| args.iter().fold(Chatrix::ask().home(&home).arg("--offline"), |ask, arg| ask.arg(arg));
    ask(&["-m", "haiku", "echo hi"]).stdout("hi\n").code(0).stderr_has("haiku → claude-haiku\n");
    ask(&["-m", "SON", "echo hi"]).stdout("hi\n").code(0).stderr_has("SON → claude-sonnet\n");
    ask(&["-m", "claude-haiku", "echo hi"]).stdout("hi\n").code(0).stderr_lacks("→");
    ask(&["-q", "-m", "micro", "echo hi"]).stdout("hi\n").code(0).stderr("");
    ask(&["echo hi"]).env("CHATRIX_MODEL", "micro").stdout("hi\n").code(0).stderr_has("micro → nova-micro\n");
    let config = Chatrix::ask().config("default_model = \"micro\"\n").args(["--offline", "echo hi"]);
    config.stdout("hi\n").code(0).stderr_has("micro → nova-micro\n");
    let chat = Chatrix::chat().arg("--offline").home(&home).stdin("/model opus\n/model nova\n/model opsu\n").run();
    let chat = chat.stderr_has("claude-opus (Claude Opus 5.5) answers from now on");
    chat.stderr_has("\"nova\" could be nova-micro ($0.035/$0.14)").stderr_has("did you mean claude-opus?");
    let dry_run = ask(&["--dry-run", "-m", "sonnet-4-6", "hi"]).run().code(0).stdout;
    let dry_run: Value = serde_json::from_str(&dry_run).unwrap();
    assert_eq!(dry_run["model"], "us.anthropic.claude-sonnet-4-6", "{dry_run}");
    let setup = Chatrix::setup().args(["claude-code", "--model", "opus-4-8", "--small-model", "micro"]).run().code(0);
    let setup = setup.stderr_has("opus-4-8 → claude-opus-4-8\n").stderr_has("micro → nova-micro\n");
    assert!(setup.stdout.contains("=claude-opus-4-8\n") && setup.stdout.contains("=nova-micro\n"), "{}", setup.stdout);
}

#[test]
fn several_models_are_refused_before_anything_is_sent() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    let home = Home::new("");
    let ask = Chatrix::ask().args(["-m", "nova", "hi"]).home(&home).bedrock(&bedrock).stdout("").code(2);
    ask.stderr_has("\"nova\" could be nova-micro ($0.035/$0.14), nova-lite ($0.06/$0.24), nova-2-lite ($0.33/$2.75)");
    assert_eq!(bedrock.calls().len(), 0);
}

#[test]
fn a_key_stores_the_whole_name_that_was_meant() {
    let home = Home::new("");
    let keys = |args: &[&str]| args.iter().fold(Chatrix::keys().home(&home), |keys, arg| keys.arg(arg)).run();
    keys(&["add", "laptop", "--models", "micro,haiku,titan-embed,us.anthropic.claude-sonnet-4-6"])
        .code(0)
        .stderr_has("micro → nova-micro\nhaiku → claude-haiku\n");
    let listed: Value = serde_json::from_str(&keys(&["list", "--json"]).code(0).stdout).unwrap();
    let models = &listed[0]["models"];
    assert_eq!(
        *models,
        json!(["nova-micro", "claude-haiku", "titan-embed", "us.anthropic.claude-sonnet-4-6"]),
        "{listed}"
    );
    keys(&["add", "other", "--models", "nova"]).code(2).stderr_has("could be nova-micro");
    // Near misses of a key's name.
    keys(&["revoke", "lapotp"]).code(2).stderr_has("there is no key \"lapotp\" to revoke; did you mean laptop?");
    keys(&["rotate", "Laptop"]).code(2).stderr_has("did you mean laptop?");
    keys(&["revoke", "zzz"]).code(2).stderr_lacks("did you mean");
    keys(&["revoke", "laptop"]).code(0);
    keys(&["rotate", "lapotp"]).code(2).stderr_lacks("did you mean");
}

/// A client keeps the name of its model for months, and nobody reads a notice there: it must not come to mean another
/// model, and a key that is bound to models must not be talked into others.
#[test]
fn a_client_of_the_server_names_models_in_whole() {
    let home = Home::new("");
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let key = Chatrix::keys().args(["add", "one", "--models", "nova-micro"]).home(&home).run().code(0).stdout;
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let ask = |model: &str, key: Option<&str>| {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
        let header = key.map(|key| format!("Bearer {}", key.trim()));
        let headers: Vec<(&str, &str)> = header.iter().map(|value| ("authorization", value.as_str())).collect();
        server.send("POST", "/v1/chat/completions", &headers, &body.to_string())
    };
    for model in ["haiku", "son", "micro", "claude-so", "nova"] {
        let answer = ask(model, None);
        assert_eq!(answer.status, 404, "{model}");
    }
    let message = ask("haiku", None).body;
    assert!(message.contains("did you mean claude-haiku?"), "{message}");
    assert_eq!(bedrock.calls().len(), 0);
    for (model, id) in [
        ("claude-sonnet-4", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
        ("claude-sonnet-3", "us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
        ("deepseek", "us.deepseek.r1-v1:0"),
        ("CLAUDE-HAIKU", "us.anthropic.claude-haiku-5-5"),
        ("anthropic/claude-sonnet-4.6", "us.anthropic.claude-sonnet-4-6"),
        ("us.amazon.nova-micro-v1:0", "us.amazon.nova-micro-v1:0"),
    ] {
        let before = bedrock.calls().len();
        assert_eq!(ask(model, None).status, 200, "{model}");
        assert_eq!(bedrock.calls()[before].model, id, "{model}");
    }
    assert_eq!(ask("nova-micro", Some(&key)).status, 200);
    for other in ["micro", "nova-lite", "haiku"] {
        assert_ne!(ask(other, Some(&key)).status, 200, "{other}");
    }
}
