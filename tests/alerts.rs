//! Alerts of budgets, received over real HTTP by a receiver that checks their signatures.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, eventually};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

const SECRET: &str = "correct horse battery staple";

/// A request that was received.
struct Received {
    headers: HashMap<String, String>,
    body: String,
}

/// Receives alerts on loopback. It answers with these statuses in turn, and with the last one from then on.
struct Receiver {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    fn answering(statuses: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook/a-secret-path", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let (statuses, shared) = (statuses.to_vec(), Arc::clone(&received));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let Some(request) = read(&socket) else { continue };
                let mut requests = shared.lock().unwrap();
                let status = statuses[requests.len().min(statuses.len() - 1)];
                requests.push(request);
                let _ = write!(socket, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        Self { url, received }
    }

    fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    /// The thresholds that were told, with what they were told of, in order.
    fn told(&self) -> Vec<(String, u64)> {
        let received = self.received.lock().unwrap();
        let data = received.iter().map(|request| serde_json::from_str::<Value>(&request.body).unwrap()["data"].clone());
        let mut told: Vec<_> = data
            .map(|data| (data["budget"].as_str().unwrap().to_owned(), data["threshold_percent"].as_u64().unwrap()))
            .collect();
        told.sort();
        told
    }
}

fn read(socket: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    assert_eq!(line, "POST /hook/a-secret-path HTTP/1.1\r\n");
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some(Received { headers, body: String::from_utf8(body).unwrap() })
}

#[track_caller]
fn check_signature(request: &Received) {
    let Received { headers, body } = request;
    let (id, timestamp) = (&headers["webhook-id"], &headers["webhook-timestamp"]);
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    assert_eq!(headers["webhook-signature"], format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(timestamp.parse::<u64>().unwrap().abs_diff(now) < 60);
}

/// `hi` can have 546 input tokens and 512 output tokens, and this answer has. It costs 90,790 nano-dollars.
fn spends() -> Bedrock {
    Bedrock::script([Reply::Measured(546, 512)])
}

/// A budget of which one answer takes 85 percent, so that no second one fits.
const BUDGET: &str = "0.000106811";

fn config(receiver: &Receiver) -> String {
    let url = &receiver.url;
    format!("[budget]\nday_usd = {BUDGET}\nwait_seconds = 0\n[alerts]\nwebhook = \"{url}\"\nsecret = \"{SECRET}\"\n")
}

fn serve(home: &Home, bedrock: &Bedrock) -> Server {
    Server::run(Chatrix::serve().home(home).bedrock(bedrock))
}

fn ask(server: &Server) -> u16 {
    server.chat(&json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}]})).status
}

#[test]
fn a_threshold_is_told_once_signed_and_again_until_it_is_received() {
    let receiver = Receiver::answering(&["500 Oh", "503 Busy", "204 No Content"]);
    let (home, bedrock) = (Home::new(&config(&receiver)), spends());
    let server = serve(&home, &bedrock);
    assert_eq!(ask(&server), 200);
    eventually("it is received at the third try", || receiver.count() == 3);
    // A second server and a restart do not repeat it.
    let second = serve(&home, &bedrock);
    drop(server);
    let third = serve(&home, &bedrock);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(receiver.count(), 3);
    let requests = receiver.received.lock().unwrap();
    requests.iter().for_each(check_signature);
    assert!(requests.iter().all(|request| request.headers["webhook-id"] == requests[0].headers["webhook-id"]));
    let body: Value = serde_json::from_str(&requests[0].body).unwrap();
    let instance = body["data"]["instance"].as_str().unwrap();
    let machine = std::process::Command::new("uname").arg("-n").output().unwrap().stdout;
    let machine = String::from_utf8(machine).unwrap();
    assert!(instance.starts_with(&format!("{} 127.0.0.1:", machine.trim())), "{instance}");
    let expected = json!({"type": "budget.threshold_reached", "data": {
        "budget": "day budget", "period": "day", "key": null, "group": null, "threshold_percent": 80,
        "limit_usd": 0.000_106_811, "spent_usd": 0.000_090_79, "uncertain_usd": 0.0, "reserved_usd": 0.0,
        "resets": body["data"]["resets"], "instance": instance,
    }});
    assert_eq!(body, expected);
    drop(requests);
    // A refusal for money counts as all of it.
    assert_eq!(ask(&second), 402);
    eventually("the refusal is told", || receiver.told().contains(&("day budget".to_owned(), 100)));
    assert!(!third.stop().contains("a-secret-path"));
}

