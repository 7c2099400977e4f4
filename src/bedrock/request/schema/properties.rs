//! Names of properties that the model does not take, such as `Account Number` or `filter[id]` (docs/bedrock.md §2.8). They
//! are sent under other names. The arguments of earlier calls get these names too, and the arguments in an answer get
//! the client's own back: only where the schema has such a property, so that the keys of free-form objects stay.

mod translator;
mod values;

use super::super::legal_word::{MAX_LENGTH, is_word};
use super::keywords::{visit, visit_mut};
use super::references::rewritten;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

pub(in crate::bedrock) use translator::PropertyNames;

/// Renames the properties that the model does not take; `None` when there are none.
pub(super) fn make_plain(schema: &mut Value) -> Option<PropertyNames> {
    let (sent, own) = choose(schema)?;
    let before = schema.clone();
    visit_mut(schema, &mut |members| rename(members, &sent, &before));
    let values = values::collect(schema, &own);
    Some(PropertyNames::new(sent, own, values))
}

/// The new names, by the old ones, and the other way round. A new name is no other name in the schema.
fn choose(schema: &Value) -> Option<(HashMap<String, String>, HashMap<String, String>)> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let mut taken: HashSet<String> = HashSet::new();
    let mut illegal: Vec<String> = Vec::new();
    visit(schema, &mut |members| {
        for name in members.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            if taken.insert(name.clone()) && !is_word(name, legal) {
                illegal.push(name.clone());
            }
        }
    });
    let mut next: HashMap<String, usize> = HashMap::new();
    let (mut sent, mut own) = (HashMap::new(), HashMap::new());
    for name in illegal {
        // Room is left for a number. Numbers are shorter than hashes, and the order of a schema never changes.
        let plain: String = name.chars().take(MAX_LENGTH - 8).map(|c| if legal(c) { c } else { '_' }).collect();
        let plain = if plain.is_empty() { "_".to_owned() } else { plain };
        let mut candidate = plain.clone();
        let number = next.entry(plain.clone()).or_insert(1);
        while !taken.insert(candidate.clone()) {
            *number += 1;
            candidate = format!("{plain}_{number}");
        }
        own.insert(candidate.clone(), name.clone());
        sent.insert(name, candidate);
    }
    (!sent.is_empty()).then_some((sent, own))
}

fn rename(members: &mut Map<String, Value>, sent: &HashMap<String, String>, before: &Value) {
    let new_name = |name: &str| sent.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let rename_all = |names: &mut Value| {
        for name in names.as_array_mut().into_iter().flatten() {
            if let Some(new) = name.as_str().and_then(|name| sent.get(name)) {
                *name = new.as_str().into();
            }
        }
    };
    for keyword in ["properties", "dependentSchemas", "dependentRequired"] {
        if let Some(Value::Object(named)) = members.get_mut(keyword) {
            *named = std::mem::take(named).into_iter().map(|(name, value)| (new_name(&name), value)).collect();
            if keyword == "dependentRequired" {
                named.values_mut().for_each(rename_all);
            }
        }
    }
    if let Some(names) = members.get_mut("required") {
        rename_all(names);
    }
    if let Some(Value::String(reference)) = members.get_mut("$ref")
        && let Some(path) = reference.strip_prefix('#')
        && let Ok(path) = percent_decode_str(path).decode_utf8()
        && let Some(new) = rewritten(before, &path, |_, keyword| keyword.to_owned(), new_name)
    {
        *reference = new;
    }
}

#[cfg(test)]
mod tests;
