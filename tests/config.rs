//! The config file as an operator meets it.

use crate::support::{Bedrock, Chatrix, Reply};

#[test]
fn a_mistake_names_file_line_and_key() {
    Chatrix::ask()
        .args(["--offline", "hi"])
        .config("default_model = \"nova-micro\"\n\n[limits]\ntemprature = 0.5\n")
        .run()
        .code(2)
        .stderr_has(".config/chatrix/config.toml:4: temprature: there is no `temprature`; did you mean `temperature`?");
    Chatrix::models().args(["--config", "/nowhere/x.toml"]).run().code(2).stderr_has("/nowhere/x.toml: No such file");
    Chatrix::models().env("CHATRIX_CONFIG", "/nowhere/y.toml").run().code(2).stderr_has("/nowhere/y.toml");
}

#[test]
fn the_operator_sets_limits_and_names() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let config = r#"
        default_model = "team"
        region = "eu-central-1"
        [limits]
        temperature = 0.7
        [models.team]
        id = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
        like = "claude-sonnet-4"
        max_tokens = 2000
        max_tokens_limit = 2000
        top_p = "unset"
    "#;
    Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).config(config).stdout("ok\n").code(0);
    let call = bedrock.call();
    assert_eq!(call.model, "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc");
    assert_eq!(call.body["inferenceConfig"], serde_json::json!({"maxTokens": 2000, "temperature": 0.7}));
    assert!(call.headers["authorization"].contains("/eu-central-1/bedrock/"));
}

#[test]
fn flags_win_over_environment_and_file() {
    for (model, id) in [(Some("nova-micro"), "us.amazon.nova-micro-v1:0"), (None, "us.amazon.nova-lite-v1:0")] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        let ask = Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).config("default_model = 'nova-pro'");
        let ask = ask.env("CHATRIX_MODEL", "nova-lite");
        let ask = match model {
            Some(model) => ask.args(["-m", model]),
            None => ask,
        };
        ask.stdout("ok\n").code(0);
        assert_eq!(bedrock.call().model, id);
    }
}

#[test]
fn two_spellings_of_a_model_have_the_limits_of_one() {
    let config = "[models.claude-opus]\nmax_tokens_limit = 100\nmax_tokens = 50\nprice = { input = 1, output = 2 }\n\
                  [models.'us.anthropic.claude-sonnet-5-5']\nprice = { input = 0.5, output = 1 }\n";
    for id in ["claude-opus", "us.anthropic.claude-opus-5-5", "global.anthropic.claude-opus-5-5"] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        Chatrix::ask().args(["-q", "-m", id, "hi"]).bedrock(&bedrock).config(config).stdout("ok\n").code(0);
        assert_eq!(bedrock.call().body["inferenceConfig"]["maxTokens"], 50, "{id}");
    }
    let models = Chatrix::models().args(["-v", "claude"]).config(config).run().code(0).stdout;
    let line = models.lines().find(|line| line.starts_with("claude-sonnet ")).unwrap();
    assert!(line.contains(" 0.50     1.00 ") && line.contains("config file"), "{line}");
}

#[test]
fn a_config_file_without_end_is_refused() {
    let refused = Chatrix::models().args(["--config", "/dev/zero"]).run().code(2);
    refused.stderr_has("cannot read the config file /dev/zero: it has more than 1 MiB, so it is no config file");
}
