//! The work on a request grows no faster than the request: for requests of many shapes, each in several sizes, what is
//! allocated is counted, and the processor time of this thread is compared. Counting is exact, and finds what copies too
//! much; time finds what compares too much, and its bound is so wide that a busy machine cannot break it.

use allocation_counter::measure;
use chatrix::api::openai::{ChatCompletions, TextCompletions};
use chatrix::api::{Dialect, RequestHeaders};
use chatrix::bedrock;
use chatrix::catalog::Catalog;
use chatrix::policy::{Limits, Policy};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A request of a size.
type Shape = fn(usize) -> Value;

fn names(count: usize) -> impl Iterator<Item = String> {
    // All of one length, so that twice as many are twice as long.
    (0..count).map(|number| format!("a_name_like_all_the_others_{number:06}"))
}

fn object(members: impl Iterator<Item = (String, Value)>) -> Value {
    Value::Object(members.collect::<Map<_, _>>())
}

fn properties(count: usize) -> Value {
    object(names(count).map(|name| (name, json!({"type": "string"}))))
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn tool(name: &str, parameters: &Value) -> Value {
    json!({"type": "function", "function": {"name": name, "description": "d", "parameters": parameters}})
}

fn request(members: Value) -> Value {
    let mut request = json!({"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]});
    if let (Value::Object(request), Value::Object(members)) = (&mut request, members) {
        request.extend(members);
    }
    request
}

fn with_schema(parameters: &Value) -> Value {
    request(json!({"tools": [tool("look", parameters)]}))
}

fn with_strict_schema(parameters: &Value) -> Value {
    let mut request = with_schema(parameters);
    request["tools"][0]["function"]["strict"] = true.into();
    request["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": parameters}});
    request
}

fn with_messages(messages: impl Iterator<Item = Value>) -> Value {
    let mut request = request(json!({}));
    request["messages"] = messages.collect();
    request
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function",
        "function": {"name": name, "arguments": arguments}}]})
}

fn result(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "x"})
}

/// Schemas. Each is bounded by the limits, so the largest is sixteen times the smallest.
const SCHEMAS: &[(&str, Shape)] = &[
    ("properties, all required", |n| {
        with_strict_schema(
            &json!({"type": "object", "properties": properties(n), "required": names(n).collect::<Vec<_>>()}),
        )
    }),
    ("required names of no property", |n| {
        with_schema(&json!({"type": "object", "properties": {}, "required": names(n).collect::<Vec<_>>()}))
    }),
    ("values of an enum", |n| {
        with_strict_schema(&json!({"type": "object", "properties": {"e": {"enum": names(n).collect::<Vec<_>>()}}}))
    }),
    ("a star of references", |n| {
        let branches: Vec<Value> = (0..n).map(|_| reference("d")).collect();
        let target = json!({"properties": properties(n), "required": names(n).collect::<Vec<_>>()});
        with_strict_schema(&json!({"type": "object", "anyOf": branches, "$defs": {"d": target}}))
    }),
    ("references to the root", |n| {
        let branches: Vec<Value> = (0..n).map(|_| json!({"$ref": "#"})).collect();
        with_strict_schema(&json!({"type": "object", "allOf": branches, "properties": properties(n)}))
    }),
    ("a chain of references", |n| {
        let all: Vec<String> = names(n).collect();
        let links = all.windows(2).map(|pair| (pair[0].clone(), json!({"properties": {"next": reference(&pair[1])}})));
        with_strict_schema(&json!({"$ref": format!("#/$defs/{}", all[0]), "$defs": object(links)}))
    }),
    ("a lattice of references", |n| {
        let all: Vec<String> = names(n).collect();
        let links =
            all.windows(2).map(|pair| (pair[0].clone(), json!({"anyOf": [reference(&pair[1]), reference(&pair[1])]})));
        with_strict_schema(&json!({"type": "object", "properties": {"x": reference(&all[0])}, "$defs": object(links)}))
    }),
    ("a circle of references", |n| {
        let all: Vec<String> = names(n).collect();
        let links = all
            .iter()
            .enumerate()
            .map(|(at, name)| (name.clone(), json!({"properties": {"next": reference(&all[(at + 1) % n])}})));
        with_strict_schema(&json!({"type": "object", "properties": {"x": reference(&all[0])}, "$defs": object(links)}))
    }),
    ("schemas below one long name", |n| {
        let inside = object(names(n).map(|name| (name.clone(), json!({"$id": name}))));
        let long = "n".repeat(20 * n);
        with_schema(
            &json!({"type": "object", "properties": {"a b": {"$ref": "#/$defs"}}, "$defs": {long: {"$defs": inside}}}),
        )
    }),
    ("properties that the model does not take", |n| {
        let renamed = object(names(n).map(|name| (name.replace('_', " "), json!({}))));
        with_schema(&json!({"type": "object", "properties": renamed}))
    }),
    ("properties that become one name", |n| {
        // One character each, which no model takes.
        let renamed = (0..n).filter_map(|number| char::from_u32(0x4e00 + u32::try_from(number).ok()?));
        with_schema(&json!({"type": "object", "properties": object(renamed.map(|c| (c.to_string(), json!({}))))}))
    }),
    ("many branches and many arguments", |n| {
        let branches: Vec<Value> = names(n).map(|name| json!({"properties": {name: {}, "a b": {}}})).collect();
        let rows: Vec<Value> = (0..n).map(|_| json!({"a b": 1})).collect();
        let schema = json!({"type": "object", "properties": {"rows": {"items": {"anyOf": branches}}}});
        let arguments = json!({"rows": rows}).to_string();
        let mut request = with_schema(&schema);
        request["messages"] = json!([{"role": "user", "content": "hi"}, call("1", "look", &arguments), result("1")]);
        request
    }),
    ("a large constant", |n| {
        with_strict_schema(&json!({"type": "object", "default": properties(n), "x-note": properties(n)}))
    }),
];

