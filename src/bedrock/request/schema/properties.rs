//! Names of properties that the model does not take, such as `Account Number` or `filter[id]` (docs/bedrock.md §2.8). They
//! are sent under other names. The arguments of earlier calls get these names too, and the arguments in an answer get
//! the client's own back: only where the schema has such a property, so that the keys of free-form objects stay.

use super::super::legal_word::{MAX_LENGTH, is_word};
use super::keywords::{Shape, shape, visit, visit_mut};
use super::references::{push, rewritten};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// The renamed properties of one tool.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct PropertyNames {
    /// The name that is sent, by the client's own.
    sent: HashMap<String, String>,
    own: HashMap<String, String>,
    /// The schemas of the tool; the first is the root.
    schemas: Vec<Schema>,
}

/// Where the values inside a value of a schema have their schemas: indices into `PropertyNames::schemas`.
#[derive(Debug, Default)]
struct Schema {
    /// By the client's own name.
    properties: HashMap<String, usize>,
    /// The schemas of properties that are not named.
    other_properties: Vec<usize>,
    places: Vec<usize>,
    items: Vec<usize>,
    /// Further schemas of the same value.
    also: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToModel,
    ToClient,
}

/// Renames the properties that the model does not take; `None` when there are none.
pub(super) fn make_plain(schema: &mut Value) -> Option<PropertyNames> {
    let (sent, own) = choose(schema)?;
    let before = schema.clone();
    visit_mut(schema, &mut |members| rename(members, &sent, &before));
    let mut names = PropertyNames { sent, own, schemas: Vec::new() };
    Builder { names: &mut names, by_path: HashMap::new(), references: Vec::new() }.build(schema);
    Some(names)
}

/// The new names, by the old ones, and the other way round. A new name is no other name in the schema.
fn choose(schema: &Value) -> Option<(HashMap<String, String>, HashMap<String, String>)> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let mut taken: HashSet<String> = HashSet::new();
    let mut illegal: Vec<String> = Vec::new();
    visit(schema, &mut |members| {
        for name in members.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            if taken.insert(name.clone()) && !is_word(name, legal) {
                illegal.push(name.clone());
            }
        }
    });
    let mut next: HashMap<String, usize> = HashMap::new();
    let (mut sent, mut own) = (HashMap::new(), HashMap::new());
    for name in illegal {
        // Room is left for a number. Numbers are shorter than hashes, and the order of a schema never changes.
        let plain: String = name.chars().take(MAX_LENGTH - 8).map(|c| if legal(c) { c } else { '_' }).collect();
        let plain = if plain.is_empty() { "_".to_owned() } else { plain };
        let mut candidate = plain.clone();
        let number = next.entry(plain.clone()).or_insert(1);
        while !taken.insert(candidate.clone()) {
            *number += 1;
            candidate = format!("{plain}_{number}");
        }
        own.insert(candidate.clone(), name.clone());
        sent.insert(name, candidate);
    }
    (!sent.is_empty()).then_some((sent, own))
}

fn rename(members: &mut Map<String, Value>, sent: &HashMap<String, String>, before: &Value) {
    let new_name = |name: &str| sent.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let rename_all = |names: &mut Value| {
        for name in names.as_array_mut().into_iter().flatten() {
            if let Some(new) = name.as_str().and_then(|name| sent.get(name)) {
                *name = new.as_str().into();
            }
        }
    };
    for keyword in ["properties", "dependentSchemas", "dependentRequired"] {
        if let Some(Value::Object(named)) = members.get_mut(keyword) {
            *named = std::mem::take(named).into_iter().map(|(name, value)| (new_name(&name), value)).collect();
            if keyword == "dependentRequired" {
                named.values_mut().for_each(rename_all);
            }
        }
    }
    if let Some(names) = members.get_mut("required") {
        rename_all(names);
    }
    if let Some(Value::String(reference)) = members.get_mut("$ref")
        && let Some(path) = reference.strip_prefix('#')
        && let Ok(path) = percent_decode_str(path).decode_utf8()
        && let Some(new) = rewritten(before, &path, |_, keyword| keyword.to_owned(), new_name)
    {
        *reference = new;
    }
}

