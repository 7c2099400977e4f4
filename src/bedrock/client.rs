//! The connection to Bedrock: credentials, region, endpoint, tries and silence. The SDK is told not to repeat
//! anything by itself, because each repetition may be a paid generation (DESIGN §7); only failures that
//! cannot have generated anything are tried again, here.

use super::classify::Origin;
use super::interceptor::BodyInterceptor;
use super::request::Encoded;
use super::response::Decoder;
use super::{classify, embeddings, request};
use crate::catalog::base;
use crate::conversation::{Embeddings, Event};
use crate::error::{Error, Kind, Result, Retry};
use crate::policy::{Admitted, AdmittedEmbedding};
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_bedrockruntime::config::{Config, Credentials};
use aws_sdk_bedrockruntime::operation::RequestId;
use aws_sdk_bedrockruntime::operation::converse_stream::ConverseStreamOutput as Streaming;
use aws_sdk_bedrockruntime::types::{ConverseTokensRequest, CountTokensInput};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::env;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The region when nothing says otherwise.
const DEFAULT_REGION: &str = "us-west-2";
/// How often a call is sent at most, and only while nothing can have been generated.
const TRIES: u32 = 3;
/// How many calls for embeddings run at once, for models that take one text at a time.
const EMBEDDINGS_AT_ONCE: usize = 8;
/// How long to look once more before a stream is called silent.
const SECOND_LOOK: Duration = Duration::from_millis(200);
/// How long a count of tokens may take.
const COUNTING: Duration = Duration::from_secs(2);
/// The longest wait AWS may ask for before we give its answer to the caller instead.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Where Bedrock is and who asks.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// AWS, with whatever its default chain finds.
    Aws {
        /// The AWS profile, instead of `AWS_PROFILE`.
        profile: Option<String>,
        /// The AWS region, instead of the profile's.
        region: Option<String>,
    },
    /// A Bedrock on this machine, with made-up credentials. Reads no AWS configuration.
    Local {
        /// Its URL.
        url: String,
    },
}

/// A connection to Bedrock Runtime. Cheap to share, made once.
#[derive(Debug)]
pub struct Client {
    sdk: aws_sdk_bedrockruntime::Client,
    origin: Origin,
    idle: Duration,
}

