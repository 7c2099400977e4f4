//! All integration tests in one binary: linking the AWS SDK once is slow enough.
//! One file per feature, each written as transcripts of what a person or client does and sees.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(unreachable_pub, reason = "nothing outside uses a test binary")]
#![expect(clippy::print_stdout, reason = "what was skipped, and how much was replayed, must be said")]

mod support;

mod admission;
mod agents;
mod alerts;
mod anthropic;
mod architecture;
mod ask;
mod ask_forms;
mod attacks;
mod available;
mod aws_door;
mod bedrock;
mod budget;
mod cases;
mod chat;
mod chat_commands;
mod cli;
mod completions;
mod config;
mod doctor;
mod embeddings;
mod fleet;
mod help;
mod keyboard;
mod ledger;
mod log;
mod markdown;
mod metrics;
mod models;
mod names;
mod pipes;
mod positions;
mod properties;
mod reload;
mod replay;
mod reports;
mod requests;
mod responses;
mod run;
mod screens;
mod serve;
mod sessions;
mod setup;
mod soak;
mod systemd;
mod transcripts;
mod usage;
