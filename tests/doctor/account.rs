//! What only AWS knows: credentials, endpoint, clock and access.

use super::{assert_check, bedrock, check, doctor, report};
use crate::support::{Bedrock, Chatrix};
use serde_json::json;
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn missing_credentials_are_said_with_all_ways_to_get_them() {
    let bedrock = bedrock();
    let found = report(Chatrix::doctor().env("AWS_ENDPOINT_URL", &bedrock.url).env("CHATRIX_PORT", "0"), 4);
    assert_check(&found, "credentials", "failed", "no AWS credentials were found", "aws configure");
    let (_, _, advice) = check(&found, "credentials");
    for way in ["`aws configure`", "`aws sso login`", "AWS_BEARER_TOKEN_BEDROCK", "--offline"] {
        assert!(advice.contains(way), "{way}: {advice}");
    }
    assert_check(&found, "endpoint", "ok", "answers in", "");
    assert_check(&found, "model access", "skipped", "the credentials cannot be used", "");
    let unknown = report(doctor(&bedrock).args(["--profile", "nope"]), 4);
    assert_check(&unknown, "credentials", "failed", "there is no AWS profile \"nope\"", "aws configure --profile");
    assert_check(&unknown, "endpoint", "skipped", "", "");
}

#[test]
fn credentials_that_aws_refuses_are_failures() {
    for (status, code, message, said, advice) in [
        (400, "ExpiredToken", "The token has expired", "the AWS credentials have expired", "renew them"),
        (
            403,
            "InvalidClientTokenId",
            "It is invalid.",
            "AWS does not accept these credentials: It is invalid",
            "check",
        ),
        (403, "SignatureDoesNotMatch", "No.", "AWS does not accept the signature", "AWS_SECRET_ACCESS_KEY"),
    ] {
        let bedrock = bedrock();
        bedrock.control().refusals.insert("sts", (status, code, message));
        let found = report(doctor(&bedrock).env("AWS_SESSION_TOKEN", "x"), 4);
        assert_check(&found, "credentials", "failed", said, advice);
        assert_check(&found, "model access", "skipped", "the credentials cannot be used", "");
    }
    // A session that can be renewed says how.
    let sso = "[profile sso]\nsso_session = my\nsso_account_id = 123456789012\nsso_role_name = dev\n\
               [sso-session my]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n";
    let bedrock = bedrock();
    let found = report(doctor(&bedrock).file(".aws/config", sso).args(["--profile", "sso"]), 4);
    assert_check(&found, "credentials", "failed", "there is no valid SSO session", "run: aws sso login --profile sso");
}

#[test]
fn an_account_that_is_not_known_is_no_failure() {
    let bedrock = bedrock();
    bedrock.control().refusals.insert("sts", (403, "AccessDenied", "No."));
    let found = report(doctor(&bedrock), 0);
    assert_check(&found, "credentials", "ok", "the account is not known: Bedrock: No", "");
}

#[test]
fn a_bedrock_api_key_is_used_and_never_asked_for_its_account() {
    let bedrock = bedrock();
    let with_key = || {
        let doctor = Chatrix::doctor().env("AWS_ENDPOINT_URL", &bedrock.url).env("CHATRIX_PORT", "0");
        doctor.env("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-SECRETVALUE")
    };
    let found = report(with_key(), 0);
    let message = "the Bedrock API key in AWS_BEARER_TOKEN_BEDROCK; which account it is of, only a call tells";
    assert_check(&found, "credentials", "ok", message, "");
    assert_check(&found, "model access", "ok", "may call claude-haiku", "");
    for (method, target, authorization) in bedrock.control().requests.clone() {
        assert_eq!(method, "GET");
        let expected = if target == "/" { "" } else { "Bearer bedrock-api-key-SECRETVALUE" };
        assert_eq!(authorization, expected, "{target}");
    }
    bedrock
        .control()
        .refusals
        .insert("/foundation-model-availability", (403, "AccessDeniedException", "Bearer Token has expired"));
    let expired = report(with_key(), 4);
    assert_check(&expired, "model access", "failed", "Bearer Token has expired", "create a new Bedrock API key");
}

#[test]
fn an_endpoint_that_does_not_answer_is_a_failure() {
    let unreachable = doctor(&bedrock()).env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let found = report(unreachable, 5);
    assert_check(&found, "endpoint", "failed", "cannot connect to Bedrock in us-west-2", "check the network");
    assert_check(&found, "clock", "skipped", "does not answer", "");
    assert_check(&found, "credentials", "ok", "the account is not known: STS", "");
    let nonsense = doctor(&bedrock()).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "notaurl");
    let found = report(nonsense, 2);
    let message = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME is \"notaurl\": http:// or https:// is missing";
    assert_check(&found, "endpoint", "failed", message, "https://host:port");
    assert_check(&found, "credentials", "skipped", "AWS's settings cannot be used", "");
}

/// Nothing answers: not Bedrock, not its control plane, not STS, not the metadata service.
#[test]
fn it_ends_soon_even_where_everything_is_silent() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let silent = || Chatrix::doctor().env("AWS_ENDPOINT_URL", &url).env("CHATRIX_PORT", "0");
    let started = Instant::now();
    let found = report(silent().credentials(), 5);
    assert_check(
        &found,
        "endpoint",
        "failed",
        "cannot connect to Bedrock in us-west-2 within 4 s",
        "check the network",
    );
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    let started = Instant::now();
    let metadata = silent().env("AWS_EC2_METADATA_DISABLED", "false").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url);
    let found = report(metadata, 4);
    assert_check(&found, "credentials", "failed", "no AWS credentials were found", "aws configure");
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
}

