//! Every failure of Chatrix has a [`Kind`]. One table ([`Kind::spec`]) says for each kind which exit code a shell gets,
//! which HTTP status a client gets, whether the request may be sent again, and what a person can do about it.
//! The words of each client API (`error.type`, `error.code`) belong to that API's dialect in `api/`.

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
    /// Exit code of the process.
    pub exit: u8,
    /// HTTP status of `serve`.
    pub status: u16,
    pub retry: Retry,
    /// What to do when the error itself brought no better advice. Empty when there is nothing to add.
    pub advice: &'static str,
}

macro_rules! table {
    ($($(#[doc = $doc:literal])+ $kind:ident: $exit:literal, $status:literal, $retry:ident, $advice:literal;)+) => {
        /// The kinds of failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[doc = $doc])+ $kind,)+ }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),+];

            /// What this kind means.
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
    /// The request is malformed, here or in Bedrock's eyes.
    InvalidRequest: 2, 400, Never, "";
    /// A required member is missing.
    MissingParameter: 2, 400, Never, "";
    /// A part of the request that would change cost or meaning and that is not taken.
    Unsupported: 2, 400, Never, "";
    /// The cost policy says no.
    RefusedByPolicy: 3, 400, Never,
        "the operator sets the limits in the config file; see `chatrix --help`";
    /// A budget would be overshot.
    BudgetExceeded: 3, 429, Never, "";
    /// What was spent cannot be written down, and a budget depends on it.
    LedgerUnavailable: 1, 503, Never, "";
    /// No API key, or none of ours.
    InvalidKey: 1, 401, Never, "";
    /// The API key is not for this model.
    ModelNotAllowed: 3, 403, Never, "";
    /// The prompt does not fit the model.
    ContextLength: 2, 400, Never,
        "shorten the conversation, or take a model with a larger context window";
    /// The configuration is wrong.
    Config: 2, 500, Never, "";
    /// No such model, here or in this account and region.
    ModelNotFound: 2, 404, Never,
        "`chatrix models` lists the names";
    /// The model is at its end of life and no successor was allowed or known.
    EndOfLife: 5, 404, Never,
        "`chatrix models` lists the active ones";
    /// No AWS credentials anywhere in the chain.
    NoCredentials: 4, 403, Never,
        "set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK; to try without AWS: --offline";
    /// The AWS credentials were there once and are no longer good.
    ExpiredCredentials: 4, 403, Never,
        "run: aws sso login";
    /// AWS knows the caller and says no.
    AccessDenied: 4, 403, Never,
        "the identity needs bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on this model, and the account needs model access";
    /// Too many requests or tokens just now.
    Throttled: 5, 429, Free, "wait a little and try again";
    /// An AWS quota is used up for longer than a moment.
    QuotaExhausted: 5, 429, Never,
        "raise the quota in AWS Service Quotas, or wait for the day to end";
    /// The model is being loaded.
    ModelNotReady: 5, 503, Free, "try again in a few seconds";
    /// Bedrock has no capacity just now.
    Unavailable: 5, 503, Free, "try again in a few seconds";
    /// No connection to Bedrock could be made: nothing was sent.
    Unreachable: 5, 502, Free,
        "check the network, the region and AWS_ENDPOINT_URL_BEDROCK_RUNTIME";
    /// The model did not answer within AWS's own limit.
    ModelTimeout: 5, 504, MayBill, "ask for less, or try again";
    /// The model failed while it answered.
    ModelFailed: 5, 502, MayBill, "try again";
    /// Bedrock failed with an error of its own.
    UpstreamInternal: 5, 500, MayBill, "try again";
    /// The answer broke off before its stop reason.
    Truncated: 5, 502, MayBill,
        "what came so far may be incomplete and may have been billed";
    /// The stream said nothing for too long.
    StreamIdle: 5, 504, MayBill,
        "`stream_idle_seconds` in the config file sets the limit";
    /// An answer that makes no sense.
    InvalidUpstreamResponse: 5, 502, MayBill, "";
    /// The person or the client stopped it.
    Interrupted: 130, 499, Never, "";
    /// `serve` is on its way out.
    ShuttingDown: 1, 503, Free, "";
    /// No such route.
    UnknownUrl: 1, 404, Never, "";
    /// The route exists, the method does not.
    MethodNotSupported: 1, 405, Never, "";
    /// The body is larger than the server takes.
    TooLarge: 1, 413, Never, "";
    /// The body did not come in time.
    BodyTimeout: 1, 408, Free, "";
    /// A web page that the operator did not allow.
    OriginRefused: 1, 403, Never, "";
    /// A Host header that is not this server's (DNS rebinding).
    HostRefused: 1, 403, Never, "";
    /// Reading or writing failed on this machine.
    Io: 1, 500, Never, "";
    /// Our own mistake.
    Internal: 1, 500, Never, "please report this";
}

/// The part of a request that an error is about. Rules below the client APIs name it in provider-neutral terms; each
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
    EmbeddingInput,
    /// One of the texts to embed, by its index.
    EmbeddingText(usize),
    EmbeddingDimensions,
    /// A path in the words of the dialect that parsed the request.
    Path(String),
}

/// A failure: what happened, and what to do about it.
#[derive(Debug, Clone)]
pub struct Error {
    pub kind: Kind,
    /// What happened, as one sentence without a full stop. It may quote names that the client chose, never a prompt,
    /// an answer or a secret.
    pub message: String,
    /// What to do; the advice of the kind when `None`.
    pub advice: Option<String>,
    /// The part of the request at fault.
    pub at: Option<Field>,
    /// How long AWS asked us to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), advice: None, at: None, retry_after: None }
    }

    /// Replaces the advice of the kind.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Names the part of the request at fault.
    #[must_use]
    pub fn at(mut self, field: Field) -> Self {
        self.at = Some(field);
        self
    }

    /// Names the part of the request at fault as a path in the words of a dialect.
    #[must_use]
    pub fn at_path(self, path: impl Into<String>) -> Self {
        self.at(Field::Path(path.into()))
    }

    /// What to do about it; empty when there is nothing to say.
    #[must_use]
    pub fn advice(&self) -> &str {
        self.advice.as_deref().unwrap_or(self.kind.spec().advice)
    }
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
    fn every_kind_has_a_sensible_spec() {
        for &kind in Kind::ALL {
            let spec = kind.spec();
            assert!([1, 2, 3, 4, 5, 130].contains(&spec.exit), "{kind:?} exits {}", spec.exit);
            assert!((400..600).contains(&spec.status), "{kind:?}");
            // Clients repeat 429 and 5xx by themselves: what may be repeated free of charge must be one of these.
            if spec.retry == Retry::Free {
                assert!([408, 429].contains(&spec.status) || spec.status >= 500, "{kind:?}");
            }
        }
    }
}
