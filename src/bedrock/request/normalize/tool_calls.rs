//! Tool calls and their results. Bedrock requires that every call has a result in the next turn, that no two calls share
//! an id, and that the ids keep to the model's alphabet (docs/bedrock.md §2.6.7, §2.6.10, docs/cases.md, T7).

use super::super::body::{Block, PLACEHOLDER, Turn, result_status};
use super::super::tool_ids::ToolIds;
use crate::catalog::FamilyRules;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

/// The result of a call for which the client sent none (docs/cases.md, T7).
pub(super) const NO_RESULT: &str = "(this call was not answered)";

/// Gives every call an id that the model takes, and makes the next turn begin with one result for each call, which has
/// the same id. A result without a call becomes text.
pub(super) fn pair_results(turns: &mut Vec<Turn<'_>>, family: FamilyRules) {
    let mut ids = ToolIds::new(family.tool_ids);
    let mut index = 0;
    while index < turns.len() {
        let calls = assign_ids(&mut turns[index], &mut ids);
        if calls.is_empty() {
            if turns[index].role == "user" {
                answer(calls, &mut turns[index].content, family);
            }
        } else {
            if turns.get(index + 1).is_none() {
                turns.push(Turn { role: "user", content: Vec::new() });
            }
            answer(calls, &mut turns[index + 1].content, family);
            index += 1; // the turn of the results is done too
        }
        index += 1;
    }
}

/// A call, by the client's id and by the id that is sent.
struct Call {
    own_id: String,
    sent_id: String,
}

fn assign_ids(turn: &mut Turn<'_>, ids: &mut ToolIds) -> Vec<Call> {
    let calls = turn.content.iter_mut().filter_map(|block| match block {
        Block::ToolUse { tool_use_id, .. } => {
            let sent_id = ids.assign(tool_use_id);
            let own_id = std::mem::replace(tool_use_id, sent_id.clone());
            Some(Call { own_id, sent_id })
        }
        _ => None,
    });
    calls.collect()
}

/// Moves the results of these calls to the front, adds the missing ones, and turns all other results into text.
fn answer(calls: Vec<Call>, content: &mut Vec<Block<'_>>, family: FamilyRules) {
    // Calls that share an id are answered in their order.
    let mut open: HashMap<String, VecDeque<usize>> = HashMap::new();
    let mut unanswered: Vec<Option<String>> = Vec::with_capacity(calls.len());
    for (place, Call { own_id, sent_id }) in calls.into_iter().enumerate() {
        open.entry(own_id).or_default().push_back(place);
        unanswered.push(Some(sent_id));
    }
    let mut results = Vec::with_capacity(content.len());
    let mut rest = Vec::new();
    for block in content.drain(..) {
        let Block::ToolResult { tool_use_id: own_id, content, status } = block else {
            rest.push(block);
            continue;
        };
        let place = open.get_mut(&own_id).and_then(VecDeque::pop_front);
        if let Some(tool_use_id) = place.and_then(|place| unanswered[place].take()) {
            results.push(Block::ToolResult { tool_use_id, content, status });
        } else {
            rest.push(Block::Text(Cow::Owned(format!("[result of an unknown tool call, {own_id}:]"))));
            rest.extend(content);
        }
    }
    for tool_use_id in unanswered.into_iter().flatten() {
        results.push(Block::ToolResult {
            tool_use_id,
            content: vec![Block::text(NO_RESULT)],
            status: result_status(true, family),
        });
    }
    results.append(&mut rest);
    *content = results;
}

/// Moves what stands beside tool results into a turn of its own, behind a minimal turn of the assistant, for models that
/// want the results alone (docs/bedrock.md §2.6.7).
pub(super) fn separate_results(turns: &mut Vec<Turn<'_>>) {
    let mut separated = Vec::with_capacity(turns.len());
    for turn in turns.drain(..) {
        let (results, rest): (Vec<_>, Vec<_>) =
            turn.content.into_iter().partition(|block| matches!(block, Block::ToolResult { .. }));
        if results.is_empty() || rest.is_empty() {
            let content = if rest.is_empty() { results } else { rest };
            separated.push(Turn { role: turn.role, content });
            continue;
        }
        separated.push(Turn { role: turn.role, content: results });
        if rest.iter().any(|block| !matches!(block, Block::CachePoint(_))) {
            separated.push(Turn { role: "assistant", content: vec![Block::text(PLACEHOLDER)] });
            separated.push(Turn { role: turn.role, content: rest });
        }
    }
    *turns = separated;
}
