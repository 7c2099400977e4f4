//! A tool's schema must describe an object at its root, without `anyOf`, `oneOf`, `allOf` or `$ref` there
//! (docs/cases.md, T4).

use super::references::target;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// The most references that are followed from the root.
const MAX_REFERENCES: usize = 8;

/// A repaired schema, rewritten to have an object at its root.
///
/// # Errors
/// When the schema does not describe an object. The message continues a sentence that begins with the schema's name.
pub(super) fn with_object_at_root(schema: &Value) -> Result<Value, &'static str> {
    let Value::Object(members) = schema else { return Ok(json!({"type": "object", "properties": {}})) };
    let mut root = inlined(members, schema);
    for combiner in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = root.shift_remove(combiner) {
            merge(&mut root, &branches, schema, combiner == "allOf");
        }
    }
    match root.get("type") {
        None | Some(Value::Null) => {
            root.insert("type".to_owned(), "object".into());
        }
        Some(Value::String(kind)) if kind == "object" => {}
        Some(Value::Array(kinds)) if kinds.contains(&"object".into()) => {
            root.insert("type".to_owned(), "object".into());
        }
        Some(_) => return Err("must describe an object"),
    }
    if !root.get("properties").is_some_and(Value::is_object) {
        root.insert("properties".to_owned(), json!({}));
    }
    require_only_properties(&mut root);
    Ok(Value::Object(root))
}

/// Leaves out the required names of which there is no property.
fn require_only_properties(root: &mut Map<String, Value>) {
    let Some(Value::Array(names)) = root.get("required") else { return };
    let properties = root.get("properties").and_then(Value::as_object);
    let exists = |name: &&Value| {
        name.as_str().is_some_and(|name| properties.is_some_and(|properties| properties.contains_key(name)))
    };
    let existing: Vec<Value> = names.iter().filter(exists).cloned().collect();
    if existing.is_empty() && !names.is_empty() {
        root.shift_remove("required");
    } else {
        root.insert("required".to_owned(), existing.into());
    }
}

/// The root with a `$ref` into its own definitions replaced by what it refers to.
fn inlined(members: &Map<String, Value>, schema: &Value) -> Map<String, Value> {
    let mut root = members.clone();
    for _ in 0..MAX_REFERENCES {
        let Some(Value::String(reference)) = root.shift_remove("$ref") else { break };
        if let Some(Value::Object(target)) = target(schema, &reference) {
            for (name, value) in target {
                root.entry(name).or_insert_with(|| value.clone());
            }
        }
    }
    root
}

/// Merges the branches of `allOf`, `anyOf` or `oneOf` into the root: all their properties, and as required those that
/// every branch requires (with `all`, for `allOf`: that any branch requires). The result is looser than the original,
/// so that it still permits every call that the original permits.
fn merge(root: &mut Map<String, Value>, branches: &[Value], whole: &Value, all: bool) {
    // In the order of their first mention; the others are counted by branch.
    let mut order: Vec<Value> = Vec::new();
    let mut wanted: HashMap<String, usize> = HashMap::new();
    let mut count = 0;
    for branch in branches.iter().filter_map(Value::as_object) {
        count += 1;
        let referred = branch.get("$ref").and_then(Value::as_str).and_then(|reference| target(whole, reference));
        let branch = referred.and_then(Value::as_object).unwrap_or(branch);
        if let Some(Value::Object(properties)) = branch.get("properties") {
            let own = root.entry("properties").or_insert_with(|| json!({}));
            for (name, property) in properties {
                own.as_object_mut().map(|own| own.entry(name).or_insert_with(|| property.clone()));
            }
        }
        for name in branch.get("required").and_then(Value::as_array).into_iter().flatten() {
            let times = wanted.entry(name.to_string()).or_default();
            *times += 1;
            if *times == 1 {
                order.push(name.clone());
            }
        }
        if let Some(kind) = branch.get("type")
            && !root.contains_key("type")
        {
            root.insert("type".to_owned(), kind.clone());
        }
    }
    let own = root.entry("required").or_insert_with(|| json!([]));
    if let Value::Array(own) = own {
        let mut known: HashSet<String> = own.iter().map(ToString::to_string).collect();
        for name in order {
            let text = name.to_string();
            if (all || wanted.get(&text) == Some(&count)) && known.insert(text) {
                own.push(name);
            }
        }
    }
    if root.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        root.shift_remove("required");
    }
}
