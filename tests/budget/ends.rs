//! The ledger records every call, however it ends. A call is settled with its usage, released when nothing can have
//! been generated, and otherwise booked as uncertain at its worst case.

use super::{COST, ask, day, question, serve, worst};
use crate::support::{Bedrock, Chatrix, Home, Reply, Server, delta, eventually, signal};
use chatrix::offline::wire;
use serde_json::{Value, json};
use std::io::Read;
use std::time::Duration;

fn frames(end: &[bytes::Bytes]) -> Vec<bytes::Bytes> {
    let mut frames = vec![wire::event("messageStart", json!({"role": "assistant"})), delta("half")];
    frames.extend_from_slice(end);
    frames
}

#[test]
fn x1_an_answer_that_broke_off_stays_booked_at_its_worst_case() {
    for reply in [
        Reply::Cut(frames(&[])),
        Reply::Frames(frames(&[])),
        Reply::Frames(frames(&[wire::exception("modelStreamErrorException", "The model broke.")])),
        Reply::Frames(frames(&[wire::exception("throttlingException", "Too many tokens.")])),
        Reply::Error(500, "InternalServerException", "Oh."),
        Reply::Error(424, "ModelErrorException", "Oh."),
        Reply::Frames(frames(&[wire::event("messageStop", json!({"stopReason": "end_turn"}))])),
    ] {
        let home = Home::new("");
        ask(&home, &Bedrock::script([reply.clone()])).run();
        assert_eq!(home.at_rest(), (0, 0, worst(512)));
        let server_home = Home::new("");
        let server = serve(&server_home, &Bedrock::script([reply]));
        server.chat(&question(&json!({"stream": true})));
        assert_eq!(server_home.at_rest(), (0, 0, worst(512)));
    }
}

#[test]
fn what_was_refused_before_anything_was_generated_costs_nothing() {
    for reply in [
        Reply::Error(429, "ThrottlingException", "Too many requests."),
        Reply::Error(400, "ValidationException", "Nope."),
        Reply::Error(403, "AccessDeniedException", "No."),
        Reply::Error(503, "ServiceUnavailableException", "Busy."),
        Reply::Frames(vec![wire::exception("validationException", "The image is broken.")]),
    ] {
        let home = Home::new("");
        ask(&home, &Bedrock::script([reply])).run();
        assert_eq!(home.at_rest(), (0, 0, 0));
        assert_eq!(home.calls().len(), 1, "the call is in the ledger all the same");
        assert_eq!(home.calls()[0].0, 4);
    }
}

#[test]
fn retries_share_one_reservation() {
    let home = Home::new(&day(worst(512)));
    let throttled = || Reply::Error(429, "ThrottlingException", "Too many requests.");
    let bedrock = Bedrock::script([throttled(), throttled(), Reply::text("ok")]);
    ask(&home, &bedrock).stdout("ok\n").code(0);
    assert_eq!((bedrock.calls().len(), home.calls().len()), (3, 1));
    assert_eq!(home.at_rest(), (COST, 0, 0));
    // The model refuses a parameter, and the request is sent again without it.
    let (home, refusal) = (Home::new(&day(worst(512))), "`temperature` is deprecated for this model.");
    let bedrock = Bedrock::script([Reply::Error(400, "ValidationException", refusal), Reply::text("ok")]);
    ask(&home, &bedrock).stdout("ok\n").code(0);
    assert_eq!((bedrock.calls().len(), home.calls().len()), (2, 1));
}

#[test]
fn e7_the_more_expensive_of_a_model_and_its_successor_is_reserved() {
    let bedrock = Bedrock::script([Reply::retired(), Reply::Measured(546, 9999)]);
    // Sonnet 4 costs $3 and $15, its successor $3.30 and $16.50. The budget allows 200 tokens of the successor.
    let successor_cost = 546 * 3300 + 200 * 16_500;
    let home = Home::new(&day(successor_cost + 16_499));
    let asked = Chatrix::ask().args(["-m", "claude-sonnet-4", "-v", "hi"]).home(&home).bedrock(&bedrock);
    asked
        .stdout("ok\n")
        .code(0)
        .stderr_has("claude-sonnet-4-6")
        .stderr_has("answer limited to 200 tokens (to fit what may be spent)");
    assert_eq!(bedrock.calls()[1].body["inferenceConfig"]["maxTokens"], 200);
    assert_eq!(home.at_rest(), (successor_cost, 0, 0));
    let calls = home.calls();
    assert_eq!(
        (calls.len(), calls[0].3.as_str()),
        (1, "us.anthropic.claude-sonnet-4-6"),
        "the call is booked under the model that answered"
    );
    let ample = Home::new(&day(1_000_000_000));
    let bedrock = Bedrock::script([Reply::retired(), Reply::text("ok")]);
    Chatrix::ask().args(["-m", "claude-sonnet-4", "hi"]).home(&ample).bedrock(&bedrock).stdout("ok\n").code(0);
    assert_eq!(
        bedrock.calls()[1].body["inferenceConfig"]["maxTokens"],
        512,
        "the answer is not shortened when the budget allows it"
    );
    assert_eq!(ample.calls()[0].1, 546 * 3300 + 512 * 16_500);
    let usage = Chatrix::usage().args(["--by", "model", "--csv"]).home(&home).run().stdout;
    assert_eq!(usage.lines().filter(|line| line.contains(",1,")).count(), 1, "{usage}");
}

