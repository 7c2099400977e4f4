//! Cache points in a request: how many are allowed, where, and with which lifetime (docs/bedrock.md §2.4).

use super::body::{Block, Body, CachePoint, ToolEntry, Turn};
use crate::catalog::Family;
use crate::conversation::CacheTtl;

/// The most cache points that one request may have.
const MAX_CACHE_POINTS: usize = 4;

/// A cache point as it is sent. Five minutes is Bedrock's default lifetime and is left out.
pub(super) fn cache_point(ttl: CacheTtl) -> CachePoint {
    CachePoint { r#type: "default", ttl: (ttl == CacheTtl::OneHour).then_some("1h") }
}

/// Removes the cache points that Bedrock would refuse: all but the first four, and for Nova those among the tools
/// (docs/cases.md, C5). Shortens a lifetime of one hour to five minutes where the model has no other, and after a cache
/// point of five minutes.
pub(super) fn limit(body: &mut Body<'_>, family: Family, one_hour: bool) {
    let mut left = MAX_CACHE_POINTS;
    let mut one_hour = one_hour;
    let mut keep = |point: &mut CachePoint| {
        if left == 0 {
            return false;
        }
        left -= 1;
        one_hour &= point.ttl.is_some();
        if !one_hour {
            point.ttl = None;
        }
        true
    };
    if let Some(config) = &mut body.tool_config {
        config.tools.retain_mut(|entry| match entry {
            ToolEntry::CachePoint(point) => family != Family::Nova && keep(point),
            ToolEntry::ToolSpec(_) => true,
        });
    }
    let mut limit_blocks = |content: &mut Vec<Block<'_>>| {
        content.retain_mut(|block| match block {
            Block::CachePoint(point) => keep(point),
            _ => true,
        });
    };
    limit_blocks(&mut body.system);
    for Turn { content, .. } in &mut body.messages {
        limit_blocks(content);
    }
}
