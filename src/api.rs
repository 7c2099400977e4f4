//! The client-facing APIs. Each dialect turns its own JSON into provider-neutral types and back. Pure: no sockets,
//! no clocks, no Bedrock.

mod json;
pub mod openai;
