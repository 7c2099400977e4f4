//! The prompt cache: writing to it costs a quarter more, reading from it a tenth (docs/bedrock.md §2.4).
//! With `prompt_cache = "auto"` points are added where they pay: in a conversation that goes on, because what was
//! sent for this turn is sent again for the next, and only when it is long enough to be kept at all.

use crate::catalog::Model;
use crate::conversation::{CacheTtl, Message, Part, Request, Role};

/// Bytes per token, low: a prompt taken for longer than it is gets a point that does nothing.
const BYTES_PER_TOKEN: u64 = 4;

/// The longest time to live of the points a request has; `None` when it has none.
pub(super) fn longest(request: &Request) -> Option<CacheTtl> {
    let parts = request.system.iter().chain(request.messages.iter().flat_map(|message| &message.parts));
    let points = parts.filter_map(|part| match part {
        Part::CachePoint(ttl) => Some(*ttl),
        _ => None,
    });
    let points = points.chain(request.tools.iter().filter_map(|tool| tool.cache));
    points.reduce(|longest, ttl| if longest == CacheTtl::OneHour { longest } else { ttl })
}

/// Adds points where they pay. `input_bound` is in tokens, from above: one for each byte. Whether any were added.
pub(super) fn add_where_it_pays(request: &mut Request, model: &Model, input_bound: u64) -> bool {
    let goes_on = request.messages.iter().any(|message| message.role == Role::Assistant);
    let minimum = model.capabilities.cache.filter(|_| model.capabilities.features.cache);
    let long_enough = minimum.is_some_and(|minimum| input_bound / BYTES_PER_TOKEN >= minimum);
    if !goes_on || !long_enough || longest(request).is_some() {
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