impl Client {
    /// Sets the connection up; sends nothing. `idle` is how long a stream may be silent.
    pub async fn new(access: Endpoint, idle: Duration) -> Self {
        let (config, origin) = match access {
            Endpoint::Aws { profile, region } => aws(profile, region).await,
            Endpoint::Local { url } => local(url),
        };
        let config = config
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).build())
            .build();
        Self { sdk: aws_sdk_bedrockruntime::Client::from_conf(config), origin, idle }
    }

    /// The AWS region in use.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.origin.region
    }

    /// Asks. Returns once Bedrock has accepted the call. A model that cannot stream tool calls, or cannot stream,
    /// is asked for the whole answer instead (cases.md X7).
    ///
    /// # Errors
    /// Any upstream kind of the table.
    pub async fn ask(&self, admitted: &Admitted, streamed: bool) -> Result<Accepted> {
        let encoded = request::encode(admitted)?;
        if streamed && !request::only_complete(admitted) {
            match self.converse_stream(admitted, &encoded).await {
                // Refused before anything was generated: free.
                Err(error) if classify::cannot_stream(&error) => {}
                answer => {
                    let stream = answer?;
                    let request_id = stream.answer.request_id().map(ToOwned::to_owned);
                    return Ok(Accepted { answering: Answering::Stream(Box::new(stream)), request_id });
                }
            }
        }
        let (events, request_id) = self.converse(admitted, encoded).await?;
        Ok(Accepted { answering: Answering::Complete(events.into()), request_id })
    }

    /// How many input tokens a request has, as AWS counts them: free of charge, for the models that have it and that
    /// are named openly. `None`: it cannot be told.
    pub async fn count(&self, admitted: &Admitted) -> Option<u64> {
        let model = base(&admitted.model().id);
        if !admitted.model().capabilities.features.count_tokens || model.starts_with("arn:") {
            return None;
        }
        let exchange = BodyInterceptor::new(request::to_count(admitted)?);
        let input = CountTokensInput::Converse(ConverseTokensRequest::builder().build());
        let call = self.sdk.count_tokens().model_id(model).input(input).customize().interceptor(exchange);
        // A count that fails or takes long is done without.
        let answer = timeout(COUNTING, call.send()).await.ok()?.ok()?;
        u64::try_from(answer.input_tokens()).ok()
    }

    /// Embeds texts: in as few calls as the model allows, a few of them at once.
    ///
    /// # Errors
    /// Any upstream kind of the table.
    pub async fn embed(&self, admitted: &AdmittedEmbedding) -> Result<Embeddings> {
        let calls = embeddings::bodies(admitted).into_iter().map(|body| self.invoke(&admitted.model().id, body));
        let mut answers = futures_util::stream::iter(calls).buffered(EMBEDDINGS_AT_ONCE);
        let mut all = Embeddings { input_tokens: Some(0), ..Embeddings::default() };
        while let Some(answer) = answers.next().await {
            let Embeddings { vectors, input_tokens } = answer?;
            all.vectors.extend(vectors);
            // A part that was not counted leaves the whole uncounted.
            all.input_tokens = all.input_tokens.zip(input_tokens).map(|(sum, tokens)| sum + tokens);
        }
        if all.vectors.len() != admitted.texts().len() {
            return Err(Error::new(
                Kind::InvalidUpstreamResponse,
                "Bedrock answered with another number of embeddings than asked for",
            ));
        }
        Ok(all)
    }

    async fn invoke(&self, model: &str, body: Bytes) -> Result<Embeddings> {
        let exchange = tries(|| async {
            let exchange = BodyInterceptor::new(body.clone());
            let call =
                self.sdk.invoke_model().model_id(model).content_type("application/json").accept("application/json");
            let call = call.customize().interceptor(exchange.clone());
            call.send().await.map_err(|error| classify::call(&error, model, &self.origin))?;
            Ok(exchange)
        })
        .await?;
        embeddings::vectors(exchange.answer()?, exchange.input_tokens())
    }

    /// One complete answer. No limit on its time: a slow answer is paid for and worth waiting for.
    async fn converse(&self, admitted: &Admitted, encoded: Encoded) -> Result<(Vec<Event>, Option<String>)> {
        let model = &admitted.model().id;
        let (exchange, request_id) = tries(|| async {
            let exchange = BodyInterceptor::new(encoded.body.clone());
            let call = self.sdk.converse().model_id(model).customize().interceptor(exchange.clone());
            let answer = call.send().await.map_err(|error| classify::call(&error, model, &self.origin))?;
            Ok((exchange, answer.request_id().map(ToOwned::to_owned)))
        })
        .await?;
        Ok((Decoder::new(encoded.reading).complete(exchange.answer()?)?, request_id))
    }

    /// One streamed answer.
    async fn converse_stream(&self, admitted: &Admitted, encoded: &Encoded) -> Result<EventStream> {
        let model = &admitted.model().id;
        let answer = tries(|| async {
            let exchange = BodyInterceptor::new(encoded.body.clone());
            let call = self.sdk.converse_stream().model_id(model).customize().interceptor(exchange);
            match tokio::time::timeout(self.idle, call.send()).await {
                Ok(answer) => answer.map_err(|error| classify::call(&error, model, &self.origin)),
                Err(_) => Err(silent(self.idle)),
            }
        })
        .await?;
        Ok(EventStream {
            answer,
            reader: Decoder::new(encoded.reading.clone()),
            events: VecDeque::new(),
            model: model.clone(),
            origin: self.origin.clone(),
            idle: self.idle,
            heard: Instant::now(),
            stopped: false,
            began: false,
        })
    }
}

/// An accepted call.
pub struct Accepted {
    /// Its answer.
    pub answering: Answering,
    /// Bedrock's id for it.
    pub request_id: Option<String>,
}

/// An answer.
pub enum Answering {
    /// The events of a complete answer.
    Complete(VecDeque<Event>),
    /// Events on their way.
    Stream(Box<EventStream>),
}

/// A streamed answer on its way. Dropping it closes the connection, which ends the stream at Bedrock.
pub struct EventStream {
    answer: Streaming,
    reader: Decoder,
    /// Read and not yet handed out: a frame may hold several events.
    events: VecDeque<Event>,
    model: String,
    origin: Origin,
    idle: Duration,
    /// When the last frame came. Kept here, because a reader may give up on one `next` and try again.
    heard: Instant,
    stopped: bool,
    /// Whether any frame has come.
    began: bool,
}

