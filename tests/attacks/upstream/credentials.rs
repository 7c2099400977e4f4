//! Keys that are changed while a server runs (docs/credentials.md §5).

use super::question;
use crate::support::{Bedrock, Chatrix, Home, Reply, Server};

const FILE: &str = ".aws/credentials";

fn profile(key: &str) -> String {
    format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = dummy\n")
}

/// A server that signs with the keys of a file.
fn server(home: &Home, bedrock: &Bedrock) -> Server {
    home.write(FILE, &profile("AKIDFIRST"));
    Server::run(Chatrix::serve().home(home).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url))
}

fn signed_by(bedrock: &Bedrock) -> Vec<String> {
    let name = |header: &str| header.split("Credential=").nth(1).unwrap().split('/').next().unwrap().to_owned();
    bedrock.calls().iter().map(|call| name(&call.headers["authorization"])).collect()
}

/// Refusals of an identity: status, code, message.
const REFUSALS: [(u16, &str, &str); 8] = [
    (403, "ExpiredTokenException", "The security token included in the request is expired"),
    (400, "ExpiredToken", "The provided token has expired."),
    (403, "UnrecognizedClientException", "The security token included in the request is invalid."),
    (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
    (403, "InvalidAccessKeyId", "The key does not exist."),
    (403, "TokenRefreshRequired", "The token must be refreshed."),
    (403, "AccessDeniedException", "The security token included in the request is expired"),
    (403, "InvalidSignatureException", "The request signature we calculated does not match."),
];

#[test]
fn changed_keys_need_no_restart() {
    for (status, code, message) in REFUSALS {
        for stream in [false, true] {
            let home = Home::new("");
            let refusal = Reply::Error(status, code, message);
            let bedrock = Bedrock::script([Reply::text("one"), refusal, Reply::text("two")]);
            let server = server(&home, &bedrock);
            assert_eq!(server.chat(&question(stream)).status, 200);
            home.write(FILE, &profile("AKIDSECOND"));
            let answer = server.chat(&question(stream));
            assert_eq!(answer.status, 200, "{code}: {}", answer.body);
            assert_eq!(signed_by(&bedrock), ["AKIDFIRST", "AKIDFIRST", "AKIDSECOND"], "{code}");
            assert_eq!(home.at_rest().2, 0, "{code}: nothing is uncertain");
        }
    }
}

#[test]
fn keys_that_stay_the_same_are_refused_once_and_cost_nothing() {
    for (status, code, message) in REFUSALS {
        let home = Home::new("");
        let bedrock = Bedrock::script([Reply::Error(status, code, message)]);
        let server = server(&home, &bedrock);
        assert_ne!(server.chat(&question(false)).status, 200);
        assert_eq!((bedrock.calls().len(), home.at_rest()), (1, (0, 0, 0)), "{code}");
    }
}

/// Only a refusal of the identity is one: status, code, message.
#[test]
fn other_refusals_renew_nothing() {
    for (status, code, message) in [
        (403, "AccessDeniedException", "User is not authorized to perform: bedrock:InvokeModel"),
        (400, "ValidationException", "The security token included in the request is expired"),
    ] {
        let home = Home::new("");
        let bedrock = Bedrock::script([Reply::Error(status, code, message)]);
        let server = server(&home, &bedrock);
        home.write(FILE, &profile("AKIDSECOND"));
        assert_ne!(server.chat(&question(false)).status, 200);
        assert_eq!(bedrock.calls().len(), 1, "{code}");
    }
}

#[test]
fn a_slow_helper_has_a_time_of_its_own_and_is_never_booked() {
    let key = r#"{"Version":1,"AccessKeyId":"AKIDTOOL","SecretAccessKey":"s"}"#;
    for (limit, status) in [(1, 403), (20, 200)] {
        // The time of an answer is shorter than the helper takes: it does not count the helper.
        let home = Home::new(&format!("credentials_seconds = {limit}\nanswer_seconds = 1\nprofile = \"tool\"\n"));
        home.write(".aws/config", &format!("[profile tool]\ncredential_process = sleep 3; echo '{key}'\n"));
        let bedrock = Bedrock::script([Reply::text("ok")]);
        let server = Server::run(Chatrix::serve().home(&home).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url));
        let answer = server.chat(&question(false));
        assert_eq!(answer.status, status, "{}", answer.body);
        if status == 403 {
            assert!(answer.body.contains("there was no answer within 1 s"), "{}", answer.body);
            assert_eq!((home.at_rest(), bedrock.calls().len()), ((0, 0, 0), 0));
        }
    }
}
