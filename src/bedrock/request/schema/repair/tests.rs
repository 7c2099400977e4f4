//! The repair of schemas, and how many steps it takes.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::bedrock::request::schema::references::remove_dead;

/// What a schema becomes as the property `x` of a tool.
fn property(schema: &Value) -> Value {
    let whole = json!({"type": "object", "properties": {"x": schema}});
    let mut repaired = repaired(&whole).unwrap();
    remove_dead(&mut repaired);
    assert!(jsonschema::draft202012::meta::is_valid(&repaired), "{schema} → {repaired}");
    repaired["properties"].get("x").cloned().unwrap_or_default()
}

#[track_caller]
fn become_valid<const N: usize>(table: [(Value, Value); N]) {
    for (schema, expected) in table {
        assert_eq!(property(&schema), expected, "{schema}");
    }
}

#[test]
fn old_drafts_and_foreign_words_become_draft_2020_12() {
    become_valid([
        (
            json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true}),
            json!({"type": "integer", "exclusiveMinimum": 0}),
        ),
        (json!({"maximum": 9, "exclusiveMaximum": false}), json!({"maximum": 9})),
        (json!({"exclusiveMaximum": true}), json!({})),
        (json!({"exclusiveMinimum": 1, "minimum": 0}), json!({"exclusiveMinimum": 1, "minimum": 0})),
        (json!({"type": "any"}), json!({})),
        (json!({"type": "int", "minLength": "3"}), json!({"type": "integer", "minLength": 3})),
        (
            json!({"type": null, "description": null, "enum": null, "items": null, "properties": null, "required": null}),
            json!({}),
        ),
        (json!({"default": null, "const": null}), json!({"default": null, "const": null})),
        (
            json!({"type": "array", "items": [{"type": "number"}, {"type": "str"}], "additionalItems": false}),
            json!({"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}], "items": false}),
        ),
        (
            json!({"type": "array", "items": {"type": "str"}, "additionalItems": false}),
            json!({"type": "array", "items": {"type": "string"}}),
        ),
        (json!({"type": "array", "items": "string"}), json!({"type": "array", "items": {"type": "string"}})),
        (
            json!({"type": "string", "nullable": true, "enum": ["a"]}),
            json!({"type": ["string", "null"], "enum": ["a", null]}),
        ),
        (
            json!({"nullable": true, "anyOf": [{"type": "string"}]}),
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ),
        (json!({"$ref": "#", "nullable": true}), json!({"anyOf": [{"$ref": "#"}, {"type": "null"}]})),
        (json!({"type": "string", "nullable": false}), json!({"type": "string"})),
        (json!({"enum": []}), json!({})),
        (
            json!({"type": "object", "properties": {}, "required": []}),
            json!({"type": "object", "properties": {}, "required": []}),
        ),
        (json!({"enum": ["a", "a", 1, 1]}), json!({"enum": ["a", 1]})),
    ]);
}

