//! Bedrock Runtime, through the AWS SDK. The only room that names `aws_*`, and it takes nothing but
//! [`Admitted`](crate::policy::Admitted): what is not capped and priced cannot be sent from here.
//!
//! On the way out: `encode` writes Converse's JSON (`wire` are its shapes), after `repair` has made of the
//! conversation what Bedrock takes, `names` and `schema` have made the tools legal, `format` has found a way to bind
//! the answer to JSON and `dialect` has added what differs by family. On the way back: `decode` reads events,
//! `fault` reads errors. All of these are pure; `client` is the only one that
//! talks, and `exchange` holds what it says and hears.

mod classify;
mod client;
mod embeddings;
mod request;
mod response;
mod transport;

pub use classify::refused_part;
pub use client::{Accepted, Client, EventStream, UpstreamAnswer};
pub use request::preview;
pub use transport::Endpoint;
