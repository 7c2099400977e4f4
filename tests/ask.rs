//! `chatrix ask` as people and scripts use it.

use crate::support::{Bedrock, Chatrix, Reply, delta, eventually, signal};
use chatrix::offline::wire;
use serde_json::json;
use std::io::{BufRead, BufReader, Read};

#[test]
fn stdout_is_the_answer_and_nothing_else() {
    Chatrix::ask().args(["--offline", "-q", "echo hello"]).stdout("hello\n").code(0).stderr("");
    let notice = "offline: a small model inside this process answers; nothing is sent to AWS or billed\n";
    Chatrix::ask().args(["--offline", "echo", "hello", "you"]).stdout("hello you\n").code(0).stderr(notice);
    Chatrix::ask().arg("echo a").env("CHATRIX_OFFLINE", "1").stdout("a\n").code(0).stderr(notice);
    let verbose = Chatrix::ask().args(["--offline", "-v", "-m", "nova-micro", "--max-tokens", "9999", "echo a"]);
    let verbose = verbose.stdout("a\n").code(0);
    verbose
        .stderr_has("model: us.amazon.nova-micro-v1:0")
        .stderr_has("answer limited to 1024 tokens (the policy's limit; 9999 were asked for)")
        .stderr_has(" tok · $");
}

#[test]
fn the_question_comes_from_arguments_and_stdin() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let ask = || Chatrix::ask().arg("-q").bedrock(&bedrock);
    ask().arg("summarise").stdin("some\ntext\n").stdout("ok\n").code(0);
    ask().stdin("only text").args(["-s", "Be brief."]).stdout("ok\n").code(0);
    ask().args(["--no-stdin", "plain"]).stdin("ignored").stdout("ok\n").code(0);
    let said = |n: usize| bedrock.calls()[n].body["messages"][0]["content"][0]["text"].as_str().unwrap().to_owned();
    assert_eq!(said(0), "summarise\n\n<stdin>\nsome\ntext\n</stdin>");
    assert_eq!((said(1).as_str(), &bedrock.calls()[1].body["system"]), ("only text", &json!([{"text": "Be brief."}])));
    assert_eq!(said(2), "plain");
    Chatrix::ask().stdin("  \n").stdout("").code(2).stderr_has("no question was given");
}

#[test]
fn wrong_input_is_refused_before_anything_is_sent() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    let ask = || Chatrix::ask().arg("hi").bedrock(&bedrock);
    ask().args(["--max-tokens", "0"]).stdout("").code(2).stderr_has("it must be a whole number above 0");
    ask().args(["--max-tokens", "-5"]).stdout("").code(2);
    ask().args(["--max-tokens", "many"]).stdout("").code(2);
    ask().args(["-m", "claude-sonet-4"]).stdout("").code(2).stderr_has("did you mean claude-sonnet-4?");
    ask().arg("--frob").stdout("").code(2);
    ask().env("CHATRIX_OFFLINE", "maybe").stdout("").code(2).stderr_has("CHATRIX_OFFLINE");
    assert!(bedrock.calls().is_empty());
}

#[test]
fn exit_codes_are_in_the_help() {
    let help = Chatrix::ask().arg("--help").run().code(0).stdout;
    for line in [
        "0    success",
        "2    usage",
        "3    refused by",
        "4    AWS cred",
        "5    Bedrock",
        "6    the answer",
        "130  interrupted",
    ] {
        assert!(help.contains(line), "{line}");
    }
}

#[test]
fn x2_a_lost_stream_is_never_success() {
    for reply in [
        Reply::Frames(vec![delta("half")]),
        Reply::Cut(vec![delta("half")]),
        Reply::Frames(vec![delta("half"), delta("x").slice(..20)]),
    ] {
        let bedrock = Bedrock::script([reply]);
        Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).stdout("half\n").code(5).stderr_has("error: the stream");
        assert_eq!(bedrock.calls().len(), 1);
    }
}

#[test]
fn x1_an_exception_inside_the_stream_is_an_error() {
    for (name, message) in [
        ("modelStreamErrorException", "The model broke."),
        ("throttlingException", "Too many tokens, please wait."),
        ("internalServerException", "Oh."),
        ("modelTimeoutException", "Too slow."),
    ] {
        let bedrock = Bedrock::script([Reply::Frames(vec![delta("half"), wire::exception(name, message)])]);
        let outcome = Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).stdout("half\n").code(5);
        outcome.stderr_has(message.trim_end_matches('.'));
        assert_eq!(bedrock.calls().len(), 1, "{name}: never sent again");
    }
    let refused = Reply::Frames(vec![wire::exception("validationException", "The image is broken.")]);
    Chatrix::ask().args(["-q", "hi"]).bedrock(&Bedrock::script([refused])).stdout("").code(2);
}

#[test]
fn a_silent_stream_is_an_error() {
    for reply in [Reply::Stall(vec![delta("half")]), Reply::Silence] {
        let bedrock = Bedrock::script([reply]);
        let ask = Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).config("stream_idle_seconds = 1");
        ask.run().code(5).stderr_has("Bedrock has sent no content for 1 s");
        eventually("the stream is closed", || bedrock.abandoned() == 1);
    }
}

