//! Reasoning that models write into the text of their answers.

use crate::support::{Bedrock, Reply, Server};
use serde_json::{Value, json};

/// The content and the reasoning of an answer, complete and streamed, which must be the same.
fn answer(model: &str, text: &str) -> (String, String) {
    // The scripted Bedrock streams each of these pieces as a delta.
    let pieces = text.chars().map(String::from).collect();
    let bedrock = Bedrock::script([Reply::Text(pieces, "end_turn", (1, 2))]);
    let server = Server::start(&bedrock);
    let body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    let complete = server.chat(&body).json()["choices"][0]["message"].clone();
    let of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let whole = (of(&complete["content"]), of(&complete["reasoning_content"]));
    let mut body = body;
    body["stream"] = true.into();
    let stream = server.chat(&body);
    let mut streamed = (String::new(), String::new());
    for chunk in stream.chunks() {
        streamed.0.push_str(&of(&chunk["choices"][0]["delta"]["content"]));
        streamed.1.push_str(&of(&chunk["choices"][0]["delta"]["reasoning_content"]));
    }
    assert_eq!(whole, streamed, "{model} {text}");
    whole
}

#[test]
fn tagged_reasoning_is_reasoning_for_the_families_that_write_it() {
    for (model, tag) in [
        ("nova-micro", "thinking"),
        ("deepseek", "think"),
        ("deepseek.v3.2", "think"),
        ("qwen.qwen3-32b-v1:0", "think"),
        ("moonshot.kimi-k2-thinking", "think"),
        ("minimax.minimax-m2", "think"),
        ("mistral.magistral-small-2509", "think"),
        ("zai.glm-4.7-flash", "think"),
        ("openai.gpt-oss-20b-1:0", "reasoning"),
    ] {
        let tagged = format!(" <{tag}>because</{tag}>\n\nYes, <b>.");
        assert_eq!(answer(model, &tagged), ("Yes, <b>.".to_owned(), "because".to_owned()), "{model}");
        let open = format!("<{tag}>because");
        assert_eq!(answer(model, &open), (String::new(), "because".to_owned()), "{model}");
        let later = format!("The tag <{tag}> ends with </{tag}>.");
        assert_eq!(answer(model, &later), (later.clone(), String::new()), "{model}");
    }
    for model in ["claude-haiku-4-5", "us.meta.llama3-3-70b-instruct-v1:0", "mistral-large-3", "google.gemma-3-27b-it"]
    {
        for tag in ["think", "thinking", "reasoning"] {
            let tagged = format!("<{tag}>is a tag</{tag}>");
            assert_eq!(answer(model, &tagged), (tagged.clone(), String::new()), "{model}");
        }
    }
}
