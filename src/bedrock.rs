//! Bedrock Runtime, through the AWS SDK. The only room that names `aws_*`, and it takes nothing but
//! [`Admitted`](crate::policy::Admitted): what is not capped and priced cannot be sent from here.
//! Inside: `encode` (our JSON, pure), `dialect` (what differs by family, pure), `decode` (events, pure),
//! `fault` (AWS errors, pure) and `client` (the only one that talks).

mod client;
mod decode;
mod dialect;
mod encode;
mod fault;

pub use client::{Access, Client, EventStream};
