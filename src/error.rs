//! Every failure of Chatrix has a [`Kind`]. One table ([`Kind::spec`]) says for each kind which exit code a shell gets,
//! which HTTP status a client gets, whether the request may be sent again, and what a person can do about it.
//! The error words of each client API (`error.type`, `error.code`) are defined by that API's dialect in `api/`.

mod budget_use;

pub use budget_use::{BudgetPeriod, BudgetUse};

use std::fmt;
use std::time::Duration;

/// Whether the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Nothing can have been generated, so sending the request again costs nothing extra.
    Free,
    /// Something may have been generated and billed, so only the caller can decide.
    MayBill,
    /// The same request will fail the same way.
    Never,
}

/// What a kind of failure means to a shell, an HTTP client and a person.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    pub exit: u8,
    /// The HTTP status that `serve` answers with.
    pub status: u16,
    pub retry: Retry,
    /// What a person can do when the error carries no advice of its own. Empty when there is nothing to add.
    pub advice: &'static str,
}

macro_rules! table {
    ($($(#[doc = $doc:literal])+ $kind:ident: $exit:literal, $status:literal, $retry:ident, $advice:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[doc = $doc])+ $kind,)+ }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),+];

            #[must_use]
            pub const fn spec(self) -> Spec {
                match self {
                    $(Kind::$kind => Spec {
                        exit: $exit, status: $status, retry: Retry::$retry, advice: $advice,
                    },)+
                }
            }
        }
    };
}

// kind: exit code, HTTP status, retry, advice.
table! {
    /// The request is malformed. Chatrix or Bedrock has found that out.
    InvalidRequest: 2, 400, Never, "";
    /// A required member of the request is missing.
    MissingParameter: 2, 400, Never, "";
    /// The request uses a feature that is not supported and that must not be ignored, because it changes cost or
    /// meaning.
    Unsupported: 2, 400, Never, "";
    /// The cost policy refuses the request.
    RefusedByPolicy: 3, 400, Never,
        "the operator sets the limits in the config file; see `chatrix --help`";
    /// The call would exceed a budget. The status is 402, because clients send a request again by themselves after 429.
    BudgetExceeded: 3, 402, Never, "";
    /// The ledger cannot be written, and a budget depends on it. Nothing was sent, so a client may try again.
    LedgerUnavailable: 1, 503, Free, "";
    /// The request has no API key, or one that this server does not know.
    InvalidKey: 1, 401, Never, "";
    /// The API key does not allow this model.
    ModelNotAllowed: 3, 403, Never, "";
    /// The prompt does not fit the model.
    ContextLength: 2, 400, Never,
        "shorten the conversation, or use a model with a larger context window";
    /// The configuration is wrong.
    Config: 2, 500, Never, "";
    /// The model does not exist, in the catalog or in this account and region.
    ModelNotFound: 2, 404, Never,
        "`chatrix models` lists the names";
    /// The model is served only through an inference profile.
    ProfileRequired: 2, 404, Never,
        "use the id or ARN of an inference profile that contains the model, such as us.… or global.…";
    /// The region does not offer the model or the operation.
    NotInRegion: 2, 404, Never,
        "choose another region with --region or AWS_REGION, or a model that this region offers";
    /// The model is at its end of life and no successor was allowed or known.
    EndOfLife: 5, 404, Never,
        "`chatrix models` lists the active models";
    /// The AWS credential chain has found no credentials.
    NoCredentials: 4, 403, Never,
        "set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK; --offline needs no AWS account";
    /// The AWS credentials have expired.
    ExpiredCredentials: 4, 403, Never,
        "renew them (aws sso login, or new keys)";
    /// AWS refuses a signature because this machine's clock differs from its own.
    ClockSkew: 4, 403, Never, "correct this machine's clock";
    /// The AWS account may not use the model yet: an agreement, a form, a payment method or a setting is missing, or AWS
    /// has not verified the account.
    AccountNotReady: 4, 403, Never,
        "open the model in the Bedrock console of this region, which shows what the account still needs";
    /// AWS knows the identity but denies it access.
    AccessDenied: 4, 403, Never,
        "the identity needs bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on this model, and the account needs model access";
    /// AWS has received too many requests or tokens for the moment.
    Throttled: 5, 429, Free, "wait a moment and try again";
    /// The API key has made its requests, used its tokens or has its calls running, as many as its limits allow for now.
    RateLimited: 3, 429, Free, "";
    /// An AWS quota is used up, and will not recover within seconds. The status is 402, as for a budget.
    QuotaExhausted: 5, 402, Never,
        "raise the quota in AWS Service Quotas, or wait until it resets";
    /// The model is being loaded.
    ModelNotReady: 5, 503, Free, "try again in a few seconds";
    /// Bedrock has no capacity for the moment.
    Unavailable: 5, 503, Free, "try again in a few seconds";
    /// No connection to Bedrock could be made, so nothing was sent.
    Unreachable: 5, 502, Free,
        "check the network, the region and AWS_ENDPOINT_URL_BEDROCK_RUNTIME";
    /// The model did not answer within AWS's own limit.
    ModelTimeout: 5, 504, MayBill, "request a shorter answer, or try again";
    /// A complete answer did not arrive within Chatrix's own limit.
    AnswerTimeout: 5, 504, MayBill,
        "`answer_seconds` in the config file sets the limit";
    /// The model failed while it was answering.
    ModelFailed: 5, 502, MayBill, "try again";
    /// Bedrock reported an internal error.
    UpstreamInternal: 5, 500, MayBill, "try again";
    /// The answer was cut inside a tool call at its token limit, and had no other content. Clients execute half a call.
    ToolCallCut: 6, 400, Never, "";
    /// The HTTP answer is not Bedrock's own, but that of a proxy or another server between Chatrix and Bedrock.
    ProxyAnswer: 5, 502, MayBill,
        "check the proxy settings (HTTPS_PROXY, NO_PROXY) and AWS_ENDPOINT_URL_BEDROCK_RUNTIME";
    /// The answer broke off before its stop reason came.
    Truncated: 5, 502, MayBill,
        "what has arrived may be incomplete and may have been billed";
    /// The stream sent nothing for too long.
    StreamIdle: 5, 504, MayBill,
        "`stream_idle_seconds` in the config file sets the limit";
    /// The answer cannot be understood.
    InvalidUpstreamResponse: 5, 502, MayBill, "";
    /// The answer has its end, but is cut off, filtered, empty, malformed or not the JSON that was asked for.
    IncompleteAnswer: 6, 502, MayBill, "";
    /// The user or the client has stopped the call.
    Interrupted: 130, 499, Never, "";
    /// `serve` is shutting down.
    ShuttingDown: 1, 503, Free, "";
    /// The server has no such route.
    UnknownUrl: 1, 404, Never, "";
    /// The route does not support the HTTP method.
    MethodNotSupported: 1, 405, Never, "";
    /// The request is larger than this server, or what stands between it and Bedrock, accepts.
    TooLarge: 2, 413, Never, "";
    /// The head or the body of the request did not arrive in time.
    RequestTimeout: 1, 408, Free, "";
    /// The head of the request, with its header fields, is too large.
    HeadTooLarge: 2, 431, Never, "";
    /// The body of the request is compressed in a way that this server cannot undo.
    UnsupportedEncoding: 2, 415, Never, "";
    /// The server is busy with as many connections, answers or bodies as it may hold.
    Overloaded: 1, 503, Free, "try again in a few seconds";
    /// The request comes from a web page that the operator has not allowed.
    OriginRefused: 1, 403, Never, "";
    /// The `Host` header does not name this server, which happens in a DNS rebinding attack.
    HostRefused: 1, 403, Never, "";
    /// The metrics are not for this client.
    MetricsRefused: 1, 403, Never, "";
    /// Reading or writing failed on this machine.
    Io: 1, 500, Never, "";
    /// Chatrix has a bug.
    Internal: 1, 500, Never, "please report this";
}

/// The part of a request that an error is about. The policy and the engine name it in provider-neutral terms, and each
/// dialect renders it as a path of its own, such as `messages[0].content`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    Model,
    MaxTokens,
    Messages,
    /// The content of one message, by its index in [`Request::messages`](crate::conversation::Request::messages).
    Message(usize),
    Tools,
    /// The JSON schema of one tool, by its index in [`Request::tools`](crate::conversation::Request::tools).
    ToolSchema(usize),
    ResponseFormat,
    /// The stop sequences.
    Stop,
    EmbeddingInput,
    /// One of the texts to embed, by its index.
    EmbeddingText(usize),
    EmbeddingDimensions,
    /// A path in the notation of the dialect that parsed the request.
    Path(String),
}

