//! What a terminal and a pipe are given.

mod incomplete;
mod sentences;
mod untrusted;