#[test]
fn usage_lost_after_the_answer_is_no_error() {
    let frames = vec![delta("whole"), wire::event("messageStop", json!({"stopReason": "end_turn"}))];
    let ask = Chatrix::ask().args(["-v", "hi"]).bedrock(&Bedrock::script([Reply::Frames(frames)]));
    ask.stdout("whole\n").code(0).stderr_has("tokens unknown · at most $");
}

#[test]
fn a_cut_off_answer_is_said_to_be_one() {
    let bedrock = Bedrock::script([Reply::Text(vec!["half".into()], "max_tokens", (10, 5))]);
    Chatrix::ask()
        .args(["-v", "hi"])
        .bedrock(&bedrock)
        .stdout("half\n")
        .code(6)
        .stderr_has("cut off at the token limit");
}

#[test]
fn a_closed_pipe_ends_quietly_and_stops_bedrock() {
    let bedrock = Bedrock::script([Reply::Endless]);
    let (mut child, _home) = Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).spawn();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap(); // and the pipe closes
    assert_eq!(line, "line 0\n");
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
    eventually("the Bedrock stream is cancelled", || bedrock.abandoned() == 1);
}

#[test]
fn ctrl_c_stops_the_answer_and_bedrock() {
    for reply in [Reply::Endless, Reply::Silence] {
        let silent = matches!(reply, Reply::Silence);
        let bedrock = Bedrock::script([reply]);
        let (mut child, _home) = Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).spawn();
        if silent {
            eventually("the call has arrived", || bedrock.calls().len() == 1);
        } else {
            let mut first = [0; 4];
            child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        }
        signal(child.id(), "INT");
        assert_eq!(child.wait().unwrap().code(), Some(130));
        eventually("the Bedrock stream is cancelled", || bedrock.abandoned() == 1);
    }
}

#[test]
fn files_are_attached_by_their_content() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let ask = Chatrix::ask().args(["-q", "compare"]).bedrock(&bedrock);
    let ask = ask.file("notes.txt", "one\ntwo\n").file("wrong.png", "%PDF-1.4 \u{0}");
    let (text, pdf) = (ask.path("notes.txt"), ask.path("wrong.png"));
    ask.args(["-f", &text, "--file", &pdf]).stdout("ok\n").code(0);
    let content = bedrock.call().body["messages"][0]["content"].clone();
    assert_eq!(content[0], json!({"text": "<file name=\"notes.txt\">\none\ntwo\n</file>"}));
    assert_eq!((&content[1]["document"]["format"], &content[1]["document"]["name"]), (&json!("pdf"), &json!("wrong")));
    assert_eq!(content[2], json!({"text": "compare"}));
    let ask = Chatrix::ask().args(["-q", "compare"]).bedrock(&bedrock);
    let ask = ask.file("riff.txt", "RIFF is a container").file("gif.txt", "GIF8 is not a version");
    let (riff, gif) = (ask.path("riff.txt"), ask.path("gif.txt"));
    ask.args(["-f", &riff, "-f", &gif]).stdout("ok\n").code(0);
    let content = bedrock.calls()[1].body["messages"][0]["content"].clone();
    assert_eq!(content[0], json!({"text": "<file name=\"riff.txt\">\nRIFF is a container\n</file>"}));
    assert_eq!(content[1], json!({"text": "<file name=\"gif.txt\">\nGIF8 is not a version\n</file>"}));
    Chatrix::ask()
        .args(["--offline", "-f", "/nowhere/x", "hi"])
        .stdout("")
        .code(1)
        .stderr_has("cannot read /nowhere/x");
}

#[test]
fn answers_by_schema_and_as_one_object() {
    let schema = r#"{"type": "object", "properties": {"city": {"type": "string"}, "n": {"type": "integer"}}}"#;
    let ask = Chatrix::ask().args(["--offline", "-q", "-m", "claude-haiku-4-5", "where?"]).file("schema.json", schema);
    let path = ask.path("schema.json");
    ask.args(["--schema", &path]).stdout("{\"city\":\"offline\",\"n\":1}\n").code(0);
    let broken = Chatrix::ask().args(["--offline", "x"]).file("schema.json", "[");
    let path = broken.path("schema.json");
    broken.args(["--schema", &path]).stdout("").code(2).stderr_has("schema.json");

    let json = Chatrix::ask().args(["--offline", "-q", "--json", "-m", "nova-micro", "echo a b"]).run().code(0).stdout;
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&object["text"], &object["model"]), (&json!("a b"), &json!("us.amazon.nova-micro-v1:0")));
    assert_eq!((&object["stop_reason"], &object["usage"]["output_tokens"]), (&json!("end_turn"), &json!(2)));
    assert!(object["cost_usd"].as_f64().unwrap() > 0.0);
    assert_eq!(object["edits"][0], "max_tokens unset→512");
}
