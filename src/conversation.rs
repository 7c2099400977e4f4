//! Provider-neutral types: what a model is asked ([`Request`]) and what it answers ([`Event`], [`Answer`]).
//! The terminal, the client APIs and Bedrock are translated to and from these types, which depend on none of them.

mod answer;
mod embedding;
mod event;
pub mod json_blocks;
pub mod json_text;
pub mod media;
mod native;
mod pdf;
mod request;
pub mod text;

pub use answer::{Answer, AnswerBuilder, Block, CitedText, CutCalls, continue_reasoning};
pub use embedding::{EmbeddingPurpose, EmbeddingRequest, Embeddings, Truncation};
pub use event::{Citation, Event, Passage, PassageUnit, StopReason, Usage};
pub use native::{NativeApi, NativeEvent, NativeRequest};
pub use pdf::UnpackingRoom;
pub use request::{
    CacheTtl, Effort, Format, IgnoredMember, ImageUrl, Media, Message, Part, Reasoning, ReasoningDisplay,
    ReasoningMode, ReasoningRequest, Request, Role, ServiceTier, Tool, ToolCall, ToolChoice, ToolResult,
};
pub use text::is_blank;