/// Everything else.
const REQUESTS: &[(&str, Shape)] = &[
    ("long text", |n| with_messages([json!({"role": "user", "content": "word ".repeat(8 * n)})].into_iter())),
    ("messages of the user", |n| with_messages((0..n).map(|_| json!({"role": "user", "content": "x"})))),
    ("system messages", |n| with_messages((0..n).map(|_| json!({"role": "system", "content": "x"})))),
    ("system messages between", |n| {
        with_messages(
            (0..n).map(|at| json!({"role": if at % 2 == 0 { "user" } else { "system" }, "content": "<system> <"})),
        )
    }),
    ("empty messages", |n| {
        with_messages((0..=n).map(|at| json!({"role": "user", "content": if at == n { "x" } else { "" }})))
    }),
    ("parts", |n| {
        let parts: Vec<Value> = (0..n).map(|_| json!({"type": "text", "text": "x"})).collect();
        with_messages([json!({"role": "user", "content": parts})].into_iter())
    }),
    ("cache points before any text", |n| {
        let point = json!({"type": "text", "text": " ", "cache_control": {"type": "ephemeral"}});
        let parts: Vec<Value> = (0..n).map(|_| point.clone()).collect();
        with_messages(
            [json!({"role": "system", "content": parts}), json!({"role": "user", "content": "x"})].into_iter(),
        )
    }),
    ("calls of one id", |n| with_messages((0..n).flat_map(|_| [call("c", "f", "{}"), result("c")]))),
    ("calls in one message", |n| {
        let calls: Vec<Value> = names(n).map(|name| call(&name, "f", "{}")["tool_calls"][0].clone()).collect();
        let called = json!({"role": "assistant", "tool_calls": calls});
        with_messages([called].into_iter().chain(names(n).map(|name| result(&name))))
    }),
    ("ids that must be changed", |n| {
        with_messages(names(n).flat_map(|name| [call(&name.replace('_', "."), "f", "{}"), result(&name)]))
    }),
    ("names of tools in the history", |n| with_messages(names(n).map(|name| call("c", &name.replace('_', "."), "{}")))),
    ("results without calls", |n| with_messages(names(n).map(|name| result(&name)))),
    ("legacy functions and results of the first", |n| {
        let called =
            names(n).map(|name| json!({"role": "assistant", "function_call": {"name": name, "arguments": "{}"}}));
        let first = names(1).next().unwrap_or_default();
        let results = (0..n).map(move |_| json!({"role": "function", "name": first, "content": "x"}));
        with_messages(called.chain(results))
    }),
    ("images", |n| {
        let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}});
        with_messages(
            (0..n)
                .flat_map(|_| {
                    [json!({"role": "user", "content": [image]}), json!({"role": "assistant", "content": "x"})]
                })
                .chain([json!({"role": "user", "content": "x"})]),
        )
    }),
    ("documents of one name", |n| {
        let file = json!({"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,aGk="}});
        with_messages(
            (0..n)
                .flat_map(|_| {
                    [json!({"role": "user", "content": [file]}), json!({"role": "assistant", "content": "x"})]
                })
                .chain([json!({"role": "user", "content": "x"})]),
        )
    }),
    ("pieces of reasoning", |n| {
        let details: Vec<Value> = (0..n).map(|_| json!({"type": "reasoning.text", "index": 0, "text": "x"})).collect();
        with_messages(
            [
                json!({"role": "user", "content": "x"}),
                json!({"role": "assistant", "reasoning_details": details, "content": "x"}),
                json!({"role": "user", "content": "x"}),
            ]
            .into_iter(),
        )
    }),
    ("members that mean nothing", |n| {
        let mut request = request(json!({}));
        if let Value::Object(members) = &mut request {
            members.extend(names(n).map(|name| (name, 1.into())));
        }
        request
    }),
    ("tags", |n| request(json!({"metadata": object(names(n).map(|name| (name, "x".into())))}))),
    ("a long name of a model", |n| request(json!({"model": "m".repeat(20 * n)}))),
    ("a long role", |n| with_messages([json!({"role": "m".repeat(20 * n), "content": "x"})].into_iter())),
];

