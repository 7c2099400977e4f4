//! References between the parts of a schema. Only local ones mean anything to a model: `#`, and paths from the root.

use super::keywords::{Shape, shape, visit, visit_mut};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// The characters that a path in a reference must not hold as they are.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The references of one schema, as its author wrote it.
pub(super) struct References<'a> {
    root: &'a Value,
    /// The paths of the schemas that have a name of their own (`$id`, `$anchor`).
    named: HashMap<String, String>,
}

impl<'a> References<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        let mut named = HashMap::new();
        collect_names(root, &mut String::new(), &mut named);
        Self { root, named }
    }

    /// The reference as a path in the repaired schema; `None` for one that leads out of the schema.
    pub(super) fn local(&self, reference: &str) -> Option<String> {
        let path = match self.named.get(reference.trim_end_matches('#')) {
            Some(path) if !reference.is_empty() => path.clone(),
            _ => {
                let (base, path) = reference.split_once('#')?;
                let base = if base.is_empty() { "" } else { self.named.get(base)? };
                format!("{base}{}", percent_decode_str(path).decode_utf8().ok()?)
            }
        };
        rewritten(
            self.root,
            &path,
            |members, keyword| match keyword {
                "definitions" => "$defs".to_owned(),
                "items" if members.get("items").is_some_and(Value::is_array) => "prefixItems".to_owned(),
                "additionalItems" => "items".to_owned(),
                other => other.to_owned(),
            },
            ToOwned::to_owned,
        )
    }
}

fn collect_names(schema: &Value, path: &mut String, named: &mut HashMap<String, String>) {
    let Value::Object(members) = schema else { return };
    for (keyword, prefix) in [("$id", ""), ("id", ""), ("$anchor", "#")] {
        if let Some(name) = members.get(keyword).and_then(Value::as_str).filter(|name| !name.is_empty()) {
            let name = name.strip_suffix('#').unwrap_or(name);
            named.entry(format!("{prefix}{name}")).or_insert_with(|| path.clone());
        }
    }
    let length = path.len();
    let mut inside = |keyword: &str, name: Option<&str>, schema: &Value| {
        push(path, keyword);
        if let Some(name) = name {
            push(path, name);
        }
        collect_names(schema, path, named);
        path.truncate(length);
    };
    for (keyword, value) in members {
        match (old_shape(keyword), value) {
            (Shape::NamedSchemas, Value::Object(schemas)) => {
                schemas.iter().for_each(|(name, schema)| inside(keyword, Some(name), schema));
            }
            (Shape::Schema | Shape::Schemas, Value::Array(schemas)) => {
                let places = schemas.iter().enumerate();
                places.for_each(|(place, schema)| inside(keyword, Some(&place.to_string()), schema));
            }
            (Shape::Schema, schema) => inside(keyword, None, schema),
            _ => {}
        }
    }
}

/// As [`shape`], with the keywords of older drafts.
fn old_shape(keyword: &str) -> Shape {
    match keyword {
        "definitions" | "dependencies" => Shape::NamedSchemas,
        "additionalItems" => Shape::Schema,
        keyword => shape(keyword),
    }
}

/// Adds a step to a path (RFC 6901).
pub(super) fn push(path: &mut String, step: &str) {
    path.push('/');
    path.push_str(&step.replace('~', "~0").replace('/', "~1"));
}

/// The reference to a path, with other names for its keywords and for the properties in it. `None` when the path leads
/// nowhere.
pub(super) fn rewritten(
    root: &Value,
    path: &str,
    keyword: impl Fn(&Map<String, Value>, &str) -> String,
    property: impl Fn(&str) -> String,
) -> Option<String> {
    let mut out = String::new();
    let mut value = root;
    let mut at_schema = true;
    let mut in_properties = false;
    for step in steps(path)? {
        let next = match value {
            Value::Object(members) => members.get(&step)?,
            Value::Array(places) => places.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
        match value {
            Value::Object(members) if at_schema => {
                push(&mut out, &keyword(members, &step));
                at_schema = old_shape(&step) == Shape::Schema && !next.is_array();
                in_properties = step == "properties";
            }
            _ => {
                push(&mut out, &if in_properties { property(&step) } else { step });
                at_schema = true;
            }
        }
        value = next;
    }
    Some(format!("#{}", utf8_percent_encode(&out, ESCAPED)))
}

fn steps(path: &str) -> Option<impl Iterator<Item = String>> {
    let steps = if path.is_empty() { None } else { Some(path.strip_prefix('/')?) };
    Some(steps.into_iter().flat_map(|steps| steps.split('/')).map(|step| step.replace("~1", "/").replace("~0", "~")))
}

/// What a local reference refers to.
pub(super) fn target<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    let path = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
    root.pointer(&path)
}

/// Removes the references that lead nowhere.
pub(super) fn remove_dead(schema: &mut Value) {
    let mut dead = HashSet::new();
    let mut known = HashSet::new();
    visit(schema, &mut |members| {
        if let Some(Value::String(reference)) = members.get("$ref")
            && known.insert(reference.as_str())
            && !target(schema, reference).is_some_and(|target| target.is_object() || target.is_boolean())
        {
            dead.insert(reference.clone());
        }
    });
    if !dead.is_empty() {
        visit_mut(schema, &mut |members| {
            if members.get("$ref").and_then(Value::as_str).is_some_and(|reference| dead.contains(reference)) {
                members.shift_remove("$ref");
            }
        });
    }
}

/// Whether a schema refers to itself, directly or through others. Each target is followed once.
pub(super) fn refers_to_itself(schema: &Value) -> bool {
    let mut search = Search { root: schema, open: HashSet::new(), done: HashSet::new() };
    search.finds_a_circle(schema, 0)
}

struct Search<'s> {
    root: &'s Value,
    /// The references on the path to here.
    open: HashSet<&'s str>,
    done: HashSet<&'s str>,
}

impl<'s> Search<'s> {
    fn finds_a_circle(&mut self, schema: &'s Value, depth: usize) -> bool {
        // A longer chain of references is taken for a circle.
        const MAX_DEPTH: usize = 200;
        let Value::Object(members) = schema else { return false };
        if depth > MAX_DEPTH {
            return true;
        }
        if let Some(Value::String(reference)) = members.get("$ref") {
            if reference == "#" || self.open.contains(reference.as_str()) {
                return true;
            }
            if self.done.insert(reference)
                && let Some(target) = target(self.root, reference)
            {
                self.open.insert(reference);
                if self.finds_a_circle(target, depth + 1) {
                    return true;
                }
                self.open.remove(reference.as_str());
            }
        }
        members.iter().any(|(name, value)| match (shape(name), value) {
            // Definitions are followed only where a reference uses them.
            (Shape::NamedSchemas, Value::Object(schemas)) if name != "$defs" => {
                schemas.values().any(|schema| self.finds_a_circle(schema, depth + 1))
            }
            (Shape::Schemas, Value::Array(schemas)) => {
                schemas.iter().any(|schema| self.finds_a_circle(schema, depth + 1))
            }
            (Shape::Schema, schema) => self.finds_a_circle(schema, depth + 1),
            _ => false,
        })
    }
}
