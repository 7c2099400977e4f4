//! Turns, system messages and tool calls, as each family of models takes them.

use crate::support::{Bedrock, Chatrix, Reply, Server};
use serde_json::{Value, json};

/// What Bedrock is sent for these messages, for each of the models.
fn sent<const N: usize>(models: [&str; N], messages: &Value, more: &Value) -> [Value; N] {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    // Limits that leave room for reasoning.
    let limits = ["--max-tokens", "4096", "--max-tokens-limit", "8192"];
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).args(limits));
    models.map(|model| {
        let mut body = json!({"model": model, "messages": messages});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let answer = server.chat(&body);
        assert_eq!(answer.status, 200, "{model}: {}", answer.body);
        bedrock.calls().last().unwrap().body.clone()
    })
}

fn look() -> Value {
    json!({"tools": [{"type": "function", "function": {"name": "look", "description": "Looks something up",
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}}}]})
}

/// A call with this id, its result, and more messages.
fn called(id: &str, more: &Value) -> Value {
    let mut messages = json!([
        {"role": "user", "content": "look it up"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": id, "type": "function", "function": {"name": "look", "arguments": "{\"q\":\"x\"}"}}]},
        {"role": "tool", "tool_call_id": id, "content": "42"},
    ]);
    messages.as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
    messages
}

fn roles(body: &Value) -> Vec<&str> {
    body["messages"].as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap()).collect()
}

#[test]
fn client_02_system_in_the_middle() {
    for role in ["system", "developer"] {
        let messages = json!([
            {"role": "system", "content": "You are an agent"},
            {"role": "user", "content": "list the files"},
            {"role": "assistant", "content": "```shell\nls\n```"},
            {"role": role, "content": "Output: a.txt"},
            {"role": "assistant", "content": "```shell\ncat a.txt\n```"},
            {"role": role, "content": [{"type": "text", "text": "Output: hello", "cache_control": {"type": "ephemeral"}}]},
        ]);
        let [body] = sent(["claude-sonnet-4-6"], &messages, &Value::Null);
        assert_eq!(body["system"], json!([{"text": "You are an agent"}]));
        let expected = json!([
            {"role": "user", "content": [{"text": "list the files"}]},
            {"role": "assistant", "content": [{"text": "```shell\nls\n```"}]},
            {"role": "user", "content": [{"text": "<system>Output: a.txt</system>"}]},
            {"role": "assistant", "content": [{"text": "```shell\ncat a.txt\n```"}]},
            {"role": "user", "content": [{"text": "<system>Output: hello</system>"}, {"cachePoint": {"type": "default"}}]},
        ]);
        assert_eq!(body["messages"], expected, "{role}");
    }
}

#[test]
fn report_18a_system_message_last() {
    last_system_message(["claude-haiku-4-5", "claude-sonnet-4-6"]);
}

#[test]
fn report_18b_system_message_last() {
    last_system_message(["nova-pro", "deepseek"]);
}

/// A system message at the end is an instruction for the next turn: the text before it must not become a prefill.
fn last_system_message(models: [&str; 2]) {
    let messages = json!([
        {"role": "user", "content": "Tell a story."},
        {"role": "assistant", "content": "It was a dark night."},
        {"role": "system", "content": "Now sum it up in one line."},
    ]);
    for body in sent(models, &messages, &Value::Null) {
        assert_eq!(body.get("system"), None);
        assert_eq!(roles(&body), ["user", "assistant", "user"]);
        assert_eq!(body["messages"][2]["content"], json!([{"text": "<system>Now sum it up in one line.</system>"}]));
    }
}

#[test]
fn a_system_message_cannot_end_its_mark() {
    let messages = json!([
        {"role": "system", "content": "</system>stays"},
        {"role": "user", "content": "go"},
        {"role": "system", "content": "a</system> b < / SYSTEM\n> c <system> d <systems e"},
        {"role": "developer", "content": " \u{200b}"},
    ]);
    let [body] = sent(["nova-pro"], &messages, &Value::Null);
    assert_eq!(body["system"], json!([{"text": "</system>stays"}]));
    let marked = "<system>a&lt;/system> b &lt; / SYSTEM\n> c &lt;system> d &lt;systems e</system>";
    assert_eq!(body["messages"], json!([{"role": "user", "content": [{"text": "go"}, {"text": marked}]}]));
}

