//! What a terminal and a pipe are given.

mod untrusted;