/// Finds the schemas of a tool's values. References are resolved at the end, when all schemas are known.
struct Builder<'a> {
    names: &'a mut PropertyNames,
    by_path: HashMap<String, usize>,
    references: Vec<(usize, String)>,
}

impl Builder<'_> {
    fn build(mut self, root: &Value) {
        let mut targets = HashSet::new();
        visit(root, &mut |members| {
            targets.extend(members.get("$ref").and_then(Value::as_str).map(decoded));
        });
        self.add(root, &mut String::new(), &targets);
        for (schema, path) in std::mem::take(&mut self.references) {
            if let Some(target) = self.by_path.get(&path) {
                self.names.schemas[schema].also.push(*target);
            }
        }
    }

    /// Adds a schema and those inside it. Gives its index.
    fn add(&mut self, schema: &Value, path: &mut String, targets: &HashSet<String>) -> usize {
        let index = self.names.schemas.len();
        self.names.schemas.push(Schema::default());
        if targets.contains(path.as_str()) {
            self.by_path.insert(path.clone(), index);
        }
        let length = path.len();
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            if keyword == "$ref" {
                self.references.extend(value.as_str().map(|reference| (index, decoded(reference))));
                continue;
            }
            let inside: Vec<(Option<String>, &Value)> = match (shape(keyword), value) {
                (Shape::Schema, schema) => vec![(None, schema)],
                (Shape::Schemas, Value::Array(schemas)) => {
                    schemas.iter().enumerate().map(|(place, schema)| (Some(place.to_string()), schema)).collect()
                }
                (Shape::NamedSchemas, Value::Object(schemas)) => {
                    schemas.iter().map(|(name, schema)| (Some(name.clone()), schema)).collect()
                }
                _ => continue,
            };
            for (name, schema) in inside {
                push(path, keyword);
                if let Some(name) = &name {
                    push(path, name);
                }
                let inner = self.add(schema, path, targets);
                path.truncate(length);
                self.place(index, keyword, name, inner);
            }
        }
        index
    }

    fn place(&mut self, outer: usize, keyword: &str, name: Option<String>, inner: usize) {
        let own = name.map(|name| self.names.own.get(&name).cloned().unwrap_or(name));
        let schema = &mut self.names.schemas[outer];
        match keyword {
            "properties" => {
                schema.properties.extend(own.map(|own| (own, inner)));
            }
            "additionalProperties" | "patternProperties" | "unevaluatedProperties" => {
                schema.other_properties.push(inner);
            }
            "prefixItems" => schema.places.push(inner),
            "items" | "contains" | "unevaluatedItems" => schema.items.push(inner),
            "allOf" | "anyOf" | "oneOf" | "if" | "then" | "else" | "dependentSchemas" => schema.also.push(inner),
            _ => {}
        }
    }
}

fn decoded(reference: &str) -> String {
    let path = reference.strip_prefix('#').unwrap_or(reference);
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

impl PropertyNames {
    /// The arguments of a call with the names that are sent. Text that is no JSON stays as it is.
    pub(in crate::bedrock) fn to_model(&self, arguments: &str) -> String {
        self.translated(arguments, Direction::ToModel)
    }

    /// The arguments of a call with the client's own names. Text that is no JSON stays as it is.
    pub(in crate::bedrock) fn to_client(&self, arguments: &str) -> String {
        self.translated(arguments, Direction::ToClient)
    }

    fn translated(&self, arguments: &str, direction: Direction) -> String {
        let mut translator =
            Translator { names: self, direction, text: arguments, at: 0, out: String::with_capacity(arguments.len()) };
        match translator.value(&[0], 0) {
            Some(()) if translator.rest().trim().is_empty() => translator.out,
            _ => arguments.to_owned(),
        }
    }

    /// These schemas, and all further ones of the same value.
    fn with_alternatives(&self, schemas: &[usize]) -> Vec<usize> {
        let mut seen: HashSet<usize> = schemas.iter().copied().collect();
        let mut all = schemas.to_vec();
        let mut next = 0;
        while let Some(schema) = all.get(next).copied() {
            all.extend(self.schemas[schema].also.iter().copied().filter(|also| seen.insert(*also)));
            next += 1;
        }
        all
    }
}

/// Copies JSON text with other names for its keys. Numbers and strings are copied as they stand.
struct Translator<'a> {
    names: &'a PropertyNames,
    direction: Direction,
    text: &'a str,
    at: usize,
    out: String,
}

