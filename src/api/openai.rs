//! OpenAI's API (docs/openai.md). In: `chat_request`, `messages`, `tools`. Out: `completion`, `chunk`, `models`, `error`.
//! Both ways: `completions` (the legacy text completion) and `embeddings`.

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
