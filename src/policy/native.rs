//! What of a client's own request goes to Bedrock. Claude's native API on Bedrock refuses members and beta
//! features that Anthropic's own service takes, so what it is known to take is data here, everything else is left out, and
//! a feature goes or stays with its beta (docs/anthropic.md §4). What a model refuses nevertheless is learned from its
//! refusal and left out as well.

mod accepted;
mod converse;
mod measure;
mod messages;
mod refused;

pub(super) use measure::{Measure, measure};
pub use messages::mark_for_cache;
pub(super) use refused::has;
pub use refused::is_kind;

use crate::conversation::{IgnoredMember, NativeApi, NativeRequest};

/// Leaves out of a request what Bedrock does not take and what the policy does not grant, and returns what the client is
/// told of it. The request keeps its order.
pub(super) fn reduce(request: &mut NativeRequest) -> Vec<IgnoredMember> {
    match request.api {
        NativeApi::Messages => messages::reduce(request),
        NativeApi::Converse => converse::reduce(request),
    }
}
