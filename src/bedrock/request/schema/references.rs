//! References between the parts of a schema. Only local ones mean anything to a model: `#`, and paths from the root.

use super::keywords::{Shape, shape, visit, visit_mut};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io;

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
    /// The schemas inside it, each after the one that it is in. The first is the root.
    places: Vec<Place<'a>>,
    /// The schemas that have a name of their own (`$id`, `$anchor`): indices into `places`.
    named: HashMap<String, usize>,
    /// How many more bytes the paths of named schemas may take. A path may be much longer than the name that it replaces.
    room: usize,
}

/// Where a schema is: behind a keyword of another one, and there under a name or a number.
struct Place<'a> {
    outer: usize,
    keyword: &'a str,
    name: Option<Cow<'a, str>>,
}

impl<'a> References<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        let mut references =
            Self { root, places: Vec::new(), named: HashMap::new(), room: json_length(root).saturating_add(1) };
        references.collect_names(root, Place { outer: 0, keyword: "", name: None });
        references
    }

    fn collect_names(&mut self, schema: &'a Value, place: Place<'a>) {
        let Value::Object(members) = schema else { return };
        let index = self.places.len();
        self.places.push(place);
        for (keyword, prefix) in [("$id", ""), ("id", ""), ("$anchor", "#")] {
            if let Some(name) = members.get(keyword).and_then(Value::as_str).filter(|name| !name.is_empty()) {
                let name = name.strip_suffix('#').unwrap_or(name);
                self.named.entry(format!("{prefix}{name}")).or_insert(index);
            }
        }
        for (keyword, value) in members {
            let place = |name: Option<Cow<'a, str>>| Place { outer: index, keyword, name };
            match (old_shape(keyword), value) {
                (Shape::NamedSchemas, Value::Object(schemas)) => {
                    for (name, schema) in schemas {
                        self.collect_names(schema, place(Some(Cow::Borrowed(name))));
                    }
                }
                (Shape::Schema | Shape::Schemas, Value::Array(schemas)) => {
                    for (number, schema) in schemas.iter().enumerate() {
                        self.collect_names(schema, place(Some(Cow::Owned(number.to_string()))));
                    }
                }
                (Shape::Schema, schema) => self.collect_names(schema, place(None)),
                _ => {}
            }
        }
    }

    /// The reference as a path in the repaired schema; `None` for one that leads out of the schema.
    pub(super) fn local(&mut self, reference: &str) -> Option<String> {
        let path = match self.named.get(reference.trim_end_matches('#')) {
            Some(place) if !reference.is_empty() => self.path(*place)?,
            _ => {
                let (base, path) = reference.split_once('#')?;
                let base = if base.is_empty() { String::new() } else { self.path(*self.named.get(base)?)? };
                base + &percent_decode_str(path).decode_utf8().ok()?
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

    /// Whether named schemas were referred to so often that their paths would be longer than the schema.
    pub(super) fn are_too_long(&self) -> bool {
        self.room == 0
    }

    /// The path of a schema; `None` when there is no room for it.
    fn path(&mut self, place: usize) -> Option<String> {
        let mut steps = Vec::new();
        let mut at = place;
        let mut length = 0;
        // The root comes first, and each other schema after the one that it is in.
        while at != 0 {
            let Place { outer, keyword, name } = &self.places[at];
            let name = name.as_deref();
            length += keyword.len() + name.map_or(0, str::len) + 2;
            steps.extend(name.into_iter().chain([*keyword]));
            at = *outer;
        }
        if length >= self.room {
            self.room = 0;
            return None;
        }
        let mut path = String::with_capacity(length);
        steps.iter().rev().for_each(|step| push(&mut path, step));
        self.room -= length;
        Some(path)
    }
}

/// The length of a value as JSON (bytes).
pub(super) fn json_length(value: &Value) -> usize {
    struct Length(usize);
    impl io::Write for Length {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut length = Length(0);
    // A value always serialises, and nothing is written.
    let _ = serde_json::to_writer(&mut length, value);
    length.0
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

/// Whether a schema refers to itself, directly or through others. Each schema is visited once.
pub(super) fn refers_to_itself(schema: &Value) -> bool {
    let mut search = Search { root: schema, open: HashSet::new(), done: HashSet::new() };
    search.finds_a_circle(schema, 0)
}

struct Search<'s> {
    root: &'s Value,
    /// The addresses of the schemas on the path to here.
    open: HashSet<usize>,
    done: HashSet<usize>,
}

impl<'s> Search<'s> {
    fn finds_a_circle(&mut self, schema: &'s Value, depth: usize) -> bool {
        // A longer chain of references is taken for a circle.
        const MAX_DEPTH: usize = 200;
        let Value::Object(members) = schema else { return false };
        let address = address(schema);
        if depth > MAX_DEPTH || self.open.contains(&address) {
            return true;
        }
        if !self.done.insert(address) {
            return false;
        }
        self.open.insert(address);
        let referred = members.get("$ref").and_then(Value::as_str).and_then(|path| target(self.root, path));
        let finds = referred.is_some_and(|target| self.finds_a_circle(target, depth + 1))
            || members.iter().any(|(name, value)| match (shape(name), value) {
                // Definitions are followed only where a reference uses them.
                (Shape::NamedSchemas, Value::Object(schemas)) if name != "$defs" => {
                    schemas.values().any(|schema| self.finds_a_circle(schema, depth + 1))
                }
                (Shape::Schemas, Value::Array(schemas)) => {
                    schemas.iter().any(|schema| self.finds_a_circle(schema, depth + 1))
                }
                (Shape::Schema, schema) => self.finds_a_circle(schema, depth + 1),
                _ => false,
            });
        self.open.remove(&address);
        finds
    }
}

/// What tells a schema from all others, also from those that look the same.
pub(super) fn address(schema: &Value) -> usize {
    std::ptr::from_ref(schema).addr()
}
