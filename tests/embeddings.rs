//! `/v1/embeddings` and the legacy `/v1/completions`.

use crate::replay::recordings;
use crate::support::{Bedrock, Reply, Server};
use base64::Engine;
use serde_json::{Value, json};

fn json_reply(body: &Value, tokens: &str) -> Reply {
    let headers = [("content-type", "application/json"), ("x-amzn-bedrock-input-token-count", tokens)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Reply::Recorded(200, headers, body.to_string().into())
}

fn floats(embedding: &Value) -> Vec<f32> {
    if let Some(base64) = embedding.as_str() {
        let bytes = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
        return bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    }
    serde_json::from_value(embedding.clone()).unwrap()
}

#[test]
fn each_family_gets_its_own_body() {
    for (model, id, answer, bodies) in [
        (
            "titan-embed",
            "amazon.titan-embed-text-v2:0",
            json!({"embedding": [0.5, -1.0], "inputTextTokenCount": 3}),
            vec![json!({"inputText": "a", "dimensions": 256}), json!({"inputText": "b", "dimensions": 256})],
        ),
        (
            "cohere-embed",
            "us.cohere.embed-v4:0",
            json!({"embeddings": {"float": [[0.5, -1.0], [0.25, 2.0]]}}),
            vec![
                json!({"texts": ["a", "b"], "input_type": "search_document", "embedding_types": ["float"], "output_dimension": 256}),
            ],
        ),
        (
            "nova-embed",
            "amazon.nova-2-multimodal-embeddings-v1:0",
            json!({"embeddings": [{"embeddingType": "TEXT", "embedding": [0.5, -1.0]}]}),
            vec![json!("a"), json!("b")],
        ),
    ] {
        let bedrock = Bedrock::script([json_reply(&answer, "3")]);
        let server = Server::start(&bedrock);
        let asked = json!({"model": model, "input": ["a", "b"], "dimensions": 256});
        let answer = server.post("/v1/embeddings", &asked);
        let json = answer.json();
        assert_eq!(answer.headers["x-chatrix-model"], id);
        assert_eq!((json["data"].as_array().unwrap().len(), &json["data"][1]["index"]), (2, &json!(1)), "{model}");
        assert_eq!(json["data"][0]["embedding"], json!([0.5, -1.0]));
        assert_eq!(json["usage"]["prompt_tokens"], 3 * bodies.len(), "{model}");
        let mut sent: Vec<Value> = bedrock.calls().into_iter().map(|call| call.body).collect();
        sent.sort_by_key(ToString::to_string); // parallel calls arrive in any order
        if model == "nova-embed" {
            sent = sent.iter().map(|body| body["singleEmbeddingParams"]["text"]["value"].clone()).collect();
        }
        assert_eq!(sent, bodies, "{model}");
    }
}

#[test]
fn floats_and_base64_are_the_same_vector() {
    let server = Server::offline();
    let ask = |more: Value| {
        let mut asked = json!({"model": "titan-embed", "input": "the quick brown fox"});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.post("/embeddings", &asked)
    };
    let plain = floats(&ask(json!({})).json()["data"][0]["embedding"]);
    assert_eq!(plain.len(), 1024);
    assert_eq!(floats(&ask(json!({"encoding_format": "base64"})).json()["data"][0]["embedding"]), plain);
    assert_eq!(floats(&ask(json!({"dimensions": 256})).json()["data"][0]["embedding"]).len(), 256);
    let cost: f64 = ask(json!({})).headers["x-chatrix-cost-usd"].parse().unwrap();
    assert!(cost > 0.0);
    for (wrong, param) in [
        (json!({"input": [[1, 2, 3]]}), "input"),
        (json!({"input": ""}), "input[0]"),
        (json!({"input": []}), "input"),
        (json!({"dimensions": 7}), "dimensions"),
        (json!({"encoding_format": "hex"}), "encoding_format"),
        (json!({"model": "claude-haiku"}), "model"),
    ] {
        let error = ask(wrong).json()["error"].clone();
        assert_eq!(error["param"], param, "{error}");
    }
    assert!(ask(json!({"input": [1, 2]})).body.contains("check_embedding_ctx_length=False"));
}

#[test]
fn recorded_embeddings_come_through() {
    let Some(recordings) = recordings("invoke") else { return };
    let bedrock = Bedrock::script([Reply::text("never")]);
    let server = Server::start(&bedrock);
    let known = recordings.iter().filter(|recording| recording.model().contains("cohere.embed"));
    let mut replayed = 0;
    for recording in known {
        bedrock.answer_with(recording.reply());
        let request = &recording.json["request"]["body"];
        let answer =
            server.post("/v1/embeddings", &json!({"model": recording.model(), "input": request["texts"]})).json();
        let recorded: Value = serde_json::from_slice(&recording.body).unwrap();
        let vectors = recorded["embeddings"]["float"].as_array().or(recorded["embeddings"].as_array()).unwrap();
        assert_eq!(answer["data"].as_array().unwrap().len(), vectors.len());
        for (entry, vector) in answer["data"].as_array().unwrap().iter().zip(vectors) {
            assert_eq!(floats(&entry["embedding"]), floats(vector));
        }
        assert_eq!(answer["usage"]["prompt_tokens"], 7);
        replayed += 1;
    }
    println!("replayed embeddings: {replayed} of {replayed}");
    assert_eq!(replayed, 2);
}

#[test]
fn legacy_completions_work_like_chats() {
    let server = Server::offline();
    let asked =
        json!({"model": "claude-haiku", "prompt": "echo one two", "max_tokens": 5000, "logprobs": null, "echo": false});
    let answer = server.post("/v1/completions", &asked);
    let json = answer.json();
    assert_eq!((&json["object"], &json["choices"][0]["text"]), (&json!("text_completion"), &json!("one two")));
    assert!(json["id"].as_str().unwrap().starts_with("cmpl-"));
    assert!(answer.headers["x-chatrix-policy"].contains("max_tokens 5000->1024"));
    let mut stream = asked.clone();
    stream["stream"] = json!(true);
    let answer = server.post("/completions", &stream);
    let chunks = answer.chunks();
    let text: String = chunks.iter().map(|chunk| chunk["choices"][0]["text"].as_str().unwrap()).collect();
    assert_eq!((text.as_str(), answer.data().last()), ("one two", Some(&"[DONE]")));
    for (member, value) in
        [("suffix", json!("x")), ("best_of", json!(2)), ("echo", json!(true)), ("prompt", json!([1]))]
    {
        let mut wrong = asked.clone();
        wrong[member] = value;
        assert_eq!(server.post("/completions", &wrong).json()["error"]["param"], member);
    }
}
