//! What the scripted Bedrock answers besides calls of models: Bedrock's control plane, the endpoint as such, and STS. All
//! of it is free of charge.

use super::bedrock::{Body, full};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use hyper::{HeaderMap, Method, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What AWS says of the account.
#[derive(Clone)]
pub struct ControlPlane {
    /// The summaries that `ListFoundationModels` gives.
    pub models: Vec<Value>,
    /// The summaries that `ListInferenceProfiles` gives, a page at a time: by type.
    pub profiles: BTreeMap<&'static str, Vec<Vec<Value>>>,
    /// What `GetFoundationModelAvailability` gives; by the id of the model, or "" for all others.
    pub availability: BTreeMap<&'static str, Value>,
    /// Refusals in place of answers, by the beginning of the path, or "sts": status, code, message.
    pub refusals: BTreeMap<&'static str, (u16, &'static str, &'static str)>,
    /// The account and the ARN that STS gives.
    pub identity: (&'static str, &'static str),
    /// By how much AWS's clock is ahead of this machine's (seconds).
    pub clock_ahead: i64,
    /// Whether the signatures must be those of the access key `AKIDEXAMPLE` and the secret `dummy`.
    pub checks_signatures: bool,
    /// The requests that arrived: method, target, `authorization`.
    pub requests: Vec<(String, String, String)>,
}

impl Default for ControlPlane {
    /// An account that may call everything.
    fn default() -> Self {
        let open = json!({
            "agreementAvailability": {"status": "AVAILABLE"}, "authorizationStatus": "AUTHORIZED",
            "entitlementAvailability": "AVAILABLE", "regionAvailability": "AVAILABLE",
        });
        Self {
            models: Vec::new(),
            profiles: BTreeMap::new(),
            availability: BTreeMap::from([("", open)]),
            refusals: BTreeMap::new(),
            identity: ("123456789012", "arn:aws:iam::123456789012:user/ann"),
            clock_ahead: 0,
            checks_signatures: true,
            requests: Vec::new(),
        }
    }
}

/// A model as `ListFoundationModels` describes it.
pub fn model(id: &str, name: &str, makes: &str, called_by: &str, lifecycle: &str) -> Value {
    json!({
        "modelId": id, "modelName": name, "providerName": "P", "outputModalities": [makes],
        "inferenceTypesSupported": [called_by], "modelLifecycle": {"status": lifecycle},
        "modelArn": format!("arn:aws:bedrock:us-west-2::foundation-model/{id}"),
    })
}

/// A profile of AWS's own as `ListInferenceProfiles` describes it.
pub fn profile(id: &str, name: &str, model: &str) -> Value {
    json!({
        "inferenceProfileId": id, "inferenceProfileName": name, "status": "ACTIVE", "type": "SYSTEM_DEFINED",
        "inferenceProfileArn": format!("arn:aws:bedrock:us-west-2:123456789012:inference-profile/{id}"),
        "models": [{"modelArn": format!("arn:aws:bedrock:us-east-1::foundation-model/{model}")}],
    })
}

impl ControlPlane {
    /// The answer to a request that is for no model.
    pub fn answer(&mut self, method: &Method, target: &str, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
        let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let authorization = authorization.unwrap_or_default();
        self.requests.push((method.to_string(), target.to_owned(), authorization.clone()));
        let is_sts = method == Method::POST && target == "/";
        let path = target.split('?').next().unwrap();
        let refusal = self
            .refusals
            .iter()
            .find(|(place, _)| if **place == "sts" { is_sts } else { !is_sts && path.starts_with(**place) });
        if let Some((_, (status, code, message))) = refusal {
            return self.dated(if is_sts { sts_error(*status, code, message) } else { error(*status, code, message) });
        }
        let service = if is_sts { "sts" } else { "bedrock" };
        if (is_sts || path != "/") && self.checks_signatures && !authorization.starts_with("Bearer ") {
            let expected = signature(service, method, target, headers, body);
            assert_eq!(authorization, expected, "{method} {target}");
        }
        let response = match (method, path) {
            (&Method::POST, "/") => {
                assert!(String::from_utf8_lossy(body).contains("Action=GetCallerIdentity"));
                self.caller_identity()
            }
            (&Method::GET, "/foundation-models") => ok(&json!({"modelSummaries": self.models})),
            (&Method::GET, "/inference-profiles") => self.page(target.split_once('?').unwrap().1),
            (&Method::GET, path) if path.starts_with("/foundation-model-availability/") => {
                let id = path.rsplit_once('/').unwrap().1.replace("%3A", ":");
                ok(self.availability.get(id.as_str()).unwrap_or(&self.availability[""]))
            }
            _ => error(404, "UnknownOperationException", ""),
        };
        self.dated(response)
    }

    fn page(&self, query: &str) -> Response<Body> {
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        assert_eq!(parameter("maxResults"), Some("1000"));
        let pages = self.profiles.get(parameter("type").unwrap()).cloned().unwrap_or_default();
        // The token needs encoding.
        let number: usize =
            parameter("nextToken").map_or(0, |token| token.strip_prefix("p%2Bage%3D").unwrap().parse().unwrap());
        let next = (number + 1 < pages.len()).then(|| format!("p+age={}", number + 1));
        ok(&json!({"inferenceProfileSummaries": pages.get(number).cloned().unwrap_or_default(), "nextToken": next}))
    }

    fn caller_identity(&self) -> Response<Body> {
        let (account, arn) = self.identity;
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>{account}</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
        );
        Response::builder().header("content-type", "text/xml").body(full(body)).unwrap()
    }

    fn dated(&self, mut response: Response<Body>) -> Response<Body> {
        if self.clock_ahead != 0 {
            let by = Duration::from_secs(self.clock_ahead.unsigned_abs());
            let now = SystemTime::now();
            let time = if self.clock_ahead > 0 { now + by } else { now - by };
            response.headers_mut().insert("date", http_date(time).parse().unwrap());
        }
        response
    }
}

