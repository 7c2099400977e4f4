//! The subset of JSON Schema that is enforced on answers and on strict tools (docs/bedrock.md §2.5).

use super::keywords::{Shape, shape};
use super::references::refers_to_itself;
use serde_json::{Map, Value};

/// Keywords that a strict schema must not contain (docs/bedrock.md §2.5).
const NOT_STRICT: [&str; 8] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "maxItems",
    "uniqueItems",
    "patternProperties",
];

/// A repaired schema in strict form; `None` where it does not fit the subset.
pub(super) fn strict(schema: &Value) -> Option<Value> {
    if refers_to_itself(schema) { None } else { closed(schema) }
}

/// The schema with `additionalProperties: false` on every object; `None` where it does not fit the strict subset.
fn closed(schema: &Value) -> Option<Value> {
    let Value::Object(members) = schema else { return Some(schema.clone()) };
    let too_many = members.get("minItems").and_then(Value::as_u64).is_some_and(|count| count > 1);
    let open = members.get("additionalProperties").is_some_and(|value| *value != Value::Bool(false));
    if too_many || open {
        return None;
    }
    let mut strict_members = Map::new();
    for (name, value) in members {
        if NOT_STRICT.contains(&name.as_str()) {
            return None;
        }
        let value = match (shape(name), value) {
            (Shape::Schema, schema) => closed(schema)?,
            (Shape::Schemas, Value::Array(schemas)) => schemas.iter().map(closed).collect::<Option<Vec<_>>>()?.into(),
            (Shape::NamedSchemas, Value::Object(schemas)) => {
                let named = schemas.iter().map(|(name, schema)| Some((name.clone(), closed(schema)?)));
                Value::Object(named.collect::<Option<Map<_, _>>>()?)
            }
            _ => value.clone(),
        };
        strict_members.insert(name.clone(), value);
    }
    let is_object = match members.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.contains(&"object".into()),
        _ => members.contains_key("properties"),
    };
    if is_object {
        strict_members.insert("additionalProperties".to_owned(), false.into());
    }
    Some(Value::Object(strict_members))
}
