//! Turns a schema into a valid one of draft 2020-12, at every level: older drafts, the words of other languages, null
//! members and junk are rewritten or left out (docs/bedrock.md §2.8). Each schema is visited once, and no reference is
//! followed, so the time is linear in the size.

use super::keywords::{Shape, shape};
use super::references::References;
use super::size::SchemaSize;
use super::types::types;
use serde_json::{Map, Number, Value, json};
use std::collections::HashSet;

/// The schema in draft 2020-12. Anything that is not a schema becomes one that permits everything.
///
/// # Errors
/// When it is larger than a schema may be. The message continues a sentence that begins with the schema's name.
pub(super) fn repaired(schema: &Value) -> Result<Value, String> {
    let mut walker = Walker::new(schema);
    let repaired = walker.schema(schema, 0).unwrap_or_else(|| json!({}));
    walker.size.check()?;
    if walker.references.are_too_long() {
        return Err("refers to named schemas (`$id`, `$anchor`) by paths that are longer than itself".to_owned());
    }
    Ok(repaired)
}

struct Walker<'a> {
    references: References<'a>,
    /// How many values were visited.
    steps: usize,
    size: SchemaSize,
}

impl<'a> Walker<'a> {
    fn new(schema: &'a Value) -> Self {
        Self { references: References::new(schema), steps: 0, size: SchemaSize::default() }
    }
}

