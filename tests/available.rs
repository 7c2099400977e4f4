//! `chatrix models --available`: what AWS says that this account can call in this region.

use crate::support::control_plane::{model, profile};
use crate::support::{Bedrock, Chatrix, Reply};
use serde_json::{Value, json};

/// Offers nova-micro and claude-haiku of the catalog under their profiles, and others that it does not know.
fn bedrock() -> Bedrock {
    let bedrock = Bedrock::script([Reply::text("never")]);
    {
        let mut control = bedrock.control();
        control.models = vec![
            model("amazon.nova-micro-v1:0", "Nova Micro", "TEXT", "ON_DEMAND", "ACTIVE"),
            model("acme.new-v1:0", "New One", "TEXT", "ON_DEMAND", "ACTIVE"),
            model("acme.old-v1:0", "Old One", "TEXT", "ON_DEMAND", "LEGACY"),
            model("acme.profile-only", "Profile Only", "TEXT", "INFERENCE_PROFILE", "ACTIVE"),
            model("acme.image", "Painter", "IMAGE", "ON_DEMAND", "ACTIVE"),
            model("acme.embed", "Embedder", "EMBEDDING", "ON_DEMAND", "ACTIVE"),
        ];
        let pages = vec![
            vec![profile("us.amazon.nova-micro-v1:0", "US Nova Micro", "amazon.nova-micro-v1:0")],
            vec![profile("us.anthropic.claude-haiku-5-5", "US Haiku", "anthropic.claude-haiku-5-5")],
            vec![profile("us.acme.profile-only", "US Profile Only", "acme.profile-only")],
        ];
        control.profiles.insert("SYSTEM_DEFINED", pages);
        let own = json!({
            "inferenceProfileId": "abc", "inferenceProfileName": "team", "status": "ACTIVE", "type": "APPLICATION",
            "inferenceProfileArn": "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abc",
            "models": [{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0"}],
        });
        control.profiles.insert("APPLICATION", vec![vec![own]]);
    }
    bedrock
}

fn models(bedrock: &Bedrock) -> Chatrix {
    Chatrix::models().arg("--available").aws(bedrock)
}

/// The first words of the lines.
fn first_words(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn only_what_can_be_called_is_listed_and_what_has_no_name_after_it() {
    let bedrock = bedrock();
    let listed = models(&bedrock).run().code(0).stderr("").stdout;
    let words = first_words(&listed);
    for present in ["nova-micro", "acme.new-v1:0", "us.acme.profile-only", "acme.embed", "amazon.nova-micro-v1:0"] {
        assert!(words.contains(&present), "{present}: {listed}");
    }
    assert!(words.iter().any(|word| word.starts_with("claude-haiku")), "{listed}");
    for absent in ["nova-pro", "claude-opus", "acme.image", "acme.profile-only", "us.amazon.nova-micro-v1:0"] {
        assert!(!words.contains(&absent), "{absent}: {listed}");
    }
    assert!(listed.contains("Not offered in us-west-2: ") && listed.contains("nova-pro"), "{listed}");
    assert!(listed.contains("(legacy)") && listed.contains("(embeddings)"), "{listed}");
    assert!(
        listed.contains("  arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abc  team"),
        "{listed}"
    );
    assert!(bedrock.calls().is_empty());
}

#[test]
fn names_and_json_hold_what_can_be_called_and_nothing_else() {
    let bedrock = bedrock();
    let names = models(&bedrock).arg("--quiet").run().code(0).stdout;
    let lines: Vec<&str> = names.lines().collect();
    assert!(lines.contains(&"nova-micro") && lines.contains(&"acme.new-v1:0") && lines.len() == 8, "{names}");
    let rows: Value = serde_json::from_str(&models(&bedrock).arg("--json").run().code(0).stdout).unwrap();
    let ids: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"us.amazon.nova-micro-v1:0") && ids.contains(&"acme.new-v1:0") && ids.len() == 8, "{ids:?}");
    let filtered = models(&bedrock).args(["-q", "acme"]).run().code(0).stdout;
    assert_eq!(filtered, "acme.embed\nacme.new-v1:0\nacme.old-v1:0\nus.acme.profile-only\n");
    models(&bedrock).args(["-q", "nothing-like-this"]).run().code(1).stderr_has("AWS offers no model that matches");
}

#[test]
fn what_the_account_may_not_call_is_told_apart() {
    let bedrock = bedrock();
    let answer = |agreement: &str, authorization: &str| {
        json!({"agreementAvailability": {"status": agreement}, "authorizationStatus": authorization,
               "entitlementAvailability": "AVAILABLE", "regionAvailability": "NOT_AVAILABLE"})
    };
    bedrock.control().availability.insert("amazon.nova-micro-v1:0", answer("AVAILABLE", "NOT_AUTHORIZED"));
    bedrock.control().availability.insert("anthropic.claude-haiku-5-5", answer("NOT_AVAILABLE", "AUTHORIZED"));
    let listed = models(&bedrock).run().code(0).stdout;
    assert!(listed.contains("This account is not authorized for: nova-micro"), "{listed}");
    assert!(listed.contains("Without an agreement, which the first call accepts: claude-haiku"), "{listed}");
    assert!(!first_words(&listed).contains(&"nova-micro"), "{listed}");
    // Who may list but not ask for each model gets the list all the same.
    bedrock.control().refusals.insert("/foundation-model-availability", (403, "AccessDeniedException", "No."));
    let listed = models(&bedrock).run().code(0).stdout;
    assert!(first_words(&listed).contains(&"nova-micro"), "{listed}");
    assert!(listed.contains("bedrock:GetFoundationModelAvailability"), "{listed}");
}

#[test]
fn a_refusal_names_the_action_to_allow() {
    for (path, action) in
        [("/foundation-models", "ListFoundationModels"), ("/inference-profiles", "ListInferenceProfiles")]
    {
        let bedrock = bedrock();
        bedrock.control().refusals.insert(path, (403, "AccessDeniedException", "You may not."));
        let refused = models(&bedrock).stdout("").code(4);
        refused.stderr(&format!("error: Bedrock: You may not; allow this identity the action bedrock:{action}\n"));
        bedrock.control().refusals.insert(path, (403, "ExpiredTokenException", "It has expired."));
        models(&bedrock).stdout("").code(4).stderr_has("the AWS credentials have expired");
    }
    let unreachable = Chatrix::models().arg("--available").credentials().env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    unreachable
        .stdout("")
        .code(5)
        .stderr_has("cannot connect to Bedrock in us-west-2")
        .stderr_has("AWS_ENDPOINT_URL_BEDROCK");
    Chatrix::models().arg("--available").env("AWS_ENDPOINT_URL", &bedrock().url).stdout("").code(4);
    let stand_in = Chatrix::models().arg("--available").bedrock(&bedrock());
    stand_in.stdout("").code(2).stderr_has("Bedrock's address is set by hand");
    Chatrix::models().args(["--available", "--offline"]).stdout("").code(2).stderr_has("--offline");
    let offline = Chatrix::models().arg("--available").env("CHATRIX_OFFLINE", "1");
    offline.stdout("").code(2).stderr_has("nothing is sent to AWS offline");
}

#[test]
fn a_wrong_clock_is_corrected_once() {
    let bedrock = bedrock();
    bedrock.control().refusals.insert("/foundation-models", (403, "RequestTimeTooSkewed", "No."));
    bedrock.control().clock_ahead = 4000;
    models(&bedrock).stdout("").code(4).stderr_has("this machine's clock is wrong");
    let asked = bedrock.control().requests.clone();
    let models = asked.iter().filter(|(_, target, _)| target == "/foundation-models").count();
    assert_eq!(models, 2, "{asked:?}");
}

#[test]
fn names_of_others_are_only_words() {
    let bedrock = bedrock();
    let hostile = "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\u{202e}evil\nnova-pro  $0.00";
    bedrock.control().models.push(model("acme.hostile\u{1b}[31m", hostile, "TEXT", "ON_DEMAND", "ACTIVE"));
    let listed = models(&bedrock).run().code(0).stdout;
    assert!(!listed.contains(['\u{1b}', '\u{7}', '\u{202e}']) && listed.contains("evil nova-pro $0.00"), "{listed:?}");
    assert!(!first_words(&listed).contains(&"nova-pro"), "{listed}");
}

#[test]
fn keys_and_regions_are_those_of_calls() {
    let bedrock = bedrock();
    models(&bedrock).args(["-q", "--region", "eu-west-3"]).run().code(0);
    let with_key = Chatrix::models().args(["-q", "--available"]).env("AWS_ENDPOINT_URL", &bedrock.url);
    with_key.env("AWS_BEARER_TOKEN_BEDROCK", "example-token").run().code(0);
    let asked = bedrock.control().requests.clone();
    assert!(
        asked.iter().any(|(.., authorization)| authorization.contains("/eu-west-3/bedrock/aws4_request")),
        "{asked:?}"
    );
    assert!(asked.iter().any(|(.., authorization)| authorization == "Bearer example-token"), "{asked:?}");
}
