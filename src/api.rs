//! The client-facing APIs. Each dialect turns its own JSON into provider-neutral types and back. Pure: no sockets,
//! no clocks, no Bedrock. A new dialect is a folder beside `openai/` with an implementation of [`Dialect`].

mod dialect;
mod json;
pub mod openai;

pub use dialect::{AnswerHead, AnswerOptions, Dialect, Frame, FrameWriter, ParsedRequest, Positions};
