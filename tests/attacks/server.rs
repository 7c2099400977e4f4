//! Clients that take their time, take too much, or address somebody else.

use crate::support::{Bedrock, Chatrix, Reply, Server, delta, eventually, signal};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const CHAT: &str = "/v1/chat/completions";

/// Clocks that a test can wait for.
const SHORT: &str = "[serve.timeouts]
head_seconds = 0.5
idle_seconds = 0.5
body_grace_seconds = 0.5
body_pause_seconds = 0.5
write_seconds = 0.5
queue_seconds = 0.5
";

fn short(server: Chatrix) -> Server {
    Server::run(server.config(SHORT))
}

fn offline() -> Chatrix {
    Chatrix::serve().arg("--offline")
}

fn question() -> String {
    json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}]}).to_string()
}

fn connect(server: &Server) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", server.port().parse().unwrap())).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket
}

/// Sends these bytes. Gives what comes until the server closes the connection.
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut socket = connect(server);
    // The server may refuse before it has read everything.
    let _ = socket.write_all(bytes);
    rest(&mut socket)
}

/// What comes until the server closes the connection.
fn rest(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match socket.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("the server does not close the connection: {error}"),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Reads one response whose length is declared, and leaves the connection open.
fn one_response(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") {
        socket.read_exact(&mut byte).unwrap();
        text.push(char::from(byte[0]));
    }
    let length = text.to_ascii_lowercase();
    let length = length.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    socket.read_exact(&mut body).unwrap();
    text + std::str::from_utf8(&body).unwrap()
}

/// Status and code of an error in OpenAI's shape.
#[track_caller]
fn error(response: &str) -> (u16, String) {
    let status = response.split(' ').nth(1).unwrap_or_else(|| panic!("no response: {response:?}")).parse().unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    (status, body["error"]["code"].as_str().unwrap().to_owned())
}

#[test]
fn a_head_that_does_not_end_is_answered_and_silence_is_closed() {
    let server = short(offline());
    for begun in ["G", "GET /v1/models HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: localhost\r\nx: "] {
        assert_eq!(error(&raw(&server, begun.as_bytes())), (408, "request_timeout".into()), "{begun:?}");
    }
    assert_eq!(raw(&server, b""), "", "nothing was asked");
    // Slowly, byte by byte, each well within the time.
    let mut socket = connect(&server);
    let mut slow = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".iter();
    while slow.next().is_some_and(|byte| socket.write_all(&[*byte]).is_ok()) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(slow.next().is_some(), "the server closes before the end");
}

#[test]
fn an_idle_connection_is_closed_and_a_used_one_is_not() {
    let server = short(offline());
    let mut socket = connect(&server);
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(200));
        socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        assert!(one_response(&mut socket).starts_with("HTTP/1.1 200"));
    }
    assert_eq!(rest(&mut socket), "", "no error without a request");
}

