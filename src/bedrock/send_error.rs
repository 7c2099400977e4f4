//! The errors of calls that got no answer, or only a part of one, by where the failure arose.

use super::aws_context::AwsContext;
use super::bounds::AnswerWait;
use super::causes::root_cause;
use crate::error::{Error, Kind};
use std::error::Error as StdError;
use std::time::Duration;

/// How far a request came. Where a failure arose decides whether anything can have been generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Credentials were loaded, the endpoint was chosen, the request was signed.
    Preparing,
    /// The host is looked up and connected to.
    Connecting,
    /// A connection has begun to take the request's body. From here on Bedrock may have received it.
    Writing,
}

/// The error for a connection that could not be made. Nothing was sent, and nothing is owed.
pub(super) fn cannot_connect(error: &(dyn StdError + 'static), context: &AwsContext) -> Error {
    Error::new(Kind::Unreachable, format!("cannot connect to Bedrock in {}: {}", context.region, root_cause(error)))
}

/// The error for a connection that was not made in time. Nothing was sent, and nothing is owed.
pub(super) fn not_connected_in_time(limit: Duration, context: &AwsContext) -> Error {
    let seconds = limit.as_secs_f32();
    Error::new(Kind::Unreachable, format!("cannot connect to Bedrock in {} within {seconds} s", context.region))
}

/// The error for a request that was written and got no answer. One may have been generated and billed.
pub(super) fn no_answer(error: &(dyn StdError + 'static)) -> Error {
    Error::new(Kind::Truncated, format!("the connection to Bedrock was lost: {}", root_cause(error)))
}

/// The error for an answer that did not come in time.
pub(super) fn answer_overdue(wait: AnswerWait) -> Error {
    let seconds = wait.limit().as_secs_f32();
    match wait {
        AnswerWait::Complete(_) => {
            let message = format!("Bedrock has not answered within {seconds} s, and may bill the answer");
            Error::new(Kind::AnswerTimeout, message)
        }
        AnswerWait::FirstBytes(_) => {
            Error::new(Kind::StreamIdle, format!("Bedrock has sent no content for {seconds} s"))
        }
    }
}

/// The error for a complete answer that broke off.
pub(super) fn answer_cut_off(error: &(dyn StdError + 'static)) -> Error {
    Error::new(Kind::Truncated, format!("Bedrock's answer was cut off: {}", root_cause(error)))
}

/// The error for an answer beyond its bound. Something was generated, so the call stays booked.
pub(super) fn too_large() -> Error {
    Error::new(Kind::InvalidUpstreamResponse, "Bedrock's answer is larger than any answer of this length")
        .advise("what has arrived is kept, and may have been billed")
}
