//! How the offline model handles tools, images, documents and schemas. It is enough to try a whole tool loop without
//! AWS. The model calls a tool when the request forces it to, or when the question contains the tool's name, with the JSON
//! object that follows the name, or else the first one (`call look {"q": "x"}`).

use super::answer::Block;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::ops::Range;

/// The most calls in one answer.
const MAX_CALLS: usize = 16;
/// The most values inside a sample.
const MAX_VALUES: usize = 1000;

/// The tool calls that the model makes.
pub(super) fn calls(body: &Value, turns: &[(bool, String)]) -> Vec<Block> {
    let offered: Vec<&Value> = body
        .pointer("/toolConfig/tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|tool| tool.get("toolSpec"))
        .collect();
    let claude_choice = body.pointer("/additionalModelRequestFields/tool_choice/type").and_then(Value::as_str);
    let choice = body.pointer("/toolConfig/toolChoice");
    let named = choice.and_then(|choice| choice.pointer("/tool/name")).and_then(Value::as_str);
    let any = claude_choice == Some("any") || choice.is_some_and(|choice| choice.get("any").is_some());
    if claude_choice == Some("none") || offered.is_empty() || last_message_has(body, "toolResult") {
        return Vec::new();
    }
    let question = turns.last().map(|(_, text)| text.as_str()).unwrap_or_default();
    let name = |tool: &Value| tool.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let objects = objects(question);
    let wanted = named.map_or_else(|| words_around(question, &objects), |named| HashSet::from([named]));
    let mut called: Vec<&Value> =
        offered.iter().copied().filter(|tool| wanted.contains(name(tool).as_str())).take(MAX_CALLS).collect();
    if called.is_empty() && any {
        called = offered.first().copied().into_iter().collect();
    }
    let one_at_once = body.pointer("/additionalModelRequestFields/tool_choice/disable_parallel_tool_use");
    if one_at_once == Some(&Value::Bool(true)) {
        called.truncate(1);
    }
    let calls = called.iter().enumerate().map(|(index, tool)| {
        let name = name(tool);
        let said = question.find(&name).unwrap_or_default();
        let input = objects.iter().find(|(range, _)| range.start > said).or(objects.first());
        let sample = || tool.pointer("/inputSchema/json").map(sample_value).unwrap_or_default();
        let input = input.map_or_else(sample, |(_, input)| input.clone());
        Block::ToolUse(format!("tooluse_offline_{}_{index}", turns.len()), name, input.to_string())
    });
    calls.collect()
}

/// The first JSON objects in a text, with where each is (bytes).
fn objects(text: &str) -> Vec<(Range<usize>, Value)> {
    let mut objects = Vec::new();
    let mut from = 0;
    while objects.len() < MAX_CALLS
        && let Some(start) = text[from..].find('{').map(|start| from + start)
    {
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        let Some(Ok(value)) = values.next() else { break };
        from = start + values.byte_offset();
        objects.push((start..from, value));
    }
    objects
}

/// An answer that describes the tool results, images and documents of the last message; `None` when it has none.
pub(super) fn describe_input(body: &Value) -> Option<String> {
    let last = body.get("messages").and_then(Value::as_array)?.last()?;
    let blocks = last.get("content").and_then(Value::as_array)?;
    let results: Vec<String> = blocks
        .iter()
        .filter_map(|block| block.pointer("/toolResult/content")?.as_array())
        .map(|content| content.iter().filter_map(piece_of_result).collect::<Vec<_>>().join("\n"))
        .collect();
    if !results.is_empty() {
        return Some(format!("The tool says: {}", results.join(" and ")));
    }
    let media: Vec<String> = blocks.iter().filter_map(medium).collect();
    (!media.is_empty())
        .then(|| format!("I am the offline model and cannot see, but this arrived: {}.", media.join(", ")))
}

fn piece_of_result(piece: &Value) -> Option<String> {
    piece.get("text").and_then(Value::as_str).map(ToOwned::to_owned).or_else(|| medium(piece))
}

/// What is known of an image or a document without looking at it.
fn medium(block: &Value) -> Option<String> {
    let (kind, content) = ["image", "document"].iter().find_map(|kind| Some((*kind, block.get(*kind)?)))?;
    let size = content.pointer("/source/bytes").and_then(Value::as_str)?.len() * 3 / 4;
    let format = content.get("format").and_then(Value::as_str).unwrap_or_default();
    Some(format!("{format} {kind} of about {size} bytes"))
}

/// A small value that matches a schema.
pub(super) fn sample_value(schema: &Value) -> Value {
    Sample { root: schema, left: MAX_VALUES }.value(schema, 0)
}

/// A value that is being made for a schema.
struct Sample<'a> {
    /// The whole schema, for references.
    root: &'a Value,
    /// How many more values it may have. References could name the same schema any number of times, at each level.
    left: usize,
}

impl Sample<'_> {
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if depth > 8 || self.left == 0 {
            return Value::Null;
        }
        self.left -= 1;
        let target = schema.get("$ref").and_then(Value::as_str);
        if let Some(target) = target.and_then(|path| self.root.pointer(path.trim_start_matches('#'))) {
            return self.value(target, depth + 1);
        }
        if let Some(first) = ["enum", "anyOf", "oneOf"].iter().find_map(|name| schema.get(*name)?.as_array()?.first()) {
            return if schema.get("enum").is_some() { first.clone() } else { self.value(first, depth + 1) };
        }
        let kind = schema.get("type").and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str()));
        match kind {
            Some("string") => "offline".into(),
            Some("integer") => 1.into(),
            Some("number") => json!(1.5),
            Some("boolean") => true.into(),
            Some("array") => json!([self.value(schema.get("items").unwrap_or(&Value::Null), depth + 1)]),
            Some("null") => Value::Null,
            _ => {
                let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
                let members = properties.map(|(name, schema)| (name.clone(), self.value(schema, depth + 1)));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }
}

fn last_message_has(body: &Value, kind: &str) -> bool {
    let last = body.get("messages").and_then(Value::as_array).and_then(|messages| messages.last());
    let blocks = last.and_then(|turn| turn.get("content")).and_then(Value::as_array);
    blocks.is_some_and(|blocks| blocks.iter().any(|block| block.get(kind).is_some()))
}

/// The words of a question outside of its JSON objects.
fn words_around<'q>(question: &'q str, objects: &[(Range<usize>, Value)]) -> HashSet<&'q str> {
    let ends = [0].into_iter().chain(objects.iter().map(|(range, _)| range.end));
    let starts = objects.iter().map(|(range, _)| range.start).chain([question.len()]);
    let words = ends.zip(starts).filter_map(|(from, to)| question.get(from..to));
    let words = words.flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')));
    words.filter(|word| !word.is_empty()).collect()
}
