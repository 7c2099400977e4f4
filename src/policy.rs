//! The cost policy decides what is sent for a request, and what that may cost at most.
//! Only [`Policy::admit`] and [`Policy::admit_successor`] make an [`Admitted`] request, and `bedrock` accepts no other,
//! so no paid call can bypass this module. [`Admitted::edits`] lists every change that the policy makes to a request.

mod admit;
mod admitted;
mod cache;
mod edit;
mod embedding;
mod expected_input;
mod input_bound;
mod limits;
mod native;
mod parameters;
pub mod price;
mod quote;
mod reasoning;
mod refusable;
pub(crate) mod request_limits;
mod rules;
mod token_limit;

pub use admitted::Admitted;
pub use edit::{Edit, EditReason, Parameter};
pub use embedding::AdmittedEmbedding;
pub use limits::{KeyOverrides, KeyRules, Limits, Overrides, SamplingOverride};
pub use native::{is_kind, mark_for_cache};
pub(crate) use reasoning::ROOM_FOR_LOW_EFFORT;
pub use reasoning::ReasoningGrant;
pub use refusable::Refusable;
pub use rules::{ModelLimits, Policy};
pub use token_limit::{LimitSource, TokenLimit};