/// A time as HTTP writes it.
pub fn http_date(time: SystemTime) -> String {
    let time = time::OffsetDateTime::from(time);
    let (weekday, month) = (time.weekday().to_string(), time.month().to_string());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let (weekday, month) = (&weekday[..3], &month[..3]);
    format!("{weekday}, {:02} {month} {} {hour:02}:{minute:02}:{second:02} GMT", time.day(), time.year())
}

/// The header that the owner of the key `AKIDEXAMPLE` with the secret `dummy` would send.
fn signature(service: &str, method: &Method, target: &str, headers: &HeaderMap, body: &[u8]) -> String {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let authorization = text("authorization").unwrap_or_default();
    let signed = authorization.split("SignedHeaders=").nth(1).unwrap_or_default().split(',').next().unwrap();
    let given = signed.split(';').filter(|name| !["x-amz-date", "x-amz-security-token"].contains(name));
    let given: Vec<(String, String)> = given.filter_map(|name| Some((name.to_owned(), text(name)?))).collect();
    let region = authorization.split('/').nth(2).unwrap_or_default();
    let token = text("x-amz-security-token");
    let identity = Credentials::new("AKIDEXAMPLE", "dummy", token, None, "a test").into();
    let params = SigningParams::builder().identity(&identity).region(region).name(service);
    let params = params.time(time_of(&text("x-amz-date").unwrap_or_default())).settings(SigningSettings::default());
    let params = params.build().unwrap().into();
    let given = given.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let url = format!("http://{}{target}", text("host").unwrap());
    let request = SignableRequest::new(method.as_str(), url, given, SignableBody::Bytes(body)).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    let (headers, _) = instructions.into_parts();
    headers.iter().find(|header| header.name() == "authorization").unwrap().value().to_owned()
}

/// The time of `20261126T115959Z`.
fn time_of(text: &str) -> SystemTime {
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u16>().ok()).unwrap_or(1);
    let small = |from, to| u8::try_from(number(from, to)).unwrap();
    let month = time::Month::try_from(small(4, 6)).unwrap();
    let date = time::Date::from_calendar_date(number(0, 4).into(), month, small(6, 8)).unwrap();
    let moment = date.with_hms(small(9, 11), small(11, 13), small(13, 15)).unwrap().assume_utc();
    UNIX_EPOCH + Duration::from_secs(moment.unix_timestamp().unsigned_abs())
}

fn ok(body: &Value) -> Response<Body> {
    Response::builder().header("content-type", "application/json").body(full(body.to_string())).unwrap()
}

fn error(status: u16, code: &str, message: &str) -> Response<Body> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    let response = response.header("x-amzn-errortype", code).header("x-amzn-requestid", "1");
    response.body(full(json!({"message": message}).to_string())).unwrap()
}

fn sts_error(status: u16, code: &str, message: &str) -> Response<Body> {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    );
    Response::builder().status(status).header("content-type", "text/xml").body(full(body)).unwrap()
}
