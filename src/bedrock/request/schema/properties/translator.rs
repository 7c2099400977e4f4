//! Arguments with other names for the properties that have them.

use super::values::{ValueSchema, ValueSchemas};
use serde_json::Value;
use std::collections::HashMap;

/// The renamed properties of one tool.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct PropertyNames {
    /// The name that is sent, by the client's own.
    sent: HashMap<String, String>,
    own: HashMap<String, String>,
    values: ValueSchemas,
}

impl PropertyNames {
    pub(super) fn new(sent: HashMap<String, String>, own: HashMap<String, String>, values: ValueSchemas) -> Self {
        Self { sent, own, values }
    }

    /// The arguments of a call with the names that are sent. Text that is no JSON stays as it is.
    pub(in crate::bedrock) fn to_model(&self, arguments: &str) -> String {
        translated(self, arguments, Direction::ToModel)
    }

    /// The arguments of a call with the client's own names. Text that is no JSON stays as it is.
    pub(in crate::bedrock) fn to_client(&self, arguments: &str) -> String {
        translated(self, arguments, Direction::ToClient)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToModel,
    ToClient,
}

/// The arguments with the names of the other side. Text that is no JSON stays as it is.
fn translated(names: &PropertyNames, arguments: &str, direction: Direction) -> String {
    let mut translator =
        Translator { names, direction, text: arguments, at: 0, out: String::with_capacity(arguments.len()) };
    match translator.value(Some(names.values.root()), 0) {
        Some(()) if translator.rest().trim().is_empty() => translator.out,
        _ => arguments.to_owned(),
    }
}

/// Copies JSON text with other names for its keys. Numbers and strings are copied as they stand.
struct Translator<'a> {
    names: &'a PropertyNames,
    direction: Direction,
    text: &'a str,
    at: usize,
    out: String,
}

impl<'a> Translator<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn copy(&mut self, length: usize) {
        self.out.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }

    fn copy_space(&mut self) {
        let rest = self.rest();
        self.copy(rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len());
    }

    /// Copies a character of JSON's grammar and the space around it; `None` when another one stands here.
    fn sign(&mut self, sign: char) -> Option<()> {
        self.copy_space();
        self.rest().starts_with(sign).then(|| self.copy(1))?;
        self.copy_space();
        Some(())
    }

    /// One value, which may have a schema. `None` for text that is no JSON.
    fn value(&mut self, schema: Option<&'a ValueSchema>, depth: usize) -> Option<()> {
        const MAX_DEPTH: usize = 128;
        if depth > MAX_DEPTH {
            return None;
        }
        self.copy_space();
        match self.rest().chars().next()? {
            '{' => self.object(schema, depth),
            '[' => self.array(schema, depth),
            '"' => {
                let length = string_length(self.rest())?;
                self.copy(length);
                Some(())
            }
            _ => {
                let rest = self.rest();
                let length = rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
                (length > 0).then(|| self.copy(length))
            }
        }
    }

    fn object(&mut self, schema: Option<&'a ValueSchema>, depth: usize) -> Option<()> {
        self.sign('{')?;
        if self.rest().starts_with('}') {
            return self.sign('}');
        }
        loop {
            let length = string_length(self.rest())?;
            let key: String = serde_json::from_str(&self.rest()[..length]).ok()?;
            let own = match self.direction {
                Direction::ToModel => &key,
                Direction::ToClient => self.names.own.get(&key).unwrap_or(&key),
            };
            let inside = schema.and_then(|schema| schema.properties.get(own).copied());
            let new = match (inside, self.direction) {
                (None, _) => None,
                (Some(_), Direction::ToModel) => self.names.sent.get(own),
                (Some(_), Direction::ToClient) => Some(own).filter(|own| **own != key),
            };
            if let Some(new) = new {
                self.out.push_str(&Value::from(new.as_str()).to_string());
                self.at += length;
            } else {
                self.copy(length);
            }
            let inside = inside.or_else(|| schema?.other_properties);
            self.sign(':')?;
            self.value(inside.map(|inside| self.names.values.get(inside)), depth + 1)?;
            self.copy_space();
            if self.rest().starts_with('}') {
                return self.sign('}');
            }
            self.sign(',')?;
        }
    }

    fn array(&mut self, schema: Option<&'a ValueSchema>, depth: usize) -> Option<()> {
        self.sign('[')?;
        if self.rest().starts_with(']') {
            return self.sign(']');
        }
        for place in 0.. {
            let inside = schema.and_then(|schema| schema.places.get(place).copied().or(schema.items));
            self.value(inside.map(|inside| self.names.values.get(inside)), depth + 1)?;
            self.copy_space();
            if self.rest().starts_with(']') {
                return self.sign(']');
            }
            self.sign(',')?;
        }
        None
    }
}

/// The length of the string at the start of a text, its quotes included.
fn string_length(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    bytes.next().filter(|(_, byte)| *byte == b'"')?;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    None
}