#[test]
fn a_system_message_among_calls_and_results_comes_after_the_results() {
    let messages = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
        {"role": "system", "content": "Be careful."},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "system", "content": "Be quick."},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
    ]);
    let [body] = sent(["claude-haiku-4-5"], &messages, &look());
    assert_eq!(roles(&body), ["user", "assistant", "user"]);
    let content = body["messages"][2]["content"].as_array().unwrap();
    assert_eq!(
        (&content[0]["toolResult"]["toolUseId"], &content[1]["toolResult"]["toolUseId"]),
        (&json!("a"), &json!("b"))
    );
    assert_eq!(
        content[2..],
        [json!({"text": "<system>Be careful.</system>"}), json!({"text": "<system>Be quick.</system>"})]
    );
}

#[test]
fn report_03a_tool_result_beside_user_text() {
    results_stand_alone(["us.meta.llama3-3-70b-instruct-v1:0", "us.meta.llama4-maverick-17b-instruct-v1:0"]);
}

#[test]
fn report_03b_tool_result_beside_user_text() {
    results_stand_alone([
        "mistral.mistral-large-2402-v1:0",
        "us.mistral.pixtral-large-2502-v1:0",
        "us.writer.palmyra-x5-v1:0",
    ]);
}

/// No turn to these models holds both a tool result and something else.
fn results_stand_alone<const N: usize>(models: [&str; N]) {
    for more in [
        json!([{"role": "user", "content": "thanks, and in French?"}]),
        json!([{"role": "system", "content": "Answer in French."}]),
    ] {
        for body in sent(models, &called("tooluse_a1", &more), &look()) {
            assert_eq!(roles(&body), ["user", "assistant", "user", "assistant", "user"]);
            assert_eq!(body["messages"][2]["content"].as_array().unwrap().len(), 1);
            assert_eq!(body["messages"][3]["content"], json!([{"text": "."}]));
            assert_eq!(body["messages"][4]["content"].as_array().unwrap().len(), 1);
        }
    }
}

#[test]
fn an_image_beside_a_result_gets_a_turn_too_where_results_stand_alone() {
    let png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==";
    let image = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": png}}]}]);
    let [body] = sent(["us.mistral.pixtral-large-2502-v1:0"], &called("tooluse_a1", &image), &look());
    assert!(body["messages"][4]["content"][0].get("image").is_some(), "{body}");
    let text = json!([{"role": "user", "content": "and?"}]);
    for body in sent(["claude-haiku-4-5", "nova-pro"], &called("tooluse_a1", &text), &look()) {
        assert_eq!(body["messages"][2]["content"][1], json!({"text": "and?"}));
    }
}

#[test]
fn report_04_claude_tool_ids_dot_colon() {
    let legal = |id: &str, extra: &str| id.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
    let models = ["claude-haiku-4-5", "nova-pro", "moonshot.kimi-k2-thinking", "us.mistral.pixtral-large-2502-v1:0"];
    for id in [
        "functions.bash:0",
        "call_65OReGAIB0M4612fiyF6YMbI|fc_0feebbbc39e113d4016969ff3539208191914ede46e71d5d06",
        "a",
        "abcdefghi",
    ] {
        let bodies = sent(models, &called(id, &json!([])), &look());
        let ids = bodies.each_ref().map(|body| {
            let call = body["messages"][1]["content"][0]["toolUse"]["toolUseId"].as_str().unwrap();
            assert_eq!(call, body["messages"][2]["content"][0]["toolResult"]["toolUseId"]);
            call
        });
        for (model, id) in models.iter().zip(ids) {
            assert!((1..=64).contains(&id.len()), "{model} {id}");
        }
        assert!(legal(ids[0], "_-") && legal(ids[1], "_-") && legal(ids[2], "_-.:"), "{ids:?}");
        assert!(ids[3].len() == 9 && legal(ids[3], ""), "{ids:?}");
        assert_eq!(ids[2] == id, id.len() < 64, "Kimi keeps the form of its own ids");
        assert_eq!(ids[3] == id, id == "abcdefghi");
    }
}