/// A failure: what happened, and what to do about it.
#[derive(Debug, Clone)]
pub struct Error {
    pub kind: Kind,
    /// What happened, as one sentence without a full stop. It may quote names that the client chose, never a prompt,
    /// an answer or a secret.
    pub message: String,
    /// What to do about it. `None` stands for the advice of the kind.
    pub advice: Option<Box<str>>,
    /// The part of the request at fault.
    pub at: Option<Field>,
    /// How long AWS asked its client to wait, or how long it takes until a limit of the API key lets the call through.
    pub retry_after: Option<Duration>,
    /// The budget that is in the way of the call.
    pub budget: Option<Box<BudgetUse>>,
    /// Bedrock's id for the call, if Bedrock gave it one.
    pub bedrock_request_id: Option<Box<str>>,
    /// The service's own sentence, without words around it, for clients that act on its wording. `None` where it said
    /// nothing. Behind a pointer, because an error is returned by value everywhere.
    pub service_words: Option<Box<String>>,
    /// Whether the place where the failure arose proves that nothing was generated, whatever its kind: before the
    /// request was written, or in place of the first event of an answer.
    pub nothing_generated: bool,
}

impl Error {
    /// A long message is cut: it may quote a client's own words, which may have any length.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: shortened(message.into()),
            advice: None,
            at: None,
            retry_after: None,
            budget: None,
            bedrock_request_id: None,
            service_words: None,
            nothing_generated: false,
        }
    }

    /// Records that the place where the failure arose proves that nothing was generated.
    #[must_use]
    pub fn before_generation(mut self) -> Self {
        self.nothing_generated = true;
        self
    }

    /// Whether the same request may be sent again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self.kind.spec().retry {
            // A proxy gives the same answer again.
            Retry::MayBill if self.nothing_generated && self.kind == Kind::ProxyAnswer => Retry::Never,
            Retry::MayBill if self.nothing_generated => Retry::Free,
            retry => retry,
        }
    }

    /// Whether AWS may bill the call although it has failed. Only such a call stays booked.
    #[must_use]
    pub fn may_be_billed(&self) -> bool {
        self.retry() == Retry::MayBill
    }

    /// Names the call at Bedrock, unless the error already does.
    #[must_use]
    pub fn with_bedrock_request_id(mut self, id: Option<String>) -> Self {
        self.bedrock_request_id = self.bedrock_request_id.or(id.map(String::into_boxed_str));
        self
    }

    /// Keeps what the service itself said.
    #[must_use]
    pub fn with_service_words(mut self, words: impl Into<String>) -> Self {
        self.service_words = Some(Box::new(shortened(words.into()))).filter(|words| !words.is_empty());
        self
    }

    /// Replaces the advice of the kind.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into().into_boxed_str());
        self
    }

    /// Names the part of the request at fault.
    #[must_use]
    pub fn at(mut self, field: Field) -> Self {
        self.at = Some(field);
        self
    }

    /// Names the part of the request at fault as a path in the notation of a dialect.
    #[must_use]
    pub fn at_path(self, path: impl Into<String>) -> Self {
        self.at(Field::Path(path.into()))
    }

    /// What to do about the failure. Empty when there is nothing to say, or when AWS's own words say it.
    #[must_use]
    pub fn advice(&self) -> &str {
        let advice = self.advice.as_deref().unwrap_or(self.kind.spec().advice);
        if advice.contains("try again") && advises_to_try_again(&self.message) { "" } else { advice }
    }
}

