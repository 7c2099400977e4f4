//! Failures that people reported about this gateway and others, each with the right result. A test is named after its
//! report; the rule behind it has tables of its own beside the code.

mod answers;
mod aws;
mod aws_settings;
mod media;
mod messages;
mod reasoning;
mod refusals;
mod schemas;
mod server;
mod terminal;
