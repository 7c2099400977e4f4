//! The common tongue: what is asked ([`Request`]) and what comes back ([`Event`]).
//! Terminal, server and Bedrock translate to and from these types; nothing here knows any of them.

mod embedding;
mod event;
pub mod media;
mod request;

pub use embedding::{EmbeddingRequest, Embeddings};
pub use event::{Answer, Citation, Event, StopReason, Usage};
pub use request::{
    CacheTtl, Format, Media, Message, Part, Reasoning, Request, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
