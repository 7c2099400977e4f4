//! Rewrites JSON schemas so that the models accept them (docs/bedrock.md §2.8). Every schema becomes one of draft 2020-12
//! at each of its levels; a tool's schema also gets an object at its root, and names for its properties that the model
//! takes.

mod keywords;
mod properties;
mod references;
mod repair;
mod root;
mod size;
mod strict;
mod types;

pub(in crate::bedrock) use properties::PropertyNames;

use crate::catalog::FamilyRules;
use root::RootError;
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
/// When it does not describe an object, or is larger than a schema may be. The message continues a sentence that begins
/// with the schema's name.
pub(super) fn tool_schema(schema: &Value, family: FamilyRules) -> Result<ToolSchema, String> {
    if !(schema.is_object() || schema.is_null()) {
        return Err("must be a JSON schema".to_owned());
    }
    let root = root::with_object_at_root(&repair::repaired(schema)?);
    root.map(|root| finished(root, family)).map_err(|error| match error {
        RootError::NoObject(what) | RootError::TooLong(what) => what.to_owned(),
    })
}

fn finished(mut json: Value, family: FamilyRules) -> ToolSchema {
    references::remove_dead(&mut json);
    let names = if family.plain_properties { properties::make_plain(&mut json) } else { None };
    ToolSchema { json, names: names.map(Arc::new) }
}

impl ToolSchema {
    /// The schema in the strict subset; `None` where it does not fit.
    pub(super) fn strict(&self) -> Option<Value> {
        strict::strict(&self.json)
    }
}

/// The schema of an answer.
pub(super) struct AnswerSchema(Value);

impl AnswerSchema {
    /// # Errors
    /// When it is larger than a schema may be. The message continues a sentence that begins with the schema's name.
    pub(super) fn new(schema: &Value) -> Result<Self, String> {
        repair::repaired(schema).map(Self)
    }

    /// The schema in the strict subset; `None` where it does not fit.
    pub(super) fn strict(&self) -> Option<Value> {
        let mut schema = self.0.clone();
        references::remove_dead(&mut schema);
        strict::strict(&schema)
    }

    /// As the schema of a tool; `None` when it does not describe an object.
    ///
    /// # Errors
    /// When it would be longer than a schema may be.
    pub(super) fn of_tool(&self, family: FamilyRules) -> Result<Option<ToolSchema>, String> {
        match root::with_object_at_root(&self.0) {
            Ok(root) => Ok(Some(finished(root, family))),
            Err(RootError::NoObject(_)) => Ok(None),
            Err(RootError::TooLong(what)) => Err(what.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
