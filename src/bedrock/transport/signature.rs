//! Signs requests (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>). All
//! requests of a day to one region share a signing key, which is derived once. A unit test compares the result with
//! that of `aws-sigv4`'s own signer, which derives the key for each request.

use super::operation::SEGMENT;
use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue};
use percent_encoding::{AsciiSet, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use time::OffsetDateTime;

const SERVICE: &str = "bedrock";
pub(super) const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
pub(super) const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// What a signature leaves as it is in a path.
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// The part of a request that is signed: its headers, and these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signable<'a> {
    pub(super) method: &'a str,
    /// The path as it is sent.
    pub(super) path: &'a str,
    /// What is sent after the path and a `?`: encoded, and sorted by name. Empty where there is none.
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
    pub(super) region: &'a str,
}

/// Signs requests, and keeps the key that it has derived last.
#[derive(Debug, Default)]
pub(super) struct Signer {
    last: Mutex<Option<Arc<SigningKey>>>,
}

struct SigningKey {
    secret: String,
    /// `20261126`.
    day: String,
    region: String,
    key: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SigningKey")
    }
}

impl Signer {
    /// Adds the headers of a signature. All headers that are there already are signed, so no proxy may change them.
    ///
    /// # Errors
    /// When the session token cannot be part of a header.
    pub(super) fn sign(
        &self,
        headers: &mut HeaderMap,
        credentials: &Credentials,
        signable: Signable<'_>,
        time: SystemTime,
    ) -> Result<(), InvalidHeaderValue> {
        let Signable { method, path, query, body, region } = signable;
        let (day, second) = moment(time);
        headers.insert(X_AMZ_DATE, HeaderValue::from_str(&second)?);
        if let Some(token) = credentials.session_token() {
            let mut token = HeaderValue::from_str(token)?;
            token.set_sensitive(true);
            headers.insert(X_AMZ_SECURITY_TOKEN, token);
        }
        let mut signed: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        signed.sort_unstable();
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let mut canonical = Sha256::new();
        canonical.update(method);
        canonical.update("\n");
        canonical.update(utf8_percent_encode(path, PATH).to_string());
        canonical.update("\n");
        canonical.update(query);
        canonical.update("\n");
        for (name, value) in &signed {
            canonical.update(name);
            canonical.update(":");
            canonical.update(value.trim_ascii());
            canonical.update("\n");
        }
        canonical.update("\n");
        canonical.update(&names);
        canonical.update("\n");
        canonical.update(hex::encode(Sha256::digest(body)));
        let canonical = hex::encode(canonical.finalize());
        let scope = format!("{day}/{region}/{SERVICE}/aws4_request");
        let text = format!("AWS4-HMAC-SHA256\n{second}\n{scope}\n{canonical}");
        let key = self.key(credentials, time, &day, region);
        let signature = calculate_signature(&key.key, text.as_bytes());
        let id = credentials.access_key_id();
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        let mut authorization = HeaderValue::from_str(&authorization)?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        Ok(())
    }

    fn key(&self, credentials: &Credentials, time: SystemTime, day: &str, region: &str) -> Arc<SigningKey> {
        let secret = credentials.secret_access_key();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(key) if key.secret == secret && key.day == day && key.region == region => Arc::clone(key),
            _ => {
                let key = generate_signing_key(secret, time, region, SERVICE).as_ref().to_vec();
                let key = SigningKey { secret: secret.to_owned(), day: day.to_owned(), region: region.to_owned(), key };
                Arc::clone(last.insert(Arc::new(key)))
            }
        }
    }
}

/// A day and a second as signatures have them: `20261126` and `20261126T115959Z`.
fn moment(time: SystemTime) -> (String, String) {
    let time = OffsetDateTime::from(time);
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let day = format!("{year:04}{month:02}{day:02}");
    let second = format!("{day}T{:02}{:02}{:02}Z", time.hour(), time.minute(), time.second());
    (day, second)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4::SigningParams;
    use std::time::{Duration, UNIX_EPOCH};

    /// The `authorization` that `aws-sigv4` computes for these headers.
    fn authorization_of_aws(
        headers: &HeaderMap,
        credentials: &Credentials,
        signable: Signable<'_>,
        time: SystemTime,
    ) -> String {
        let Signable { method, path, query, body, region } = signable;
        let identity = credentials.clone().into();
        let settings = SigningSettings::default();
        let params = SigningParams::builder().identity(&identity).region(region).name(SERVICE).time(time);
        let params = params.settings(settings).build().unwrap().into();
        let own = [AUTHORIZATION, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN];
        let given = headers.iter().filter(|(name, _)| !own.contains(name));
        let given = given.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let question_mark = if query.is_empty() { "" } else { "?" };
        let url = format!("https://h.example{path}{question_mark}{query}");
        let request = SignableRequest::new(method, url, given, SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        let (headers, _) = instructions.into_parts();
        headers.iter().find(|header| header.name() == "authorization").unwrap().value().to_owned()
    }

    #[test]
    fn signatures_are_those_of_aws() {
        let signer = Signer::default();
        let plain = Credentials::new("AKID", "secret", None, None, "a test");
        let other = Credentials::new("AKID", "other", None, None, "a test");
        let with_token = Credentials::new("ASIA", "secret", Some("a+b/c==".to_owned()), None, "a test");
        let id = "/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/converse";
        let arn = "/base/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx%20y/converse-stream";
        // Two days, and twice the same, so that keys are derived anew and taken from before.
        let times =
            [1_795_000_000, 1_795_000_001, 1_795_100_000].map(|second| UNIX_EPOCH + Duration::from_secs(second));
        for credentials in [&plain, &plain, &other, &with_token] {
            for (method, path, query, body, region) in [
                ("POST", id, "", &b"{}"[..], "us-west-2"),
                ("POST", arn, "", b"", "us-gov-west-1"),
                ("POST", "/model/%C3%BC/invoke", "", b"\xff", "x"),
                ("GET", "/foundation-models", "", b"", "us-west-2"),
                ("GET", "/inference-profiles", "maxResults=1000&nextToken=a%2Bb%3D&type=APPLICATION", b"", "us-west-2"),
            ] {
                for time in times {
                    let mut headers = HeaderMap::new();
                    headers.insert("host", HeaderValue::from_static("h.example"));
                    headers.insert("content-type", HeaderValue::from_static("application/json"));
                    headers.insert("x-amzn-bedrock-request-metadata", HeaderValue::from_static(" {\"a\": \"b\"} "));
                    let signable = Signable { method, path, query, body, region };
                    signer.sign(&mut headers, credentials, signable, time).unwrap();
                    let expected = authorization_of_aws(&headers, credentials, signable, time);
                    assert_eq!(headers[AUTHORIZATION].to_str().unwrap(), expected, "{path} {region} {time:?}");
                }
            }
        }
    }
}
