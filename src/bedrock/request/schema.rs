//! Rewrites JSON schemas so that the models accept them (docs/bedrock.md §2.8). Every schema becomes one of draft 2020-12
//! at each of its levels; a tool's schema also gets an object at its root, and names for its properties that the model
//! takes.

mod keywords;
mod properties;
mod references;
mod repair;
mod root;
mod strict;
mod types;

pub(in crate::bedrock) use properties::PropertyNames;

use crate::catalog::FamilyRules;
use serde_json::Value;
use std::sync::Arc;

/// A schema as it is sent, and the names of its properties where those had to be changed.
#[derive(Debug, Clone)]
pub(in crate::bedrock) struct ToolSchema {
    pub(in crate::bedrock) json: Value,
    /// `None` when every property keeps its name.
    pub(in crate::bedrock) names: Option<Arc<PropertyNames>>,
}

/// A tool's schema in a form that the model accepts.
///
/// # Errors
/// When it does not describe an object. The message continues a sentence that begins with the schema's name.
pub(super) fn tool_schema(schema: &Value, family: FamilyRules) -> Result<ToolSchema, &'static str> {
    if !(schema.is_object() || schema.is_null()) {
        return Err("must be a JSON schema");
    }
    let mut json = root::with_object_at_root(&repair::repaired(schema)?)?;
    references::remove_dead(&mut json);
    let names = if family.plain_properties { properties::make_plain(&mut json) } else { None };
    Ok(ToolSchema { json, names: names.map(Arc::new) })
}

impl ToolSchema {
    /// The schema in the strict subset; `None` where it does not fit.
    pub(super) fn strict(&self) -> Option<Value> {
        strict::strict(&self.json)
    }
}

/// A schema in the strict subset; `None` where it does not fit.
pub(super) fn strict_schema(schema: &Value) -> Option<Value> {
    let mut repaired = repair::repaired(schema).ok()?;
    references::remove_dead(&mut repaired);
    strict::strict(&repaired)
}

#[cfg(test)]
mod tests;
