//! A Bedrock that fails in many ways, and counts what it has billed and may have billed.

use super::clients::Kind;
use crate::support::{Call, Home, Reply, delta};
use bytes::Bytes;
use chatrix::offline::wire;
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What one token costs with the model of this test (nano-dollars).
const INPUT: i64 = 35;
const OUTPUT: i64 = 140;
/// How many of the last access keys are valid. With a new one twice a second, each is valid for longer than the second
/// for which all callers share a load.
const VALID_KEYS: u64 = 6;

/// What was answered until now.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    input: i64,
    output: i64,
    /// Answers that came with their usage.
    billed: u64,
    /// Calls that were accepted, and whose usage the server cannot know.
    pub(super) maybe_billed: u32,
    /// Refusals for calls whose client may leave before they come.
    pub(super) refused_and_left: u32,
}

impl Counted {
    /// Nano-dollars.
    pub(super) fn cost(&self) -> i64 {
        self.input * INPUT + self.output * OUTPUT
    }
}

#[derive(Default)]
pub(super) struct Upstream {
    counted: Mutex<Counted>,
    /// The number of the newest access key.
    key: AtomicU64,
    calls: AtomicU64,
}

impl Upstream {
    pub(super) fn counted(&self) -> Counted {
        self.counted.lock().unwrap().clone()
    }

    /// Makes a new access key and puts it into the profile. The oldest one becomes invalid.
    pub(super) fn renew(&self, home: &Home) {
        let number = self.key.load(Ordering::SeqCst) + 1;
        let profile = format!("[default]\naws_access_key_id = AKID{number:08}\naws_secret_access_key = dummy\n");
        // A file that is replaced at once never holds half a key.
        home.write(".aws/credentials.new", &profile);
        std::fs::rename(home.path(".aws/credentials.new"), home.path(".aws/credentials")).unwrap();
        self.key.store(number, Ordering::SeqCst);
    }

    fn accepts(&self, call: &Call) -> bool {
        let newest = self.key.load(Ordering::SeqCst);
        let id = call.headers["authorization"].split("Credential=AKID").nth(1).and_then(|rest| rest.get(..8));
        id.and_then(|id| id.parse::<u64>().ok()).is_some_and(|number| number + VALID_KEYS > newest)
    }

    pub(super) fn answer(&self, call: &Call) -> Reply {
        let kind = Kind::of_prompt(&call.body);
        if !self.accepts(call) {
            self.counted.lock().unwrap().refused_and_left += u32::from(kind.leaves());
            return Reply::Error(403, "ExpiredTokenException", "The security token included in the request is expired");
        }
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        match kind {
            Kind::Throttled => return Reply::Error(429, "ThrottlingException", "Too many requests"),
            // The first of two tries.
            Kind::ThrottledOnce if number.is_multiple_of(2) => {
                return Reply::Error(429, "ThrottlingException", "Too many requests");
            }
            _ => {}
        }
        let usage = (10 + number % 7, 1 + number % 5);
        let mut counted = self.counted.lock().unwrap();
        if kind.is_billed() {
            counted.billed += 1;
            counted.input += i64::try_from(usage.0).unwrap();
            counted.output += i64::try_from(usage.1).unwrap();
        } else {
            counted.maybe_billed += 1;
        }
        drop(counted);
        failure(kind)
            .unwrap_or_else(|| Reply::Text(vec!["one ".into(), "two ".into(), "three".into()], "end_turn", usage))
    }
}

/// What is answered to a call that fails; `None` for the others.
fn failure(kind: Kind) -> Option<Reply> {
    let start = || wire::event("messageStart", json!({"role": "assistant"}));
    Some(match kind {
        Kind::InternalError => Reply::Error(500, "InternalServerException", "Something went wrong"),
        Kind::Cut => Reply::Cut(vec![start(), delta("half")]),
        Kind::EndsEarly => Reply::Frames(vec![start(), delta("half")]),
        Kind::Damaged => {
            Reply::Frames(vec![start(), delta("half"), Bytes::from_static(b"not a frame, whatever it is")])
        }
        Kind::FailsLater => Reply::Frames(vec![
            start(),
            delta("half"),
            wire::exception("modelStreamErrorException", "the model failed"),
        ]),
        Kind::Stalls => Reply::Stall(vec![start(), delta("half")]),
        Kind::HangsUp | Kind::StopsReading => Reply::Endless,
        Kind::LeavesComplete => Reply::Silence,
        _ => return None,
    })
}