#[test]
fn junk_is_left_out_and_what_is_meant_stays() {
    become_valid([
        (
            json!({"properties": {"a": {"type": "string", "required": true}, "b": {"required": false}}}),
            json!({"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}),
        ),
        (
            json!({"properties": {"a": {}}, "required": ["a", "a", "b", 7]}),
            json!({"properties": {"a": {}}, "required": ["a"]}),
        ),
        (
            json!({"properties": {"a": {}, "b": 7, "c": "the place"}, "required": ["b", "c"]}),
            json!({"properties": {"a": {}, "c": {"description": "the place"}}, "required": ["c"]}),
        ),
        (json!({"properties": []}), json!({"properties": {}})),
        (
            json!({"dependencies": {"a": ["b"], "c": {"properties": {"d": {"type": "int"}}}}}),
            json!({"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"properties": {"d": {"type": "integer"}}}}}),
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://x/y", "title": "T"}),
            json!({"title": "T"}),
        ),
        (json!({"$ref": "#/nowhere", "description": "d"}), json!({"description": "d"})),
        (json!({"$ref": "https://example.com/s.json"}), json!({})),
        (json!({"$ref": "#", "description": "d"}), json!({"$ref": "#", "description": "d"})),
        (json!({"anyOf": [{"type": "string"}, null, 7]}), json!({"anyOf": [{"type": "string"}]})),
        (json!({"anyOf": {"type": "string"}}), json!({"anyOf": [{"type": "string"}]})),
        (json!({"anyOf": []}), json!({})),
        (json!(true), json!({})),
        (json!(false), json!({"not": {}})),
        (json!({"additionalProperties": false}), json!({"additionalProperties": false})),
        (json!({"additionalProperties": {"type": "STRING"}}), json!({"additionalProperties": {"type": "string"}})),
        (json!({"multipleOf": 0, "maxLength": -1, "pattern": 7, "uniqueItems": "yes", "title": {}}), json!({})),
        (
            json!({"minItems": 1.0, "x-order": 3, "format": "int64"}),
            json!({"minItems": 1, "x-order": 3, "format": "int64"}),
        ),
        (json!(7), Value::Null),
        (json!(["string", "null"]), json!({"type": ["string", "null"]})),
        (
            json!({"properties": {"$ref": {"type": "int"}, "type": {"type": "int"}, "required": {"type": "bool"}}}),
            json!({"properties": {"$ref": {"type": "integer"}, "type": {"type": "integer"}, "required": {"type": "boolean"}}}),
        ),
    ]);
}

#[test]
fn references_follow_what_they_refer_to() {
    for (schema, reference) in [
        (
            json!({"definitions": {"a b": {"type": "int"}}, "properties": {"x": {"$ref": "#/definitions/a%20b"}}}),
            "#/$defs/a%20b",
        ),
        (json!({"definitions": {"A": {"id": "#a"}}, "properties": {"x": {"$ref": "#a"}}}), "#/$defs/A"),
        (json!({"definitions": {"A": {"$id": "item.json"}}, "properties": {"x": {"$ref": "item.json"}}}), "#/$defs/A"),
        (
            json!({"$id": "http://x/y", "$defs": {"A": {}}, "properties": {"x": {"$ref": "http://x/y#/$defs/A"}}}),
            "#/$defs/A",
        ),
        (
            json!({"properties": {"definitions": {"items": [{}, {}]}, "x": {"$ref": "#/properties/definitions/items/1"}}}),
            "#/properties/definitions/prefixItems/1",
        ),
        (
            json!({"properties": {"a": {"definitions": {"A": {}}}, "x": {"$ref": "#/properties/a/definitions/A"}}}),
            "#/properties/a/$defs/A",
        ),
    ] {
        let mut repaired = repaired(&schema).unwrap();
        remove_dead(&mut repaired);
        assert_eq!(repaired["properties"]["x"]["$ref"], reference, "{schema}");
        assert!(jsonschema::draft202012::meta::is_valid(&repaired), "{repaired}");
    }
}

/// The number of values in a schema.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(size).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

#[test]
fn each_value_is_visited_once() {
    let level =
        |next: usize| json!({"anyOf": [{"$ref": format!("#/$defs/l{next}")}, {"$ref": format!("#/$defs/l{next}")}]});
    let mut definitions: Map<String, Value> = (0..30).map(|at| (format!("l{at}"), level(at + 1))).collect();
    definitions.insert("l30".to_owned(), json!({"type": "string"}));
    let lattice = json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/l0"}}, "$defs": definitions});
    let names: Vec<String> = (0..5000).map(|at| format!("p{at}")).collect();
    let properties: Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({"type": "str", "enum": ["a", "b"]}))).collect();
    let wide = json!({"type": "object", "properties": properties, "required": names});
    let mut deep = json!({"type": "string"});
    for _ in 0..90 {
        deep = json!({"type": "array", "items": deep});
    }
    for schema in [&lattice, &wide, &deep] {
        let mut walker = Walker::new(schema);
        walker.schema(schema, 0).unwrap();
        assert!(walker.steps <= 2 * size(schema), "{} steps for {} values", walker.steps, size(schema));
    }
    for _ in 0..20 {
        deep = json!({"type": "array", "items": deep});
    }
    assert_eq!(repaired(&deep), Err("is nested more than 100 levels deep".to_owned()));
    let started = std::time::Instant::now();
    assert!(crate::bedrock::request::schema::AnswerSchema::new(&lattice).unwrap().strict().is_some(), "not recursive");
    assert!(started.elapsed().as_secs() < 2);
}