#[test]
fn a_body_that_trickles_is_refused() {
    let server = short(offline());
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{{");
    assert_eq!(error(&raw(&server, head.as_bytes())), (408, "request_timeout".into()), "a pause");
    let mut socket = connect(&server);
    socket.write_all(head.as_bytes()).unwrap();
    let mut sender = socket.try_clone().unwrap();
    std::thread::spawn(move || {
        while sender.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(error(&rest(&mut socket)), (408, "request_timeout".into()), "50 bytes a second");
}

#[test]
fn a_stream_that_nobody_reads_ends_the_call() {
    let text = "word ".repeat(20_000);
    let frames = (0..200).map(|_| delta(&text)).collect();
    let bedrock = Bedrock::script([Reply::Stall(frames)]);
    let serve = Chatrix::serve().bedrock(&bedrock).args(["--max-tokens-limit", "100000"]);
    let server = Server::run(serve.config(SHORT));
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], server.port().parse().unwrap()));
    socket.connect(&address.into()).unwrap();
    let mut socket = TcpStream::from(socket);
    let body = json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}], "stream": true,
        "max_tokens": 100_000})
    .to_string();
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    socket.write_all(head.as_bytes()).unwrap();
    eventually("the call ends with its client", || bedrock.abandoned() == 1);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn connections_are_bounded_and_idle_ones_make_room() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    bedrock.hold();
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).args(["--max-connections", "3"]));
    let mut idle: Vec<_> = (0..3).map(|_| connect(&server)).collect();
    for socket in &mut idle {
        socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        assert!(one_response(socket).starts_with("HTTP/1.1 200"));
    }
    let busy: Vec<_> = (0..3).map(|_| server.open("POST", CHAT, &[], &question())).collect();
    eventually("the calls arrive", || bedrock.calls().len() == 3);
    for socket in &mut idle {
        assert_eq!(rest(socket), "", "it was given up");
    }
    let refused = raw(&server, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(error(&refused), (503, "server_is_overloaded".into()));
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    bedrock.go_on();
    for mut socket in busy {
        assert!(rest(&mut socket).starts_with("HTTP/1.1 200"));
    }
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_flood_of_heads_that_do_not_end_leaves_room_for_others() {
    let server = Server::run(offline().args(["--max-connections", "20"]));
    let begun: Vec<_> = (0..20)
        .map(|_| {
            let mut socket = connect(&server);
            socket.write_all(b"GET /v1/mod").unwrap();
            socket
        })
        .collect();
    eventually("they are given up for others", || {
        let response = raw(&server, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        response.starts_with("HTTP/1.1 200")
    });
    drop(begun);
}

#[test]
fn answers_in_flight_are_bounded_and_free_routes_are_not() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    bedrock.hold();
    let serve = Chatrix::serve().bedrock(&bedrock).args(["--max-in-flight", "1"]);
    let server = Server::run(serve.config(SHORT));
    let mut first = server.open("POST", CHAT, &[], &question());
    eventually("the call arrives", || bedrock.calls().len() == 1);
    let started = std::time::Instant::now();
    let mut second = server.open("POST", CHAT, &[], &question());
    let full = server.send("POST", CHAT, &[], &question());
    assert_eq!(full.error(), (503, "server_error".into(), "server_is_overloaded".into()));
    assert_eq!(full.headers["retry-after"], "1");
    for path in ["/healthz", "/v1/models", "/"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(server.send("OPTIONS", CHAT, &[], "").status, 204);
    // Either of the two waits, and gives up in time.
    assert_eq!(error(&rest(&mut second)), (503, "server_is_overloaded".into()));
    assert!(started.elapsed() >= Duration::from_millis(500));
    bedrock.go_on();
    assert!(rest(&mut first).starts_with("HTTP/1.1 200"));
    assert_eq!(server.send("POST", CHAT, &[], &question()).status, 200);
    assert_eq!(bedrock.calls().len(), 2, "what was refused was not sent");
}

#[test]
fn tunnels_are_refused_and_every_other_target_is_understood() {
    let server = Server::offline();
    let host = format!("host: localhost:{}\r\nconnection: close\r\n\r\n", server.port());
    for target in ["CONNECT example.com:443", "CONNECT localhost:80", "GET example.com:443", "POST localhost:1"] {
        let refused = raw(&server, format!("{target} HTTP/1.1\r\n{host}").as_bytes());
        assert_eq!(error(&refused), (405, "method_not_supported".into()), "{target}");
        assert!(refused.contains("allow: GET, HEAD, POST, OPTIONS\r\n"), "{refused}");
    }
    let status = |head: &str| {
        let response = raw(&server, head.as_bytes());
        response.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let own = format!("http://localhost:{}", server.port());
    for (head, expected) in [
        (format!("OPTIONS * HTTP/1.1\r\n{host}"), "204"),
        (format!("GET {own}/v1/models HTTP/1.1\r\n{host}"), "200"),
        (format!("GET {own} HTTP/1.1\r\n{host}"), "200"),
        (format!("GET http://evil.example/v1/models HTTP/1.1\r\n{host}"), "400"),
        (format!("GET http://x@localhost:{}/v1/models HTTP/1.1\r\n{host}", server.port()), "400"),
        ("GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(), "400"),
        (format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{host}"), "400"),
        (format!("GET /v1/models HTTP/1.1\r\norigin: http://localhost\r\norigin: http://localhost\r\n{host}"), "400"),
        (format!("GET /v1/models HTTP/1.1\r\norigin: null\r\n{host}"), "403"),
        (format!("GET /v1/models HTTP/1.1\r\nsec-fetch-site: cross-site\r\n{host}"), "403"),
        ("GET /v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n".to_owned(), "403"),
        ("GET /v1/models HTTP/1.0\r\n\r\n".to_owned(), "200"),
        (format!("GET /v1/models HTTP/1.1\r\norigin: {own}\r\n{host}"), "200"),
    ] {
        assert_eq!(status(&head), expected, "{head}");
    }
    signal(server.pid(), "TERM");
    let (_, console) = server.wait();
    assert!(console.contains("allow_hosts = [\"evil.example\"] under [serve]"), "{console}");
    assert!(console.contains("with: chatrix serve --allow-origin null"), "{console}");
}

#[test]
fn a_head_that_is_too_large_is_refused_in_json() {
    let server = Server::offline();
    let head = |fields: String| format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n");
    let long = head(format!("cookie: {}\r\n", "c".repeat(70 * 1024)));
    let many = head((0..120).map(|n| format!("x-{n}: 1\r\n")).collect());
    for large in [long, many] {
        assert_eq!(error(&raw(&server, large.as_bytes())), (431, "request_header_too_large".into()));
    }
    let endless = head(format!("cookie: {}\r\n", "c".repeat(1 << 20)));
    assert!(raw(&server, endless.as_bytes()).starts_with("HTTP/1.1 431"), "hyper's own answer");
    let fine = head(format!("cookie: {}\r\nconnection: close\r\n", "c".repeat(60 * 1024)));
    assert!(raw(&server, fine.as_bytes()).starts_with("HTTP/1.1 200"));
}

#[test]
fn bodies_in_memory_are_bounded() {
    let server = Server::run(offline().config("[serve]\nmax_body_memory_mib = 1\n"));
    let declared = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        2 << 20
    );
    let refused = raw(&server, declared.as_bytes());
    assert_eq!(error(&refused), (503, "server_is_overloaded".into()), "before it is read");
    assert!(refused.contains("retry-after: "), "{refused}");
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, " ".repeat(1 << 16));
    let chunked =
        format!("POST {CHAT} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n{}", chunk.repeat(17));
    assert_eq!(error(&raw(&server, chunked.as_bytes())), (503, "server_is_overloaded".into()));
    assert_eq!(server.send("POST", CHAT, &[], &question()).status, 200, "the memory is free again");
}

#[test]
fn a_packed_body_is_unpacked_or_refused() {
    let server = Server::offline();
    let send = |encoding: &str, body: &[u8]| {
        let head = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        raw(&server, &[head.as_bytes(), body].concat())
    };
    let question = question();
    let deflated = miniz_oxide::deflate::compress_to_vec(question.as_bytes(), 6);
    let gzip = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &deflated, &[0; 8]].concat();
    let zlib = miniz_oxide::deflate::compress_to_vec_zlib(question.as_bytes(), 6);
    for (encoding, body) in [("gzip", &gzip[..]), ("deflate", &zlib), ("identity", question.as_bytes())] {
        assert!(send(encoding, body).starts_with("HTTP/1.1 200"), "{encoding}");
    }
    let refused = send("zstd", &gzip);
    assert_eq!(error(&refused), (415, "unsupported_content_encoding".into()));
    assert!(refused.contains("accept-encoding: gzip, deflate, identity\r\n"), "{refused}");
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b' '; 70 << 20], 9);
    assert_eq!(error(&send("deflate", &bomb)), (413, "request_too_large".into()));
    assert_eq!(error(&send("gzip", b"{}")), (400, "invalid_value".into()));
}

