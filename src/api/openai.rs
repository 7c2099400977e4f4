//! OpenAI's JSON to and from the common tongue. Pure: no sockets, no clocks, no Bedrock.
//! Shapes are those of `openai-clients.md` §3 and §4, which were run against the real clients.
//! In: `chat` (the request), `messages`, `tools`, all reading by `values`. Out: `completion`, `chunk`, `models`, `error`. Both ways: `completions`, `embeddings`.

pub mod chat;
pub mod chunk;
pub mod completion;
pub mod completions;
pub mod embeddings;
pub mod error;
mod messages;
pub mod models;
mod tools;