/// What the limits keep small.
const LIMITED: &[(&str, Shape)] = &[
    ("tools, all allowed", |n| {
        let tools: Vec<Value> = names(n).map(|name| tool(&name, &json!({}))).collect();
        let allowed: Vec<Value> =
            names(n).map(|name| json!({"type": "function", "function": {"name": name}})).collect();
        let choice = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": allowed}});
        request(json!({"tools": tools, "tool_choice": choice}))
    }),
    ("tools whose names become one", |n| {
        let name = |number: usize| format!("{}.{number:06}", "tool".repeat(15));
        let tools: Vec<Value> = (0..n).map(|number| tool(&name(number), &json!({}))).collect();
        request(json!({"tools": tools}))
    }),
    ("stop sequences", |n| request(json!({"stop": names(n).collect::<Vec<_>>()}))),
];

fn policy() -> Policy {
    Policy {
        catalog: Arc::new(Catalog::load(&[]).unwrap()),
        default_model: "claude-haiku".into(),
        limits: Limits::default(),
        overrides: Vec::new(),
        follow_successor: true,
        prompt_cache: true,
        native_messages: true,
        fetch_images: false,
        service_tiers: Vec::new(),
    }
}

/// Everything that is done with a request before it is sent. Gives the length of what would be sent.
fn handle(policy: &Policy, body: &[u8]) -> usize {
    let _ = TextCompletions.parse(body.into(), &RequestHeaders::default());
    let Ok(parsed) = ChatCompletions.parse(body.into(), &RequestHeaders::default()) else { return 0 };
    match policy.admit(parsed.request, None) {
        Ok(admitted) => {
            let _ = admitted.edits();
            bedrock::preview(&admitted).map_or(0, |sent| sent.to_string().len())
        }
        Err(_) => 0,
    }
}

/// The time that the processor has worked for this thread, or the time of the clock where the system does not tell.
fn worked(work: impl FnOnce()) -> Duration {
    let so_far = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    let (clock, before) = (Instant::now(), so_far());
    work();
    match (before, so_far()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => clock.elapsed(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio need not be exact")]
fn ratio(large: usize, small: usize) -> f64 {
    large as f64 / small.max(1) as f64
}

/// Complaints about a shape whose allocations grow faster than its requests, or whose requests grow when they are sent.
fn allocations(policy: &Policy, name: &str, shape: Shape, small: usize) -> Vec<String> {
    let of = |n: usize| {
        let body = shape(n).to_string().into_bytes();
        let mut sent = 0;
        let allocated = measure(|| sent = handle(policy, &body));
        (body.len(), usize::try_from(allocated.bytes_total).unwrap(), sent)
    };
    let mut complaints = Vec::new();
    let (length, bytes, _) = of(small);
    for times in [2, 8] {
        let (longer, more, sent) = of(times * small);
        let (growth, expected) = (ratio(more, bytes), ratio(longer, length));
        if growth > 1.25 * expected {
            complaints.push(format!("{name}: allocates {growth:.1} times as much for {expected:.1} times the length"));
        }
        if sent > 4 * longer + 4096 {
            complaints.push(format!("{name}: sends {sent} bytes for {longer}"));
        }
    }
    complaints
}

/// A complaint about a shape that takes much more than sixteen times as long for a request sixteen times as long.
fn time(policy: &Policy, name: &str, shape: Shape, small: usize) -> Option<String> {
    const TRIES: usize = 4;
    let of = |n: usize| {
        let body = shape(n).to_string().into_bytes();
        (
            body.len(),
            worked(|| {
                handle(policy, &body);
            })
            .max(Duration::from_millis(1)),
        )
    };
    let mut least = (Duration::MAX, Duration::MAX);
    for _ in 0..TRIES {
        let ((length, fast), (longer, slow)) = (of(small), of(16 * small));
        least = (least.0.min(fast), least.1.min(slow));
        if least.1.as_secs_f64() < 6.0 * ratio(longer, length) * least.0.as_secs_f64() {
            return None;
        }
    }
    Some(format!("{name}: takes {:?} for sixteen times of what takes {:?}", least.1, least.0))
}

#[test]
fn what_is_allocated_and_sent_grows_no_faster_than_the_request() {
    let policy = policy();
    // What is loaded once is loaded before.
    let _ = policy.catalog.priced_ids();
    handle(&policy, b"{}");
    let sized = [(SCHEMAS, 256), (REQUESTS, 256), (LIMITED, 128)];
    let complaints: Vec<String> = sized
        .iter()
        .flat_map(|(shapes, small)| shapes.iter().map(move |shape| (shape, *small)))
        .flat_map(|((name, shape), small)| allocations(&policy, name, *shape, small))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn what_is_compared_grows_no_faster_than_the_request() {
    let policy = policy();
    let _ = policy.catalog.priced_ids();
    let sized = [(SCHEMAS, 600), (REQUESTS, 1000), (LIMITED, 128)];
    let complaints: Vec<String> = sized
        .iter()
        .flat_map(|(shapes, small)| shapes.iter().map(move |shape| (shape, *small)))
        .filter_map(|((name, shape), small)| time(&policy, name, *shape, small))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