impl Walker<'_> {
    /// A schema; `None` for a value that cannot be one.
    fn schema(&mut self, value: &Value, depth: usize) -> Option<Value> {
        self.steps += 1;
        if !self.size.add_level(depth) {
            return None;
        }
        match value {
            Value::Bool(_) => Some(value.clone()),
            Value::Object(members) => Some(Value::Object(self.object(members, depth))),
            Value::String(text) => {
                Some(types(value).map_or_else(|| json!({"description": text}), |types| types.schema()))
            }
            Value::Array(_) => types(value).map(|types| types.schema()),
            Value::Null | Value::Number(_) => None,
        }
    }

    /// A schema in a place where not every model takes a boolean.
    fn object_schema(&mut self, value: &Value, depth: usize) -> Option<Value> {
        match self.schema(value, depth)? {
            Value::Bool(true) => Some(json!({})),
            Value::Bool(false) => Some(json!({"not": {}})),
            schema => Some(schema),
        }
    }

    fn object(&mut self, members: &Map<String, Value>, depth: usize) -> Map<String, Value> {
        let mut out = Map::new();
        let mut required = Vec::new();
        for (name, value) in members {
            self.steps += 1;
            match name.as_str() {
                "const" | "default" => {
                    self.size.add_constant(name, value);
                    out.insert(name.clone(), value.clone());
                }
                _ if value.is_null() => {}
                "$schema" | "nullable" => {}
                // A name of its own would change what the references inside it mean. Those to it become local.
                "id" | "$id" | "$anchor" | "$dynamicAnchor" | "$recursiveAnchor"
                    if value.is_string() || value.is_boolean() => {}
                "$ref" | "$recursiveRef" | "$dynamicRef" => {
                    if let Some(reference) = value.as_str().and_then(|text| self.references.local(text)) {
                        out.insert("$ref".to_owned(), reference.into());
                    }
                }
                "type" => insert_type(value, &mut out),
                "required" => {
                    required.extend(names(value));
                    if value.is_array() {
                        // It keeps its place among the members.
                        out.insert(name.clone(), json!([]));
                    }
                }
                "properties" => {
                    let properties = self.properties(value, &mut required, depth);
                    out.insert(name.clone(), Value::Object(properties));
                }
                "items" => self.items(value, &mut out, depth),
                "additionalItems" => {
                    // It means something only beside a tuple.
                    if members.get("items").is_some_and(Value::is_array)
                        && let Some(schema) = self.schema(value, depth + 1)
                    {
                        out.insert("items".to_owned(), schema);
                    }
                }
                "definitions" | "$defs" => self.definitions(value, &mut out, depth),
                "dependencies" => self.dependencies(value, &mut out, depth),
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                    insert_bound(name, value, members, &mut out);
                }
                _ => {
                    if let Some(value) = self.member(name, value, depth) {
                        out.insert(name.clone(), value);
                    }
                }
            }
        }
        let is_empty = members.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty);
        insert_required(required, is_empty, &mut out);
        if members.get("nullable") == Some(&Value::Bool(true)) {
            allow_null(&mut out);
        }
        out
    }

    /// The value of a keyword that needs no more than the right shape; `None` when it has another one.
    fn member(&mut self, name: &str, value: &Value, depth: usize) -> Option<Value> {
        match (shape(name), value) {
            (Shape::Schema, _) => self.schema(value, depth + 1),
            (Shape::Schemas, Value::Array(schemas)) => {
                let schemas = schemas.iter().filter_map(|schema| self.object_schema(schema, depth + 1));
                Some(schemas.collect::<Vec<_>>()).filter(|schemas| !schemas.is_empty()).map(Value::Array)
            }
            (Shape::Schemas, Value::Object(_)) => Some(json!([self.schema(value, depth + 1)?])),
            (Shape::NamedSchemas, Value::Object(schemas)) => {
                let schemas =
                    schemas.iter().filter_map(|(name, schema)| Some((name.clone(), self.schema(schema, depth + 1)?)));
                Some(Value::Object(schemas.collect()))
            }
            (Shape::Count, _) => number(value).and_then(|number| whole(&number)).map(Value::from),
            (Shape::Number, _) => {
                number(value).filter(|number| name != "multipleOf" || number.as_f64() > Some(0.0)).map(Value::Number)
            }
            (Shape::Flag, Value::Bool(_)) | (Shape::Text, Value::String(_)) | (Shape::Note | Shape::Value, _) => {
                Some(value.clone())
            }
            (Shape::Values, Value::Array(values)) => {
                if name == "enum" {
                    self.size.add_enum(values);
                }
                let mut seen = HashSet::new();
                let distinct: Vec<Value> =
                    values.iter().filter(|value| seen.insert(value.to_string())).cloned().collect();
                self.steps += values.len();
                Some(distinct).filter(|values| !values.is_empty()).map(Value::Array)
            }
            (Shape::NamedNames, Value::Object(lists)) => {
                Some(lists.iter().map(|(name, list)| (name.clone(), Value::from(names(list)))).collect())
            }
            _ => None,
        }
    }

    fn properties(&mut self, value: &Value, required: &mut Vec<String>, depth: usize) -> Map<String, Value> {
        let mut properties = Map::new();
        for (name, property) in value.as_object().into_iter().flatten() {
            self.size.add_property(name);
            // Draft 3 says at the property that it is required.
            if property.get("required") == Some(&Value::Bool(true)) {
                required.push(name.clone());
            }
            if let Some(schema) = self.object_schema(property, depth + 1) {
                properties.insert(name.clone(), schema);
            }
        }
        properties
    }

    fn items(&mut self, value: &Value, out: &mut Map<String, Value>, depth: usize) {
        if let Value::Array(places) = value {
            let places: Vec<Value> =
                places.iter().map(|place| self.object_schema(place, depth + 1).unwrap_or_else(|| json!({}))).collect();
            if !places.is_empty() {
                out.insert("prefixItems".to_owned(), Value::Array(places));
            }
        } else if let Some(schema) = self.schema(value, depth + 1) {
            out.insert("items".to_owned(), schema);
        }
    }

    /// Draft 7 calls them `definitions`. Where a schema has both, `$defs` wins.
    fn definitions(&mut self, value: &Value, out: &mut Map<String, Value>, depth: usize) {
        let Value::Object(schemas) = value else { return };
        let mut definitions = match out.shift_remove("$defs") {
            Some(Value::Object(definitions)) => definitions,
            _ => Map::new(),
        };
        for (name, schema) in schemas {
            self.size.add_definition(name);
            if let Some(schema) = self.object_schema(schema, depth + 1) {
                definitions.entry(name.clone()).or_insert(schema);
            }
        }
        out.insert("$defs".to_owned(), Value::Object(definitions));
    }

    /// Draft 7 has one keyword for what are two now.
    fn dependencies(&mut self, value: &Value, out: &mut Map<String, Value>, depth: usize) {
        let (mut lists, mut schemas) = (Map::new(), Map::new());
        for (name, dependency) in value.as_object().into_iter().flatten() {
            if dependency.is_array() || dependency.is_string() {
                lists.insert(name.clone(), names(dependency).into());
            } else if let Some(schema) = self.schema(dependency, depth + 1) {
                schemas.insert(name.clone(), schema);
            }
        }
        for (keyword, dependencies) in [("dependentRequired", lists), ("dependentSchemas", schemas)] {
            if !dependencies.is_empty() {
                out.insert(keyword.to_owned(), Value::Object(dependencies));
            }
        }
    }
}

