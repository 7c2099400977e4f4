//! The screen: what a person sees and types. Knows nothing of Bedrock or HTTP; it is handed text and numbers.

pub mod editor;
pub mod footer;
pub mod sanitize;
pub mod spinner;
pub mod style;
pub mod table;