/// Hangs up in the middle of an answer. `streamed`: after its first bytes.
fn hang_up(server: &Server, streamed: bool) {
    let body = question(&json!({"stream": streamed})).to_string();
    let mut socket = server.open("POST", "/v1/chat/completions", &[], &body);
    if streamed {
        let mut some = [0; 400];
        socket.read_exact(&mut some).unwrap();
    } else {
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn x8_c7_when_a_client_hangs_up_its_call_is_stopped_or_drained() {
    for streamed in [true, false] {
        let (home, bedrock) =
            (Home::new(""), Bedrock::script([if streamed { Reply::Endless } else { Reply::Silence }]));
        let server = serve(&home, &bedrock);
        hang_up(&server, streamed);
        eventually("the Bedrock stream is cancelled", || bedrock.abandoned() == 1);
        assert_eq!(home.at_rest(), (0, 0, worst(512)));
    }
    let home = Home::new("[serve]\non_disconnect = 'drain'");
    let mut pieces: Vec<String> = (0..40).map(|n| format!("{n} ")).collect();
    pieces.push("end".into());
    let bedrock = Bedrock::script([Reply::Slow(pieces, (10, 5))]);
    let server = serve(&home, &bedrock);
    for streamed in [true, false] {
        hang_up(&server, streamed);
    }
    eventually("both are settled", || home.booked() == (2 * COST, 0, 0));
    assert_eq!(bedrock.abandoned(), 0, "the answers are read to their end");
}

#[test]
fn a_server_that_is_stopped_books_what_it_cuts_off() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::Endless]));
    let server = serve(&home, &bedrock);
    let body = question(&json!({"stream": true})).to_string();
    let mut socket = server.open("POST", "/v1/chat/completions", &[], &body);
    let mut some = [0; 400];
    socket.read_exact(&mut some).unwrap();
    assert_eq!(home.booked(), (0, worst(512), 0));
    signal(server.pid(), "TERM");
    signal(server.pid(), "INT");
    assert_eq!(server.wait().0, Some(0));
    assert_eq!(home.booked(), (0, 0, worst(512)), "the call is booked before any other process opens the ledger");
    if Home::has_file() {
        let running = std::fs::read_dir(home.path(".local/state/chatrix/ledger.running")).unwrap();
        assert_eq!(running.count(), 0, "no lock file is left behind");
    }
}

#[test]
fn ctrl_c_and_a_closed_pipe_are_booked() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::Endless]));
    let (mut child, _own) = ask(&home, &bedrock).spawn();
    let mut first = [0; 4];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(home.booked(), (0, 0, worst(512)));
    let (mut child, _own) = ask(&home, &bedrock).spawn();
    child.stdout.take().unwrap().read_exact(&mut first).unwrap(); // dropping stdout closes the pipe
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(home.booked(), (0, 0, 2 * worst(512)));
}

#[test]
fn an_uncertain_call_is_listed_and_can_be_settled() {
    let (home, bedrock) =
        (Home::new(&day(worst(512) + COST)), Bedrock::script([Reply::Cut(frames(&[])), Reply::text("ok")]));
    ask(&home, &bedrock).run().code(5);
    ask(&home, &bedrock).stdout("").code(3).stderr_has("$0.00 spent, $0.000091 uncertain (may have been billed)");
    let listed = Chatrix::usage().arg("--uncertain").home(&home).run().code(0).stdout;
    assert!(listed.contains("ask      nova-micro  $0.000091"), "{listed}");
    let listed = Chatrix::usage().args(["--uncertain", "--json"]).home(&home).run().code(0).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let began = &listed[0]["began"];
    let expected = json!([{
        "id": 1, "began": began, "command": "ask", "key": null, "model": "us.amazon.nova-micro-v1:0",
        "reserved_usd": 0.000_090_79, "chatrix_request_id": null, "bedrock_request_id": null,
    }]);
    assert_eq!(listed, expected);
    let settle = |id: &str, usd: &str| Chatrix::usage().args(["settle", id, "--usd", usd]).home(&home).run();
    settle("7", "0.1").code(2).stderr_has("there is no call 7");
    settle("1", "0.00000105").code(0).stderr("call 1 is booked at $0.0000011\n");
    settle("1", "0.00009").code(0); // a mistake can be corrected
    settle("1", "0.5").code(2).stderr(
        "error: at most $0.00009079 was reserved for call 1, so AWS cannot have billed $0.50 for it; \
         if it has, add --above-reserved\n",
    );
    Chatrix::usage().args(["settle", "1", "--usd", "0.5", "--above-reserved"]).home(&home).run().code(0);
    settle("1", "-1").code(2).stderr_has("not an amount of dollars");
    settle("1", "0.00000105").code(0);
    assert_eq!(home.booked(), (COST, 0, 0));
    ask(&home, &bedrock).stdout("ok\n").code(0);
    let last = home.last_call();
    let settled = format!("call {last} is settled; only a call whose usage never came");
    settle(&last.to_string(), "0").code(2).stderr_has(&settled);
    assert_eq!(Chatrix::usage().arg("--uncertain").home(&home).run().stdout, "no call is uncertain\n");
}

#[test]
fn x1_an_exception_before_anything_of_the_answer_costs_nothing() {
    let home = Home::new("[budget]\nday_usd = 1\n");
    let throttled = wire::exception("throttlingException", "Too many tokens, please wait before trying again.");
    let bedrock = Bedrock::script([Reply::Frames(vec![throttled])]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let body = json!({"model": "nova-micro", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let answer = server.chat(&body);
    assert!(answer.body.contains("rate_limit_exceeded"), "{}", answer.body);
    assert_eq!(home.at_rest(), (0, 0, 0), "settled, reserved, uncertain");
}
