//! Schemas before and after they are made acceptable.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use serde_json::json;

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
        assert_eq!(tool_schema(&schema, FamilyRules::default()).unwrap().json, expected, "{schema}");
    }
    for wrong in [json!({"type": "array"}), json!("x"), json!([])] {
        assert!(tool_schema(&wrong, FamilyRules::default()).is_err(), "{wrong}");
    }
}

fn strict(schema: &Value) -> Option<Value> {
    AnswerSchema::new(schema).unwrap().strict()
}

#[test]
fn a_strict_schema_is_closed_or_refused() {
    let open = json!({"type": "object", "properties": {"minimum": {"type": "object", "properties": {}}}});
    let closed = json!({"type": "object", "properties": {"minimum": {"type": "object", "properties": {},
        "additionalProperties": false}}, "additionalProperties": false});
    assert_eq!(strict(&open), Some(closed));
    let tree =
        json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}}});
    assert_eq!(strict(&tree), None, "recursive");
    let twice = json!({"properties": {"a": {"$ref": "#/$defs/x"}, "b": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "string"}}});
    assert!(strict(&twice).is_some(), "used twice is not recursive");
    assert_eq!(strict(&json!({"type": "integer", "multipleOf": 2})), None);
    assert_eq!(strict(&json!({"type": "array", "items": {"type": "string"}, "minItems": 2})), None);
    assert_eq!(strict(&json!({"type": "object", "additionalProperties": {"type": "string"}})), None);
}
