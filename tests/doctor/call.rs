//! `--call`: the smallest real call, with its cost.

use super::{assert_check, doctor, report};
use crate::support::{Bedrock, Home, Reply};

#[test]
fn it_is_small_and_booked_and_its_cost_is_shown() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    let found = report(doctor(&bedrock).home(&home).args(["--call", "-m", "nova-micro"]), 0);
    let message = "nova-micro has answered in 0.";
    assert_check(&found, "call", "ok", message, "");
    // 10 tokens in at $0.035 and 5 out at $0.14, per million.
    assert_check(&found, "call", "ok", " s, with 10 tokens in and 5 out; it cost $0.0000011, which is booked", "");
    let call = bedrock.call();
    assert_eq!(
        (call.model.as_str(), &call.body["inferenceConfig"]["maxTokens"]),
        ("us.amazon.nova-micro-v1:0", &16.into())
    );
    let (state, reserved, settled, model) = home.calls().remove(0);
    assert_eq!((settled, model.as_str()), (Some(1050), "us.amazon.nova-micro-v1:0"), "{state} {reserved}");
    let usage = crate::support::Chatrix::usage().args(["--by", "command"]).home(&home).run().code(0).stdout;
    assert!(usage.contains("doctor") && usage.contains("$0.0000011"), "{usage}");
}

#[test]
fn a_successor_that_answers_is_named() {
    let bedrock = Bedrock::script([Reply::retired(), Reply::text("ok")]);
    let found = report(doctor(&bedrock).args(["--call", "-m", "claude-sonnet-4"]), 0);
    assert_check(&found, "call", "warning", "claude-sonnet-4-6 has answered", "claude-sonnet-4-6");
}

#[test]
fn a_call_that_fails_decides_the_exit_code() {
    for (reply, code, message) in [
        (Reply::Error(403, "AccessDeniedException", "You may not."), 4, "Bedrock: You may not"),
        (Reply::Error(400, "ValidationException", "Nope."), 2, "Bedrock: Nope"),
        (Reply::Frames(Vec::new()), 5, "the stream ended before the answer was complete"),
    ] {
        let (home, bedrock) = (Home::new(""), Bedrock::script([reply]));
        let found = report(doctor(&bedrock).home(&home).args(["--call", "-m", "nova-micro"]), code);
        let (status, said, _) = super::check(&found, "call");
        assert!(status == "failed" && said.contains(message), "{found:#}");
        assert_eq!(bedrock.calls().len(), 1, "it is tried once");
    }
}
