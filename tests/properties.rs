//! Properties that hold for any input, tested with many random inputs. The seed is fixed, so that a failure can be
//! repeated.

use crate::support::{Bedrock, Reply, Server};
use chatrix::offline::wire;
use serde_json::{Value, json};

/// Random JSON of any shape. Its names and words are those that mean something in a request.
fn any_json(random: &mut fastrand::Rng, depth: usize) -> Value {
    const NAMES: [&str; 24] = [
        "model",
        "messages",
        "role",
        "content",
        "type",
        "text",
        "image_url",
        "url",
        "tools",
        "function",
        "name",
        "parameters",
        "tool_choice",
        "max_tokens",
        "stop",
        "stream",
        "response_format",
        "json_schema",
        "schema",
        "tool_calls",
        "id",
        "reasoning_details",
        "metadata",
        "input",
    ];
    const WORDS: [&str; 16] = [
        "user",
        "assistant",
        "system",
        "tool",
        "text",
        "image_url",
        "file",
        "function",
        "claude-haiku",
        "auto",
        "json_schema",
        "data:image/png;base64,AAAA",
        "",
        " ",
        "ü\u{0}\u{202e}",
        "object",
    ];
    match random.u32(..if depth == 0 { 6 } else { 10 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i64(..).into(),
        3 => json!(random.f64() * 1e9 - 5e8),
        4 | 5 => WORDS[random.usize(..WORDS.len())].into(),
        6 | 7 => (0..random.usize(..4)).map(|_| any_json(random, depth - 1)).collect(),
        _ => {
            let members = (0..random.usize(..6))
                .map(|_| (NAMES[random.usize(..NAMES.len())].to_owned(), any_json(random, depth - 1)));
            Value::Object(members.collect())
        }
    }
}

fn replace_somewhere(value: &mut Value, random: &mut fastrand::Rng) {
    let deeper = random.u32(..4) != 0;
    match value {
        Value::Object(members) if deeper && !members.is_empty() => {
            let index = random.usize(..members.len());
            replace_somewhere(members.values_mut().nth(index).unwrap(), random);
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            let index = random.usize(..items.len());
            replace_somewhere(&mut items[index], random);
        }
        value => *value = any_json(random, 3),
    }
}

/// A valid request in which one or two values are replaced by random ones.
fn almost_valid(random: &mut fastrand::Rng) -> Value {
    let mut request = json!({
        "model": "claude-haiku", "max_tokens": 5, "temperature": 0.5, "stop": ["x"], "stream": false,
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "a", "content": "x"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": "auto", "response_format": {"type": "text"},
    });
    for _ in 0..random.usize(1..3) {
        replace_somewhere(&mut request, random);
    }
    request
}

#[test]
fn any_json_gets_a_json_answer_and_never_a_server_error() {
    let server = Server::offline();
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let mut answered = 0;
    for round in 0..600 {
        let mut body = if round % 3 == 0 { any_json(&mut random, 4) } else { almost_valid(&mut random) };
        if let Some(stream) = body.get_mut("stream") {
            *stream = false.into();
        }
        let paths = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"];
        let path = if round % 3 == 0 { paths[random.usize(..3)] } else { paths[0] };
        let answer = server.post(path, &body);
        assert!(answer.status < 500, "{} {} for {body}", answer.status, answer.body);
        if answer.status == 200 {
            answered += 1;
        } else {
            answer.error();
        }
    }
    let deep = "[".repeat(100_000);
    assert_eq!(server.send("POST", "/v1/chat/completions", &[], &deep).error().0, 400);
    println!("any JSON: 600 requests posted, {answered} of them answered");
    assert!(answered > 20, "only {answered} random requests reached the model");
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_answer() {
    let text = "Grüße, 世界! 👩\u{200d}💻 ".repeat(5);
    let mut random = fastrand::Rng::with_seed(7);
    let answer_of = |pieces: Vec<String>| {
        let mut frames: Vec<bytes::Bytes> = vec![wire::event("messageStart", json!({"role": "assistant"}))];
        frames.extend(
            pieces.iter().map(|piece| {
                wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": piece}}))
            }),
        );
        frames.push(wire::event("messageStop", json!({"stopReason": "end_turn"})));
        frames.push(wire::event("metadata", json!({"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}})));
        frames.concat()
    };
    let bedrock = Bedrock::script([Reply::text("never")]);
    let server = Server::start(&bedrock);
    let chars: Vec<char> = text.chars().collect();
    for _ in 0..40 {
        // The text is cut between any two characters, and the stream between any two bytes.
        let mut pieces = Vec::new();
        let mut rest = &chars[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(random.usize(0..=rest.len().min(9)));
            pieces.push(piece.iter().collect());
            rest = after;
        }
        let bytes = answer_of(pieces);
        let mut frames = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(random.usize(1..=rest.len().min(200)));
            frames.push(bytes::Bytes::copy_from_slice(piece));
            rest = after;
        }
        bedrock.answer_with(Reply::Frames(frames));
        let question = json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}], "stream": true});
        let answer = server.chat(&question);
        let chunks = answer.chunks();
        let answered: String = chunks
            .iter()
            .filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned()))
            .collect();
        assert_eq!(answered, text);
        assert!(answer.body.ends_with("data: [DONE]\n\n"));
    }
}
