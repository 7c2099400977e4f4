//! Chatrix, a dollar-bounded door to AWS Bedrock. Read the rooms in this order.
//! A room imports only from floors below its own; `tests/architecture.rs` holds that.

// Floor 0: words and data.
pub mod catalog;
pub mod conversation;
pub mod error;
pub mod telemetry;

// Floor 1: rules and translations. Pure, but for the terminal.
pub mod api;
pub mod policy;
pub mod terminal;

// Floor 2: the paid call, and what it may cost and did cost.
pub mod bedrock;
pub mod ledger;

// Floor 3: the one door.
pub mod engine;

// Floor 4: what people and clients use.
pub mod commands;
pub mod offline;
pub mod server;

// Above: what a person types and sets.
pub mod cli;
pub mod config;
