//! Delivers a message to the webhook: signed, with a time limit, several times if need be. Redirects are not followed,
//! and the answer's body is not read.

use super::webhook::AlertSettings;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::header::RETRY_AFTER;
use hyper::{Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sha2::Sha256;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long one try may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before each try. Together with the tries this is less than the time for which an alert is claimed, even
/// if the receiver asks for longer waits.
const PAUSES: [Duration; 5] =
    [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(25), Duration::from_secs(125)];
/// The longest wait that the receiver can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(125);

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Delivered,
    /// Why it was not, in a few words.
    GivenUp(String),
}

/// Why a try failed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Failure {
    /// The receiver wants no more messages.
    Gone,
    /// It may succeed later, at the earliest after this time.
    Later(String, Option<Duration>),
}

/// Delivers messages to one webhook.
pub struct Delivery {
    settings: AlertSettings,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Whether the receiver wants no more messages.
    unwanted: AtomicBool,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.settings).finish()
    }
}

impl Delivery {
    /// # Errors
    /// When this machine has no root certificates.
    pub fn new(settings: AlertSettings) -> io::Result<Self> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(TIMEOUT));
        let https =
            HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().wrap_connector(http);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(https);
        Ok(Self { settings, client, unwanted: AtomicBool::new(false) })
    }

    /// Whether it delivers by these settings.
    #[must_use]
    pub fn has_settings(&self, settings: &AlertSettings) -> bool {
        self.settings == *settings
    }

    pub(super) fn host(&self) -> &str {
        self.settings.webhook.host()
    }

    /// Whether the receiver wants no more messages.
    pub(super) fn is_unwanted(&self) -> bool {
        self.unwanted.load(Ordering::SeqCst)
    }

    /// Tries until the message is received, or for the last time.
    pub(super) async fn deliver(&self, id: &str, body: &str) -> Outcome {
        let mut reason = String::new();
        let mut asked = None;
        for pause in PAUSES {
            tokio::time::sleep(pause.max(asked.unwrap_or_default()).min(LONGEST_PAUSE)).await;
            match self.attempt(id, body).await {
                Ok(()) => return Outcome::Delivered,
                Err(Failure::Gone) => {
                    self.unwanted.store(true, Ordering::SeqCst);
                    return Outcome::GivenUp(
                        "status 410; no more alerts are sent there until this server is restarted".into(),
                    );
                }
                Err(Failure::Later(why, wait)) => (reason, asked) = (why, wait),
            }
        }
        Outcome::GivenUp(reason)
    }

    async fn attempt(&self, id: &str, body: &str) -> Result<(), Failure> {
        let later = |why: String| Failure::Later(why, None);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut request = Request::post(self.settings.webhook.url())
            .header("content-type", "application/json")
            .header("user-agent", concat!("chatrix/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", since.to_string());
        if let Some(secret) = &self.settings.secret {
            request = request.header("webhook-signature", signature(secret.bytes(), id, since, body));
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned())));
        let request = request.map_err(|error| later(format!("the request cannot be made: {error}")))?;
        match tokio::time::timeout(TIMEOUT, self.client.request(request)).await {
            Err(_) => Err(later("no answer in time".to_owned())),
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                Err(later(cause))
            }
            Ok(Ok(answer)) => judge(&answer),
        }
    }
}

/// What an answer means, by its status and `Retry-After` in seconds.
fn judge<B>(answer: &Response<B>) -> Result<(), Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    if status == StatusCode::GONE {
        return Err(Failure::Gone);
    }
    let wait = answer.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
    Err(Failure::Later(format!("status {}", status.as_u16()), wait.map(Duration::from_secs)))
}

/// The signature of a message, in the form of Standard Webhooks.
fn signature(secret: &[u8], id: &str, timestamp: u64, body: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::alerts::Secret;

    #[test]
    fn messages_are_signed_as_standard_webhooks_are() {
        // The example of https://docs.svix.com/receiving/verifying-payloads/how-manual.
        let secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signed =
            signature(secret.bytes(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn an_answer_says_whether_to_try_again() {
        let later = |status: u16, wait: Option<u64>| {
            Err(Failure::Later(format!("status {status}"), wait.map(Duration::from_secs)))
        };
        for (status, retry_after, expected) in [
            (200, None, Ok(())),
            (204, None, Ok(())),
            (302, None, later(302, None)),
            (410, None, Err(Failure::Gone)),
            (404, None, later(404, None)),
            (429, Some("7"), later(429, Some(7))),
            (503, Some("soon"), later(503, None)),
        ] {
            let answer = Response::builder().status(status);
            let answer = match retry_after {
                Some(wait) => answer.header("retry-after", wait),
                None => answer,
            };
            assert_eq!(judge(&answer.body(()).unwrap()), expected, "{status}");
        }
    }
}
