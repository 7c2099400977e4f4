//! Recorded Bedrock requests are translated to OpenAI's format and posted to a real server. They must reach Bedrock as
//! they were recorded, except for what the policy decides (limits, sampling, reasoning, tiers) and for what OpenAI's
//! format cannot express.

use crate::replay::{Recording, recordings};
use crate::support::{Bedrock, Chatrix, Home, Reply, Server};
use serde_json::{Map, Value, json};

/// The reason why a request cannot be expressed in Chat Completions; `None` when it can.
pub fn inexpressible(request: &Value) -> Option<&'static str> {
    let text = request.to_string();
    let messages = request["messages"].to_string();
    let has = |piece: &str| text.contains(&format!("\"{piece}\":"));
    let reasons = [
        (has("guardContent"), "content marked for a guardrail"),
        (has("video") || has("audio"), "audio and video"),
        (has("systemTool"), "tools that Bedrock provides"),
        (has("s3Location"), "files in S3"),
        (has("citationsContent") || messages.contains("\"citations\":"), "citations of documents"),
        (request["messages"].as_array().is_none_or(Vec::is_empty), "no messages"),
        (messages.contains("\"content\":[]"), "an empty message, which Bedrock refuses today"),
    ];
    reasons.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
}

/// The Chat Completions request that should reach Bedrock as the recorded one.
pub fn openai_request(recording: &Recording) -> Value {
    let request = &recording.json["request"]["body"];
    let mut messages = Vec::new();
    if let Some(system) = request["system"].as_array() {
        messages.push(json!({"role": "system", "content": parts(system)}));
    }
    for turn in request["messages"].as_array().unwrap() {
        let blocks = turn["content"].as_array().unwrap();
        if turn["role"] == "assistant" {
            messages.push(assistant(blocks));
            continue;
        }
        for block in blocks.iter().filter(|block| block.get("toolResult").is_some()) {
            let result = &block["toolResult"];
            messages.push(json!({
                "role": "tool", "tool_call_id": result["toolUseId"], "is_error": result["status"] == "error",
                "content": parts(result["content"].as_array().unwrap()),
            }));
        }
        let rest: Vec<Value> = blocks.iter().filter(|block| block.get("toolResult").is_none()).cloned().collect();
        // A cache point that follows only tool results belongs to the last of them.
        if rest.iter().all(|block| block.get("cachePoint").is_some())
            && let Some(last) = messages.last_mut()
        {
            for block in &rest {
                last["cache_control"] = cache_control(block);
            }
        } else if !rest.is_empty() {
            messages.push(json!({"role": "user", "content": parts(&rest)}));
        }
    }
    let mut body = json!({"model": recording.model(), "messages": messages, "metadata": request["requestMetadata"]});
    tools(request, &mut body);
    let format = &request["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
    if format.is_object() {
        let schema: Value = serde_json::from_str(format["schema"].as_str().unwrap()).unwrap();
        let json_schema =
            json!({"name": format["name"], "description": format["description"], "schema": schema, "strict": true});
        body["response_format"] = json!({"type": "json_schema", "json_schema": json_schema});
    }
    body["stop"] = request["inferenceConfig"]["stopSequences"].clone();
    body
}

fn assistant(blocks: &[Value]) -> Value {
    let content: Vec<Value> = blocks
        .iter()
        .filter(|block| block.get("text").is_some() || block.get("cachePoint").is_some())
        .cloned()
        .collect();
    let mut message = json!({"role": "assistant", "content": parts(&content)});
    let calls = blocks.iter().filter_map(|block| block.get("toolUse"));
    let calls: Vec<Value> = calls
        .map(|call| json!({"id": call["toolUseId"], "type": "function", "function": {"name": call["name"], "arguments": call["input"].to_string()}}))
        .collect();
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    message
}

fn parts(blocks: &[Value]) -> Vec<Value> {
    let mut parts: Vec<Value> = Vec::new();
    for block in blocks {
        let (kind, content) = block.as_object().unwrap().iter().next().unwrap();
        let bytes = content["source"]["bytes"].as_str().unwrap_or_default();
        parts.push(match kind.as_str() {
            "text" => json!({"type": "text", "text": content}),
            "json" => json!({"type": "text", "text": content.to_string()}),
            "image" => json!({"type": "image_url", "image_url": {"url": format!("data:image/x;base64,{bytes}")}}),
            "document" => {
                let filename = format!("{}.{}", content["name"].as_str().unwrap(), content["format"].as_str().unwrap());
                let data = match content["source"]["text"].as_str() {
                    Some(text) => format!("data:text/plain,{}", text.replace('%', "%25")),
                    None => format!("data:x/x;base64,{bytes}"),
                };
                json!({"type": "file", "file": {"filename": filename, "file_data": data}})
            }
            "cachePoint" => {
                parts.last_mut().unwrap()["cache_control"] = cache_control(block);
                continue;
            }
            other => panic!("no recording had a block of the kind {other} before"),
        });
    }
    parts
}

fn cache_control(block: &Value) -> Value {
    json!({"type": "ephemeral", "ttl": block["cachePoint"]["ttl"].as_str().unwrap_or("5m")})
}

fn tools(request: &Value, body: &mut Value) {
    let config = &request["toolConfig"];
    let mut tools: Vec<Value> = Vec::new();
    for entry in config["tools"].as_array().into_iter().flatten() {
        let spec = &entry["toolSpec"];
        if spec.is_object() {
            let mut function =
                json!({"name": spec["name"], "parameters": spec["inputSchema"]["json"], "strict": spec["strict"]});
            function["description"] = spec["description"].clone();
            tools.push(json!({"type": "function", "function": function}));
        } else {
            tools.last_mut().unwrap()["cache_control"] = cache_control(entry);
        }
    }
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
    let choice = &config["toolChoice"];
    body["tool_choice"] = match choice.as_object().and_then(|choice| choice.keys().next()).map(String::as_str) {
        Some("any") => "required".into(),
        Some("tool") => json!({"type": "function", "function": {"name": choice["tool"]["name"]}}),
        _ => Value::Null,
    };
}

/// A request without the members that need not be kept, and with equivalent content written in one way.
fn comparable(mut request: Value) -> Value {
    let members = request.as_object_mut().unwrap();
    // The policy decides the limits, sampling, reasoning and tiers. Guardrails, latency and response paths are settings
    // of the AWS account.
    for name in [
        "inferenceConfig",
        "additionalModelRequestFields",
        "serviceTier",
        "guardrailConfig",
        "performanceConfig",
        "additionalModelResponseFieldPaths",
        "modelId",
    ] {
        members.remove(name);
    }
    // Chatrix's own id of the request, which differs each time.
    if let Some(tags) = members.get_mut("requestMetadata").and_then(Value::as_object_mut) {
        tags.remove("chatrix_request_id");
    }
    members.retain(|_, value| *value != json!({}) && *value != json!([]));
    let mut turns: Vec<Value> = Vec::new();
    for mut turn in members["messages"].as_array().unwrap().clone() {
        let mut content: Vec<Value> = turn["content"].as_array().unwrap().iter().filter_map(block).collect();
        // Tool results come first, in their order.
        content.sort_by_key(|block| block.get("toolResult").is_none());
        match turns.last_mut() {
            Some(last) if last["role"] == turn["role"] => last["content"].as_array_mut().unwrap().extend(content),
            _ if content.is_empty() => {}
            _ => {
                turn["content"] = content.into();
                turns.push(turn);
            }
        }
    }
    members.insert("messages".into(), turns.into());
    for tool in members.get_mut("toolConfig").and_then(|config| config["tools"].as_array_mut()).into_iter().flatten() {
        if let Some(schema) = tool.pointer_mut("/toolSpec/inputSchema/json").and_then(Value::as_object_mut) {
            schema.entry("properties").or_insert_with(|| Map::new().into());
        }
        if let Some(spec) = tool.get_mut("toolSpec").and_then(Value::as_object_mut) {
            spec.retain(|name, value| {
                !(value.is_null() || (name == "description" && value == "") || *value == json!(false))
            });
        }
    }
    if let Some(config) = members.get_mut("toolConfig").and_then(Value::as_object_mut) {
        // A request without a tool choice means `auto`.
        config.retain(|name, value| name != "toolChoice" || value.get("auto").is_none());
    }
    if let Some(schema) = request.pointer_mut("/outputConfig/textFormat/structure/jsonSchema/schema") {
        *schema = serde_json::from_str(schema.as_str().unwrap()).unwrap();
    }
    sorted(request)
}

/// A block in the form in which blocks are compared. `None` for what Chatrix drops on purpose: blank text, and
/// reasoning while reasoning is off.
fn block(block: &Value) -> Option<Value> {
    let mut block = block.clone();
    if block.get("reasoningContent").is_some() || block["text"].as_str().is_some_and(|text| text.trim().is_empty()) {
        return None;
    }
    if let Some(point) = block.get_mut("cachePoint").and_then(Value::as_object_mut) {
        point.retain(|name, value| name != "ttl" || value != "5m"); // five minutes is the default
    }
    if let Some(call) = block.get_mut("toolUse").and_then(Value::as_object_mut) {
        call.remove("type");
    }
    if let Some(image) = block.get_mut("image").and_then(Value::as_object_mut) {
        image.remove("name"); // AWS documents no such member
    }
    if let Some(document) = block.get_mut("document").and_then(Value::as_object_mut) {
        document.remove("name"); // Chatrix makes the name legal and unique
        if let Some(text) = document["source"]["text"].as_str() {
            use base64::Engine;
            document["source"] = json!({"bytes": base64::engine::general_purpose::STANDARD.encode(text)});
        }
    }
    if let Some(result) = block.get_mut("toolResult").and_then(Value::as_object_mut) {
        result.entry("status").or_insert_with(|| "success".into());
        let content = result["content"].as_array().unwrap().iter().map(|piece| match piece.get("json") {
            // In OpenAI's format, the result of a tool is text.
            Some(json) => json!({"text": json.to_string()}),
            None => piece.clone(),
        });
        let content: Vec<Value> = content.filter_map(|piece| self::block(&piece)).collect();
        result.insert("content".into(), if content.is_empty() { json!([{"text": "(empty)"}]) } else { content.into() });
    }
    Some(block)
}

/// Sorts the members of objects, because their order does not matter here.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[test]
fn recorded_requests_reach_bedrock_as_they_were_recorded() {
    let Some(complete) = recordings("converse") else { return };
    let streamed = recordings("converse-stream").unwrap();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let (mut tried, mut passed, mut skipped) = (0, 0, std::collections::BTreeMap::<&str, usize>::new());
    let mut failed = Vec::new();
    for recording in complete.iter().chain(&streamed) {
        let recorded = &recording.json["request"]["body"];
        if let Some(reason) = inexpressible(recorded) {
            *skipped.entry(reason).or_default() += 1;
            continue;
        }
        tried += 1;
        let before = bedrock.calls().len();
        let answer = server.chat(&openai_request(recording));
        let sent = bedrock.calls().get(before).map(|call| comparable(call.body.clone()));
        let recorded = comparable(recorded.clone());
        if sent.as_ref() == Some(&recorded) {
            passed += 1;
        } else {
            let sent = sent.map_or(answer.body, |sent| sent.to_string());
            failed.push(format!("{}\n  sent     {sent:.1200}\n  recorded {recorded:.1200}", recording.name));
        }
    }
    println!("requests: {passed} of {tried}; not expressible in OpenAI's format: {skipped:?}");
    assert!(failed.is_empty(), "{} of {tried} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn no_recorded_answer_cost_more_than_was_reserved_for_it() {
    let Some(complete) = recordings("converse") else { return };
    let streamed = recordings("converse-stream").unwrap();
    let home = Home::new("[limits]\nmax_tokens_limit = 200000\n[budget]\nday_usd = 1000");
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    for (recording, stream) in complete.iter().map(|it| (it, false)).chain(streamed.iter().map(|it| (it, true))) {
        if inexpressible(&recording.json["request"]["body"]).is_some() {
            continue;
        }
        // The answer may be as long as the recorded one, because the policy's limit is not what is tested here.
        let output = recording.output_tokens().unwrap_or(512);
        bedrock.answer_with(recording.reply());
        let mut body = openai_request(recording);
        body["stream"] = stream.into();
        body["max_tokens"] = output.max(1).into();
        server.chat(&body);
    }
    home.at_rest();
    let calls = home.calls();
    let settled: Vec<_> =
        calls.iter().filter_map(|call| Some((call.1, call.2.filter(|_| call.0 == 1)?, &call.3))).collect();
    let mut shares: Vec<i64> = settled.iter().map(|(reserved, cost, _)| cost * 100 / (*reserved).max(1)).collect();
    shares.sort_unstable();
    println!(
        "requests: {} recorded answers with a price and usage cost at most {} % of what was reserved",
        settled.len(),
        shares.last().unwrap()
    );
    assert!(settled.len() > 150, "{} of {} calls", settled.len(), calls.len());
    let exceeding: Vec<_> = settled.iter().filter(|(reserved, cost, _)| cost > reserved).collect();
    assert!(exceeding.is_empty(), "these calls cost more than was reserved: {exceeding:?}");
}
