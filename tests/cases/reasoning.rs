//! Reasoning and its signatures.

use super::{asked, post, refused, roomy, tool, tool_history};
use crate::support::{Bedrock, Chatrix, Reply, Server};
use serde_json::{Value, json};

#[test]
fn r1_signed_reasoning_makes_the_round_trip() {
    let thinking = json!({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}});
    let call = json!({"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"q": "x"}}});
    let bedrock = Bedrock::script([Reply::Blocks(json!([thinking, call])), Reply::text("done")]);
    let server = roomy(&bedrock);
    let first =
        json!({"tools": [tool("look")], "reasoning_effort": "low", "messages": [{"role": "user", "content": "go"}]});
    let message = server.chat(&asked("claude-haiku", first.clone())).json()["choices"][0]["message"].clone();
    assert_eq!(
        (&message["reasoning_content"], &message["reasoning_details"][0]["signature"]),
        (&json!("hm"), &json!("c2ln"))
    );
    // Some clients send the reasoning back, others such as Jan drop it. Claude gets it back either way.
    let mut dropped = message.clone();
    dropped.as_object_mut().unwrap().remove("reasoning_details");
    for history in [message, dropped] {
        let mut next = first.clone();
        next["messages"] =
            json!([first["messages"][0], history, {"role": "tool", "tool_call_id": "call_1", "content": "found"}]);
        assert_eq!(server.chat(&asked("claude-haiku", next)).status, 200);
        assert_eq!(bedrock.calls().last().unwrap().body["messages"][1]["content"][0], thinking);
    }
}

#[test]
fn r2_r8_after_a_refused_signature_the_call_is_repeated_without_reasoning() {
    let details = json!([{"type": "reasoning.text", "text": "hm", "signature": "foreign", "index": 0}]);
    let mut history = tool_history();
    history[1]["reasoning_details"] = details;
    let invalid = refused(
        "The model returned the following errors: messages.1.content.0: Invalid `signature` in `thinking` block",
    );
    let body = asked("claude-haiku", json!({"messages": history, "tools": [tool("look")], "reasoning_effort": "low"}));
    let bedrock = Bedrock::script([invalid, Reply::text("ok")]);
    let answer = roomy(&bedrock).chat(&body);
    let calls = bedrock.calls();
    assert_eq!((answer.status, calls.len()), (200, 2), "{}", answer.body);
    assert!(calls[0].body.to_string().contains("foreign") && !calls[1].body.to_string().contains("foreign"));
}

#[test]
fn r4_encrypted_reasoning_comes_and_goes_unchanged() {
    let hidden = json!({"reasoningContent": {"redactedContent": "ZW5jcnlwdGVk"}});
    let call = json!({"toolUse": {"toolUseId": "call_1", "name": "look", "input": {}}});
    let bedrock = Bedrock::script([Reply::Blocks(json!([hidden, call])), Reply::text("done")]);
    let server = roomy(&bedrock);
    let more = json!({"tools": [tool("look")], "reasoning_effort": "low"});
    let message = server.chat(&asked("claude-haiku", more.clone())).json()["choices"][0]["message"].clone();
    assert_eq!(message["reasoning_details"][0]["data"], "ZW5jcnlwdGVk");
    let mut next = more;
    next["messages"] =
        json!([{"role": "user", "content": "hi"}, message, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]);
    server.chat(&asked("claude-haiku", next));
    assert_eq!(bedrock.calls()[1].body["messages"][1]["content"][0], hidden);
}

#[test]
fn r6_r7_effort_goes_only_where_it_is_accepted_and_not_above_the_ceiling() {
    for (model, effort, fields) in [
        ("deepseek", "high", Value::Null),
        ("llama-4", "high", Value::Null),
        ("claude-sonnet-4-6", "max", json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}})),
        ("gpt-oss-120b", "xhigh", json!({"reasoning_effort": "high"})),
        ("nova-2-lite", "high", json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}})),
        ("qwen3", "medium", json!({"reasoning_config": "high"})),
        ("deepseek-v3", "none", Value::Null),
        ("claude-haiku", "banana", json!({"thinking": {"type": "disabled"}})),
    ] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        roomy(&bedrock).chat(&asked(model, json!({"reasoning_effort": effort})));
        assert_eq!(bedrock.call().body["additionalModelRequestFields"], fields, "{model}");
    }
}

#[test]
fn r9_inline_reasoning_of_gpt_oss_is_split_off() {
    let reply = Reply::Text(vec!["<reas".into(), "oning>hm</reasoning>".into(), "42".into()], "end_turn", (1, 2));
    let (answer, _) = post([reply], &asked("gpt-oss-20b", json!({})));
    let message = answer.json()["choices"][0]["message"].clone();
    assert_eq!((&message["content"], &message["reasoning_content"]), (&json!("42"), &json!("hm")));
}

/// An ARN that does not name its model behaves like the model that the operator says it is `like`: the family is data,
/// and is not derived from the id.
#[test]
fn an_opaque_arn_reasons_like_the_model_it_is_like() {
    const ARN: &str = "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/1arbu5hu2sjr";
    let configured = |like: &str| {
        Chatrix::serve().config(&format!(
            "[models.in-house]\nid = \"{ARN}\"\nlike = \"{like}\"\n[limits]\nmax_tokens = 4096\nmax_tokens_limit = 4096"
        ))
    };
    for (like, fields, policy) in [
        (
            "claude-sonnet-4-6",
            json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
            "max_tokens unset->4096",
        ),
        (
            "gpt-oss-120b",
            json!({"reasoning_effort": "high"}),
            "max_tokens unset->4096; temperature unset->0.3; top_p unset->0.3",
        ),
        (
            "qwen3",
            json!({"reasoning_config": "high"}),
            "max_tokens unset->4096; temperature unset->0.3; top_p unset->0.3",
        ),
    ] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        let server = Server::run(configured(like).bedrock(&bedrock));
        let answer = server.chat(&asked("in-house", json!({"reasoning_effort": "high"})));
        let call = bedrock.call();
        assert_eq!((call.model.as_str(), &call.body["additionalModelRequestFields"]), (ARN, &fields), "{like}");
        // Claude accepts no sampling parameters while it reasons. The effort was granted, so no edit is listed for it.
        assert_eq!(answer.headers["x-chatrix-policy"], policy, "{like}");
    }
    let offline = Server::run(configured("claude-sonnet-4-6").arg("--offline"));
    let answer = offline.chat(&asked("in-house", json!({"reasoning_effort": "high"})));
    assert!(answer.json()["choices"][0]["message"]["reasoning_content"].is_string(), "{}", answer.body);
}
