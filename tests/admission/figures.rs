//! How many Claude Code sessions fit under a budget at the same time. Prints the figures. `CHATRIX_CLIENTS` names the folder
//! of captured requests; without it, a request of the same size is made up.

use super::{dollars, engine, message, messages_request, policy};
use crate::support::{Bedrock, Call, Reply};
use chatrix::catalog::NanoDollars;
use chatrix::engine::{AnswerMode, Caller};
use chatrix::ledger::budget::Budgets;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// The rounds of a session, what each adds to its conversation (bytes), and the tokens of each answer.
const ROUNDS: usize = 20;
const ARGUMENTS: usize = 1500;
const RESULT: usize = 6000;
const ANSWER_TOKENS: u64 = 600;

/// The first request of a session.
fn first_request() -> Value {
    let Some(root) = std::env::var_os("CHATRIX_CLIENTS").map(PathBuf::from) else {
        let text = "Use the tools. ".repeat(6000);
        return json!({
            "model": "claude-sonnet-4-6", "max_tokens": 32000,
            "system": [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}],
            "tools": [{"name": "Read", "input_schema": {"type": "object"}}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Say hello."}]}],
        });
    };
    let captured = std::fs::read(root.join("claude-code/text-sonnet-4-6.json")).unwrap();
    serde_json::from_slice::<Value>(&captured).unwrap()["body"].clone()
}

fn next_round(body: &mut Value, round: usize) {
    let id = format!("toolu_{round}");
    let input = json!({"file_path": "/src/main.rs", "content": "fn main() {}\n".repeat(ARGUMENTS / 14)});
    let result = "let x = compute(y);\n".repeat(RESULT / 20);
    body["messages"].as_array_mut().unwrap().extend([
        json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "Read", "input": input}]}),
        json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": result}]}),
    ]);
}

/// What one call of a session costs, and what is reserved for it.
#[derive(Debug, Clone, Copy)]
struct Round {
    cost: NanoDollars,
    by_bytes: NanoDollars,
    counted: NanoDollars,
    continued: NanoDollars,
}

/// The rounds of one session, with answers of at most so many tokens. Four bytes are a token, and what was sent before is read
/// from the prompt cache.
async fn session(max_tokens: u32) -> Vec<Round> {
    let usage = |call: &Call| {
        let tokens = u64::try_from(call.bytes.len() / 4).unwrap();
        let rounds = call.body["messages"].as_array().unwrap().len() / 2;
        let added = if rounds == 0 { tokens } else { u64::try_from((ARGUMENTS + RESULT) / 4).unwrap() };
        let (written, read) = (added, tokens - added);
        json!({"input_tokens": 0, "cache_creation_input_tokens": written, "cache_read_input_tokens": read,
               "output_tokens": ANSWER_TOKENS})
    };
    let answered = move |call: &Call| message(&json!([{"type": "text", "text": "ok"}]), "end_turn", &usage(call));
    let bedrock = Bedrock::script([Reply::Chosen(Arc::new(answered))]);
    let (engine, _folder) = engine(&bedrock, Budgets { day: Some(dollars(1_000_000)), ..Budgets::default() }).await;
    let mut body = first_request();
    body["max_tokens"] = max_tokens.into();
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let admitted = policy().admit(messages_request(&body), None).unwrap();
        let full = |bound: u64| admitted.clone().with_input_bound(bound).amount_to_reserve(u32::MAX).unwrap();
        let mut call = engine.ask(messages_request(&body), AnswerMode::Complete, Caller::default()).await.unwrap();
        let continued = call.reserved().unwrap();
        call.answer().await.unwrap();
        let tokens = call.usage().unwrap().prompt();
        let counted = full(tokens + tokens / 20 + 64);
        rounds.push(Round { cost: call.cost().unwrap(), by_bytes: full(u64::MAX), counted, continued });
        next_round(&mut body, round);
    }
    rounds
}

/// How many sessions go on at the same pace for all rounds, so that in each round all of their calls are reserved at the
/// same time. A call is counted where it does not fit otherwise, if its model can count.
fn fitting(rounds: &[Round], budget: NanoDollars, reserved: fn(&Round) -> NanoDollars, counts: bool) -> u64 {
    let fits = |sessions: u64| {
        let mut spent = 0;
        rounds.iter().all(|round| {
            let mut booked = spent;
            for _ in 0..sessions {
                let amount = if counts && booked + reserved(round).0 > budget.0 {
                    reserved(round).min(round.counted)
                } else {
                    reserved(round)
                };
                booked += amount.0;
            }
            spent += sessions * round.cost.0;
            booked <= budget.0
        })
    };
    (1..1_000_000).take_while(|sessions| fits(*sessions)).last().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn more_sessions_fit_under_a_budget() {
    for max_tokens in [32_000, 16_000, 8_000] {
        let rounds = session(max_tokens).await;
        let (first, last) = (rounds[0], rounds[ROUNDS - 1]);
        println!(
            "answers of at most {max_tokens} tokens: the first call costs {} and reserves {} by bytes, {} counted; call \
             {ROUNDS} costs {} and reserves {} by bytes, {} counted, {} as a continuation",
            first.cost, first.by_bytes, first.counted, last.cost, last.by_bytes, last.counted, last.continued
        );
        for (budget, calls) in [(2, 5), (2, ROUNDS), (20, 5), (20, ROUNDS)] {
            let fit = |reserved: fn(&Round) -> NanoDollars, counts| {
                fitting(&rounds[..calls], dollars(budget), reserved, counts)
            };
            let (before, after) = (fit(|round| round.by_bytes, false), fit(|round| round.continued, false));
            let (counted_before, counted_after) =
                (fit(|round| round.by_bytes, true), fit(|round| round.continued, true));
            println!(
                "  ${budget} a day, {calls} calls each: {counted_before} sessions before, {counted_after} after; where \
                 the model cannot count, {before} before, {after} after"
            );
            assert!(after >= before && counted_after >= counted_before);
        }
        // The first call of a session is not continued, and each later one is far below its bytes.
        assert_eq!(first.continued, first.by_bytes);
        assert!(rounds[1..].iter().all(|round| round.continued < round.by_bytes && round.cost < round.continued));
    }
}
