//! The bound of a prompt that begins like an earlier one: it is never below the truth, whatever a tokenizer does that makes
//! at most one token of a byte, and whichever reasoning the service leaves out.

use super::service::{Conversation, Service};
use super::{dollars, engine, message, messages_request, policy};
use crate::replay::recordings;
use crate::requests::{inexpressible, openai_request};
use crate::support::{Bedrock, Call, Reply};
use chatrix::api::anthropic::Messages;
use chatrix::api::openai::ChatCompletions;
use chatrix::api::{Dialect, RequestHeaders};
use chatrix::bedrock::prompt;
use chatrix::engine::{AnswerMode, Caller};
use chatrix::error::Kind;
use chatrix::ledger::budget::Budgets;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The usage of a call as its service reports it, in the dearest way that its cache points allow.
fn answered(service: Service, call: &Call) -> Reply {
    let tokens = u64::try_from(service.prompt(&call.body)).unwrap();
    let is_cached =
        call.body["messages"].to_string().contains("cache_control") || call.body.to_string().contains("cachePoint");
    let limit = call.body["inferenceConfig"]["maxTokens"].as_u64().or(call.body["max_tokens"].as_u64()).unwrap();
    let (input, written) = if is_cached { (0, tokens) } else { (tokens, 0) };
    if call.operation == "invoke" {
        let usage = json!({"input_tokens": input, "cache_creation_input_tokens": written, "output_tokens": limit});
        return message(&json!([{"type": "text", "text": "ok"}]), "end_turn", &usage);
    }
    let body = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}}, "stopReason": "end_turn",
        "usage": {"inputTokens": input, "cacheWriteInputTokens": written, "outputTokens": limit,
                  "totalTokens": tokens + limit},
    });
    Reply::Recorded(200, vec![("content-type".into(), "application/json".into())], body.to_string().into())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bound_of_a_continued_prompt_is_never_below_the_truth() {
    const ROUNDS: usize = 60;
    let sharpened = AtomicUsize::new(0);
    let mut calls = 0;
    for seed in 0..8 {
        let service = Service { seed, drops_reasoning: seed % 2 == 0, mixed_ends_loop: seed % 4 < 2 };
        let bedrock = Bedrock::script([Reply::Chosen(Arc::new(move |call: &Call| answered(service, call)))]);
        let (engine, _folder) = engine(&bedrock, Budgets { day: Some(dollars(1_000_000)), ..Budgets::default() }).await;
        let mut random = fastrand::Rng::with_seed(seed);
        let mut conversations: Vec<_> = (0..4).map(|_| Conversation::new(&mut random)).collect();
        for round in 0..ROUNDS {
            let conversation = &mut conversations[random.usize(..4)];
            conversation.change(&mut random);
            let mut request = messages_request(&conversation.body);
            if seed >= 4 {
                request.native = None;
            }
            let by_bytes = policy().admit(request.clone(), None).unwrap().amount_to_reserve(u32::MAX).unwrap();
            let mut call = engine.ask(request, AnswerMode::Complete, Caller::default()).await.unwrap();
            let reserved = call.reserved().unwrap();
            call.answer().await.unwrap();
            let cost = call.cost().unwrap();
            assert!(cost <= reserved, "seed {seed}, round {round}: {cost:?} of {reserved:?}\n{}", conversation.body);
            sharpened.fetch_add(usize::from(reserved < by_bytes), Ordering::SeqCst);
            calls += 1;
        }
    }
    let sharpened = sharpened.into_inner();
    println!("{sharpened} of {calls} calls were bounded by an earlier one");
    assert!(sharpened > calls / 2, "{sharpened} of {calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_conversations_never_overshoot_with_sharper_bounds() {
    let service = Service { seed: 3, drops_reasoning: true, mixed_ends_loop: false };
    let bedrock = Bedrock::script([Reply::Chosen(Arc::new(move |call: &Call| answered(service, call)))]);
    let budget = dollars(6);
    let wait = std::time::Duration::from_secs(20);
    let (engine, _folder) =
        engine(&bedrock, Budgets { day: Some(budget), tools_wait: wait, ..Budgets::default() }).await;
    let sessions = (0..16).map(|seed| {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut conversation = Conversation::new(&mut random);
            let (mut served, mut refused) = (0, 0);
            for _ in 0..12 {
                conversation.change(&mut random);
                let request = messages_request(&conversation.body);
                match engine.ask(request, AnswerMode::Complete, Caller::default()).await {
                    Ok(mut call) => {
                        let booked = engine.guard().statuses().await[0].totals.all();
                        assert!(booked <= budget, "{booked:?} is booked");
                        call.answer().await.unwrap();
                        assert!(call.cost() <= call.reserved());
                        served += 1;
                    }
                    Err(error) => {
                        assert_eq!(error.kind, Kind::BudgetExceeded, "{error}");
                        refused += 1;
                    }
                }
            }
            (served, refused)
        })
    });
    let sessions: Vec<_> = sessions.collect();
    let (mut served, mut refused) = (0, 0);
    for session in sessions {
        let (more_served, more_refused) = session.await.unwrap();
        (served, refused) = (served + more_served, refused + more_refused);
    }
    let totals = engine.guard().statuses().await[0].totals;
    println!("{served} calls served, {refused} refused, {} of {budget} spent", totals.settled);
    assert!(totals.all() <= budget && served > 0 && refused > 0, "{totals:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_conversations_cost_no_more_than_their_sharper_bounds() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (engine, _folder) = engine(&bedrock, Budgets { day: Some(dollars(1_000_000)), ..Budgets::default() }).await;
    let (mut calls, mut continued) = (0, Vec::new());
    for folder in ["converse", "converse-stream", "invoke", "invoke-stream"] {
        let Some(recordings) = recordings(folder) else { return };
        for recording in recordings {
            let mut body = recording.json["request"]["body"].clone();
            let is_native = folder.starts_with("invoke");
            let request = if is_native {
                body["model"] = recording.model().into();
                let parsed = Messages.parse(body.to_string().as_bytes().into(), &RequestHeaders::default());
                parsed.ok().map(|parsed| parsed.request)
            } else if inexpressible(&body).is_none() {
                let body = openai_request(&recording).to_string();
                let parsed = ChatCompletions.parse(body.as_bytes().into(), &RequestHeaders::default());
                parsed.ok().map(|parsed| parsed.request)
            } else {
                None
            };
            let Some(mut request) = request.filter(|_| recording.model().contains("anthropic")) else { continue };
            request.max_tokens = Some(32_000);
            let Ok(admitted) = policy().admit(request.clone(), None) else { continue };
            let mode = if folder.ends_with("stream") { AnswerMode::Streamed } else { AnswerMode::Complete };
            bedrock.answer_with(recording.reply());
            let Ok(mut call) = engine.ask(request, mode, Caller::default()).await else { continue };
            let (reserved, _) = (call.reserved().unwrap(), call.answer().await);
            let (Some(cost), Some(usage)) = (call.cost(), call.usage()) else { continue };
            assert!(cost <= reserved, "{}: {cost:?} of {reserved:?}", recording.name);
            calls += 1;
            if reserved < admitted.amount_to_reserve(u32::MAX).unwrap() {
                continued.push((recording.name, usage.prompt(), admitted.input_bound(), reserved));
            }
        }
    }
    println!("{calls} recorded calls to Claude; {} were bounded by an earlier one:", continued.len());
    for (name, prompt, by_bytes, reserved) in &continued {
        println!("  {prompt} tokens, by bytes {by_bytes}, {} reserved: {name}", reserved.exact());
    }
    assert!(calls > 100 && continued.len() > 10, "{calls} {}", continued.len());
}

