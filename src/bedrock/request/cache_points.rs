//! Cache points in a body: how many there may be, where, and for how long (docs/bedrock.md §2.4).

use super::body::{Block, Body, CachePoint, ToolEntry, Turn};
use crate::catalog::Family;
use crate::conversation::CacheTtl;

/// The most cache points of one request.
const CACHE_POINTS: usize = 4;

/// A cache point on the wire; five minutes is the default and is not said.
pub(super) fn cache_point(ttl: CacheTtl) -> CachePoint {
    CachePoint { r#type: "default", ttl: (ttl == CacheTtl::OneHour).then_some("1h") }
}

/// At most four cache points, the earliest kept; Nova takes none among tools (docs/cases.md, C5); an hour only where the
/// model has it, and never after five minutes.
pub(super) fn limit(body: &mut Body<'_>, family: Family, one_hour: bool) {
    let (mut left, mut hour) = (CACHE_POINTS, one_hour);
    let mut keep = |point: &mut CachePoint| {
        if left == 0 {
            return false;
        }
        left -= 1;
        hour &= point.ttl.is_some();
        if !hour {
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
    let mut blocks = |content: &mut Vec<Block<'_>>| {
        content.retain_mut(|block| match block {
            Block::CachePoint(point) => keep(point),
            _ => true,
        });
    };
    blocks(&mut body.system);
    for Turn { content, .. } in &mut body.messages {
        blocks(content);
    }
}
