//! Requests that are small, but would cost much work. Each is answered, and a second client is served meanwhile.
//!
//! `growth` counts what the work on a request costs; here it is seen from outside, with a net of twenty seconds
//! of the server's processor time, which only work without end goes through.

mod growth;

use crate::support::{Bedrock, Reply, Server, delta};
use chatrix::offline::wire;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What a request may take of the server's processor time: long enough for a build for tests. How busy the machine is
/// makes no difference to that.
const NET: Duration = Duration::from_secs(20);
/// How long a client waits for an answer on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// What the server has used so far of the processors.
fn processor_time(server: &Server) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    // The name of the program, in parentheses, may hold blanks. Times are in hundredths of a second (proc_pid_stat(5)).
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let hundredths: u64 = fields[11..13].iter().map(|time| time.parse::<u64>().unwrap()).sum();
    Duration::from_millis(hundredths * 10)
}

fn chat(members: &Value) -> String {
    let mut body = json!({"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body.to_string()
}

fn with_schema(parameters: &Value) -> String {
    chat(
        &json!({"tools": [{"type": "function", "function": {"name": "look", "parameters": parameters, "strict": true}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": parameters}}}),
    )
}

fn object(members: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(members.into_iter().collect::<Map<_, _>>())
}

fn properties(count: usize) -> Value {
    object((0..count).map(|at| (format!("p{at}"), json!({"type": "string"}))))
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("p{at}")).collect()
}

/// `levels` definitions with `width` references each to the next.
fn lattice(levels: usize, width: usize) -> Value {
    let level = |at: usize| {
        object((0..width).map(|name| (format!("p{name}"), json!({"$ref": format!("#/$defs/l{}", at + 1)}))))
    };
    let mut definitions: Vec<(String, Value)> =
        (0..levels).map(|at| (format!("l{at}"), json!({"type": "object", "properties": level(at)}))).collect();
    definitions.push((format!("l{levels}"), json!({"type": "string"})));
    json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/l0"}}, "required": ["x"], "$defs": object(definitions)})
}

/// Sends a request while a second client is served. Gives the status and the answer.
#[track_caller]
fn attack(server: &Server, name: &str, path: &str, body: &str) -> (u16, String) {
    std::thread::scope(|scope| {
        let before = processor_time(server);
        let attacker = scope.spawn(|| server.send("POST", path, &[("content-type", "application/json")], body));
        for path in ["/healthz", "/v1/models"] {
            assert_eq!(server.get(path).status, 200, "{name}: the second client");
        }
        let hello = server.chat(&json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hello"}]}));
        assert_eq!(hello.status, 200, "{name}: the second client: {}", hello.body);
        let answer = attacker.join().unwrap();
        let took = processor_time(server).saturating_sub(before);
        assert!(took < NET, "{name} took {took:?}");
        (answer.status, answer.body)
    })
}

fn check(server: &Server, attacks: &[(&str, String, u16)]) {
    for (name, body, status) in attacks {
        let (answered, answer) = attack(server, name, "/v1/chat/completions", body);
        let start: String = answer.chars().take(300).collect();
        assert_eq!(answered, *status, "{name}: {start}");
        assert!(answer.len() < 16_384, "{name}: an answer of {} bytes", answer.len());
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of them are the table of requests")]
fn small_schemas_with_much_work_are_answered() {
    let star: Vec<Value> = (0..3000).map(|_| json!({"$ref": "#/$defs/d"})).collect();
    let each: Vec<Value> = (0..3000).map(|at| json!({"$ref": format!("#/$defs/d{at}")})).collect();
    let definitions = object((0..3000).map(|at| (format!("d{at}"), json!({"properties": {format!("p{at}"): {}}}))));
    let mut nested = json!({"properties": {"long": {"description": "x".repeat(100_000)}}});
    let mut paths = Vec::new();
    let mut path = "#/$defs/d".to_owned();
    for at in 0..40 {
        nested = json!({"properties": {format!("n{}", 39 - at): nested}});
        paths.push(json!({"$ref": path}));
        path.push_str(&format!("/properties/n{at}"));
    }
    let long = "n".repeat(200_000);
    let named = object((0..3000).map(|at| (format!("a{at}"), json!({"$id": format!("x{at}")}))));
    let users = object((0..3000).map(|at| (format!("u {at}"), json!({"$ref": format!("x{at}")}))));
    let spelled: Vec<Value> =
        (0..1000).map(|at| json!({"$ref": if at % 2 == 0 { "#/$defs/%61" } else { "#/$defs/%62" }})).collect();
    let attacks = [
        ("a lattice", with_schema(&lattice(30, 2)), 200),
        ("a wide lattice", with_schema(&lattice(4, 200)), 200),
        (
            "40,000 required names",
            with_schema(&json!({"type": "object", "properties": properties(9000), "required": names(40_000)})),
            200,
        ),
        (
            "40,000 properties",
            with_schema(&json!({"type": "object", "properties": properties(40_000), "required": names(40_000)})),
            413,
        ),
        ("3,000 references in anyOf", with_schema(&json!({"anyOf": each, "$defs": definitions})), 200),
        (
            "3,000 references to one schema",
            with_schema(
                &json!({"anyOf": star, "$defs": {"d": {"properties": properties(3000), "required": names(3000)}}}),
            ),
            200,
        ),
        (
            "one schema in many spellings",
            with_schema(
                &json!({"allOf": spelled, "$defs": {"a": {"properties": properties(3000)}, "b": {"properties": properties(3000)}}}),
            ),
            200,
        ),
        ("schemas inside each other", with_schema(&json!({"anyOf": paths, "$defs": {"d": nested}})), 400),
        (
            "many schemas below one long name",
            with_schema(&json!({"type": "object", "properties": users, "$defs": {long: {"$defs": named}}})),
            400,
        ),
        (
            "an enum of 40,000 values",
            with_schema(&json!({"type": "object", "properties": {"e": {"enum": names(40_000)}}})),
            400,
        ),
        (
            "a schema of 63 levels",
            with_schema(
                &(0..50).fold(json!({"type": "string"}), |inner, _| json!({"type": "array", "items": inner}))["items"],
            ),
            400,
        ),
        (
            "a deep default",
            with_schema(&json!({"type": "object", "properties": {"a": {"default": properties(20_000)}}})),
            200,
        ),
    ];
    let bedrock = Bedrock::script([Reply::text("ok")]);
    check(&Server::start(&bedrock).with_patience(PATIENCE), &attacks);
    // The offline model makes a value that fits the schema.
    check(&Server::offline().with_patience(PATIENCE), &attacks[..2]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of them are the table of requests")]
fn small_requests_with_much_work_are_answered() {
    let tools: Vec<Value> =
        names(6000).iter().map(|name| json!({"type": "function", "function": {"name": name}})).collect();
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": tools}});
    let called =
        |at: usize| json!({"role": "assistant", "function_call": {"name": format!("f{at}"), "arguments": "{}"}});
    let legacy: Vec<Value> = (0..10_000)
        .map(called)
        .chain((0..10_000).map(|_| json!({"role": "function", "name": "f0", "content": "x"})))
        .collect();
    let point = json!({"type": "text", "text": " ", "cache_control": {"type": "ephemeral"}});
    let points: Vec<Value> = (0..20_000).map(|_| point.clone()).collect();
    let branches: Vec<Value> = (0..3000).map(|at| json!({"properties": {format!("p{at}"): {}, "a b": {}}})).collect();
    let rows: Vec<Value> = (0..10_000).map(|_| json!({"a b": 1})).collect();
    let union = json!({"type": "object", "properties": {"rows": {"items": {"anyOf": branches}}}});
    let history = json!([{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": [{"id": "1", "type": "function",
        "function": {"name": "look", "arguments": json!({"rows": rows}).to_string()}}]}]);
    let ids: Vec<Value> = (0..10_000)
        .flat_map(|_| {
            [
                json!({"role": "assistant", "tool_calls": [{"id": "a.b", "type": "function", "function": {"name": "f.g", "arguments": "{}"}}]}),
                json!({"role": "tool", "tool_call_id": "a.b", "content": "x"}),
            ]
        })
        .collect();
    let empty: Vec<Value> = (0..30_000).map(|_| json!({"role": "system", "content": ""})).collect();
    let too_many: Vec<Value> = (0..120_000).map(|_| json!({"role": "user", "content": "x"})).collect();
    let attacks = [
        ("6,000 allowed tools", chat(&json!({"tools": tools, "tool_choice": allowed})), 400),
        (
            "2,000 allowed tools",
            chat(
                &json!({"tools": tools[..2000], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": tools}}}),
            ),
            200,
        ),
        ("results of the first of 10,000 functions", chat(&json!({"messages": legacy})), 200),
        (
            "20,000 cache points before any text",
            chat(&json!({"messages": [{"role": "system", "content": points}, {"role": "user", "content": "x"}]})),
            200,
        ),
        (
            "a union of 3,000 and 10,000 rows",
            chat(
                &json!({"messages": history, "tools": [{"type": "function", "function": {"name": "look", "parameters": union}}]}),
            ),
            200,
        ),
        ("10,000 calls of one id", chat(&json!({"messages": ids})), 200),
        ("30,000 empty system messages", chat(&json!({"messages": empty})), 400),
        ("120,000 messages", chat(&json!({"messages": too_many})), 413),
        ("40,000 stop sequences", chat(&json!({"stop": names(40_000)})), 400),
        ("100,000 members that mean nothing", chat(&properties(100_000)), 413),
        (
            "100,000 tags",
            chat(&json!({"metadata": object(names(100_000).into_iter().map(|name| (name, "x".into())))})),
            200,
        ),
        ("a name of 5 MB", chat(&json!({"model": "claude-haiku".repeat(400_000)})), 400),
        ("a route of 5 MB", chat(&json!({"model": format!("{}claude-haiku", "x/".repeat(2_500_000))})), 400),
        ("a role of 5 MB", chat(&json!({"messages": [{"role": "\u{1}".repeat(1_000_000), "content": "x"}]})), 400),
        ("a body of 100,000 levels", "[".repeat(100_000), 400),
        ("schemas of 100,000 levels", format!("{{\"tools\":{}", "[".repeat(100_000)), 400),
    ];
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock).with_patience(PATIENCE);
    check(&server, &attacks);
    let refused = |body: &str| server.send("POST", "/v1/chat/completions", &[], body).json()["error"].clone();
    let named = |place: usize| {
        let error = refused(&attacks[place].1);
        (error["param"].clone(), error["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(named(0), (json!("tools"), "the request has 6000 tools; at most 2048 are accepted".to_owned()));
    assert_eq!(named(8), (json!("stop"), "the request has 40000 stop sequences; at most 2500 are accepted".to_owned()));
    assert_eq!(named(11), (json!("model"), "`model` has 4800000 bytes; a name has at most 2048".to_owned()));
    assert_eq!(named(14).1, "the request body is nested more than 127 levels deep at line 1 column 128");
}

#[test]
fn long_paths_and_headers_are_answered() {
    let server = Server::offline().with_patience(PATIENCE);
    let long = "x".repeat(30_000);
    let slashes = "a/".repeat(15_000);
    for (path, headers, statuses) in [
        (format!("/v1/models/{long}"), vec![], [404, 414]),
        (format!("/v1/models/{slashes}"), vec![], [404, 414]),
        (format!("/{slashes}"), vec![], [404, 414]),
        ("/v1/models".to_owned(), vec![("authorization", long.as_str()), ("x-api-key", long.as_str())], [200, 431]),
        ("/v1/models".to_owned(), vec![("origin", long.as_str())], [403, 431]),
        ("/v1/models".to_owned(), (0..90).map(|_| ("x-same", "1")).collect(), [200, 431]),
    ] {
        let before = processor_time(&server);
        let answer = server.send("GET", &path, &headers, "");
        assert!(statuses.contains(&answer.status), "{} {}", answer.status, &path[..10]);
        assert!(answer.body.len() < 65_536 && processor_time(&server).saturating_sub(before) < NET, "{}", &path[..10]);
        assert_eq!(server.get("/healthz").status, 200);
    }
}

#[test]
fn an_answer_in_many_pieces_of_nothing_is_passed_on() {
    let blanks = (0..30_000).map(|_| delta(" "));
    let start = [wire::event("messageStart", json!({"role": "assistant"}))];
    let end = [
        wire::event("contentBlockStop", json!({"contentBlockIndex": 0})),
        wire::event("messageStop", json!({"stopReason": "end_turn"})),
        wire::event("metadata", json!({"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}})),
    ];
    let frames: Vec<_> = start.into_iter().chain(blanks).chain(end).collect();
    let server = Server::start(&Bedrock::script([Reply::Frames(frames)])).with_patience(PATIENCE);
    for body in [
        json!({"model": "openai.gpt-oss-120b-1:0", "stream": true}),
        json!({"model": "nova-pro", "stream": true, "response_format": {"type": "json_object"}}),
    ] {
        let before = processor_time(&server);
        assert_eq!(server.send("POST", "/v1/chat/completions", &[], &chat(&body)).status, 200);
        let took = processor_time(&server).saturating_sub(before);
        assert!(took < NET, "{took:?}");
    }
}
