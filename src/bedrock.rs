//! Calls to Bedrock Runtime. Credentials, regions and endpoints come from the AWS SDK; requests are signed and sent
//! here, at a fifth of what the SDK takes for a call. No other module names an `aws_*` crate. A request gets here only as
//! [`Admitted`](crate::policy::Admitted) or [`AdmittedEmbedding`](crate::policy::AdmittedEmbedding), so nothing can be
//! sent whose cost the policy has not limited.
//!
//! - `request` encodes an admitted request as the JSON body of a Converse call; `embeddings` encodes requests for
//!   embeddings and decodes their answers.
//! - `transport` sends a body and returns the bytes of the answer.
//! - `response` decodes those bytes into [events](crate::conversation::Event); `classify`, `refusal`,
//!   `send_error` and `identity_error` turn AWS's errors into [`Error`](crate::error::Error)s.
//! - `client` ties them together: it sends, repeats what cannot have been billed (`retries`), and reads streams
//!   (`event_stream`) within the `bounds` of an answer.
//! - `offers` asks the control plane what could be called, which is free.
//!
//! `request`, `response`, `embeddings` and the classification of errors do no I/O.

mod aws_context;
mod bounds;
mod causes;
mod classify;
mod client;
mod embeddings;
mod event_stream;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod identity_error;
mod offers;
mod refusal;
mod request;
mod response;
mod retries;
mod send_error;
mod sending;
mod trace_context;
mod transport;

pub use bounds::TimeLimits;
pub use classify::refused_part;
pub use client::{Accepted, Client, CountRequest, UpstreamAnswer};
pub use event_stream::EventStream;
pub use offers::{Access, Makes, Offer, Offers};
pub use request::{Prompt, PromptHash, PromptTurn, preview, prompt};
pub use retries::MAX_ATTEMPTS;
pub use sending::Sending;
pub use trace_context::TraceContext;
pub use transport::{Account, CallerIdentity, Endpoint, Place, Reached, Region};
