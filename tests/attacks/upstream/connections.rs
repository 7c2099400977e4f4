//! Connections that are kept between calls, and closed by the other side in every way. A call is sent again only where
//! nobody can have received it (docs/bedrock.md §4.7).

use super::question;
use crate::support::{Bedrock, Chatrix, Home, Reply, Server, eventually};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// When a server closes its first connection, at the second request on it.
#[derive(Debug, Clone, Copy)]
enum Close {
    /// Before it reads, so that the system answers with a reset.
    Unread,
    AfterHead,
    AfterBody,
    /// Once it has worked on the request for a while.
    Later,
    /// Once it has begun an answer, after a while.
    InAnswer,
    /// At once, and the following connections too.
    EveryTime,
}

/// A server that answers all other requests and keeps their connections open. Returns its URL, and how many requests it
/// began to read.
fn serve(second: Close) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    thread::spawn(move || {
        for (number, socket) in listener.incoming().enumerate() {
            let (socket, count) = (socket.unwrap(), Arc::clone(&count));
            thread::spawn(move || connection(&socket, number, second, &count));
        }
    });
    (url, requests)
}

fn connection(socket: &TcpStream, number: usize, second: Close, count: &AtomicUsize) {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    for request in 0.. {
        let mut first = [0];
        if socket.peek(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let nth = count.fetch_add(1, Ordering::SeqCst);
        let is_second = number == 0 && request == 1;
        let is_after = matches!(second, Close::EveryTime) && nth >= 1;
        if is_after || is_second {
            return end(socket, &mut reader, second);
        }
        let length = head(&mut reader);
        body(&mut reader, length);
        answer(socket);
    }
}

fn end(mut socket: &TcpStream, reader: &mut BufReader<TcpStream>, second: Close) {
    if matches!(second, Close::Unread) {
        return;
    }
    let length = head(reader);
    if matches!(second, Close::AfterHead) {
        return;
    }
    body(reader, length);
    match second {
        Close::Later => thread::sleep(Duration::from_millis(400)),
        Close::InAnswer => {
            thread::sleep(Duration::from_millis(400));
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap();
        }
        _ => {}
    }
}

/// Reads a head, and returns the length of the body.
fn head(reader: &mut BufReader<TcpStream>) -> usize {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            return length;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
}

fn body(reader: &mut BufReader<TcpStream>, length: usize) {
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
}

fn answer(mut socket: &TcpStream) {
    let body = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    })
    .to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all((head + &body).as_bytes()).unwrap();
}

/// How the second call ends: what the server does, whether it is answered, how many requests the server has seen in all,
/// whether a call stays booked.
#[test]
fn a_call_that_met_a_closed_connection_is_sent_once_more() {
    for (second, is_answered, requests, is_booked) in [
        (Close::Unread, true, 3, false),
        (Close::AfterHead, true, 3, false),
        (Close::AfterBody, true, 3, false),
        (Close::Later, false, 2, true),
        (Close::InAnswer, false, 2, true),
        (Close::EveryTime, false, 3, true),
    ] {
        let (url, seen) = serve(second);
        let home = Home::new("");
        let serve = Chatrix::serve().home(&home).credentials().env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &url);
        let server = Server::run(serve);
        assert_eq!(server.chat(&question(false)).status, 200);
        let answer = server.chat(&question(false));
        assert_eq!(answer.status == 200, is_answered, "{second:?}: {}", answer.body);
        assert_eq!(seen.load(Ordering::SeqCst), requests, "{second:?}");
        assert_eq!(home.at_rest().2 > 0, is_booked, "{second:?}");
    }
}

#[test]
fn a_new_connection_that_is_closed_is_no_reason_to_send_again() {
    let home = Home::new("");
    let bedrock = Bedrock::script([Reply::HangUp(Duration::ZERO)]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    for stream in [false, true] {
        assert_eq!(server.chat(&question(stream)).status, 502);
    }
    assert_eq!((bedrock.calls().len(), bedrock.connections()), (2, 2));
    assert!(home.at_rest().2 > 0);
}

#[test]
fn connections_are_kept_between_calls_and_not_for_long() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let config = "connection_idle_seconds = 1";
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config(config));
    for stream in [false, true, false] {
        assert_eq!(server.chat(&question(stream)).status, 200);
    }
    assert_eq!(bedrock.connections(), 1);
    eventually("the connection is closed", || bedrock.open_connections() == 0);
    assert_eq!(server.chat(&question(false)).status, 200);
    assert_eq!(bedrock.connections(), 2);
}
