//! OpenAI's API (docs/openai.md). `chat_request`, `messages` and `tools` parse requests. `completion`, `chunk`,
//! `answer`, `models` and `error` write answers. `completions` (the legacy text completion) and `embeddings` do both.

mod answer;
mod chat;
mod chat_request;
mod chunk;
mod completion;
mod completions;
pub mod embeddings;
mod error;
mod messages;
pub mod models;
mod tools;

pub use chat::ChatCompletions;
pub use completions::TextCompletions;
