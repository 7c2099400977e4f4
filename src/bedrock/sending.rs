//! How a call is sent, and what is sent with it.

use super::bounds::AnswerWait;
use super::trace_context::TraceContext;
use crate::telemetry::RequestScope;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// How a call is sent.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The most times that it is sent.
    pub attempts: u32,
    /// How many requests Bedrock may have received a part of, without those that it has refused.
    pub sent: Arc<AtomicUsize>,
    /// The request of `serve` that it is made for.
    pub request: Option<RequestScope>,
    pub trace: Option<TraceContext>,
}

impl Sending {
    /// Notes that the call is about to be sent again.
    pub(super) fn is_repeated(&self) {
        if let Some(request) = &self.request {
            request.retried();
        }
    }
}

/// The most tags of the invocation log (docs/bedrock.md §1.2).
pub(super) const MAX_TAGS: usize = 16;
/// The name under which Chatrix's id of a request is in the invocation log of the AWS account.
pub(super) const REQUEST_ID_TAG: &str = "chatrix_request_id";

/// A request for one of Bedrock's operations, and what bounds its answer.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) model: &'a str,
    pub(super) body: Bytes,
    /// The most bytes of the answer.
    pub(super) max_bytes: usize,
    pub(super) wait: AnswerWait,
    pub(super) sending: &'a Sending,
}