/// A text of at most as many bytes as a message has, with a mark where it was cut.
fn shortened(mut text: String) -> String {
    const LONGEST: usize = 4096;
    if text.len() > LONGEST {
        let length = text.len();
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str(&format!("… ({length} bytes in all)"));
    }
    text
}

/// Whether a message ends with the advice to try again, as AWS words it.
fn advises_to_try_again(message: &str) -> bool {
    let last = message.trim_end_matches('.').rsplit(". ").next().unwrap_or_default().to_lowercase();
    ["try again", "trying again", "try your request again", "retry"].iter().any(|words| last.contains(words))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.advice() {
            "" => Ok(()),
            advice => write!(f, "; {advice}"),
        }
    }
}

impl std::error::Error for Error {}

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_given_once() {
        for (kind, message, line) in [
            (
                Kind::Unavailable,
                "Bedrock: It is busy. Try your request again",
                "Bedrock: It is busy. Try your request again",
            ),
            (
                Kind::Throttled,
                "Bedrock: Too many requests, please wait before trying again.",
                "Bedrock: Too many requests, please wait before trying again.",
            ),
            (Kind::ModelFailed, "Bedrock: Please retry later", "Bedrock: Please retry later"),
            (Kind::ModelFailed, "Bedrock: It broke", "Bedrock: It broke; try again"),
            (
                Kind::ModelFailed,
                "Bedrock: You may try again. It broke",
                "Bedrock: You may try again. It broke; try again",
            ),
            (Kind::EndOfLife, "Bedrock: Try again", "Bedrock: Try again; `chatrix models` lists the active models"),
        ] {
            assert_eq!(Error::new(kind, message).to_string(), line);
        }
    }

    #[test]
    fn every_kind_has_a_sensible_spec() {
        for &kind in Kind::ALL {
            let spec = kind.spec();
            assert!([1, 2, 3, 4, 5, 6, 130].contains(&spec.exit), "{kind:?} exits {}", spec.exit);
            assert!((400..600).contains(&spec.status), "{kind:?}");
            // Clients retry 408, 429 and 5xx by themselves, so a failure that may be retried free of charge has one of
            // these.
            if spec.retry == Retry::Free {
                assert!([408, 429].contains(&spec.status) || spec.status >= 500, "{kind:?}");
            }
        }
    }
}
