//! OpenAI's API (docs/openai.md). `chat_request`, `messages` and `tools` parse requests. `chat_completion`,
//! `chat_chunk`, `answer`, `models` and `error` write answers. `text_completions` (the legacy API), `responses` (the newer one) and
//! `embeddings` do both.

mod answer;
mod chat;
mod chat_chunk;
mod chat_completion;
mod chat_request;
mod content;
pub mod embeddings;
mod error;
mod messages;
pub mod models;
pub mod responses;
mod text_completions;
mod tools;

pub use chat::ChatCompletions;
pub use responses::Responses;
pub use text_completions::TextCompletions;