#[test]
fn a_proxy_that_does_not_reach_bedrock_is_told_from_bedrock() {
    let bedrock = bedrock();
    bedrock.control().refusals.insert("/", (404, "UnknownOperationException", ""));
    let found = report(doctor(&bedrock).env("CHATRIX_MODEL", "arn:aws:bedrock:us-west-2:1:provisioned-model/x"), 0);
    assert_check(&found, "endpoint", "ok", "answers in", "");
    assert_check(&found, "model access", "skipped", "only a call tells", "");
}

#[test]
fn a_wrong_clock_is_a_warning_and_then_a_failure() {
    for (ahead, code, status, message) in [
        (0, 0, "ok", "shows the same time"),
        (30, 0, "ok", "s behind the endpoint's"),
        (90, 0, "warning", "s behind the endpoint's"),
        (-90, 0, "warning", "s ahead of the endpoint's"),
        (400, 4, "failed", "this machine's clock is 6 minutes behind the endpoint's, and AWS refuses signatures"),
        (-8000, 4, "failed", "2 hours ahead of"),
    ] {
        let bedrock = bedrock();
        bedrock.control().clock_ahead = ahead;
        let found = report(doctor(&bedrock), code);
        let advice = if status == "ok" { "" } else { "correct this machine's clock" };
        assert_check(&found, "clock", status, message, advice);
        // A key is no signature.
        let key = doctor(&bedrock).env("AWS_BEARER_TOKEN_BEDROCK", "key");
        let expected = if status == "failed" { "warning" } else { status };
        assert_eq!(check(&report(key, 0), "clock").0, expected);
    }
}

#[test]
fn access_is_told_as_far_as_aws_tells_it() {
    let answer = |agreement: &str, authorization: &str, region: &str| {
        json!({"agreementAvailability": {"status": agreement}, "authorizationStatus": authorization,
               "entitlementAvailability": "AVAILABLE", "regionAvailability": region})
    };
    let found = |bedrock: &Bedrock, model: &str, code| report(doctor(bedrock).args(["-m", model]), code);
    let with = |answer: serde_json::Value| {
        let bedrock = bedrock();
        bedrock.control().availability.insert("", answer);
        bedrock
    };
    let bedrock = with(answer("NOT_AVAILABLE", "AUTHORIZED", "AVAILABLE"));
    let message = "this account has no agreement for claude-haiku yet (NOT_AVAILABLE)";
    assert_check(&found(&bedrock, "claude-haiku", 0), "model access", "warning", message, "aws-marketplace:Subscribe");
    let bedrock = with(answer("AVAILABLE", "NOT_AUTHORIZED", "AVAILABLE"));
    let message = "this account may not call claude-haiku";
    assert_check(&found(&bedrock, "claude-haiku", 4), "model access", "failed", message, "Bedrock console");
    // The profile leads to other regions, the model itself does not.
    let bedrock = with(answer("AVAILABLE", "AUTHORIZED", "NOT_AVAILABLE"));
    assert_eq!(check(&found(&bedrock, "us.amazon.nova-micro-v1:0", 0), "model access").0, "ok");
    let message = "us-west-2 does not offer amazon.nova-micro-v1:0";
    let local = found(&bedrock, "amazon.nova-micro-v1:0", 2);
    assert_check(&local, "model access", "failed", message, "choose another region");

    // Whoever may not ask may call all the same.
    let bedrock = super::bedrock();
    bedrock.control().refusals.insert("/foundation-model", (403, "AccessDeniedException", "You may not ask."));
    let denied = found(&bedrock, "claude-haiku", 0);
    let advice = "allow this identity the action bedrock:GetFoundationModelAvailability";
    assert_check(&denied, "model access", "skipped", "AWS does not say: Bedrock: You may not ask", advice);
    bedrock.control().refusals.insert("/foundation-model", (404, "ResourceNotFoundException", "No such model."));
    let gone = found(&bedrock, "claude-haiku", 0);
    assert_check(&gone, "model access", "warning", "AWS knows no model ", "models --available");
}

/// Credentials that are meant for a stand-in are not shown to AWS.
#[test]
fn a_stand_in_is_not_mixed_with_aws() {
    let bedrock = bedrock();
    let found = report(Chatrix::doctor().bedrock(&bedrock).env("CHATRIX_PORT", "0"), 0);
    assert_check(&found, "credentials", "ok", "the account is not asked for, because the endpoint is set by hand", "");
    assert_check(&found, "model access", "skipped", "only a call tells", "");
    let asked = bedrock.control().requests.clone();
    assert_eq!(asked.len(), 1, "{asked:?}");
    // A control plane that is named is asked.
    let other = super::bedrock();
    let named = Chatrix::doctor().bedrock(&bedrock).env("AWS_ENDPOINT_URL_BEDROCK", &other.url);
    let found = report(named.env("CHATRIX_PORT", "0"), 0);
    assert_check(&found, "model access", "ok", "may call", "");
    assert_eq!(other.control().requests.len(), 1);
    // One that cannot be used fails only what needs it.
    let wrong = Chatrix::doctor().bedrock(&bedrock).env("AWS_ENDPOINT_URL_BEDROCK", "nonsense");
    let found = report(wrong.env("CHATRIX_PORT", "0"), 2);
    assert_check(&found, "model access", "failed", "AWS_ENDPOINT_URL_BEDROCK is \"nonsense\"", "https://host:port");
}
