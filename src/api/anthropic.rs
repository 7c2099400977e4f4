//! Anthropic's Messages API (docs/anthropic.md). `request`, `turns`, `content` and `tools` parse requests. `answer`,
//! `citation`, `event_writer`, `native_events`, `budget` and `error` write answers.
//!
//! A request is kept twice: in neutral terms, which every model understands, and in the client's own members, which
//! Claude understands as they are. So the neutral form may leave out what it has no words for; only what no model behind
//! Bedrock can do is refused.

mod answer;
pub mod budget;
mod citation;
mod content;
pub mod count_tokens;
mod error;
mod event_writer;
mod ignored;
mod messages;
mod native_events;
mod request;
mod tools;
mod turns;

pub use messages::Messages;
