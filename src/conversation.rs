//! The common tongue: what is asked ([`Request`]) and what comes back ([`Event`]).
//! Terminal, server and Bedrock translate to and from these types; nothing here knows any of them.

mod event;
mod request;

pub use event::{Answer, Event, StopReason, Usage};
pub use request::{Message, Part, Request, Role};