#[test]
fn what_http_allows_still_works() {
    let server = Server::offline();
    let two = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(raw(&server, two.as_bytes()).matches("HTTP/1.1 200").count(), 2, "requests in a row");
    let body = question();
    let mut socket = connect(&server);
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    socket.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(body.as_bytes()).unwrap();
    assert!(rest(&mut socket).starts_with("HTTP/1.1 200"));
}

/// HTTP/2 without TLS, for clients that know beforehand that it is spoken.
#[test]
fn http_2_is_served_with_the_same_rules() {
    use http_body_util::{BodyExt, Full};
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;
    let server = short(offline());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client: Client<_, Full<bytes::Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        let get = |path: &str, host: Option<&'static str>| {
            let mut request = hyper::Request::get(format!("http://127.0.0.1:{}{path}", server.port()));
            if let Some(host) = host {
                request = request.header("host", host);
            }
            client.request(request.body(Full::default()).unwrap())
        };
        let models = get("/v1/models", None).await.unwrap();
        assert_eq!((models.status().as_u16(), models.version()), (200, hyper::Version::HTTP_2));
        models.into_body().collect().await.unwrap();
        assert_eq!(get("/v1/models", Some("evil.example")).await.unwrap().status(), 400);
        let question = hyper::Request::post(format!("http://127.0.0.1:{}{CHAT}", server.port()));
        let answer = client.request(question.body(Full::from(question_bytes())).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
    });
}