/// A round of a conversation that has called a tool.
fn round() -> Value {
    json!({
        "model": "claude-sonnet-4-6", "max_tokens": 100,
        "system": [{"type": "text", "text": "x-anthropic-billing-header: cch=1"}, {"type": "text", "text": "s"}],
        "tools": [{"name": "read", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "read", "input": {"cache_control": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "r"}]}]},
        ],
    })
}

#[test]
fn a_prompt_is_known_by_all_that_its_tokens_depend_on() {
    let base = round();
    let of = |body: &Value| prompt(&policy().admit(messages_request(body), None).unwrap());
    let point = json!({"type": "ephemeral"});
    let long_point = json!({"type": "ephemeral", "ttl": "1h"});
    for (pointer, value, is_same) in [
        ("/max_tokens", json!(50), true),
        ("/temperature", json!(0.9), true),
        ("/stop_sequences", json!(["x"]), true),
        ("/metadata", json!({"user_id": "u"}), true),
        ("/system/0/text", json!("x-anthropic-billing-header: cch=2"), true),
        ("/system/1/cache_control", point.clone(), true),
        ("/tools/0/cache_control", long_point.clone(), true),
        ("/messages/2/content/0/cache_control", point.clone(), true),
        ("/messages/2/content/0/content/0/cache_control", point, true),
        ("/messages/0/content", json!([{"type": "text", "text": "a", "cache_control": long_point}]), true),
        ("/model", json!("claude-haiku-4-5"), false),
        ("/system/1/text", json!("t"), false),
        ("/tools/0/description", json!("d"), false),
        ("/tools/0/input_schema/title", json!("t"), false),
        ("/tool_choice", json!({"type": "any"}), false),
        ("/tool_choice", json!({"type": "auto", "disable_parallel_tool_use": true}), false),
        ("/thinking", json!({"type": "adaptive"}), false),
        ("/messages/0/content", json!("b"), false),
        ("/messages/1/content/0/input/cache_control", json!(2), false),
        ("/messages/1/content/0/id", json!("u"), false),
        ("/messages/2/content/0/is_error", json!(true), false),
        ("/messages/2/content/0/content/0/text", json!("q"), false),
    ] {
        let mut body = base.clone();
        // Room for thinking.
        body["max_tokens"] = 20_000.into();
        let before = of(&body).unwrap();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value.clone();
        let after = of(&body).unwrap();
        let same = before.setting == after.setting
            && before.turns.last().unwrap().until_here == after.turns.last().unwrap().until_here;
        assert_eq!(same, is_same, "{pointer} {value}");
    }
}

#[test]
fn what_no_earlier_call_shows_is_not_bounded_by_one() {
    let base = round();
    let of = |body: &Value| prompt(&policy().admit(messages_request(body), None).unwrap());
    for (pointer, value) in [
        ("/context_management", json!({"edits": [{"type": "clear_tool_uses_20250919"}]})),
        ("/model", json!("nova-pro")),
    ] {
        let mut body = base.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value.clone();
        assert_eq!(of(&body), None, "{pointer} {value}");
    }
    // A reference loads a tool, and so do kinds that are not known.
    for content in [json!([{"type": "tool_reference", "tool_name": "read"}]), json!([{"type": "new"}])] {
        let mut body = base.clone();
        body["messages"][2]["content"][0]["content"] = content;
        let last = of(&body).unwrap().turns.pop().unwrap();
        assert_eq!((last.added_at_most, last.is_fixed), (None, false));
    }
}
