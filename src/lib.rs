//! Chatrix is a dollar-bounded gateway to AWS Bedrock. The modules are listed in the order in which to read them.
//! A module imports only from the floors below its own; `tests/architecture.rs` checks that.

// Floor 0: provider-neutral types and data.
pub mod catalog;
pub mod conversation;
pub mod error;
pub mod telemetry;

// Floor 1: rules and translations. All are pure except the terminal and the saved sessions.
pub mod api;
pub mod policy;
pub mod sessions;
pub mod terminal;

// Floor 2: the paid call, and the record of what it may cost and did cost.
pub mod bedrock;
pub mod ledger;

// Floor 3: the single entry point to a paid call.
pub mod engine;

// Floor 4: the commands, the server and what it tells the operator.
pub mod alerts;
pub mod commands;
pub mod offline;
pub mod server;

// Floor 5: the command line and the configuration.
pub mod cli;
pub mod config;

// Entry points for fuzzers, which `cargo fuzz` compiles, and tests.
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
