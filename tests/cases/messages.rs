//! Messages, media and the prompt cache.

use super::{asked, post, sent, tool};
use crate::support::{Bedrock, Chatrix, Reply, Server};
use serde_json::{Value, json};

#[test]
fn m5_only_leading_system_messages_become_the_system_prompt() {
    let messages = json!([{"role": "system", "content": "s"}, {"role": "developer", "content": "t"}, {"role": "user", "content": "a"}, {"role": "system", "content": "u"}, {"role": "assistant", "content": "b"}, {"role": "developer", "content": "d"}, {"role": "user", "content": "c"}]);
    let body = sent(&asked("claude-haiku", json!({"messages": messages})));
    assert_eq!(body["system"], json!([{"text": "s"}, {"text": "t"}]));
    assert_eq!(body["messages"][0]["content"], json!([{"text": "a"}, {"text": "<system>u</system>"}]));
    assert_eq!(body["messages"][2]["content"], json!([{"text": "<system>d</system>"}, {"text": "c"}]));
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
}

#[test]
fn d2_an_image_url_is_refused_by_name() {
    let part = json!({"type": "image_url", "image_url": {"url": "https://example.com/x.png"}});
    let (answer, calls) = post(
        [Reply::text("never")],
        &asked("claude-haiku", json!({"messages": [{"role": "user", "content": [part]}]})),
    );
    assert_eq!((answer.error().0, calls.len()), (400, 0));
    assert_eq!(answer.json()["error"]["param"], "messages[0].content[0].image_url.url");
}

#[test]
fn d2_an_image_on_this_machine_is_never_fetched() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config("[serve]\nfetch_images = true"));
    let port = bedrock.url.rsplit_once(':').unwrap().1.to_owned();
    for host in ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"] {
        let image = json!({"type": "image_url", "image_url": {"url": format!("http://{host}:{port}/x.png")}});
        let answer = server.chat(&asked("claude-haiku", json!({"messages": [{"role": "user", "content": [image]}]})));
        assert_eq!((answer.status, bedrock.calls().len()), (400, 0), "{host}");
        assert_eq!(answer.json()["error"]["param"], "messages[0].content[0].image_url.url");
    }
}

#[test]
fn images_and_documents_go_through() {
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let content = json!([
        {"type": "image_url", "image_url": {"url": format!("data:image/jpeg;base64,{png}")}},
        {"type": "file", "file": {"filename": "a.b.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQ="}},
        {"type": "file", "file": {"filename": "a.b.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQ="}},
    ]);
    let body = sent(&asked("claude-haiku", json!({"messages": [{"role": "user", "content": content}]})));
    let content = &body["messages"][0]["content"];
    assert_eq!(
        content[0]["image"],
        json!({"format": "png", "source": {"bytes": png}}),
        "the format comes from the bytes, not from the declared type"
    );
    assert_eq!((&content[1]["document"]["name"], &content[2]["document"]["name"]), (&json!("a b"), &json!("a b 2")));
    assert_eq!(content[3], json!({"text": "."}));
}

#[test]
fn c1_c2_c3_c4_cached_tokens_are_counted_and_priced_once() {
    let tokens = json!({"inputTokens": 10, "outputTokens": 20, "totalTokens": 1130, "cacheReadInputTokens": 1000, "cacheWriteInputTokens": 100,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 40}, {"ttl": "5m", "inputTokens": 60}]});
    let body = json!({"output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}}, "stopReason": "end_turn", "usage": tokens});
    let json_type = vec![("content-type".to_owned(), "application/json".to_owned())];
    let (answer, _) =
        post([Reply::Recorded(200, json_type, body.to_string().into())], &asked("claude-sonnet-4-6", json!({})));
    let usage = &answer.json()["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["total_tokens"]), (&json!(1110), &json!(1130)));
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 1000);
    // 10 × $3.30 + 20 × $16.50 + 1000 × $0.33 + 60 × $4.125 + 40 × $6.60, per million.
    assert_eq!(answer.headers["x-chatrix-cost-usd"], "0.0012045");
    assert_eq!(usage["cost"], 0.001_204_5);
}

#[test]
fn c5_cache_points_go_only_where_they_are_accepted() {
    let cached = json!({"type": "ephemeral"});
    let mut look = tool("look");
    look["cache_control"] = cached.clone();
    let part = |text: &str| json!({"type": "text", "text": text, "cache_control": cached});
    let messages = json!([{"role": "system", "content": [part("s")]}, {"role": "user", "content": [part("a"), part("b"), part("c")]}]);
    let count = |model: &str| {
        let body = sent(&asked(model, json!({"tools": [look], "messages": messages})));
        let count = |value: &Value| value.to_string().matches("cachePoint").count();
        (count(&body["toolConfig"]), count(&body["system"]), count(&body["messages"]))
    };
    assert_eq!(count("claude-haiku"), (1, 1, 2), "four at most");
    assert_eq!(count("nova-pro"), (0, 1, 3), "none among Nova's tools");
    assert_eq!(count("mistral-large-3"), (0, 0, 0));
}

#[test]
fn tags_reach_the_invocation_log_in_its_alphabet() {
    let body = sent(&asked("claude-haiku", json!({"user": "anna@example.com", "metadata": {"team": "grün & co"}})));
    let tags = &body["requestMetadata"];
    assert_eq!((&tags["team"], &tags["user"]), (&json!("gr_n _ co"), &json!("anna@example.com")));
    assert!(tags["chatrix_request_id"].as_str().is_some_and(|id| id.starts_with("req_")), "{tags}");
}

#[test]
fn cache_points_are_added_only_where_they_pay() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config("prompt_cache = 'auto'"));
    let long = "word ".repeat(2000);
    let conversation = |first: &str| json!([{"role": "user", "content": first}, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "go on"}]);
    let points = |model: &str, messages: Value| {
        let answer = server.chat(&asked(model, json!({"messages": messages})));
        assert_eq!(answer.status, 200);
        bedrock.calls().last().unwrap().body["messages"].to_string().matches("cachePoint").count()
    };
    assert_eq!(points("claude-haiku", conversation(&long)), 1);
    assert_eq!(points("claude-haiku", conversation("short")), 0, "too short to be cached");
    assert_eq!(
        points("claude-haiku", json!([{"role": "user", "content": long}])),
        0,
        "nothing shows that it will be sent again"
    );
    assert_eq!(points("mistral-large-3", conversation(&long)), 0, "the model has no cache");
}
