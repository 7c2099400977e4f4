//! Which schema each value inside a tool's arguments has. A value may have several, such as the branches of `anyOf` and
//! what a reference refers to. These are joined into one, and so are the schemas that they have for the same place inside.
//! Each step into some arguments is then one look-up, however many branches there are.

use super::super::keywords::{Shape, shape};
use super::super::references::{address, target};
use serde_json::Value;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The schemas of a tool's values.
#[derive(Debug, Default)]
pub(super) struct ValueSchemas {
    schemas: Vec<ValueSchema>,
    root: usize,
}

/// Where the values inside a value have their schemas: indices into `ValueSchemas::schemas`.
#[derive(Debug, Default)]
pub(super) struct ValueSchema {
    /// By the client's own name.
    pub(super) properties: HashMap<String, usize>,
    /// That of properties that are not named.
    pub(super) other_properties: Option<usize>,
    /// Those of the first elements.
    pub(super) places: Vec<usize>,
    /// That of all further elements.
    pub(super) items: Option<usize>,
}

impl ValueSchemas {
    pub(super) fn root(&self) -> &ValueSchema {
        &self.schemas[self.root]
    }

    pub(super) fn get(&self, index: usize) -> &ValueSchema {
        &self.schemas[index]
    }
}

/// Finds the schemas of a tool's values. `own`: the client's names, by those in the schema.
pub(super) fn collect(root: &Value, own: &HashMap<String, String>) -> ValueSchemas {
    let mut builder = Builder::new(own);
    builder.add(root);
    for (schema, reference) in std::mem::take(&mut builder.references) {
        let target = target(root, reference).and_then(|target| builder.by_address.get(&address(target)));
        builder.same.extend(target.map(|target| (schema, *target)));
    }
    builder.finish()
}

struct Builder<'s> {
    own: &'s HashMap<String, String>,
    schemas: Vec<ValueSchema>,
    /// For each schema one that it was joined with; itself for one that holds what was joined.
    joined: Vec<usize>,
    /// Schemas of one value, which are still to be joined.
    same: Vec<(usize, usize)>,
    by_address: HashMap<usize, usize>,
    references: Vec<(usize, &'s str)>,
}

impl<'s> Builder<'s> {
    fn new(own: &'s HashMap<String, String>) -> Self {
        Self {
            own,
            schemas: Vec::new(),
            joined: Vec::new(),
            same: Vec::new(),
            by_address: HashMap::new(),
            references: Vec::new(),
        }
    }

    /// Adds a schema and those inside it. Gives its index.
    fn add(&mut self, schema: &'s Value) -> usize {
        let index = self.schemas.len();
        self.schemas.push(ValueSchema::default());
        self.joined.push(index);
        self.by_address.insert(address(schema), index);
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            match (shape(keyword), value) {
                (Shape::Text, Value::String(reference)) if keyword == "$ref" => {
                    self.references.push((index, reference));
                }
                (Shape::Schema, schema) => self.place(index, keyword, None, schema),
                (Shape::Schemas, Value::Array(schemas)) => {
                    for schema in schemas {
                        self.place(index, keyword, None, schema);
                    }
                }
                (Shape::NamedSchemas, Value::Object(schemas)) => {
                    for (name, schema) in schemas {
                        self.place(index, keyword, Some(name), schema);
                    }
                }
                _ => {}
            }
        }
        index
    }

    fn place(&mut self, outer: usize, keyword: &str, name: Option<&str>, schema: &'s Value) {
        let inner = self.add(schema);
        let own = name.map(|name| self.own.get(name).map_or(name, String::as_str).to_owned());
        let schema = &mut self.schemas[outer];
        let known = match keyword {
            "properties" => {
                schema.properties.extend(own.map(|own| (own, inner)));
                None
            }
            "additionalProperties" | "patternProperties" | "unevaluatedProperties" => {
                Some(*schema.other_properties.get_or_insert(inner))
            }
            "prefixItems" => {
                schema.places.push(inner);
                None
            }
            "items" | "contains" | "unevaluatedItems" => Some(*schema.items.get_or_insert(inner)),
            "allOf" | "anyOf" | "oneOf" | "if" | "then" | "else" | "dependentSchemas" => Some(outer),
            _ => None,
        };
        self.same.extend(known.map(|known| (known, inner)));
    }

    /// The schema that holds what was joined with this one.
    fn holder(&mut self, mut index: usize) -> usize {
        while self.joined[index] != index {
            self.joined[index] = self.joined[self.joined[index]];
            index = self.joined[index];
        }
        index
    }

    fn finish(mut self) -> ValueSchemas {
        while let Some((one, other)) = self.same.pop() {
            let (one, other) = (self.holder(one), self.holder(other));
            if one != other {
                self.join(one, other);
            }
        }
        let mut schemas = std::mem::take(&mut self.schemas);
        for schema in &mut schemas {
            let ValueSchema { properties, other_properties, places, items } = schema;
            for inner in properties.values_mut().chain(other_properties).chain(places).chain(items) {
                *inner = self.holder(*inner);
            }
        }
        ValueSchemas { root: if schemas.is_empty() { 0 } else { self.holder(0) }, schemas }
    }

    /// Moves the smaller of two schemas into the other, so that each entry moves only a few times.
    fn join(&mut self, one: usize, other: usize) {
        let is_smaller = self.schemas[one].properties.len() < self.schemas[other].properties.len();
        let (from, to) = if is_smaller { (one, other) } else { (other, one) };
        self.joined[from] = to;
        let ValueSchema { properties, other_properties, places, items } = std::mem::take(&mut self.schemas[from]);
        let holder = &mut self.schemas[to];
        for (name, inner) in properties {
            match holder.properties.entry(name) {
                Entry::Occupied(known) => self.same.push((*known.get(), inner)),
                Entry::Vacant(new) => {
                    new.insert(inner);
                }
            }
        }
        self.same.extend(holder.other_properties.zip(other_properties));
        holder.other_properties = holder.other_properties.or(other_properties);
        self.same.extend(holder.places.iter().copied().zip(places.iter().copied()));
        // Behind the end of the shorter list, its `items` are the schema of what is still in the longer one.
        let both = places.len().min(holder.places.len());
        let (mut longer, shorter_items) = if places.len() > holder.places.len() {
            (places, holder.items)
        } else {
            (std::mem::take(&mut holder.places), items)
        };
        if let Some(items) = shorter_items {
            self.same.extend(longer.drain(both..).map(|inner| (items, inner)));
        }
        holder.places = longer;
        self.same.extend(holder.items.zip(items));
        holder.items = holder.items.or(items);
    }
}
