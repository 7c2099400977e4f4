//! Bedrock's own API, for AWS SDKs and command lines that are pointed at this server
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html>). Bodies pass
//! through with the policy's changes; `converse_request` reads what limits and meters a call. Answers are the service's
//! own, and so are the shapes of errors.

mod converse;
mod converse_request;
pub mod embeddings;
mod error;
mod event_frames;
mod invoke;

pub use converse::Converse;
pub use invoke::InvokeMessages;
