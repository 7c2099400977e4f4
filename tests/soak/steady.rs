//! Many calls a second with credentials that expire soon, for as long as `CHATRIX_SOAK_SECONDS` says (4 by default). No call
//! fails, and no two loads of credentials run at once. In a run of more than a minute there are 500 calls a second and
//! credentials that live for a minute; in a shorter one, beside other tests, 100 and two seconds of use.

use super::seconds;
use crate::support::{Bedrock, Chatrix, Home, Reply, Server, SetOnDrop};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CLIENTS: u32 = 50;

/// A helper that gives keys with an end, takes its time for that, and notes each run, and each that meets another.
fn helper(lifetime: u64) -> String {
    format!(
        "mkdir busy || echo overlap >> runs\n\
         echo run >> runs\n\
         sleep 0.2\n\
         printf '{{\"Version\":1,\"AccessKeyId\":\"AKID%s\",\"SecretAccessKey\":\"s\",\"Expiration\":\"%s\"}}' \
         $(wc -l < runs) $(date -u -d '+{lifetime} seconds' +%Y-%m-%dT%H:%M:%SZ)\n\
         rmdir busy\n"
    )
}

#[test]
fn credentials_that_expire_fail_no_call() {
    let seconds = seconds();
    // The last ten seconds of credentials are not used.
    let (lifetime, rate) = if seconds > 60 { (60, 500) } else { (12, 100) };
    let home = Home::new("[budget]\nday_usd = 1000\n");
    home.write("helper.sh", &helper(lifetime));
    let process = format!("cd {} && sh helper.sh", home.path("").display());
    home.write(".aws/config", &format!("[default]\nregion = us-west-2\ncredential_process = {process}\n"));
    let reply = Arc::new(|_: &crate::support::Call| Reply::text("ok"));
    let bedrock = Bedrock::script([Reply::Chosen(reply)]);
    let serve = Chatrix::serve().home(&home).args(["--log-format", "off"]);
    let server = Server::run(serve.env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url));
    let question = json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}]});
    let (over, made, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let end = SetOnDrop(&over);
        for number in 0..CLIENTS {
            let (over, made, failed, server, question) = (&over, &made, &failed, &server, &question);
            scope.spawn(move || {
                let step = Duration::from_secs(1) * CLIENTS / rate;
                let mut due = Instant::now() + step * number / CLIENTS;
                while !over.load(Ordering::SeqCst) {
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    due += step;
                    made.fetch_add(1, Ordering::SeqCst);
                    let answer = server.chat(question);
                    if answer.status != 200 {
                        println!("{}: {}", answer.status, answer.body);
                        failed.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_secs(seconds));
        drop(end);
    });
    let runs = std::fs::read_to_string(home.path("runs")).unwrap();
    let (made, loads) = (made.into_inner(), runs.lines().count() as u64);
    println!("{made} calls in {seconds} s, {loads} loads of credentials");
    assert_eq!(failed.into_inner(), 0, "calls failed");
    assert!(!runs.contains("overlap"), "two loads ran at once");
    // They are renewed after two thirds of the time in which they are used.
    let used = (lifetime - 10) * 2 / 3;
    assert!((2..=seconds / used + 3).contains(&loads), "{loads} loads");
}