#[test]
fn budgets_of_keys_are_told_too_and_so_is_what_other_commands_spent() {
    let receiver = Receiver::answering(&["200 OK"]);
    let (home, bedrock) = (Home::new(""), spends());
    let token = Chatrix::keys().args(["add", "laptop", "--day-usd", BUDGET]).home(&home).run().stdout;
    let webhook = format!("[alerts]\nwebhook = \"{}\"\nsecret_env = \"ALERT_SECRET\"\n", receiver.url);
    home.configure(&format!("[budget]\nmonth_usd = 0.0005\n{webhook}"));
    let serve = || Chatrix::serve().home(&home).bedrock(&bedrock).env("ALERT_SECRET", SECRET);
    // Without a server, nobody tells it yet.
    let question = ["-q", "-m", "nova-micro", "hi"];
    Chatrix::ask().args(question).home(&home).bedrock(&bedrock).env("ALERT_SECRET", SECRET).run().code(0);
    home.configure(&format!("[budget]\nmonth_usd = {BUDGET}\n{webhook}"));
    let server = Server::run(serve());
    eventually("the month is told", || receiver.told() == [("month budget".to_owned(), 80)]);
    home.configure(&format!("[budget]\nmonth_usd = 0.5\n{webhook}"));
    drop(server);
    let server = Server::run(serve());
    let body = json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let bearer = format!("Bearer {}", token.trim());
    for status in [200, 402] {
        let answer = server.send("POST", "/v1/chat/completions", &[("authorization", &bearer)], &body);
        assert_eq!(answer.status, status, "{}", answer.body);
        home.at_rest();
    }
    eventually("the key's day is told", || {
        [80, 100].iter().all(|share| receiver.told().contains(&("day budget of key laptop".to_owned(), *share)))
    });
    receiver.received.lock().unwrap().iter().for_each(check_signature);
}

#[test]
fn the_budget_of_a_group_is_told_with_its_name() {
    let receiver = Receiver::answering(&["200 OK"]);
    let (home, bedrock) = (Home::new(&config(&receiver).replace(BUDGET, "1")), spends());
    Chatrix::command().args(["groups", "add", "research", "--day-usd", BUDGET]).home(&home).run().code(0);
    let token = Chatrix::keys().args(["add", "laptop", "--group", "research"]).home(&home).run().stdout;
    let server = serve(&home, &bedrock);
    let body = json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let bearer = format!("Bearer {}", token.trim());
    for status in [200, 402] {
        let answer = server.send("POST", "/v1/chat/completions", &[("authorization", &bearer)], &body);
        assert_eq!(answer.status, status, "{}", answer.body);
        home.at_rest();
    }
    eventually("it is told", || receiver.count() == 2);
    assert_eq!(receiver.told(), [80, 100].map(|share| ("day budget of group research".to_owned(), share)));
    let body: Value = serde_json::from_str(&receiver.received.lock().unwrap()[0].body).unwrap();
    assert_eq!((&body["data"]["key"], &body["data"]["group"]), (&Value::Null, &json!("research")));
}

#[test]
fn a_receiver_that_is_gone_or_redirects_gets_no_more() {
    let receiver = Receiver::answering(&["410 Gone"]);
    let (home, bedrock) = (Home::new(&config(&receiver)), spends());
    let server = serve(&home, &bedrock);
    assert_eq!(ask(&server), 200);
    eventually("it is received", || receiver.count() == 1);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(receiver.count(), 1);
    let said = server.stop();
    assert!(said.contains("could not be delivered to 127.0.0.1: status 410"), "{said}");
}

#[test]
fn a_receiver_that_never_answers_is_in_nobodys_way() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let receiver = Receiver { url: format!("http://{}/", listener.local_addr().unwrap()), received: Arc::default() };
    let (home, bedrock) = (Home::new(&config(&receiver)), spends());
    let server = serve(&home, &bedrock);
    assert_eq!(ask(&server), 200);
    let (_socket, _) = listener.accept().unwrap();
    home.configure("");
    for _ in 0..3 {
        assert_ne!(ask(&server), 500);
    }
    crate::support::signal(server.pid(), "TERM");
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn a_wrong_address_or_secret_is_a_mistake_in_the_config_file_and_is_not_repeated() {
    for (alerts, message) in [
        ("webhook = \"http://hooks.example/T0-secret\"", "it must begin with https://"),
        ("webhook = \"https://u:T0-secret@hooks.example/\"", "it must not hold a user name or a password"),
        ("webhook = \"T0-secret\"", "it is not a URL"),
        ("webhook = \"https://hooks.example/\"\nsecret = \"whsec_T0-secret!\"", "what follows whsec_ is not Base64"),
        ("webhook = \"https://hooks.example/\"\nsecret_env = \"NOPE\"", "names the variable NOPE, which is not set"),
        ("secret = \"T0-secret\"", "has a secret, but no webhook"),
        ("webhok = \"T0-secret\"", "webhok"),
    ] {
        let ended = Chatrix::usage().config(&format!("[alerts]\n{alerts}\n")).run().code(2);
        assert!(ended.stderr.contains(message) && !ended.stderr.contains("T0-secret"), "{}", ended.stderr);
    }
}

#[test]
fn a_reload_changes_whom_is_told() {
    let receiver = Receiver::answering(&["200 OK"]);
    let (home, bedrock) = (Home::new(&format!("[budget]\nday_usd = {BUDGET}\n")), spends());
    let server = serve(&home, &bedrock);
    assert_eq!(ask(&server), 200);
    home.configure(&config(&receiver));
    crate::support::signal(server.pid(), "HUP");
    eventually("it is told after the reload", || receiver.told() == [("day budget".to_owned(), 80)]);
}
