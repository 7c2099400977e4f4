//! What the engine does before a call, without a server in front of it: counting, and what it learns from calls for the
//! admission of later ones.

mod figures;
mod loops;
mod prompts;
mod service;

use crate::support::{Bedrock, Reply};
use chatrix::api::anthropic::Messages;
use chatrix::api::{Dialect, RequestHeaders};
use chatrix::bedrock::{Client, Endpoint, TimeLimits};
use chatrix::catalog::{Catalog, NanoDollars};
use chatrix::conversation::{Message, Request};
use chatrix::engine::{BudgetGuard, Caller, Count, Engine};
use chatrix::error::Kind;
use chatrix::ledger::budget::Budgets;
use chatrix::ledger::key::{Key, KeyLimits};
use chatrix::ledger::{Clock, KeyId, Ledger, Location};
use chatrix::policy::{Limits, Policy};
use chatrix::telemetry::Telemetry;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The built-in policy, with longer answers.
fn policy() -> Policy {
    Policy {
        catalog: Arc::new(Catalog::load(&[]).unwrap()),
        default_model: "claude-sonnet-4-6".into(),
        limits: Limits { max_tokens: 512, max_tokens_limit: 32_000, ..Limits::default() },
        overrides: Vec::new(),
        follow_successor: true,
        prompt_cache: false,
        service_tiers: Vec::new(),
        native_messages: true,
        fetch_images: false,
    }
}

/// So many dollars.
fn dollars(amount: u64) -> NanoDollars {
    NanoDollars(amount * 1_000_000_000)
}

/// A Messages request, as its dialect parses it.
fn messages_request(body: &Value) -> Request {
    let body = body.to_string();
    Messages.parse(body.as_bytes().into(), &RequestHeaders::default()).unwrap().request
}

/// The answer of a service in the form of `InvokeModel` for Claude.
fn message(content: &Value, stop: &str, usage: &Value) -> Reply {
    let body = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content,
                      "stop_reason": stop, "usage": usage});
    Reply::Recorded(200, vec![("content-type".into(), "application/json".into())], body.to_string().into())
}

/// An engine whose calls go to a scripted Bedrock, and the folder of its ledger.
async fn engine(bedrock: &Bedrock, budgets: Budgets) -> (Arc<Engine>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(&Location::File(folder.path().join("ledger.db")), Clock::system(), Telemetry::default());
    let long = Duration::from_mins(1);
    let limits = TimeLimits { stream_idle: long, answer: long, connection_idle: long, credentials: long };
    let client = Client::new(Endpoint::Local { url: bedrock.url.clone() }, limits, Telemetry::default()).await.unwrap();
    let guard = BudgetGuard { budgets, ledger: Some(ledger) };
    (Arc::new(Engine::new(policy(), client, guard, false, Telemetry::default())), folder)
}

fn question(model: &str, text: impl Into<String>) -> Request {
    Request { model: model.into(), messages: vec![Message::user(text)], ..Request::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_counted_once_and_estimated_where_they_cannot_be() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (engine, _folder) = engine(&bedrock, Budgets::default()).await;
    let count = async |model, text: &str| engine.count(question(model, text), &Caller::default()).await;
    bedrock.count_as(17);
    let counted = Count { tokens: 17, is_estimate: false };
    for (text, requests) in [("hello", 1), ("hello", 1), ("hello!", 2)] {
        assert_eq!(count("claude-sonnet-4-6", text).await.unwrap(), counted);
        assert_eq!(bedrock.counted(), requests, "{text}");
    }
    // One that fails now, and one of a model that cannot count. The estimate is far below the bound.
    bedrock.count_as(0);
    for (model, requests) in [("claude-sonnet-4-6", 3), ("nova-micro", 3)] {
        let Count { tokens, is_estimate } = count(model, &"word ".repeat(70)).await.unwrap();
        assert!((90..=110).contains(&tokens) && is_estimate, "{tokens}");
        assert_eq!(bedrock.counted(), requests);
    }
    assert_eq!(count("nobody", "hello").await.unwrap_err().kind, Kind::ModelNotFound);
    let limits = KeyLimits { models: vec!["nova-micro".into()], ..KeyLimits::default() };
    let key = Key {
        id: KeyId(1),
        name: "laptop".into(),
        hash: String::new(),
        made: 0,
        revoked: None,
        expires: None,
        previous: None,
        limits,
        group: None,
    };
    let caller = Caller { key: Some(Arc::new(key)), ..Caller::default() };
    let refused = engine.count(question("claude-sonnet-4-6", "hello"), &caller).await.unwrap_err();
    assert_eq!(refused.kind, Kind::ModelNotAllowed);
    assert!(bedrock.calls().is_empty(), "nothing is asked of a model");
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_counts_at_once_are_fast_and_cost_nothing() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    // No budget is left, and no call is made.
    let nothing = Some(NanoDollars(1));
    let (engine, folder) = engine(&bedrock, Budgets { day: nothing, ..Budgets::default() }).await;
    bedrock.count_as(17);
    let began = Instant::now();
    let counts: Vec<_> = (0..30)
        .map(|n| {
            let engine = Arc::clone(&engine);
            tokio::spawn(async move {
                engine.count(question("claude-sonnet-4-6", format!("text {}", n % 15)), &Caller::default()).await
            })
        })
        .collect();
    for count in counts {
        assert_eq!(count.await.unwrap().unwrap(), Count { tokens: 17, is_estimate: false });
    }
    println!("30 counts at once took {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(bedrock.counted(), 15, "the same text is counted once");
    assert!(!folder.path().join("ledger.db").exists(), "nothing is booked");
}
