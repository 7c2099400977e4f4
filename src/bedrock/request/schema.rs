//! Rewrites JSON schemas so that Bedrock accepts them. A tool's schema must describe an object at its root, without
//! `anyOf`, `oneOf`, `allOf` or `$ref` there (docs/cases.md, T4). A strict schema must also stay within a subset of
//! JSON Schema (docs/bedrock.md §2.5).

use serde_json::{Map, Value, json};

/// A tool's schema, rewritten to have an object at its root.
///
/// # Errors
/// When the schema does not describe an object. The message continues a sentence that begins with the schema's name.
pub(super) fn tool_schema(schema: &Value) -> Result<Value, &'static str> {
    let Value::Object(members) = schema else {
        return if schema.is_null() {
            Ok(json!({"type": "object", "properties": {}}))
        } else {
            Err("must be a JSON schema")
        };
    };
    let mut root = inlined(members);
    for combiner in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = root.remove(combiner) {
            merge(&mut root, &branches, members, combiner == "allOf");
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
    Ok(Value::Object(root))
}

/// The root with a `$ref` into its own definitions replaced by what it refers to.
fn inlined(members: &Map<String, Value>) -> Map<String, Value> {
    let mut root = members.clone();
    for _ in 0..8 {
        let Some(Value::String(reference)) = root.get("$ref").cloned() else { break };
        root.remove("$ref");
        if let Some(Value::Object(target)) = reference.strip_prefix('#').and_then(|path| lookup(members, path)) {
            for (name, value) in target {
                root.entry(name).or_insert_with(|| value.clone());
            }
        }
    }
    root
}

fn lookup<'a>(members: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut steps = path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    let first = members.get(&steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(&step))
}

/// Merges the branches of `allOf`, `anyOf` or `oneOf` into the root: all their properties, and as required those that
/// every branch requires (with `all`, for `allOf`: that any branch requires). The result is looser than the original,
/// so that it still permits every call that the original permits.
fn merge(root: &mut Map<String, Value>, branches: &[Value], whole: &Map<String, Value>, all: bool) {
    let mut required: Option<Vec<Value>> = None;
    for branch in branches.iter().filter_map(Value::as_object) {
        let mut branch = branch.clone();
        if let Some(Value::String(reference)) = branch.get("$ref")
            && let Some(Value::Object(target)) = reference.strip_prefix('#').and_then(|path| lookup(whole, path))
        {
            branch = target.clone();
        }
        if let Some(Value::Object(properties)) = branch.get("properties") {
            let own = root.entry("properties").or_insert_with(|| json!({}));
            for (name, property) in properties {
                own.as_object_mut().map(|own| own.entry(name).or_insert_with(|| property.clone()));
            }
        }
        let wants = branch.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        required = Some(match required {
            None => wants,
            Some(mut so_far) if all => {
                so_far.extend(wants);
                so_far
            }
            Some(so_far) => so_far.into_iter().filter(|name| wants.contains(name)).collect(),
        });
        if let Some(kind) = branch.get("type")
            && !root.contains_key("type")
        {
            root.insert("type".to_owned(), kind.clone());
        }
    }
    let own = root.entry("required").or_insert_with(|| json!([]));
    if let Value::Array(own) = own {
        for name in required.unwrap_or_default() {
            if !own.contains(&name) {
                own.push(name);
            }
        }
    }
    if root.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        root.remove("required");
    }
}

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

/// The schema in strict form; `None` where it does not fit the subset.
pub(super) fn strict_schema(schema: &Value) -> Option<Value> {
    if refers_to_itself(schema, schema, &mut Vec::new()) { None } else { closed(schema) }
}

/// Whether a definition refers to itself, directly or through others. `open` holds the references on the path to here.
fn refers_to_itself<'a>(schema: &'a Value, root: &'a Value, open: &mut Vec<&'a str>) -> bool {
    match schema {
        Value::Array(items) => items.iter().any(|item| refers_to_itself(item, root, open)),
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                if open.contains(&reference.as_str()) || reference == "#" || open.len() > 32 {
                    return true;
                }
                let target =
                    root.as_object().zip(reference.strip_prefix('#')).and_then(|(root, path)| lookup(root, path));
                open.push(reference);
                let again = target.is_some_and(|target| refers_to_itself(target, root, open));
                open.pop();
                if again {
                    return true;
                }
            }
            // Definitions are followed only where a reference uses them.
            let used = members.iter().filter(|(name, _)| !matches!(name.as_str(), "$defs" | "definitions"));
            used.into_iter().any(|(_, value)| refers_to_itself(value, root, open))
        }
        _ => false,
    }
}

