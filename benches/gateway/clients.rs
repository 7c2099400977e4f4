//! The clients that make calls: one of the server, and one of the AWS SDK. Each has a connection of its own, or those that
//! the SDK keeps.

use super::driver::Load;
use super::processes::KEYS;
use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Config, Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ConversationRole, ConverseStreamOutput, InferenceConfiguration, Message,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

const MODEL: &str = "us.anthropic.claude-sonnet-4-20250514-v1:0";

/// What a call has shown, besides how long it took.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// From the beginning of the call to its first event.
    pub(super) first: Option<Duration>,
    pub(super) events: u64,
}

pub(super) enum Client {
    Gateway(Box<GatewayClient>),
    Sdk(Box<SdkClient>),
}

impl Client {
    /// Makes a call. Adds the times between its events to `gaps`. `None` when it fails.
    pub(super) async fn call(&mut self, gaps: &mut Vec<Duration>) -> Option<Seen> {
        match self {
            Self::Gateway(client) => client.call(gaps).await,
            Self::Sdk(client) => client.call(gaps).await,
        }
    }
}

/// Notes when events arrive.
struct Watch<'a> {
    last: Instant,
    seen: Seen,
    gaps: &'a mut Vec<Duration>,
}

impl<'a> Watch<'a> {
    fn start(gaps: &'a mut Vec<Duration>) -> Self {
        Self { last: Instant::now(), seen: Seen::default(), gaps }
    }

    fn events(&mut self, count: u64) {
        if count == 0 {
            return;
        }
        let since = self.last.elapsed();
        self.last += since;
        if self.seen.first.is_none() {
            self.seen.first = Some(since);
        } else {
            self.gaps.push(since);
        }
        self.seen.events += count;
    }
}

/// A client of the server's own API.
pub(super) struct GatewayClient {
    sender: SendRequest<Full<Bytes>>,
    body: Bytes,
    host: String,
}

impl GatewayClient {
    pub(super) async fn new(url: &str, load: &Load) -> Self {
        let host = url.trim_start_matches("http://").to_owned();
        let socket = TcpStream::connect(&host).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        let body = json!({
            "model": MODEL, "stream": load.is_stream, "max_tokens": 1024,
            "messages": [{"role": "user", "content": load.prompt()}],
        });
        Self { sender, body: body.to_string().into(), host }
    }

    pub(super) async fn call(&mut self, gaps: &mut Vec<Duration>) -> Option<Seen> {
        let mut watch = Watch::start(gaps);
        let request = Request::post("/v1/chat/completions").header("host", &self.host);
        let request = request.header("content-type", "application/json").body(Full::new(self.body.clone())).unwrap();
        self.sender.ready().await.ok()?;
        let answer = self.sender.send_request(request).await.ok()?;
        let is_good = answer.status() == 200;
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            let data = frame.ok()?.into_data().unwrap_or_default();
            watch.events(data.windows(7).filter(|bytes| *bytes == b"data: {").count() as u64);
        }
        is_good.then_some(watch.seen)
    }
}

/// The AWS SDK, called directly.
pub(super) struct SdkClient {
    client: aws_sdk_bedrockruntime::Client,
    load: Load,
}

impl SdkClient {
    /// The SDK with the settings of its own, except that it repeats nothing.
    pub(super) fn sdk(url: &str) -> aws_sdk_bedrockruntime::Client {
        let [(_, id), (_, secret), (_, region), _] = KEYS;
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(Credentials::new(id, secret, None, None, "benchmark"))
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(url);
        aws_sdk_bedrockruntime::Client::from_conf(config.build())
    }

    pub(super) fn new(client: aws_sdk_bedrockruntime::Client, load: &Load) -> Self {
        Self { client, load: load.clone() }
    }

    async fn call(&mut self, gaps: &mut Vec<Duration>) -> Option<Seen> {
        let mut watch = Watch::start(gaps);
        let content = ContentBlock::Text(self.load.prompt());
        let message = Message::builder().role(ConversationRole::User).content(content).build().unwrap();
        let limits = InferenceConfiguration::builder().max_tokens(1024).temperature(0.3).build();
        if !self.load.is_stream {
            let call = self.client.converse().model_id(MODEL).messages(message).inference_config(limits);
            return call.send().await.ok().map(|_| watch.seen);
        }
        let call = self.client.converse_stream().model_id(MODEL).messages(message).inference_config(limits);
        let mut answer = call.send().await.ok()?;
        while let Some(event) = answer.stream.recv().await.ok()? {
            watch.events(u64::from(!matches!(event, ConverseStreamOutput::Metadata(_))));
        }
        Some(watch.seen)
    }
}
