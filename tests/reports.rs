//! Faults that users of this and of similar programs have reported, each as it was reported and as the kind of fault
//! that it stands for.

mod aws;
mod aws_settings;
