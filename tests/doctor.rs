//! `chatrix doctor`: what it finds, what it says to do, and its exit code. Nothing is called unless `--call` asks for it.

mod account;
mod call;
mod ledger;
mod screen;
mod secrets;
mod start;

use crate::support::{Bedrock, Chatrix, Home, Reply, Server};
use serde_json::{Value, json};
use std::net::TcpListener;

/// A Bedrock that must not be called.
fn bedrock() -> Bedrock {
    Bedrock::script([Reply::Error(500, "InternalServerException", "The test calls no model.")])
}

/// A doctor for an account that may call everything, with any port.
fn doctor(bedrock: &Bedrock) -> Chatrix {
    Chatrix::doctor().aws(bedrock).env("CHATRIX_PORT", "0")
}

/// What `--json` prints. Nothing goes to stderr.
#[track_caller]
fn report(doctor: Chatrix, code: i32) -> Value {
    let outcome = doctor.arg("--json").run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(code), ""), "{}", outcome.stdout);
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&report["can_call"], &report["exit_code"]), (&json!(code == 0), &json!(code)));
    report
}

/// A check: status, message, advice.
#[track_caller]
fn check(report: &Value, name: &str) -> (String, String, String) {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"));
    let text = |member: &str| found[member].as_str().unwrap_or_default().to_owned();
    (text("status"), text("message"), text("advice"))
}

#[track_caller]
fn assert_check(report: &Value, name: &str, status: &str, message: &str, advice: &str) {
    let found = check(report, name);
    assert_eq!(found.0, status, "{name}: {report:#}");
    assert!(found.1.contains(message), "{message:?}: {report:#}");
    assert!(found.2.contains(advice) && found.2.is_empty() == advice.is_empty(), "{advice:?}: {report:#}");
}

/// The status of every check, in order.
fn statuses(report: &Value) -> Vec<(&str, &str)> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.map(|check| (check["name"].as_str().unwrap(), check["status"].as_str().unwrap())).collect()
}

#[test]
fn a_healthy_account_passes_every_check_without_a_call() {
    let (bedrock, home) = (bedrock(), Home::new(""));
    let found = report(doctor(&bedrock).home(&home), 0);
    let names =
        ["config", "credentials", "endpoint", "clock", "model", "model access", "ledger", "budgets", "server port"];
    assert_eq!(statuses(&found), names.map(|name| (name, "ok")), "{found:#}");
    let whose = "the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the key ends in MPLE; account 123456789012, \
                 arn:aws:iam::123456789012:user/ann";
    assert_check(&found, "credentials", "ok", whose, "");
    assert_check(&found, "model access", "ok", "this account may call claude-haiku", "");
    assert_check(&found, "ledger", "ok", "ledger.db does not exist yet; the first call makes it", "");
    assert!(bedrock.calls().is_empty() && !home.ledger().exists(), "it costs nothing and leaves nothing");
    let mut asked: Vec<_> =
        bedrock.control().requests.iter().map(|(method, target, _)| format!("{method} {target}")).collect();
    asked.sort();
    let expected =
        ["GET /", "GET /foundation-model-availability/anthropic.claude-haiku-5-5", "POST /"].map(String::from);
    assert_eq!(asked, expected);
}

