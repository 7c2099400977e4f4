//! Tool calls and their results. Bedrock requires that every call has a result in the next turn, and that no two calls
//! share an id (docs/bedrock.md §2.6.7, docs/cases.md, T7).

use super::super::body::{Block, Turn};
use super::super::tool_names;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The result of a call for which the client sent none (docs/cases.md, T7).
pub(super) const NO_RESULT: &str = "(this call was not answered)";

/// Gives a later call that repeats an id another one, and its result too.
pub(super) fn make_ids_unique(turns: &mut [Turn<'_>]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for index in 0..turns.len() {
        let mut renamed: Vec<(String, String)> = Vec::new();
        for block in &mut turns[index].content {
            if let Block::ToolUse { tool_use_id, .. } = block {
                let times = seen.entry(tool_use_id.clone()).or_default();
                *times += 1;
                let before = tool_use_id.clone();
                if *times > 1 {
                    *tool_use_id = tool_names::legal_id(&format!("{before}-{times}"));
                }
                renamed.push((before, tool_use_id.clone()));
            }
        }
        let Some(next) = turns.get_mut(index + 1) else { return };
        for block in &mut next.content {
            if let Block::ToolResult { tool_use_id, .. } = block
                && let Some(place) = renamed.iter().position(|(before, _)| before == tool_use_id)
            {
                *tool_use_id = renamed.remove(place).1;
            }
        }
    }
}

/// Makes every turn after tool calls begin with one result for each call. A result without a call becomes text
/// (docs/bedrock.md §2.6.7).
pub(super) fn complete_results(turns: &mut Vec<Turn<'_>>) {
    let mut index = 0;
    while index < turns.len() {
        if turns[index].role == "assistant" {
            let calls = turns[index].content.iter().filter_map(|block| match block {
                Block::ToolUse { tool_use_id, .. } => Some(tool_use_id.clone()),
                _ => None,
            });
            let calls: Vec<String> = calls.collect();
            if !calls.is_empty() {
                if turns.get(index + 1).is_none() {
                    turns.push(Turn { role: "user", content: Vec::new() });
                }
                pair_results(&calls, &mut turns[index + 1].content);
                index += 1; // the turn of the results is done too
            }
        } else {
            pair_results(&[], &mut turns[index].content);
        }
        index += 1;
    }
}

/// Moves the results of these calls to the front, adds the missing ones, and turns all other results into text.
fn pair_results(calls: &[String], content: &mut Vec<Block<'_>>) {
    let mut results = Vec::with_capacity(content.len());
    let mut rest = Vec::new();
    let mut answered = HashSet::new();
    for block in content.drain(..) {
        match block {
            Block::ToolResult { tool_use_id, content, status } => {
                if calls.contains(&tool_use_id) && answered.insert(tool_use_id.clone()) {
                    results.push(Block::ToolResult { tool_use_id, content, status });
                } else {
                    rest.push(Block::Text(Cow::Owned(format!("[result of an unknown tool call, {tool_use_id}:]"))));
                    rest.extend(content);
                }
            }
            other => rest.push(other),
        }
    }
    for call in calls.iter().filter(|call| !answered.contains(*call)) {
        let content = vec![Block::Text(Cow::Borrowed(NO_RESULT))];
        results.push(Block::ToolResult { tool_use_id: call.clone(), content, status: "error" });
    }
    results.append(&mut rest);
    *content = results;
}
