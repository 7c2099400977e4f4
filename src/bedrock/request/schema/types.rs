//! The names of types. Tools written by hand, or made from Python and TypeScript, name types in the words of their
//! languages, which no model takes.

use serde_json::{Value, json};

/// What a type's name means.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Types {
    /// JSON Schema's own names, each once. Empty for any type.
    names: Vec<&'static str>,
    /// The type of an array's elements, as in `string[]`.
    element: Option<Box<Types>>,
}

/// The names of a type in other languages, after JSON Schema's own.
const NAMES: [(&str, &[&str]); 7] = [
    (
        "string",
        &["str", "text", "char", "file", "path", "uri", "url", "uuid", "bytes", "binary", "date", "datetime", "email"],
    ),
    ("integer", &["int", "int32", "int64", "uint", "long", "short", "bigint"]),
    ("number", &["float", "double", "decimal", "real", "float32", "float64", "num", "numeric"]),
    ("boolean", &["bool"]),
    ("object", &["dict", "map", "mapping", "record", "struct", "hash", "json"]),
    ("array", &["list", "tuple", "set", "sequence", "vec", "vector"]),
    ("null", &["none", "nil", "undefined", "void", "nonetype"]),
];

/// What the value of `type` means; `None` for one that means nothing.
pub(super) fn types(value: &Value) -> Option<Types> {
    match value {
        Value::String(name) => parse(name, 0),
        Value::Array(names) => union(names.iter().map(types)),
        _ => None,
    }
}

impl Types {
    /// The value of `type`; `None` for any type.
    pub(super) fn value(&self) -> Option<Value> {
        match self.names.as_slice() {
            [] => None,
            [name] => Some((*name).into()),
            names => Some(names.into()),
        }
    }

    /// As a schema.
    pub(super) fn schema(&self) -> Value {
        let mut schema = json!({});
        if let Some(value) = self.value() {
            schema["type"] = value;
        }
        if let Some(items) = self.items() {
            schema["items"] = items;
        }
        schema
    }

    /// The schema of an array's elements.
    pub(super) fn items(&self) -> Option<Value> {
        self.element.as_ref().map(|element| element.schema())
    }
}

fn union(parts: impl Iterator<Item = Option<Types>>) -> Option<Types> {
    let mut all = Types::default();
    for part in parts.flatten() {
        if part.names.is_empty() {
            return Some(Types::default());
        }
        for name in part.names {
            if !all.names.contains(&name) {
                all.names.push(name);
            }
        }
        all.element = all.element.or(part.element);
    }
    if all.names.is_empty() { None } else { Some(all) }
}

/// `int`, `string[]`, `List[int]`, `Optional[str]`, `str | None`; `None` for a word that names no type.
fn parse(name: &str, depth: usize) -> Option<Types> {
    const MAX_DEPTH: usize = 8;
    let name = name.trim();
    if depth > MAX_DEPTH {
        return None;
    }
    let array = |element: &str| Types { names: vec!["array"], element: parse(element, depth + 1).map(Box::new) };
    if let Some(element) = name.strip_suffix("[]") {
        return Some(array(element));
    }
    if let Some(inner) = name.strip_suffix('?') {
        return union([parse(inner, depth + 1), parse("null", depth + 1)].into_iter());
    }
    let lower = name.to_ascii_lowercase();
    if let Some((outer, inner)) = lower.split_once(['[', '<'])
        && let Some(inner) = inner.strip_suffix([']', '>'])
    {
        return match outer {
            "optional" => union([parse(inner, depth + 1), parse("null", depth + 1)].into_iter()),
            "list" | "array" | "set" | "sequence" if !inner.contains(',') => Some(array(inner)),
            _ => parse(outer, depth + 1),
        };
    }
    if name.contains('|') {
        return union(name.split('|').map(|part| parse(part, depth + 1)));
    }
    if ["any", "mixed", "unknown"].contains(&lower.as_str()) {
        return Some(Types::default());
    }
    let (known, _) = NAMES.iter().find(|(own, others)| *own == lower || others.contains(&lower.as_str()))?;
    Some(Types { names: vec![known], element: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_other_languages_become_json_schemas() {
        for (name, expected) in [
            (json!("string"), Some(json!({"type": "string"}))),
            (json!("STRING"), Some(json!({"type": "string"}))),
            (json!("int"), Some(json!({"type": "integer"}))),
            (json!("float"), Some(json!({"type": "number"}))),
            (json!("bool"), Some(json!({"type": "boolean"}))),
            (json!("dict"), Some(json!({"type": "object"}))),
            (json!("tuple"), Some(json!({"type": "array"}))),
            (json!("None"), Some(json!({"type": "null"}))),
            (json!("file"), Some(json!({"type": "string"}))),
            (json!("any"), Some(json!({}))),
            (json!("string[]"), Some(json!({"type": "array", "items": {"type": "string"}}))),
            (json!("List[int]"), Some(json!({"type": "array", "items": {"type": "integer"}}))),
            (json!("Dict[str, int]"), Some(json!({"type": "object"}))),
            (json!("Optional[str]"), Some(json!({"type": ["string", "null"]}))),
            (json!("str | None"), Some(json!({"type": ["string", "null"]}))),
            (json!(["string", "null", "string", "str"]), Some(json!({"type": ["string", "null"]}))),
            (json!(["string"]), Some(json!({"type": "string"}))),
            (json!(["string", "any"]), Some(json!({}))),
            (json!([]), None),
            (json!("Person"), None),
            (json!(7), None),
        ] {
            assert_eq!(types(&name).map(|types| types.schema()), expected, "{name}");
        }
    }
}