fn insert_type(value: &Value, out: &mut Map<String, Value>) {
    let Some(types) = types(value) else { return };
    if let Some(value) = types.value() {
        out.insert("type".to_owned(), value);
    }
    if let Some(items) = types.items() {
        out.entry("items").or_insert(items);
    }
}

/// A bound. In draft 4, `exclusiveMinimum: true` says that the value of `minimum` is excluded.
fn insert_bound(name: &str, value: &Value, members: &Map<String, Value>, out: &mut Map<String, Value>) {
    let exclusive = match name {
        "minimum" => "exclusiveMinimum",
        "maximum" => "exclusiveMaximum",
        _ => name,
    };
    let is_excluded = members.get(exclusive) == Some(&Value::Bool(true));
    if let Some(bound) = number(value) {
        let name = if is_excluded { exclusive } else { name };
        out.insert(name.to_owned(), Value::Number(bound));
    }
}

/// The names that exist as properties, each once. Where the properties may come from elsewhere, all names stay.
///
/// `is_empty`: whether the author wrote an empty list, which is valid and stays.
fn insert_required(names: Vec<String>, is_empty: bool, out: &mut Map<String, Value>) {
    let elsewhere = ["$ref", "allOf", "anyOf", "oneOf"].iter().any(|keyword| out.contains_key(*keyword));
    let properties = out.get("properties").and_then(Value::as_object).filter(|_| !elsewhere);
    let mut seen = HashSet::new();
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| properties.is_none_or(|properties| properties.contains_key(name)) && seen.insert(name.clone()))
        .collect();
    if names.is_empty() && !is_empty {
        out.shift_remove("required");
    } else {
        out.insert("required".to_owned(), names.into());
    }
}

/// `nullable: true` in the words of JSON Schema.
fn allow_null(out: &mut Map<String, Value>) {
    let null_schema = json!({"type": "null"});
    match out.get_mut("type") {
        Some(Value::Array(names)) => {
            if !names.contains(&"null".into()) {
                names.push("null".into());
            }
        }
        Some(name) if name == "null" => {}
        Some(name) => *name = json!([name.take(), "null"]),
        None => {
            let branches = ["anyOf", "oneOf"].into_iter().find(|keyword| out.contains_key(*keyword));
            if let Some(Value::Array(branches)) = branches.and_then(|keyword| out.get_mut(keyword)) {
                if !branches.contains(&null_schema) {
                    branches.push(null_schema);
                }
            } else if let Some(reference) = out.shift_remove("$ref") {
                out.insert("anyOf".to_owned(), json!([{"$ref": reference}, null_schema]));
            }
        }
    }
    if let Some(Value::Array(values)) = out.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A number, also one that is written as text.
fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => serde_json::from_str(text.trim()).ok(),
        _ => None,
    }
}

fn whole(number: &Number) -> Option<u64> {
    let rounded = || number.as_f64().filter(|number| number.fract() == 0.0 && (0.0..9e15).contains(number));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is whole and in range")]
    number.as_u64().or_else(|| rounded().map(|number| number as u64))
}

#[cfg(test)]
mod tests;
