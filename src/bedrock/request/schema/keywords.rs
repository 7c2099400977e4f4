//! The keywords of JSON Schema, draft 2020-12, and what each of them holds
//! (<https://json-schema.org/draft/2020-12/json-schema-validation>).

use serde_json::{Map, Value};

/// What a keyword holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Schema,
    /// Schemas in an array.
    Schemas,
    /// Schemas by name.
    NamedSchemas,
    /// A number that is 0 or more, and whole.
    Count,
    Number,
    Flag,
    Text,
    /// Any values in an array.
    Values,
    /// Any value at all, null included.
    Value,
    /// Lists of names, by name.
    NamedNames,
    /// What is not a keyword: a note for people or programs.
    Note,
}

const KEYWORDS: [(&str, Shape); 50] = [
    ("$anchor", Shape::Text),
    ("$comment", Shape::Text),
    ("$defs", Shape::NamedSchemas),
    ("$ref", Shape::Text),
    ("additionalProperties", Shape::Schema),
    ("allOf", Shape::Schemas),
    ("anyOf", Shape::Schemas),
    ("const", Shape::Value),
    ("contains", Shape::Schema),
    ("contentEncoding", Shape::Text),
    ("contentMediaType", Shape::Text),
    ("contentSchema", Shape::Schema),
    ("default", Shape::Value),
    ("dependentRequired", Shape::NamedNames),
    ("dependentSchemas", Shape::NamedSchemas),
    ("deprecated", Shape::Flag),
    ("description", Shape::Text),
    ("else", Shape::Schema),
    ("enum", Shape::Values),
    ("examples", Shape::Values),
    ("exclusiveMaximum", Shape::Number),
    ("exclusiveMinimum", Shape::Number),
    ("format", Shape::Text),
    ("if", Shape::Schema),
    ("items", Shape::Schema),
    ("maxContains", Shape::Count),
    ("maxItems", Shape::Count),
    ("maxLength", Shape::Count),
    ("maxProperties", Shape::Count),
    ("maximum", Shape::Number),
    ("minContains", Shape::Count),
    ("minItems", Shape::Count),
    ("minLength", Shape::Count),
    ("minProperties", Shape::Count),
    ("minimum", Shape::Number),
    ("multipleOf", Shape::Number),
    ("not", Shape::Schema),
    ("oneOf", Shape::Schemas),
    ("pattern", Shape::Text),
    ("patternProperties", Shape::NamedSchemas),
    ("prefixItems", Shape::Schemas),
    ("properties", Shape::NamedSchemas),
    ("propertyNames", Shape::Schema),
    ("readOnly", Shape::Flag),
    ("then", Shape::Schema),
    ("title", Shape::Text),
    ("unevaluatedItems", Shape::Schema),
    ("unevaluatedProperties", Shape::Schema),
    ("uniqueItems", Shape::Flag),
    ("writeOnly", Shape::Flag),
];

/// What the keyword of this name holds.
pub(super) fn shape(name: &str) -> Shape {
    let known = KEYWORDS.iter().find(|(keyword, _)| *keyword == name);
    known.map_or(Shape::Note, |(_, shape)| *shape)
}

/// Calls a function for a schema and each schema inside it. No reference is followed, so each is visited once.
pub(super) fn visit<'s>(schema: &'s Value, each: &mut impl FnMut(&'s Map<String, Value>)) {
    let Value::Object(members) = schema else { return };
    each(members);
    for (name, value) in members {
        match (shape(name), value) {
            (Shape::Schema, _) => visit(value, each),
            (Shape::Schemas, Value::Array(schemas)) => schemas.iter().for_each(|schema| visit(schema, each)),
            (Shape::NamedSchemas, Value::Object(schemas)) => schemas.values().for_each(|schema| visit(schema, each)),
            _ => {}
        }
    }
}

/// As [`visit`], for changes.
pub(super) fn visit_mut(schema: &mut Value, each: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(members) = schema else { return };
    each(members);
    for (name, value) in members.iter_mut() {
        match (shape(name), value) {
            (Shape::Schema, value) => visit_mut(value, each),
            (Shape::Schemas, Value::Array(schemas)) => schemas.iter_mut().for_each(|schema| visit_mut(schema, each)),
            (Shape::NamedSchemas, Value::Object(schemas)) => {
                schemas.values_mut().for_each(|schema| visit_mut(schema, each));
            }
            _ => {}
        }
    }
}
