//! Answers that are not what was asked for: a script learns it from the exit code and from one line on stderr.

use crate::support::{Bedrock, Chatrix, Reply, Terminal};
use chatrix::offline::wire;
use serde_json::json;

const CUT: &str =
    "error: the answer was cut off at the token limit; --max-tokens raises it, up to the policy's limit\n";
const EMPTY: &str = "error: the answer is empty\n";

/// An answer, complete or streamed as it is asked for.
fn ended(text: &str, stop: &'static str) -> Reply {
    Reply::Text(vec![text.to_owned()], stop, (10, 5))
}

#[test]
fn newcomer_05_an_incomplete_answer_exits_6_with_one_line() {
    for (text, stop, line) in [
        ("half", "max_tokens", CUT),
        ("half", "model_context_window_exceeded", "error: the answer was cut off because the context window is full\n"),
        ("half", "guardrail_intervened", "error: a guardrail intervened\n"),
        ("half", "content_filtered", "error: the answer was blocked by a content filter\n"),
        ("half", "malformed_model_output", "error: the answer is malformed (malformed_model_output)\n"),
        ("half", "tomorrows_reason", "error: the answer ended with \"tomorrows_reason\"\n"),
        ("", "max_tokens", CUT),
        ("", "end_turn", EMPTY),
        (" \n", "end_turn", EMPTY),
        (
            "",
            "malformed_model_output",
            "error: the model produced no valid answer (malformed_model_output); try again\n",
        ),
    ] {
        let bedrock = Bedrock::script([ended(text, stop)]);
        let ask = || Chatrix::ask().args(["--no-stdin", "hi"]).bedrock(&bedrock);
        let printed = if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        for options in [&[][..], &["-q"], &["--no-stream"], &["-q", "--no-stream"]] {
            options.iter().fold(ask(), |ask, option| ask.arg(option)).stdout(&printed).code(6).stderr(line);
        }
        let object = ask().args(["-q", "--json"]).run().code(6).stderr(line).stdout;
        let has_object = !(text.is_empty() && stop == "malformed_model_output");
        assert_eq!(object.contains("\"stop_reason\":"), has_object, "{object}");
        assert!(ask().arg("-v").run().code(6).stderr.ends_with(line));
    }
}

#[test]
fn newcomer_05_an_answer_by_schema_must_be_json() {
    const SCHEMA: &str = r#"{"type": "object", "properties": {"city": {"type": "string"}}}"#;
    let not_json = |why: &str| format!("error: the answer is not valid JSON: {why}\n");
    for (text, stop, code, line) in [
        ("{\"city\":\"Ulm\"}", "end_turn", 0, String::new()),
        (" [1]\n", "end_turn", 0, String::new()),
        ("{\"ci", "end_turn", 6, not_json("EOF while parsing a string at line 1 column 4")),
        ("{\"ci", "max_tokens", 6, CUT.to_owned()),
        ("not json", "end_turn", 6, not_json("expected ident at line 1 column 2")),
        ("{} and more", "end_turn", 6, not_json("trailing characters at line 1 column 4")),
        ("", "end_turn", 6, EMPTY.to_owned()),
    ] {
        let bedrock = Bedrock::script([ended(text, stop)]);
        for option in ["-q", "--no-stream", "--json"] {
            let ask = Chatrix::ask().args(["--no-stdin", "where?", option]).file("schema.json", SCHEMA);
            let path = ask.path("schema.json");
            ask.args(["--schema", &path]).bedrock(&bedrock).run().code(code).stderr(&line);
        }
    }
}

#[test]
fn a_complete_answer_is_a_success() {
    for stop in ["end_turn", "stop_sequence"] {
        let bedrock = Bedrock::script([ended("whole", stop)]);
        Chatrix::ask().args(["--no-stdin", "hi"]).bedrock(&bedrock).stdout("whole\n").code(0).stderr("");
    }
}

#[test]
fn newcomer_11_a_piped_chat_exits_with_the_code_of_its_last_failure() {
    let fine = || ended("fine", "end_turn");
    let denied = || Reply::Error(403, "AccessDeniedException", "No.");
    let invalid = || Reply::Error(400, "ValidationException", "No.");
    let broken = || Reply::Frames(vec![wire::event("contentBlockDelta", json!({"delta": {"text": "half"}}))]);
    for (replies, code) in [
        (vec![fine(), fine()], 0),
        (vec![denied(), fine()], 4),
        (vec![denied(), invalid()], 2),
        (vec![fine(), broken()], 5),
        (vec![fine(), ended("half", "max_tokens")], 6),
        (vec![ended("", "end_turn"), fine()], 6),
    ] {
        let bedrock = Bedrock::script(replies);
        Chatrix::chat().bedrock(&bedrock).stdin("one\ntwo\n").run().code(code);
    }
    for (lines, code) in [("/cost\n", 0), ("/modle\n", 2), ("/model nope\n", 2), ("/modle\n/exit\n", 2)] {
        Chatrix::chat().arg("--offline").stdin(lines).run().code(code);
    }
}

#[test]
fn a_person_in_a_chat_has_seen_the_failure() {
    let bedrock = Bedrock::script([Reply::Error(403, "AccessDeniedException", "No.")]);
    let mut chat = Terminal::start(Chatrix::chat().bedrock(&bedrock), 80, 24);
    chat.line("hi");
    chat.wait_for("Bedrock: No");
    assert_eq!(chat.leave(), Some(0));
}

#[test]
fn newcomer_further_max_tokens_below_1_is_refused_before_anything_is_opened() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    for number in ["0", "-5", "-9223372036854775808", "1.5", "many", ""] {
        for chatrix in [Chatrix::ask().arg("hi"), Chatrix::chat()] {
            let chatrix = chatrix.bedrock(&bedrock).args(["--max-tokens", number]);
            let state = chatrix.path(".local");
            let (mut child, _home) = chatrix.spawn();
            assert_eq!(child.wait().unwrap().code(), Some(2), "{number}");
            assert!(!std::path::Path::new(&state).exists(), "{number}");
        }
    }
    assert!(bedrock.calls().is_empty());
}
