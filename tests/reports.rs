//! End-to-end tests of failures that users of Chatrix and of other gateways reported. Each test is named after its report.

mod media;
mod messages;
mod reasoning;
mod schemas;
