//! Tool calls that are cut: what an agent gets, and when a loop of them ends.

use super::{engine, message, messages_request};
use crate::support::{Bedrock, Reply};
use chatrix::conversation::{CutCalls, Request, StopReason};
use chatrix::engine::{AnswerMode, Caller, Engine};
use chatrix::error::{Error, Kind};
use chatrix::ledger::budget::Budgets;
use serde_json::json;
use std::sync::Arc;

fn request(max_tokens: u32, conversation: Option<&str>) -> Request {
    let mut request = messages_request(&json!({
        "model": "claude-sonnet-4-6", "max_tokens": max_tokens,
        "tools": [{"name": "write", "input_schema": {"type": "object", "required": ["path", "content"]}}],
        "messages": [{"role": "user", "content": "write a long file"}],
    }));
    request.conversation = conversation.map(ToOwned::to_owned);
    request
}

fn without_tools(conversation: &str) -> Request {
    Request { tools: Vec::new(), native: None, ..request(1000, Some(conversation)) }
}

/// A call that was cut before its second argument, and a whole answer.
fn cut() -> Reply {
    let call = json!([{"type": "tool_use", "id": "toolu_1", "name": "write", "input": {"path": "a.txt"}}]);
    message(&call, "max_tokens", &json!({"input_tokens": 10, "output_tokens": 1000}))
}

fn whole() -> Reply {
    message(&json!([{"type": "text", "text": "Done."}]), "end_turn", &json!({"input_tokens": 10, "output_tokens": 5}))
}

/// The stop of an answer, and whether it is empty.
async fn ask(engine: &Arc<Engine>, request: Request, cut_calls: CutCalls) -> Result<(StopReason, bool), Error> {
    let caller = Caller { cut_calls, ..Caller::default() };
    let answer = engine.ask(request, AnswerMode::Complete, caller).await?.answer().await?;
    Ok((answer.stop, answer.blocks.is_empty()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_gets_an_empty_answer_where_others_get_an_error() {
    let bedrock = Bedrock::script([cut()]);
    let (engine, _folder) = engine(&bedrock, Budgets::default()).await;
    let refused = ask(&engine, request(1000, Some("a")), CutCalls::Refuse).await.unwrap_err();
    assert_eq!(refused.kind, Kind::ToolCallCut);
    let left_out = ask(&engine, request(1000, Some("b")), CutCalls::LeaveOut).await.unwrap();
    assert_eq!(left_out, (StopReason::MaxTokens, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn three_cuts_in_a_row_end_a_conversation_until_something_changes() {
    let bedrock = Bedrock::script([cut()]);
    let (engine, _folder) = engine(&bedrock, Budgets::default()).await;
    let ask = async |max_tokens, conversation| {
        ask(&engine, request(max_tokens, conversation), CutCalls::LeaveOut).await.map(|_| ())
    };
    for conversation in [Some("a"), None] {
        for round in 0..3 {
            assert!(ask(1000, conversation).await.is_ok(), "{conversation:?} {round}");
        }
        let error = ask(1000, conversation).await.unwrap_err();
        assert_eq!(error.kind, Kind::ToolCallCut);
        let sentence = "the answer was cut at 1000 tokens, the max_tokens of the request, 3 times in a row inside a tool \
                        call; send a larger max_tokens with the request";
        assert_eq!(error.to_string(), sentence);
    }
    let sent = bedrock.calls().len();
    assert_eq!(sent, 6, "what is refused is not sent");
    // Another conversation, one without tools, and one whose limit was raised go on.
    assert!(ask(1000, Some("b")).await.is_ok());
    bedrock.answer_with(Reply::text("ok"));
    assert!(super::loops::ask(&engine, without_tools("a"), CutCalls::LeaveOut).await.is_ok());
    assert_eq!(ask(1000, Some("a")).await.unwrap_err().kind, Kind::ToolCallCut, "which says nothing about the loop");
    bedrock.answer_with(whole());
    assert!(ask(1001, Some("a")).await.is_ok());
    assert!(ask(1000, Some("a")).await.is_ok(), "a whole answer has reset it");
    // Other settings are a new start.
    let policy = super::policy();
    let reloaded = Arc::new(engine.with_settings(policy, Budgets::default(), false));
    assert!(super::loops::ask(&reloaded, request(1000, None), CutCalls::LeaveOut).await.is_ok());
    assert!(ask(1000, None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_between_two_cuts_begins_the_row_anew() {
    let bedrock = Bedrock::script([cut(), cut(), whole(), cut(), cut(), cut()]);
    let (engine, _folder) = engine(&bedrock, Budgets::default()).await;
    for round in 0..6 {
        assert!(ask(&engine, request(1000, Some("a")), CutCalls::LeaveOut).await.is_ok(), "{round}");
    }
    assert!(ask(&engine, request(1000, Some("a")), CutCalls::LeaveOut).await.is_err());
}
