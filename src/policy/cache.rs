//! Cache points. Writing to the prompt cache costs a quarter more than plain input, and reading from it costs a tenth
//! (docs/bedrock.md §2.4). With `prompt_cache = "auto"` a cache point is added where it saves money: in a conversation
//! that has an earlier turn, because what is sent now is sent again with the next turn, and only when the prompt is
//! long enough to be cached.

use super::native::Measure;
use crate::catalog::Model;
use crate::conversation::{CacheTtl, Message, Part, Request, Role};

/// A low estimate of the bytes per token. A prompt that is shorter than estimated gets a cache point without effect.
const BYTES_PER_TOKEN: u64 = 4;

/// The longest time to live among the cache points of a request, whose native form has the measure `native`; `None` when
/// it has none.
pub(super) fn longest_ttl(request: &Request, native: Option<Measure>) -> Option<CacheTtl> {
    let parts = request.system.iter().chain(request.messages.iter().flat_map(|message| &message.parts));
    let points = parts.filter_map(|part| match part {
        Part::CachePoint(ttl) => Some(*ttl),
        _ => None,
    });
    let points = points.chain(request.tools.iter().filter_map(|tool| tool.cache));
    let own = points.max_by_key(|ttl| *ttl == CacheTtl::OneHour);
    own.into_iter().chain(native.and_then(|native| native.cache)).max_by_key(|ttl| *ttl == CacheTtl::OneHour)
}

/// Adds a cache point where it saves money, and returns whether it did. `input_bound` is the upper bound of the input
/// tokens, which counts one token for each byte.
pub(super) fn add_point_where_it_saves(
    request: &mut Request,
    native: Option<Measure>,
    model: &Model,
    input_bound: u64,
) -> bool {
    let has_earlier_turn = request.messages.iter().any(|message| message.role == Role::Assistant);
    let is_long_enough = model.capabilities.features.cache
        && model.capabilities.cache.is_some_and(|minimum| input_bound / BYTES_PER_TOKEN >= minimum);
    if !has_earlier_turn || !is_long_enough || longest_ttl(request, native).is_some() {
        return false;
    }
    match request.messages.last_mut() {
        Some(Message { role: Role::User, parts }) if !parts.is_empty() => {
            parts.push(Part::CachePoint(CacheTtl::FiveMinutes));
            true
        }
        _ => false,
    }
}
