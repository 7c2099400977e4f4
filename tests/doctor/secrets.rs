//! No secret is printed, wherever it comes from.

use super::bedrock;
use crate::support::{Bedrock, Chatrix};

const SECRETS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "AKIASECRETIDABCDEFGH"),
    ("AWS_SECRET_ACCESS_KEY", "SECRETKEY/0123456789+abcdefghij"),
    ("AWS_SESSION_TOKEN", "SECRETSESSIONTOKEN0123456789=="),
    ("AWS_BEARER_TOKEN_BEDROCK", "SECRETBEARERTOKEN0123456789"),
];
const CONFIG: &str =
    "[alerts]\nwebhook = \"https://hooks.example/SECRETHOOKPATH\"\nsecret = \"SECRETHOOKKEY0123456789\"\n";

fn doctor(bedrock: &Bedrock) -> Chatrix {
    bedrock.control().checks_signatures = false;
    Chatrix::doctor().env("AWS_ENDPOINT_URL", &bedrock.url).env("CHATRIX_PORT", "0").config(CONFIG)
}

#[track_caller]
fn says_no_secret(chatrix: Chatrix) {
    let outcome = chatrix.run();
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(said.len() > 300, "{said}");
    // Wrapped lines are put together again.
    let joined: String = said.split_whitespace().collect();
    for text in [&said, &joined] {
        // Of the id of the access key, the last four characters may be said.
        assert!(!text.contains("SECRET") || !text.replace("AWS_SECRET_ACCESS_KEY", "").contains("SECRET"), "{said}");
        assert!(!text.contains("DEFGH") && !text.contains("0123456789"), "{said}");
    }
}

#[test]
fn no_secret_is_said() {
    let bedrock = bedrock();
    let all: [&[usize]; 4] = [&[0, 1], &[0, 1, 2], &[3], &[0, 1, 2, 3]];
    let refusals = [
        None,
        Some((400, "ExpiredToken", "The token has expired")),
        Some((403, "InvalidClientTokenId", "The security token included in the request is invalid.")),
        Some((403, "AccessDeniedException", "No.")),
    ];
    for refusal in refusals {
        bedrock.control().refusals.clear();
        if let Some(refusal) = refusal {
            bedrock.control().refusals.insert("sts", refusal);
            bedrock.control().refusals.insert("/foundation", refusal);
        }
        for indices in all {
            for flags in [&[][..], &["--json"], &["--call", "--json"]] {
                let with = indices.iter().fold(doctor(&bedrock), |doctor, index| {
                    let (name, value) = SECRETS[*index];
                    doctor.env(name, value)
                });
                says_no_secret(flags.iter().fold(with, |doctor, flag| doctor.arg(flag)));
            }
        }
    }
    // In a file, in an address, and where a line end spoils a key.
    let file = "[default]\naws_access_key_id = AKIASECRETIDABCDEFGH\naws_secret_access_key = SECRETKEY/0123456789\n";
    says_no_secret(doctor(&bedrock).file(".aws/credentials", file));
    let address = "http://user:SECRETPASSWORD@127.0.0.1:9";
    says_no_secret(doctor(&bedrock).credentials().env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", address));
    says_no_secret(doctor(&bedrock).credentials().env("AWS_ENDPOINT_URL_BEDROCK", address));
    says_no_secret(doctor(&bedrock).credentials().env("AWS_ENDPOINT_URL_STS", address));
    says_no_secret(doctor(&bedrock).credentials().env("HTTP_PROXY", address).env("HTTPS_PROXY", address));
    says_no_secret(
        doctor(&bedrock).env("AWS_ACCESS_KEY_ID", "AKIASECRETID\nABCDEFGH").env("AWS_SECRET_ACCESS_KEY", "x"),
    );
    let process = "[default]\ncredential_process = echo SECRETOUTPUT0123456789\n";
    says_no_secret(doctor(&bedrock).file(".aws/config", process));
}