#[test]
fn every_object_has_the_same_members() {
    let bedrock = bedrock();
    for (doctor, code) in [
        (doctor(&bedrock), 0),
        (Chatrix::doctor().arg("--offline").env("CHATRIX_PORT", "0"), 0),
        (Chatrix::doctor().env("CHATRIX_PORT", "0").env("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), 4),
        (Chatrix::doctor().env("CHATRIX_PORT", "http"), 2),
        (Chatrix::doctor().env("CHATRIX_PORT", "0").env("AWS_ENDPOINT_URL", "notaurl"), 2),
    ] {
        let found = report(doctor, code);
        let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(members(&found), ["can_call", "exit_code", "settings", "checks"]);
        for setting in found["settings"].as_array().unwrap() {
            assert_eq!(members(setting), ["name", "value", "source"]);
        }
        for check in found["checks"].as_array().unwrap() {
            assert_eq!(members(check), ["name", "status", "message", "advice"]);
            assert!(["ok", "warning", "failed", "skipped"].contains(&check["status"].as_str().unwrap()));
            let has_advice = check["advice"].as_str().is_some_and(|advice| !advice.is_empty());
            assert!(check["advice"].is_null() || has_advice, "{check}");
            assert!(check["status"] != "ok" || check["advice"].is_null(), "{check}");
        }
    }
}

/// Checks the value and the source of a setting.
#[track_caller]
fn has(settings: &[(String, String, String)], name: &str, value: &str, source: &str) {
    let found = settings.iter().find(|(found, ..)| found == name).unwrap();
    assert_eq!(found.1, value, "{name}");
    assert!(found.2.ends_with(source) && found.2.is_empty() == source.is_empty(), "{name}: {found:?}");
}

#[test]
fn each_setting_names_its_source() {
    let bedrock = bedrock();
    let file = "default_model = 'nova-pro'\nprofile = 'work'\nregion = 'eu-west-1'\n[limits]\nmax_tokens = 100\n\
                [serve]\nport = 0\n[budget]\nday_usd = 5\nrequest_usd = 0.5\n";
    let profile = "[work]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = dummy\nregion = us-east-2\n";
    let in_file = |doctor: Chatrix| doctor.config(file).file(".aws/credentials", profile);
    let settings = |doctor: Chatrix| -> Vec<(String, String, String)> {
        let found = report(doctor, 0);
        let text = |setting: &Value, name: &str| setting[name].as_str().unwrap_or_default().to_owned();
        let settings = found["settings"].as_array().unwrap().iter();
        settings.map(|one| (text(one, "name"), text(one, "value"), text(one, "source"))).collect()
    };
    let plain = settings(doctor(&bedrock));
    has(&plain, "config file", "none", ".config/chatrix/config.toml does not exist");
    has(&plain, "model", "claude-haiku", "the default");
    has(&plain, "region", "us-west-2", "the default");
    has(&plain, "profile", "default", "the default");
    has(&plain, "endpoint", &bedrock.url, "AWS_ENDPOINT_URL");
    has(&plain, "max_tokens", "512", "the default");
    has(&plain, "budgets", "none", "the default");
    has(&plain, "offline", "no", "the default");
    has(&plain, "port", "0", "the environment variable CHATRIX_PORT");

    let of_file = settings(in_file(Chatrix::doctor().env("AWS_ENDPOINT_URL", &bedrock.url)));
    assert!(of_file[0].1.ends_with(".config/chatrix/config.toml") && of_file[0].2.is_empty(), "{of_file:?}");
    for (name, value) in [
        ("model", "nova-pro"),
        ("region", "eu-west-1"),
        ("profile", "work"),
        ("max_tokens", "100"),
        ("port", "0"),
        ("budgets", "request $0.50, day $5.00"),
    ] {
        has(&of_file, name, value, ".config/chatrix/config.toml");
    }
    has(&of_file, "max_tokens_limit", "1024", "the default");

    let variables = in_file(doctor(&bedrock)).env("CHATRIX_MODEL", "nova-lite").env("AWS_REGION", "us-east-1");
    let of_environment = settings(variables.env("AWS_PROFILE", "work"));
    has(&of_environment, "model", "nova-lite", "the environment variable CHATRIX_MODEL");
    has(&of_environment, "region", "us-east-1", "the environment variable AWS_REGION");
    has(&of_environment, "profile", "work", "the environment variable AWS_PROFILE");

    let flags = ["-m", "nova-micro", "--region", "us-west-1", "--profile", "work"];
    let of_flags = settings(in_file(doctor(&bedrock)).env("CHATRIX_MODEL", "nova-lite").args(flags));
    for (name, value) in [("model", "nova-micro"), ("region", "us-west-1"), ("profile", "work")] {
        has(&of_flags, name, value, "the command line");
    }
    let of_profile = settings(doctor(&bedrock).file(".aws/credentials", profile).args(["--profile", "work"]));
    has(&of_profile, "region", "us-east-2", "the profile \"work\"");
    let offline = settings(Chatrix::doctor().env("CHATRIX_OFFLINE", "1").env("CHATRIX_PORT", "0"));
    has(&offline, "offline", "yes", "the environment variable CHATRIX_OFFLINE");
    assert!(!offline.iter().any(|(name, ..)| ["profile", "region", "endpoint"].contains(&name.as_str())));
}

#[test]
fn a_broken_config_file_is_one_failure_among_other_checks() {
    let bedrock = bedrock();
    let found = report(doctor(&bedrock).config("[limits]\ntemprature = 0.5\n").arg("--call"), 2);
    assert_check(&found, "config", "failed", ".config/chatrix/config.toml:2: temprature: there is no `temprature`", "");
    assert_check(&found, "credentials", "ok", "account 123456789012", "");
    assert_check(&found, "endpoint", "ok", "answers in", "");
    assert_check(&found, "budgets", "skipped", "the config file sets them", "");
    // Its budgets could forbid the call.
    assert_check(&found, "call", "skipped", "its budgets are not known", "");
    assert!(bedrock.calls().is_empty());
    let nameless = report(doctor(&bedrock).args(["--config", "/nowhere/x.toml"]), 2);
    assert_check(&nameless, "config", "failed", "/nowhere/x.toml: No such file", "");
}

#[test]
fn flags_and_variables_that_cannot_be_used_are_failures_too() {
    for (doctor, message) in [
        (Chatrix::doctor().env("CHATRIX_PORT", "http"), "CHATRIX_PORT is \"http\", which is not a port"),
        (Chatrix::doctor().args(["--region", ""]), "the AWS region from the command line is \"\""),
        (Chatrix::doctor().env("CHATRIX_MODEL", "nope"), "no model is called \"nope\""),
        (Chatrix::doctor().args(["-m", "nope"]), "no model is called \"nope\""),
    ] {
        let found = report(doctor, 2);
        let (status, said, _) = check(&found, "config");
        assert!(status == "failed" && said.contains(message), "{found:#}");
    }
}

#[test]
fn the_model_is_looked_at() {
    let bedrock = bedrock();
    let check = |model: &str, config: &str, code, status: &str, message: &str, advice: &str| {
        let found = report(doctor(&bedrock).args(["-m", model]).config(config), code);
        assert_check(&found, "model", status, message, advice);
    };
    check("nova-micro", "", 0, "ok", "nova-micro is active; $0.035 in and $0.14 out per million tokens", "");
    let retired = "AWS has retired claude-sonnet-4 (2026-10-14)";
    let answers = format!("{retired}; claude-sonnet-4-6 answers in its place");
    check("claude-sonnet-4", "", 0, "warning", &answers, "default_model = \"claude-sonnet-4-6\"");
    let asked = bedrock.control().requests.clone();
    assert!(asked.iter().any(|(_, target, _)| target.ends_with("/anthropic.claude-sonnet-4-6")), "{asked:?}");
    check("claude-sonnet-4", "follow_successor = false", 5, "failed", retired, "follow_successor = true");
    check("deepseek", "", 0, "warning", "deepseek is a legacy model; ", "15 days");
    let unpriced = "its price is not known";
    check("us.foo.bar-v1:0", "", 0, "warning", unpriced, "[models.\"us.foo.bar-v1:0\"] price = ");
    let budget = "[budget]\nday_usd = 5\n";
    let refused = "the price of us.foo.bar-v1:0 is unknown, but a budget is set";
    check("us.foo.bar-v1:0", budget, 3, "failed", refused, "price = ");
    let priced = "[models.'us.foo.bar-v1:0']\nprice = { input = 1, output = 2 }\n";
    check("us.foo.bar-v1:0", &format!("{budget}{priced}"), 0, "ok", "$1.00 in and $2.00 out", "");
}

#[test]
fn whoever_has_the_port_is_named() {
    let bedrock = bedrock();
    let doctor = |port: &str| Chatrix::doctor().aws(&bedrock).env("CHATRIX_PORT", port);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let found = report(doctor(&port), 0);
    assert_check(&found, "server port", "warning", &format!("another program has 127.0.0.1:{port}"), "--port");
    drop(silent);
    assert_check(&report(doctor(&port), 0), "server port", "ok", &format!("127.0.0.1:{port} is free"), "");
    let server = Server::offline();
    let found = report(doctor(server.port()), 0);
    let message = format!("a running chatrix {} answers at 127.0.0.1:{}", env!("CARGO_PKG_VERSION"), server.port());
    assert_check(&found, "server port", "ok", &message, "");
    // Another Bedrock is no Chatrix.
    let other = bedrock.url.rsplit(':').next().unwrap();
    assert_check(&report(doctor(other), 0), "server port", "warning", "another program has ", "--port");
}

#[test]
fn offline_the_offline_world_is_checked() {
    let home = Home::new("");
    let found = report(Chatrix::doctor().arg("--offline").home(&home).env("CHATRIX_PORT", "0"), 0);
    assert_check(&found, "credentials", "ok", "none are needed offline", "");
    assert_check(&found, "endpoint", "ok", "the Bedrock inside this process answers", "");
    assert_check(&found, "clock", "skipped", "", "");
    assert_check(&found, "ledger", "ok", "offline.db does not exist yet", "");
    let called = report(Chatrix::doctor().args(["--offline", "--call"]).home(&home).env("CHATRIX_PORT", "0"), 0);
    assert_check(&called, "call", "ok", "claude-haiku has answered in ", "");
    assert!(home.path(".local/state/chatrix/offline.db").exists() && !home.ledger().exists());
}
