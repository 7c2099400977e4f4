//! What can go wrong, once. Every failure in the house has a [`Kind`], and one table
//! ([`Kind::row`]) says for each kind what a shell, an HTTP client and a person get to see.
//! This file never formats a reply and never exits: it only classifies.

use std::fmt;
use std::time::Duration;

/// Whether the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Nothing can have been generated: sending again costs nothing extra.
    Free,
    /// Something may have been generated and billed: only the caller can decide.
    MayBill,
    /// The same request will fail the same way.
    Never,
}

/// One line of the error table.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The kind this row is about.
    pub kind: Kind,
    /// Exit code of the process.
    pub exit: u8,
    /// HTTP status of `serve`.
    pub status: u16,
    /// OpenAI's `error.type`.
    pub r#type: &'static str,
    /// OpenAI's `error.code`.
    pub code: &'static str,
    /// Whether to send again.
    pub retry: Retry,
    /// What to do, when the error itself brought no better advice. Empty: nothing to add.
    pub advice: &'static str,
}

macro_rules! table {
    ($($(#[doc = $doc:literal])+ $kind:ident: $exit:literal, $status:literal, $type:literal, $code:literal, $retry:ident, $advice:literal;)+) => {
        /// The kinds of failure. Status, type and code follow `openai-clients.md` §3.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[doc = $doc])+ $kind,)+ }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),+];

            /// This kind's line of the table.
            #[must_use]
            pub const fn spec(self) -> Spec {
                match self {
                    $(Kind::$kind => Spec {
                        kind: Kind::$kind, exit: $exit, status: $status, r#type: $type,
                        code: $code, retry: Retry::$retry, advice: $advice,
                    },)+
                }
            }
        }
    };
}

// kind: exit code, HTTP status, OpenAI type, OpenAI code, retry, advice.
table! {
    /// The request is malformed, here or in Bedrock's eyes.
    InvalidRequest: 2, 400, "invalid_request_error", "invalid_value", Never, "";
    /// A required member is missing.
    MissingParameter: 2, 400, "invalid_request_error", "missing_required_parameter", Never, "";
    /// A part of the request that would change cost or meaning and that is not taken.
    Unsupported: 2, 400, "invalid_request_error", "unsupported_parameter", Never, "";
    /// The cost policy says no.
    RefusedByPolicy: 3, 400, "invalid_request_error", "refused_by_policy", Never,
        "the operator sets the limits in the config file; see `chatrix --help`";
    /// A budget would be overshot.
    BudgetExceeded: 3, 429, "insufficient_quota", "insufficient_quota", Never, "";
    /// What was spent cannot be written down, and a budget depends on it.
    LedgerUnavailable: 1, 503, "server_error", "ledger_unavailable", Never, "";
    /// No API key, or none of ours.
    InvalidKey: 1, 401, "invalid_request_error", "invalid_api_key", Never, "";
    /// The API key is not for this model.
    ModelNotAllowed: 3, 403, "permission_error", "model_not_allowed", Never, "";
    /// The prompt does not fit the model.
    ContextLength: 2, 400, "invalid_request_error", "context_length_exceeded", Never,
        "shorten the conversation, or take a model with a larger context window";
    /// The configuration is wrong.
    Config: 2, 500, "server_error", "configuration_error", Never, "";
    /// No such model, here or in this account and region.
    ModelNotFound: 2, 404, "invalid_request_error", "model_not_found", Never,
        "`chatrix models` lists the names";
    /// The model is at its end of life and no successor was allowed or known.
    EndOfLife: 5, 404, "invalid_request_error", "model_not_found", Never,
        "`chatrix models` lists the active ones";
    /// No AWS credentials anywhere in the chain.
    NoCredentials: 4, 403, "permission_error", "aws_credentials_missing", Never,
        "set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK; to try without AWS: --offline";
    /// The AWS credentials were there once and are no longer good.
    ExpiredCredentials: 4, 403, "permission_error", "aws_credentials_expired", Never,
        "run: aws sso login";
    /// AWS knows the caller and says no.
    AccessDenied: 4, 403, "permission_error", "model_access_denied", Never,
        "the identity needs bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on this model, and the account needs model access";
    /// Too many requests or tokens just now.
    Throttled: 5, 429, "rate_limit_error", "rate_limit_exceeded", Free, "wait a little and try again";
    /// An AWS quota is used up for longer than a moment.
    QuotaExhausted: 5, 429, "insufficient_quota", "insufficient_quota", Never,
        "raise the quota in AWS Service Quotas, or wait for the day to end";
    /// The model is being loaded.
    ModelNotReady: 5, 503, "server_error", "model_not_ready", Free, "try again in a few seconds";
    /// Bedrock has no capacity just now.
    Unavailable: 5, 503, "server_error", "service_unavailable", Free, "try again in a few seconds";
    /// No connection to Bedrock could be made: nothing was sent.
    Unreachable: 5, 502, "server_error", "upstream_unreachable", Free,
        "check the network, the region and AWS_ENDPOINT_URL_BEDROCK_RUNTIME";
    /// The model did not answer within AWS's own limit.
    ModelTimeout: 5, 504, "timeout_error", "model_timeout", MayBill, "ask for less, or try again";
    /// The model failed while it answered.
    ModelFailed: 5, 502, "server_error", "upstream_error", MayBill, "try again";
    /// Bedrock failed with an error of its own.
    UpstreamInternal: 5, 500, "server_error", "internal_error", MayBill, "try again";
    /// The answer broke off before its stop reason.
    Truncated: 5, 502, "server_error", "upstream_error", MayBill,
        "what came so far may be incomplete and may have been billed";
    /// The stream said nothing for too long.
    StreamIdle: 5, 504, "timeout_error", "upstream_timeout", MayBill,
        "`stream_idle_seconds` in the config file sets the limit";
    /// An answer that makes no sense.
    InvalidUpstreamResponse: 5, 502, "server_error", "upstream_error", MayBill, "";
    /// The person or the client stopped it.
    Interrupted: 130, 499, "server_error", "client_closed_request", Never, "";
    /// `serve` is on its way out.
    ShuttingDown: 1, 503, "server_error", "server_is_shutting_down", Free, "";
    /// No such route.
    UnknownUrl: 1, 404, "invalid_request_error", "unknown_url", Never, "";
    /// The route exists, the method does not.
    MethodNotSupported: 1, 405, "invalid_request_error", "method_not_supported", Never, "";
    /// The body is larger than the server takes.
    TooLarge: 1, 413, "invalid_request_error", "request_too_large", Never, "";
    /// The body did not come in time.
    BodyTimeout: 1, 408, "timeout_error", "request_timeout", Free, "";
    /// A web page that the operator did not allow.
    OriginRefused: 1, 403, "permission_error", "origin_not_allowed", Never, "";
    /// A Host header that is not this server's (DNS rebinding).
    HostRefused: 1, 403, "permission_error", "host_not_allowed", Never, "";
    /// Reading or writing failed on this machine.
    Io: 1, 500, "server_error", "internal_error", Never, "";
    /// Our own mistake.
    Internal: 1, 500, "server_error", "internal_error", Never, "please report this";
}

/// A failure: what happened, and what to do.
#[derive(Debug, Clone)]
pub struct Error {
    /// Which line of the table.
    pub kind: Kind,
    /// What happened, as one sentence without a full stop. Never holds user text or secrets.
    pub message: String,
    /// What to do; the table's advice when `None`.
    pub advice: Option<String>,
    /// The request member at fault, in OpenAI's words (`messages[0].content`).
    pub param: Option<String>,
    /// How long AWS asked us to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// An error of a kind with its sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), advice: None, param: None, retry_after: None }
    }

    /// The same error with better advice than the table's.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The same error, naming the request member at fault.
    #[must_use]
    pub fn at(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
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

/// The house's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_sensible_row() {
        for &kind in Kind::ALL {
            let row = kind.spec();
            assert_eq!(row.kind, kind);
            assert!([1, 2, 3, 4, 5, 130].contains(&row.exit), "{kind:?} exits {}", row.exit);
            assert!((400..600).contains(&row.status), "{kind:?}");
            assert!(!row.code.is_empty() && !row.r#type.is_empty(), "{kind:?}");
            // Clients retry 429 and 5xx by themselves: a free retry must be one of these.
            if row.retry == Retry::Free {
                assert!([408, 429].contains(&row.status) || row.status >= 500, "{kind:?}");
            }
            // Credentials and permission are one exit code, upstream another.
            assert_eq!(row.exit == 4, row.code.starts_with("aws_cred") || kind == Kind::AccessDenied);
        }
    }
}
