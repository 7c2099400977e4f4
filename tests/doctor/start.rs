//! The same checks at the start of `chat` and `serve`.

use super::bedrock;
use crate::support::{Chatrix, Server, Terminal};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// Off EC2, nobody answers at the address of the metadata service.
#[test]
fn a_silent_metadata_service_is_no_source_of_credentials() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let setup = |chatrix: Chatrix| {
        chatrix.env("AWS_EC2_METADATA_DISABLED", "false").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)
    };
    let started = Instant::now();
    let mut chat = Terminal::start(setup(Chatrix::chat()), 80, 24);
    assert_eq!(chat.exit_code(), Some(4));
    // The lines of the terminal, put together again.
    let written = chat.written().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(written.contains("no AWS credentials were found; run `aws configure` or `aws sso login`"), "{written}");
    assert!(written.contains("Bedrock API key") && !written.contains("/help"), "{written}");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let server = Server::run(setup(Chatrix::serve()));
    assert!(server.start_up().contains("warning: every call will fail: no AWS credentials were found"));
}

#[test]
fn a_server_says_that_its_keys_have_expired() {
    let bedrock = bedrock();
    bedrock.control().refusals.insert("sts", (400, "ExpiredToken", "The token has expired"));
    let server = Server::run(Chatrix::serve().aws(&bedrock).env("AWS_SESSION_TOKEN", "old"));
    crate::support::eventually("STS was asked", || !bedrock.control().requests.is_empty());
    std::thread::sleep(Duration::from_millis(300));
    let said = server.stop();
    assert!(said.contains("warning: every call will fail: the AWS credentials have expired; renew them"), "{said}");
}
