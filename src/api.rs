//! The client-facing APIs. Each dialect turns its own JSON into provider-neutral types and back. Nothing here opens a
//! socket, reads a clock or knows Bedrock. A new dialect is a folder beside `openai/` that implements [`Dialect`].

pub mod anthropic;
pub mod aws;
mod dialect;
mod frames;
mod image_urls;
mod json;
pub mod openai;

pub use dialect::{AnswerForm, AnswerHead, Dialect, ErrorReply, FrameWriter, ParsedRequest, RequestHeaders};
pub use frames::Frames;
