//! Calls to Bedrock Runtime through the AWS SDK. No other module names an `aws_*` crate. A request gets here only as
//! [`Admitted`](crate::policy::Admitted) or [`AdmittedEmbedding`](crate::policy::AdmittedEmbedding), so nothing can be
//! sent whose cost the policy has not limited.
//!
//! - `request` encodes an admitted request as the JSON body of a Converse call; `embeddings` encodes requests for
//!   embeddings and decodes their answers.
//! - `transport` sends a body and returns the bytes of the answer. It is the only part that uses the AWS client.
//! - `response` decodes those bytes into [events](crate::conversation::Event); `classify`, `refusal`,
//!   `send_error` and `identity_error` turn AWS's errors into [`Error`](crate::error::Error)s.
//! - `client` ties them together: it sends, retries what cannot have been billed, and watches for silent streams.
//!
//! `request`, `response`, `embeddings` and the classification of errors do no I/O.

mod aws_context;
mod causes;
mod classify;
mod client;
mod embeddings;
mod identity_error;
mod refusal;
mod request;
mod response;
mod send_error;
mod transport;

pub use classify::refused_part;
pub use client::{Accepted, Client, EventStream, MAX_ATTEMPTS, UpstreamAnswer};
pub use request::preview;
pub use transport::{Account, Endpoint, Region};