fn question_bytes() -> bytes::Bytes {
    question().into()
}

#[test]
fn images_are_fetched_only_for_calls_that_are_allowed() {
    let home = crate::support::Home::new("[serve]\nfetch_images = true\n");
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let made = Chatrix::keys().home(&home).args(["add", "text", "--models", "nova-micro"]).run();
    let token = made.code(0).stdout.trim().to_owned();
    let ask = |server: &Server, model: &str, token: &str| {
        // No image is fetched from this machine, which shows whether one was tried.
        let image = json!({"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/x.png"}});
        let body = json!({"model": model, "messages": [{"role": "user", "content": [image]}]});
        let bearer = format!("Bearer {token}");
        server.send("POST", CHAT, &[("authorization", &bearer)], &body.to_string())
    };
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    assert_eq!(ask(&server, "nobody", "x").error().2, "model_not_found");
    assert_eq!(ask(&server, "nova-micro", "x").error().2, "unsupported_parameter", "the model takes no images");
    assert_eq!(ask(&server, "claude-haiku-4-5", &token).error().2, "model_not_allowed");
    let tried = ask(&server, "claude-haiku-4-5", "x");
    assert!(tried.status == 400 && tried.body.contains("public addresses only"), "{}", tried.body);
    assert_eq!(tried.json()["error"]["param"], "messages[0].content[0].image_url.url");
    assert_eq!(home.at_rest(), (0, 0, 0), "nothing stays booked");
    drop(server);
    home.configure("[serve]\nfetch_images = true\n[budget]\nday_usd = 0.000001\n");
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    assert_eq!(ask(&server, "claude-haiku-4-5", "x").error().2, "insufficient_quota");
    assert_eq!(home.at_rest(), (0, 0, 0), "nothing is booked");
    assert!(bedrock.calls().is_empty());
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn http2_frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[test]
fn an_http2_answer_that_nobody_takes_ends_however_the_preface_came() {
    let server = Server::run(Chatrix::serve().arg("--offline").config("[serve.timeouts]\nwrite_seconds = 1\n"));
    for split in [0, 2, 10] {
        let mut socket = TcpStream::connect(server.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        socket.set_nodelay(true).unwrap();
        let (first, rest) = HTTP2_PREFACE.split_at(split);
        socket.write_all(first).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        // SETTINGS_INITIAL_WINDOW_SIZE is 0, so that no answer may be sent.
        let settings = http2_frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
        let host = server.address().as_bytes();
        let mut fields = vec![0x82, 0x86, 0x04, 10];
        fields.extend_from_slice(b"/v1/models");
        fields.extend([0x01, u8::try_from(host.len()).unwrap()]);
        fields.extend_from_slice(host);
        socket.write_all(&[rest, &settings, &http2_frame(1, 5, 1, &fields)].concat()).unwrap();
        let began = Instant::now();
        let _ = socket.read_to_end(&mut Vec::new());
        assert!(began.elapsed() < Duration::from_secs(10), "{split}: {:?}", began.elapsed());
    }
}

#[test]
fn a_flood_of_frames_outlives_no_limit() {
    let server = Server::run(Chatrix::serve().arg("--offline").config("[serve.timeouts]\nhead_seconds = 1\n"));
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.write_all(&[HTTP2_PREFACE, &http2_frame(4, 0, 0, &[])].concat()).unwrap();
    let priorities = http2_frame(2, 0, 1, &[0, 0, 0, 0, 16]).repeat(300);
    let began = Instant::now();
    while socket.write_all(&priorities).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(8), "the connection outlives its limit");
    }
}
