//! Sampling, limits and tiers.

use super::{asked, post, refused, sent};
use crate::support::{Bedrock, Chatrix, Reply, Server};
use serde_json::{Value, json};

#[test]
fn s1_of_temperature_and_top_p_only_one_is_sent() {
    let body = sent(&asked("claude-sonnet-4-6", json!({"temperature": 0.7, "top_p": 0.9})));
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 512, "temperature": 0.3}));
    // For a model that is not known to refuse both, the refusal costs nothing and is remembered.
    let both = refused(
        "The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.",
    );
    let bedrock = Bedrock::script([both, Reply::text("ok")]);
    let server = Server::start(&bedrock);
    for _ in 0..2 {
        assert_eq!(server.chat(&asked("claude-sonnet-4", json!({}))).status, 200);
    }
    let configs: Vec<_> =
        bedrock.calls().into_iter().map(|call| call.body["inferenceConfig"]["topP"].clone()).collect();
    assert_eq!(configs, [json!(0.3), Value::Null, Value::Null], "the refusal is remembered");
}

#[test]
fn s2_a_deprecated_parameter_is_learned_from_the_refusal() {
    let temperature = refused("The model returned the following errors: `temperature` is deprecated for this model.");
    let top_p = refused("The model returned the following errors: `top_p` is deprecated for this model.");
    let bedrock = Bedrock::script([temperature, top_p, Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let first = server.chat(&asked("eu.deepseek.v9", json!({})));
    assert_eq!(first.headers["x-chatrix-policy"], "max_tokens unset->512");
    assert_eq!(server.chat(&asked("eu.deepseek.v9", json!({}))).status, 200);
    let calls = bedrock.calls();
    assert_eq!((calls.len(), &calls[3].body["inferenceConfig"]), (4, &json!({"maxTokens": 512})));
    let (other, calls) = post([refused("Something else about top_k.")], &asked("eu.deepseek.v9", json!({})));
    assert_eq!((other.status, calls.len()), (400, 1));
}

#[test]
fn s3_s4_ignored_sampling_is_listed_and_a_limit_is_always_sent() {
    let (answer, calls) = post(
        [Reply::text("ok")],
        &asked("nova-micro", json!({"temperature": 1.7, "top_k": 5, "seed": 1, "min_p": 0.1})),
    );
    assert_eq!(
        answer.headers["x-chatrix-policy"],
        "max_tokens unset->512; temperature 1.7->0.3; top_p unset->0.3; top_k 5->unset; seed 1->unset; min_p 0.1->unset"
    );
    assert_eq!(calls[0].body["inferenceConfig"], json!({"maxTokens": 512, "temperature": 0.3, "topP": 0.3}));
}

#[test]
fn s5_max_tokens_below_one_is_refused_before_spending() {
    let (answer, calls) = post([Reply::text("never")], &asked("nova-micro", json!({"max_tokens": 0})));
    assert_eq!((answer.status, calls.len()), (400, 0));
}

#[test]
fn s6_a_reasoning_budget_fits_under_the_limit_or_is_off() {
    let body = sent(&asked("claude-haiku-4-5", json!({"reasoning_effort": "high"})));
    assert_eq!(body["additionalModelRequestFields"], Value::Null, "no budget fits under 1,024");
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let config = "[models.claude-haiku-4-5]\nmax_tokens_limit = 3000\n";
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config(config));
    let answer = server.chat(&asked("claude-haiku-4-5", json!({"reasoning_effort": "high", "max_tokens": 9000})));
    assert_eq!(answer.headers["x-chatrix-policy"], "max_tokens 9000->3000; reasoning_effort high->2744 tokens");
    let body = bedrock.call().body;
    assert_eq!(body["additionalModelRequestFields"], json!({"thinking": {"type": "enabled", "budget_tokens": 2744}}));
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 3000}), "no sampling parameters while it reasons");
}

#[test]
fn a_tier_is_given_where_the_operator_allows_it_and_priced() {
    let bedrock = Bedrock::script([Reply::Text(vec!["ok".into()], "end_turn", (1_000_000, 1_000_000))]);
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config("service_tiers = ['priority']"));
    let priority = server.chat(&asked("deepseek-v3", json!({"service_tier": "priority"})));
    assert_eq!(bedrock.call().body["serviceTier"], json!({"type": "priority"}));
    assert_eq!(priority.headers["x-chatrix-cost-usd"], "4.3225", "1.085 and 3.2375 per million");
    let flex = server.chat(&asked("deepseek-v3", json!({"service_tier": "flex"})));
    assert!(flex.headers["x-chatrix-policy"].contains("service_tier flex->unset"));
    assert_eq!(bedrock.calls()[1].body["serviceTier"], Value::Null);
    assert_eq!(server.chat(&asked("claude-haiku", json!({"service_tier": "priority"}))).status, 200);
    assert_eq!(bedrock.calls()[2].body["serviceTier"], Value::Null, "Claude has no tiers");
}
