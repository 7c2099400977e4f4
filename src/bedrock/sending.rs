//! How a call is sent, and what is sent with it.

use super::bounds::AnswerWait;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How a call is sent.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The most times that it is sent.
    pub attempts: u32,
    /// Becomes true when Bedrock may have received a part of it.
    pub sent: Arc<AtomicBool>,
}

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
