//! Provider-neutral types: what is asked ([`Request`]) and what comes back ([`Event`], [`Answer`]).
//! Terminal, client APIs and Bedrock translate to and from these types; nothing here knows any of them.

mod answer;
mod embedding;
mod event;
pub mod media;
mod request;

pub use answer::{Answer, AnswerBuilder, Block, CitedText, continue_reasoning};
pub use embedding::{EmbeddingRequest, Embeddings};
pub use event::{Citation, Event, StopReason, Usage};
pub use request::{
    CacheTtl, Effort, Format, ImageUrl, Media, Message, Part, Reasoning, ReasoningDisplay, ReasoningMode,
    ReasoningRequest, Request, Role, ServiceTier, Tool, ToolCall, ToolChoice, ToolResult,
};