#[test]
fn report_05_palmyra_tool_result_status() {
    let [palmyra, claude] =
        sent(["us.writer.palmyra-x5-v1:0", "claude-haiku-4-5"], &called("tooluse_a1", &json!([])), &look());
    let result = |body: &Value| body["messages"][2]["content"][0]["toolResult"].clone();
    assert_eq!(result(&palmyra), json!({"toolUseId": "tooluse_a1", "content": [{"text": "42"}]}));
    assert_eq!(result(&claude)["status"], "success");
    let mut failed = called("tooluse_a1", &json!([]));
    failed[2]["is_error"] = true.into();
    let [palmyra] = sent(["us.writer.palmyra-x5-v1:0"], &failed, &look());
    assert_eq!(result(&palmyra)["content"], json!([{"text": "(the tool failed)"}, {"text": "42"}]));
    failed.as_array_mut().unwrap().pop();
    let [palmyra] = sent(["us.writer.palmyra-x5-v1:0"], &failed, &look());
    assert_eq!(result(&palmyra).get("status"), None);
}

#[test]
fn report_06_models_without_system() {
    let models = [
        "mistral.mistral-7b-instruct-v0:2",
        "mistral.mixtral-8x7b-instruct-v0:1",
        "amazon.titan-text-express-v1",
        "cohere.command-text-v14",
        "ai21.j2-ultra-v1",
    ];
    let system = json!({"role": "system", "content": "Answer in one word."});
    for (rest, first) in [
        (json!([{"role": "user", "content": "hi"}]), json!([{"text": "Answer in one word."}, {"text": "hi"}])),
        (json!([]), json!([{"text": "Answer in one word."}])),
        (
            json!([{"role": "assistant", "content": "ho"}, {"role": "user", "content": "hi"}]),
            json!([{"text": "Answer in one word."}]),
        ),
    ] {
        let mut messages = vec![system.clone()];
        messages.extend(rest.as_array().unwrap().iter().cloned());
        for body in sent(models, &messages.into(), &Value::Null) {
            assert_eq!(body.get("system"), None);
            assert_eq!(body["messages"][0], json!({"role": "user", "content": first}));
        }
    }
    let user = json!([{"role": "user", "content": "hi"}]);
    let [body] = sent(["amazon.titan-text-express-v1"], &user, &json!({"response_format": {"type": "json_object"}}));
    assert_eq!(body.get("system"), None);
    assert!(body["messages"][0]["content"][0]["text"].as_str().unwrap().starts_with("Answer with one JSON object"));
}

#[test]
fn text_that_cannot_be_seen_is_left_out() {
    let blank = "\u{200b}\u{feff} \u{3000}";
    let messages = json!([
        {"role": "system", "content": blank},
        {"role": "user", "content": [{"type": "text", "text": blank}, {"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": blank},
        {"role": "user", "content": "there"},
    ]);
    let [body] = sent(["claude-haiku-4-5"], &messages, &Value::Null);
    assert_eq!(body.get("system"), None);
    assert_eq!(body["messages"], json!([{"role": "user", "content": [{"text": "hi"}, {"text": "there"}]}]));
    let mut messages = called("tooluse_a1", &json!([]));
    messages[2]["content"] = blank.into();
    let [body] = sent(["nova-pro"], &messages, &look());
    assert_eq!(body["messages"][2]["content"][0]["toolResult"]["content"], json!([{"text": "(empty)"}]));
}

#[test]
fn stop_sequences_keep_to_the_number_that_a_model_takes() {
    let stops: Vec<String> = (0..12).map(|number| format!("stop {number}")).collect();
    for (model, count) in [("deepseek", 10), ("nova-pro", 4), ("claude-haiku-4-5", 12)] {
        let [body] = sent([model], &json!([{"role": "user", "content": "hi"}]), &json!({"stop": stops}));
        assert_eq!(body["inferenceConfig"]["stopSequences"].as_array().unwrap().len(), count, "{model}");
    }
}

#[test]
fn only_claude_gets_its_reasoning_back() {
    let mut messages = called("tooluse_a1", &json!([]));
    messages[1]["reasoning_details"] = json!([{"type": "reasoning.text", "text": "hm", "signature": "c2ln"}]);
    let mut more = look();
    more["reasoning_effort"] = "low".into();
    let models = [
        "claude-sonnet-4-6",
        "nova-pro",
        "amazon.nova-2-lite-v1:0",
        "deepseek.v3.2",
        "qwen.qwen3-32b-v1:0",
        "mistral.mistral-large-2402-v1:0",
        "us.meta.llama3-3-70b-instruct-v1:0",
        "us.writer.palmyra-x5-v1:0",
        "openai.gpt-oss-120b-1:0",
    ];
    for (model, body) in models.iter().zip(sent(models, &messages, &more)) {
        assert_eq!(body.to_string().contains("reasoningText"), model.contains("claude"), "{model}");
    }
}
