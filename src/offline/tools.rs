//! How the offline model handles tools, images, documents and schemas. It is enough to try a whole tool loop without
//! AWS. The model calls a tool when the request forces it to, or when the question contains the tool's name (`call look
//! {"q": "x"}`).

use super::answer::Block;
use serde_json::{Map, Value, json};

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
    let mut called: Vec<&Value> = match named {
        Some(named) => offered.iter().copied().filter(|tool| name(tool) == named).collect(),
        None => offered.iter().copied().filter(|tool| mentions(question, &name(tool))).collect(),
    };
    if called.is_empty() && any {
        called = offered.first().copied().into_iter().collect();
    }
    let input = question.find('{').and_then(|start| {
        let mut values = serde_json::Deserializer::from_str(&question[start..]).into_iter::<Value>();
        values.next()?.ok().filter(Value::is_object)
    });
    let calls = called.iter().enumerate().map(|(index, tool)| {
        let schema = tool.pointer("/inputSchema/json").cloned().unwrap_or_default();
        let input = input.clone().unwrap_or_else(|| sample_value(&schema, &schema, 0));
        Block::ToolUse(format!("tooluse_offline_{}_{index}", turns.len()), name(tool), input.to_string())
    });
    calls.collect()
}

/// An answer that describes the tool results, images and documents of the last message; `None` when it has none.
pub(super) fn describe_input(body: &Value) -> Option<String> {
    let last = body.get("messages").and_then(Value::as_array)?.last()?;
    let blocks = last.get("content").and_then(Value::as_array)?;
    let results: Vec<String> = blocks
        .iter()
        .filter_map(|block| block.pointer("/toolResult/content")?.as_array())
        .map(|content| content.iter().filter_map(|piece| piece.get("text")?.as_str()).collect::<Vec<_>>().join("\n"))
        .collect();
    if !results.is_empty() {
        return Some(format!("The tool says: {}", results.join(" and ")));
    }
    let media: Vec<String> = blocks
        .iter()
        .filter_map(|block| {
            let (kind, content) = ["image", "document"].iter().find_map(|kind| Some((*kind, block.get(*kind)?)))?;
            let size = content.pointer("/source/bytes").and_then(Value::as_str)?.len() * 3 / 4;
            Some(format!(
                "{} {kind} of about {size} bytes",
                content.get("format").and_then(Value::as_str).unwrap_or_default()
            ))
        })
        .collect();
    (!media.is_empty())
        .then(|| format!("I am the offline model and cannot see, but this arrived: {}.", media.join(", ")))
}

/// A small value that matches a schema. `root` is the schema that contains it, for references.
pub(super) fn sample_value(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > 8 {
        return Value::Null;
    }
    if let Some(target) =
        schema.get("$ref").and_then(Value::as_str).and_then(|path| root.pointer(path.trim_start_matches('#')))
    {
        return sample_value(target, root, depth + 1);
    }
    if let Some(first) = ["enum", "anyOf", "oneOf"].iter().find_map(|name| schema.get(*name)?.as_array()?.first()) {
        return if schema.get("enum").is_some() { first.clone() } else { sample_value(first, root, depth + 1) };
    }
    let kind = schema.get("type").and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str()));
    match kind {
        Some("string") => "offline".into(),
        Some("integer") => 1.into(),
        Some("number") => json!(1.5),
        Some("boolean") => true.into(),
        Some("array") => json!([sample_value(schema.get("items").unwrap_or(&Value::Null), root, depth + 1)]),
        Some("null") => Value::Null,
        _ => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let members = properties
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), sample_value(schema, root, depth + 1)));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}

fn last_message_has(body: &Value, kind: &str) -> bool {
    let last = body.get("messages").and_then(Value::as_array).and_then(|messages| messages.last());
    let blocks = last.and_then(|turn| turn.get("content")).and_then(Value::as_array);
    blocks.is_some_and(|blocks| blocks.iter().any(|block| block.get(kind).is_some()))
}

fn mentions(question: &str, name: &str) -> bool {
    let mut words = question.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
    !name.is_empty() && words.any(|word| word == name)
}
