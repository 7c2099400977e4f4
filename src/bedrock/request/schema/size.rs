//! How large a schema is, in the terms of OpenAI's limits.

use crate::policy::request_limits::{
    MAX_SCHEMA_DEPTH, MAX_SCHEMA_ENUM_VALUES, MAX_SCHEMA_NAME_BYTES, MAX_SCHEMA_PROPERTIES,
};
use serde_json::Value;

/// What was counted of a schema so far.
#[derive(Debug, Default)]
pub(super) struct SchemaSize {
    is_too_deep: bool,
    properties: usize,
    enum_values: usize,
    /// Those of the names of properties and definitions, and of constants and the values of enums.
    name_bytes: usize,
}

impl SchemaSize {
    /// Whether a schema may be as deep as this.
    pub(super) fn add_level(&mut self, depth: usize) -> bool {
        self.is_too_deep |= depth > MAX_SCHEMA_DEPTH;
        depth <= MAX_SCHEMA_DEPTH
    }

    pub(super) fn add_property(&mut self, name: &str) {
        self.properties += 1;
        self.name_bytes += name.len();
    }

    pub(super) fn add_definition(&mut self, name: &str) {
        self.name_bytes += name.len();
    }

    pub(super) fn add_enum(&mut self, values: &[Value]) {
        self.enum_values += values.len();
        self.name_bytes += values.iter().filter_map(Value::as_str).map(str::len).sum::<usize>();
    }

    pub(super) fn add_constant(&mut self, keyword: &str, value: &Value) {
        if keyword == "const" {
            self.name_bytes += value.as_str().map_or(0, str::len);
        }
    }

    /// # Errors
    /// When the schema is larger than it may be. The message continues a sentence that begins with the schema's name.
    pub(super) fn check(&self) -> Result<(), String> {
        let Self { is_too_deep, properties, enum_values, name_bytes } = *self;
        if is_too_deep {
            return Err(format!("is nested more than {MAX_SCHEMA_DEPTH} levels deep"));
        }
        for (count, limit, what) in [
            (properties, MAX_SCHEMA_PROPERTIES, "properties"),
            (enum_values, MAX_SCHEMA_ENUM_VALUES, "values in its enums"),
            (name_bytes, MAX_SCHEMA_NAME_BYTES, "bytes in the names of its properties, definitions and values"),
        ] {
            if count > limit {
                return Err(format!("has {count} {what}; at most {limit} are accepted"));
            }
        }
        Ok(())
    }
}
