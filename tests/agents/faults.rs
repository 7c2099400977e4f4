//! What the SDKs make of a busy Bedrock and of a stream that breaks: the programs `faults` of `tests/clients/agents`.

use super::{Place, installed, serve, text};
use crate::support::{Bedrock, Form, Reply};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A Bedrock that is busy for the first two of three calls with the prompt `busy`, because a request is tried three times
/// in all, and that breaks every stream of the prompt `break`.
fn faulty() -> (Bedrock, Arc<AtomicUsize>) {
    let broken = Arc::new(AtomicUsize::new(0));
    let (counted, busy) = (Arc::clone(&broken), AtomicUsize::new(0));
    let bedrock = Bedrock::script([Reply::Chosen(Arc::new(move |call| {
        let messages = call.body["messages"].to_string();
        let is_claude = call.operation.starts_with("invoke");
        let form = if is_claude { Form::Anthropic } else { Form::Converse };
        if messages.contains("busy") && busy.fetch_add(1, Ordering::SeqCst) % 3 != 2 {
            return Reply::Error(429, "ThrottlingException", "Too many requests, please wait before trying again.");
        }
        if messages.contains("break") {
            counted.fetch_add(1, Ordering::SeqCst);
            return Reply::Cut(vec![form.before_text(9), form.text("half of")]);
        }
        if messages.contains("half a call") {
            let half = json!({"type": "tool_use", "id": "tooluse_1", "name": "look", "input": r#"{"city": "Zü"#});
            return Reply::Message(json!([text("I will."), half]), "max_tokens", (9, 1000));
        }
        Reply::text("Now it works.")
    }))]);
    (bedrock, broken)
}

#[test]
fn sdks_wait_and_see_what_broke() {
    for (program, script) in [("python/bin/python", "python/faults.py"), ("node", "node/faults.mjs")] {
        let Some(script) = installed(script) else { return };
        let program = if program == "node" { program.into() } else { installed(program).unwrap() };
        let (bedrock, broken) = faulty();
        let server = serve(&bedrock);
        let place = Place::new();
        let mut command = place.command(&program);
        command.arg(&script).arg(format!("http://{}", server.address()));
        let ended = place.run(command);
        assert_eq!((ended.stdout.trim(), ended.code), ("faults ok", Some(0)), "{ended:?}");
        // Each of the two APIs asked once, for a Claude model and for another.
        assert_eq!(broken.load(Ordering::SeqCst), 4, "{script:?}");
    }
}
