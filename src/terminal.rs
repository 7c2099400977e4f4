//! The terminal: what a person sees and types. It knows nothing of Bedrock or HTTP.

pub(crate) mod abilities;
pub(crate) mod answer_view;
pub(crate) mod editor;
pub(crate) mod footer;
pub(crate) mod look;
pub mod markdown;
pub(crate) mod mode;
pub(crate) mod output;
pub(crate) mod printable;
pub(crate) mod sanitize;
pub(crate) mod size;
pub(crate) mod spinner;
pub(crate) mod table;
