//! Renamed properties, there and back.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use serde_json::json;

fn renamed() -> (Value, PropertyNames) {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "Account Number": {"type": "string"},
            "Account_Number": {"type": "string"},
            "filter[id]": {"type": "array", "items": {"$ref": "#/$defs/Row"}},
            "free": {"type": "object"},
            "more": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Row"}},
            "tree": {"$ref": "#/properties/filter%5Bid%5D/items"},
            "": {"type": "number"},
            "é": {"type": "number"},
            "è": {"type": "number"},
        },
        "required": ["Account Number", "free"],
        "$defs": {"Row": {"anyOf": [{"type": "null"}, {"properties": {"$top": {"type": "integer"}, "next": {"$ref": "#/$defs/Row"}}}]}},
    });
    let names = make_plain(&mut schema).unwrap();
    (schema, names)
}

#[test]
fn every_name_is_one_that_the_model_takes_and_no_two_are_one() {
    let (schema, _) = renamed();
    let properties = schema["properties"].as_object().unwrap();
    let keys: Vec<&str> = properties.keys().map(String::as_str).collect();
    assert_eq!(keys, ["Account_Number_2", "Account_Number", "filter_id_", "free", "more", "tree", "_", "__2", "__3"]);
    assert_eq!(schema["required"], json!(["Account_Number_2", "free"]));
    assert_eq!(schema["properties"]["tree"]["$ref"], "#/properties/filter_id_/items");
    assert_eq!(schema["$defs"]["Row"]["anyOf"][1]["properties"]["_top"], json!({"type": "integer"}));
    assert_eq!(renamed().0, schema, "always the same");
    assert!(make_plain(&mut json!({"type": "object", "properties": {"a.b-c_d": {}}})).is_none());
    let long = "n".repeat(70);
    let mut schema = json!({"properties": {long: {}}});
    make_plain(&mut schema);
    assert_eq!(schema["properties"].as_object().unwrap().keys().next().unwrap().len(), 56);
}

#[test]
fn arguments_are_translated_where_the_schema_has_the_property() {
    let (_, names) = renamed();
    let own = r#"{"Account Number": "Account_Number", "Account_Number":1, "filter[id]":[{"$top":123456789012345678901234567890,"next":{"$top":2}},null],
        "free":{"Account_Number_2":{"_top":1}}, "more":{"any":{"$top":1e5}}, "tree":{"$top":-1}, "":0, "é":1.0, "è":[], "unknown":{"_":"\"}"}}"#;
    let sent = r#"{"Account_Number_2": "Account_Number", "Account_Number":1, "filter_id_":[{"_top":123456789012345678901234567890,"next":{"_top":2}},null],
        "free":{"Account_Number_2":{"_top":1}}, "more":{"any":{"_top":1e5}}, "tree":{"_top":-1}, "_":0, "__2":1.0, "__3":[], "unknown":{"_":"\"}"}}"#;
    assert_eq!(names.to_model(own), sent);
    assert_eq!(names.to_client(sent), own);
    for text in ["", "{", "{\"a\"", "[1,", "{\"Account_Number_2\":1", "{\"Account_Number_2\":1}x", "nul l"] {
        assert_eq!(names.to_client(text), text, "no JSON stays as it is");
    }
    assert_eq!(names.to_client("{\"Account\\u005fNumber_2\":1}"), "{\"Account Number\":1}");
}
