//! The cost policy: what of a request is sent, and what that may cost at most.
//! [`Policy::admit`] is the only maker of [`Admitted`], and `bedrock` takes nothing else, so no paid call can go around
//! this module. Every change that the policy makes to a request is listed ([`Admitted::edits`]), never silent.

mod admit;
mod admitted;
mod cache;
mod edit;
mod embedding;
mod input_bound;
mod limits;
mod parameters;
pub mod price;
mod quote;
mod reasoning;
mod rules;

pub use admitted::{Admitted, Refusable};
pub use edit::{Edit, EditReason, Parameter};
pub use embedding::AdmittedEmbedding;
pub use limits::{Limits, Overrides, SamplingOverride};
pub use reasoning::ReasoningGrant;
pub use rules::{ModelLimits, Policy};
