//! What strangers have reported, each as a test of the kind of fault that it stands for.

mod terminal;