impl EventStream {
    /// Whether anything of an answer has come: from then on it may be billed, whatever comes next.
    #[must_use]
    pub fn began(&self) -> bool {
        self.began
    }

    /// The next event; `None` after the last one. May be dropped and called again: nothing is lost.
    ///
    /// # Errors
    /// `Truncated` when the stream ends before its stop reason; `Silent`; any upstream kind.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                self.stopped |= matches!(event, Event::Stop(_));
                return Ok(Some(event));
            }
            let frame = match timeout_at(self.heard + self.idle, self.answer.stream.recv()).await {
                Ok(frame) => frame,
                // A process that was suspended finds its deadline passed and the frames waiting.
                Err(_) => match timeout(SECOND_LOOK, self.answer.stream.recv()).await {
                    Ok(frame) => frame,
                    // The answer is whole; only its usage does not come.
                    Err(_) if self.stopped => return Ok(None),
                    Err(_) => return Err(silent(self.idle)),
                },
            };
            self.heard = Instant::now();
            match frame {
                Ok(Some(frame)) => {
                    self.began = true;
                    self.events.extend(self.reader.frame(frame));
                }
                Ok(None) if self.stopped => return Ok(None),
                // A clean end at a frame boundary looks like success to the SDK (bedrock.md trap 6).
                Ok(None) => return Err(Error::new(Kind::Truncated, "the stream ended before the answer did")),
                // The answer is whole; only its usage is lost.
                Err(_) if self.stopped => return Ok(None),
                Err(error) => return Err(classify::stream(&error, &self.model, &self.origin)),
            }
        }
    }
}

fn silent(idle: Duration) -> Error {
    Error::new(Kind::StreamIdle, format!("Bedrock has been silent for {} s", idle.as_secs_f32()))
}

/// Sends up to three times while nothing can have been generated.
async fn tries<T, F: Future<Output = Result<T>>>(mut send: impl FnMut() -> F) -> Result<T> {
    let mut attempt = 1;
    loop {
        let error = match send().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let wait = error.retry_after.unwrap_or(Duration::from_millis(100)) * 2u32.pow(attempt - 1);
        if attempt == TRIES || error.kind.spec().retry != Retry::Free || wait > LONGEST_WAIT {
            return Err(error);
        }
        // Jitter, so that many callers throttled together do not come back together.
        tokio::time::sleep(wait.mul_f32(0.5 + fastrand::f32() / 2.0)).await;
        attempt += 1;
    }
}

async fn aws(profile: Option<String>, region: Option<String>) -> (aws_sdk_bedrockruntime::config::Builder, Origin) {
    let mut profile_region = ProfileFileRegionProvider::builder();
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = &profile {
        profile_region = profile_region.profile_name(profile);
        loader = loader.profile_name(profile);
    }
    // The environment's region is among the settings already. Without the instance metadata step:
    // off EC2 it costs seconds, and the default is known.
    let chain = RegionProviderChain::first_try(region.map(Region::new))
        .or_else(profile_region.build())
        .or_else(Region::from_static(DEFAULT_REGION));
    let shared = loader.region(chain).load().await;
    let mut config = aws_sdk_bedrockruntime::config::Builder::from(&shared);
    // An empty endpoint panics inside the SDK (bedrock.md trap 10): it counts as unset.
    let service = env::var("AWS_ENDPOINT_URL_BEDROCK_RUNTIME").ok();
    if service.as_deref().is_none_or(|url| url.trim().is_empty()) {
        let general = shared.endpoint_url().filter(|url| !url.trim().is_empty());
        if service.is_some() || shared.endpoint_url().is_some() {
            config.set_endpoint_url(general.map(ToOwned::to_owned));
        }
    }
    if env::var("AWS_BEARER_TOKEN_BEDROCK").is_ok_and(|token| token.trim().is_empty()) {
        config.set_auth_scheme_preference(None);
    }
    let region = shared.region().map_or(DEFAULT_REGION, Region::as_ref).to_owned();
    let profile = profile.or_else(|| env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty()));
    (config, Origin { profile, region })
}

fn local(url: String) -> (aws_sdk_bedrockruntime::config::Builder, Origin) {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(DEFAULT_REGION))
        .credentials_provider(Credentials::new("offline", "offline", None, None, "offline"))
        .endpoint_url(url);
    (config, Origin { profile: None, region: "offline".to_owned() })
}