impl<'a> Translator<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn copy(&mut self, length: usize) {
        self.out.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }

    fn copy_space(&mut self) {
        let rest = self.rest();
        self.copy(rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len());
    }

    /// Copies a character of JSON's grammar and the space around it; `None` when another one stands here.
    fn sign(&mut self, sign: char) -> Option<()> {
        self.copy_space();
        self.rest().starts_with(sign).then(|| self.copy(1))?;
        self.copy_space();
        Some(())
    }

    /// One value, which has any of these schemas. `None` for text that is no JSON.
    fn value(&mut self, schemas: &[usize], depth: usize) -> Option<()> {
        const MAX_DEPTH: usize = 128;
        if depth > MAX_DEPTH {
            return None;
        }
        self.copy_space();
        match self.rest().chars().next()? {
            '{' => self.object(&self.names.with_alternatives(schemas), depth),
            '[' => self.array(&self.names.with_alternatives(schemas), depth),
            '"' => {
                let length = string_length(self.rest())?;
                self.copy(length);
                Some(())
            }
            _ => {
                let rest = self.rest();
                let length = rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
                (length > 0).then(|| self.copy(length))
            }
        }
    }

    fn object(&mut self, schemas: &[usize], depth: usize) -> Option<()> {
        self.sign('{')?;
        if self.rest().starts_with('}') {
            return self.sign('}');
        }
        loop {
            let length = string_length(self.rest())?;
            let key: String = serde_json::from_str(&self.rest()[..length]).ok()?;
            let own = match self.direction {
                Direction::ToModel => &key,
                Direction::ToClient => self.names.own.get(&key).unwrap_or(&key),
            };
            let of = |schema: &usize| self.names.schemas[*schema].properties.get(own).copied();
            let mut inside: Vec<usize> = schemas.iter().filter_map(of).collect();
            let new = match (inside.is_empty(), self.direction) {
                (true, _) => None,
                (false, Direction::ToModel) => self.names.sent.get(own),
                (false, Direction::ToClient) => Some(own).filter(|own| **own != key),
            };
            if let Some(new) = new {
                self.out.push_str(&Value::from(new.as_str()).to_string());
                self.at += length;
            } else {
                if inside.is_empty() {
                    inside = schemas
                        .iter()
                        .flat_map(|schema| &self.names.schemas[*schema].other_properties)
                        .copied()
                        .collect();
                }
                self.copy(length);
            }
            self.sign(':')?;
            self.value(&inside, depth + 1)?;
            self.copy_space();
            if self.rest().starts_with('}') {
                return self.sign('}');
            }
            self.sign(',')?;
        }
    }

    fn array(&mut self, schemas: &[usize], depth: usize) -> Option<()> {
        self.sign('[')?;
        if self.rest().starts_with(']') {
            return self.sign(']');
        }
        for place in 0.. {
            let of = |schema: &usize| {
                let Schema { places, items, .. } = &self.names.schemas[*schema];
                places.get(place).map_or(items.as_slice(), std::slice::from_ref)
            };
            let inside: Vec<usize> = schemas.iter().flat_map(of).copied().collect();
            self.value(&inside, depth + 1)?;
            self.copy_space();
            if self.rest().starts_with(']') {
                return self.sign(']');
            }
            self.sign(',')?;
        }
        None
    }
}

/// The length of the string at the start of a text, its quotes included.
fn string_length(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    bytes.next().filter(|(_, byte)| *byte == b'"')?;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
