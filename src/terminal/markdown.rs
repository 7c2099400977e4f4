//! Markdown as models write it.

mod blocks;
mod cursor;

pub(crate) mod code_blocks;
