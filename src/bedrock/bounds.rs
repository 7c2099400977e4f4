//! How long an answer may take, and how large it may be. A service that is broken, or is not Bedrock, would otherwise
//! hold a call open or fill the memory without end (docs/bedrock.md §4.9).

use crate::policy::{Admitted, AdmittedEmbedding};
use std::time::Duration;

const MIB: usize = 1024 * 1024;
/// What an answer may hold besides its tokens: documents that it cites, traces of guardrails.
const BYTES_BESIDE_TOKENS: usize = 8 * MIB;
/// Far more than a token and the frame around it ever take.
const BYTES_PER_TOKEN: usize = 4096;
const MAX_ANSWER_BYTES: usize = 64 * MIB;
/// An event holds a token or more; a model that cuts them smaller still fits.
const EVENTS_PER_TOKEN: u64 = 4;
/// The beginnings and ends of blocks, and the results of tools that the service runs.
const EVENTS_BESIDE_TOKENS: u64 = 256;
/// More than a number of a vector takes as JSON.
const BYTES_PER_NUMBER: usize = 32;
/// The most dimensions of any embedding model.
const MAX_DIMENSIONS: usize = 4096;

/// The time limits of calls.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// How long a stream may bring no content.
    pub stream_idle: Duration,
    /// How long a complete answer may take.
    pub answer: Duration,
    /// How long a connection that no call uses is kept.
    pub connection_idle: Duration,
    /// How long a provider of credentials may take, such as a `credential_process` that asks for a second factor.
    pub credentials: Duration,
}

/// How long a call waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerWait {
    /// For the whole of it.
    Complete(Duration),
    /// For the beginning of a stream.
    FirstBytes(Duration),
}

impl AnswerWait {
    pub(super) fn limit(self) -> Duration {
        match self {
            Self::Complete(limit) | Self::FirstBytes(limit) => limit,
        }
    }
}

/// The most bytes of an answer, complete or streamed.
pub(super) fn answer_bytes(admitted: &Admitted) -> usize {
    let tokens = usize::try_from(admitted.max_tokens()).unwrap_or(usize::MAX);
    tokens.saturating_mul(BYTES_PER_TOKEN).saturating_add(BYTES_BESIDE_TOKENS).min(MAX_ANSWER_BYTES)
}

/// The most frames with content of a streamed answer.
pub(super) fn content_frames(admitted: &Admitted) -> u64 {
    u64::from(admitted.max_tokens()).saturating_mul(EVENTS_PER_TOKEN).saturating_add(EVENTS_BESIDE_TOKENS)
}

/// The most bytes of the answer to one call for embeddings, whose body has `request_bytes`. Some models return the texts
/// beside the vectors, where each byte may be escaped.
pub(super) fn embedding_bytes(admitted: &AdmittedEmbedding, request_bytes: usize) -> usize {
    let dimensions = admitted.dimensions().and_then(|count| usize::try_from(count).ok()).unwrap_or(MAX_DIMENSIONS);
    let texts = admitted.texts().len().min(admitted.model().batch.max(1));
    let vectors = texts.saturating_mul(dimensions).saturating_mul(BYTES_PER_NUMBER);
    vectors.saturating_add(request_bytes.saturating_mul(6)).saturating_add(MIB)
}
