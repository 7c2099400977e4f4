//! A tool's schema must describe an object at its root, without `anyOf`, `oneOf`, `allOf` or `$ref` there
//! (docs/cases.md, T4). What they refer to is copied to the root. Each schema is copied once, and what is copied is never
//! longer than the schema itself.

use super::references::{address, json_length, target};
use serde_json::{Map, Value, json};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// The most references that are followed from the root.
const MAX_REFERENCES: usize = 8;
const COMBINERS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Why a schema cannot have an object at its root. The message continues a sentence that begins with the schema's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RootError {
    /// It describes something else.
    NoObject(&'static str),
    /// Its copies would be longer than itself.
    TooLong(&'static str),
}

/// A repaired schema, rewritten to have an object at its root.
pub(super) fn with_object_at_root(schema: &Value) -> Result<Value, RootError> {
    let Value::Object(members) = schema else { return Ok(json!({"type": "object", "properties": {}})) };
    let layers = layers(members, schema);
    let mut root = Root { members: Map::new(), whole: schema, room: json_length(schema) };
    for (name, value) in members {
        if !(name == "$ref" || COMBINERS.contains(&name.as_str())) {
            root.members.insert(name.clone(), value.clone());
        }
    }
    for (name, value) in layers[1..].iter().copied().flatten() {
        // Definitions are found where they are.
        if !(name == "$ref" || name == "$defs" || COMBINERS.contains(&name.as_str()) || root.members.contains_key(name))
        {
            root.take_room(name, value)?;
            root.members.insert(name.clone(), value.clone());
        }
    }
    for combiner in COMBINERS {
        if let Some(Value::Array(branches)) = layers.iter().find_map(|members| members.get(combiner)) {
            root.merge(branches, combiner == "allOf")?;
        }
    }
    with_type(root.members).map(Value::Object)
}

fn with_type(mut root: Map<String, Value>) -> Result<Map<String, Value>, RootError> {
    match root.get("type") {
        None | Some(Value::Null) => {
            root.insert("type".to_owned(), "object".into());
        }
        Some(Value::String(kind)) if kind == "object" => {}
        Some(Value::Array(kinds)) if kinds.contains(&"object".into()) => {
            root.insert("type".to_owned(), "object".into());
        }
        Some(_) => return Err(RootError::NoObject("must describe an object")),
    }
    if !root.get("properties").is_some_and(Value::is_object) {
        root.insert("properties".to_owned(), json!({}));
    }
    require_only_properties(&mut root);
    Ok(root)
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

/// The root's members, then those of what its `$ref` refers to, and so on. The first of a name counts.
fn layers<'s>(members: &'s Map<String, Value>, whole: &'s Value) -> Vec<&'s Map<String, Value>> {
    let mut layers = vec![members];
    let mut last = members;
    while layers.len() <= MAX_REFERENCES
        && let Some(reference) = last.get("$ref").and_then(Value::as_str)
        && let Some(Value::Object(next)) = target(whole, reference)
    {
        layers.push(next);
        last = next;
    }
    layers
}

/// The root that is being made.
struct Root<'s> {
    members: Map<String, Value>,
    /// The schema as it was, for references.
    whole: &'s Value,
    /// How many more bytes may be copied. Schemas that are no part of each other fit; only those that repeat each other do
    /// not.
    room: usize,
}

impl<'s> Root<'s> {
    fn take_room(&mut self, name: &str, value: &Value) -> Result<(), RootError> {
        match self.room.checked_sub(name.len() + json_length(value)) {
            Some(room) => {
                self.room = room;
                Ok(())
            }
            None => Err(RootError::TooLong("refers at its root to schemas that repeat each other")),
        }
    }

    /// Merges the branches of `allOf`, `anyOf` or `oneOf`: all their properties, and as required those that every branch
    /// requires (with `all`, for `allOf`: that any branch requires). The result is looser than the original, so that it
    /// still permits every call that the original permits.
    fn merge(&mut self, branches: &'s [Value], all: bool) -> Result<(), RootError> {
        // In the order of their first mention; the others are counted by branch.
        let mut order: Vec<&Value> = Vec::new();
        let mut wanted: HashMap<&str, usize> = HashMap::new();
        let mut count = 0;
        for (branch, times) in distinct(branches, self.whole) {
            count += times;
            self.add_properties(branch)?;
            for name in branch.get("required").and_then(Value::as_array).into_iter().flatten() {
                match wanted.entry(name.as_str().unwrap_or_default()) {
                    Entry::Occupied(mut known) => *known.get_mut() += times,
                    Entry::Vacant(new) => {
                        new.insert(times);
                        order.push(name);
                    }
                }
            }
            if let Some(kind) = branch.get("type")
                && !self.members.contains_key("type")
            {
                self.members.insert("type".to_owned(), kind.clone());
            }
        }
        let mut required = match self.members.get_mut("required").map(Value::take) {
            Some(Value::Array(names)) => names,
            _ => Vec::new(),
        };
        let known: HashSet<String> = required.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        for name in order {
            let text = name.as_str().unwrap_or_default();
            if (all || wanted.get(text) == Some(&count)) && !known.contains(text) {
                self.take_room("", name)?;
                required.push(name.clone());
            }
        }
        if required.is_empty() {
            self.members.shift_remove("required");
        } else {
            self.members.insert("required".to_owned(), required.into());
        }
        Ok(())
    }

    fn add_properties(&mut self, branch: &'s Map<String, Value>) -> Result<(), RootError> {
        let Some(Value::Object(properties)) = branch.get("properties") else { return Ok(()) };
        if !self.members.get("properties").is_some_and(Value::is_object) {
            self.members.insert("properties".to_owned(), json!({}));
        }
        for (name, property) in properties {
            let own = self.members.get("properties").and_then(Value::as_object);
            if own.is_some_and(|own| own.contains_key(name)) {
                continue;
            }
            self.take_room(name, property)?;
            if let Some(own) = self.members.get_mut("properties").and_then(Value::as_object_mut) {
                own.insert(name.clone(), property.clone());
            }
        }
        Ok(())
    }
}

/// The branches with their references followed, each once, and how often it occurs.
fn distinct<'s>(branches: &'s [Value], whole: &'s Value) -> Vec<(&'s Map<String, Value>, usize)> {
    let mut distinct: Vec<(&Map<String, Value>, usize)> = Vec::new();
    let mut known: HashMap<usize, usize> = HashMap::new();
    for branch in branches {
        let referred = branch.get("$ref").and_then(Value::as_str).and_then(|reference| target(whole, reference));
        let branch = referred.filter(|target| target.is_object()).unwrap_or(branch);
        let Value::Object(members) = branch else { continue };
        match known.entry(address(branch)) {
            Entry::Occupied(place) => distinct[*place.get()].1 += 1,
            Entry::Vacant(new) => {
                new.insert(distinct.len());
                distinct.push((members, 1));
            }
        }
    }
    distinct
}