/// The schema with `additionalProperties: false` on every object; `None` where it does not fit the strict subset.
fn closed(schema: &Value) -> Option<Value> {
    match schema {
        Value::Object(members) => {
            let external =
                members.get("$ref").and_then(Value::as_str).is_some_and(|reference| !reference.starts_with('#'));
            let too_many = members.get("minItems").and_then(Value::as_u64).is_some_and(|count| count > 1);
            let open = members.get("additionalProperties").is_some_and(|value| *value != Value::Bool(false));
            if external || too_many || open {
                return None;
            }
            let mut strict_members = Map::new();
            for (name, value) in members {
                // Under these names come names that the client chose, such as a property called `minimum`, not
                // keywords.
                let value = if name == "properties" || name == "$defs" || name == "definitions" {
                    let named = value.as_object()?.iter().map(|(name, schema)| Some((name.clone(), closed(schema)?)));
                    Value::Object(named.collect::<Option<Map<_, _>>>()?)
                } else if NOT_STRICT.contains(&name.as_str()) {
                    return None;
                } else if matches!(name.as_str(), "enum" | "const" | "default" | "examples" | "required") {
                    value.clone()
                } else {
                    closed(value)?
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
        Value::Array(items) => items.iter().map(closed).collect::<Option<Vec<_>>>().map(Value::Array),
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn t4_schemas_get_an_object_at_the_root() {
        for (schema, expected) in [
            (json!(null), json!({"type": "object", "properties": {}})),
            (json!({}), json!({"type": "object", "properties": {}})),
            (json!({"properties": {"a": {}}}), json!({"properties": {"a": {}}, "type": "object"})),
            (
                json!({"anyOf": [
                    {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a", "b"]},
                    {"type": "object", "properties": {"b": {}, "c": {}}, "required": ["b"]},
                ]}),
                json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {}, "c": {}}, "required": ["b"]}),
            ),
            (
                json!({"type": "object", "properties": {"z": {}}, "allOf": [{"required": ["z"]}, {"$ref": "#/$defs/Y"}],
                    "$defs": {"Y": {"properties": {"y": {}}, "required": ["y"]}}}),
                json!({"type": "object", "properties": {"z": {}, "y": {}}, "required": ["z", "y"],
                    "$defs": {"Y": {"properties": {"y": {}}, "required": ["y"]}}}),
            ),
            (
                json!({"$ref": "#/$defs/X", "$defs": {"X": {"type": "object", "properties": {"x": {}}}}}),
                json!({"$defs": {"X": {"type": "object", "properties": {"x": {}}}}, "type": "object", "properties": {"x": {}}}),
            ),
        ] {
            assert_eq!(tool_schema(&schema).unwrap(), expected, "{schema}");
        }
        for wrong in [json!({"type": "array"}), json!("x"), json!([])] {
            assert!(tool_schema(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_strict_schema_is_closed_or_refused() {
        let open = json!({"type": "object", "properties": {"minimum": {"type": "object", "properties": {}}}});
        let closed = json!({"type": "object", "properties": {"minimum": {"type": "object", "properties": {},
            "additionalProperties": false}}, "additionalProperties": false});
        assert_eq!(strict_schema(&open), Some(closed));
        let tree = json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}}});
        assert_eq!(strict_schema(&tree), None, "recursive");
        let twice = json!({"properties": {"a": {"$ref": "#/$defs/x"}, "b": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "string"}}});
        assert!(strict_schema(&twice).is_some(), "used twice is not recursive");
        assert_eq!(strict_schema(&json!({"type": "integer", "multipleOf": 2})), None);
        assert_eq!(strict_schema(&json!({"type": "array", "items": {"type": "string"}, "minItems": 2})), None);
        assert_eq!(strict_schema(&json!({"type": "object", "additionalProperties": {"type": "string"}})), None);
    }
}
