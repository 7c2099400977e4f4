//! What a native request can cost, read from its own words. The neutral request beside it leaves out what only the
//! service understands, and that is billed too.

use super::accepted::KNOWN_TOOLS;
use crate::conversation::CacheTtl;
use serde_json::{Map, Value};

/// What is measured of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::policy) struct Measure {
    /// An upper bound of the tokens of its texts, names and schemas. Media count as their base64 text.
    pub(in crate::policy) tokens: usize,
    /// The longest time to live among its cache points.
    pub(in crate::policy) cache: Option<CacheTtl>,
}

/// Measures a request. No tokenizer makes more tokens than there are bytes; each member adds a little for the form in
/// which the model sees it.
pub(in crate::policy) fn measure(body: &Map<String, Value>) -> Measure {
    let mut measure = Measure::default();
    measure.object(body);
    measure
}

impl Measure {
    fn object(&mut self, members: &Map<String, Value>) {
        const PER_MEMBER: usize = 4;
        // A tool that Claude knows by its type brings its own description, and a part of the system prompt. The longest
        // that is documented has 735 and 499 tokens
        // (<https://docs.claude.com/en/docs/agents-and-tools/tool-use/computer-use-tool>).
        const KNOWN_TOOL: usize = 2048;
        let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
        if KNOWN_TOOLS.iter().any(|known| kind.starts_with(known)) {
            self.tokens += KNOWN_TOOL;
        }
        for (name, value) in members {
            self.tokens += name.len() + PER_MEMBER;
            match (name.as_str(), value) {
                ("cache_control" | "cachePoint", Value::Object(control)) => self.cache_point(control),
                // The model sees these as JSON, where a character may take six bytes.
                ("input" | "input_schema" | "json", value) => self.tokens += value.to_string().len(),
                (_, value) => self.value(value),
            }
        }
    }

    fn value(&mut self, value: &Value) {
        const PER_ITEM: usize = 4;
        match value {
            Value::String(text) => self.tokens += text.len(),
            Value::Array(items) => {
                self.tokens += PER_ITEM * items.len();
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(members) => self.object(members),
            Value::Number(number) => self.tokens += number.to_string().len(),
            Value::Bool(_) | Value::Null => self.tokens += 1,
        }
    }

    fn cache_point(&mut self, control: &Map<String, Value>) {
        let is_long = control.get("ttl").is_some_and(|ttl| ttl == "1h");
        self.cache = match self.cache {
            Some(CacheTtl::OneHour) => self.cache,
            _ if is_long => Some(CacheTtl::OneHour),
            _ => Some(CacheTtl::FiveMinutes),
        };
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    #[test]
    fn every_byte_of_a_text_and_the_dearest_cache_point_count() {
        let text = "x".repeat(1000);
        for (body, at_least, cache) in [
            (json!({"a": text}), 1000, None),
            (json!({"a": [{"b": {"c": [text]}}]}), 1000, None),
            (json!({"input": {"a": "\u{1}".repeat(10)}}), 60, None),
            (json!({"a": {"cache_control": {"type": "ephemeral"}}}), 1, Some(CacheTtl::FiveMinutes)),
            (
                json!({"a": [{"cache_control": {"ttl": "1h"}}, {"cache_control": {"ttl": "5m"}}]}),
                1,
                Some(CacheTtl::OneHour),
            ),
        ] {
            let measured = measure(body.as_object().unwrap());
            assert!(measured.tokens >= at_least && measured.tokens < at_least + 60, "{body}");
            assert_eq!(measured.cache, cache, "{body}");
        }
    }

    #[test]
    fn a_tool_that_claude_knows_counts_with_its_own_description() {
        let tools = json!({"tools": [{"type": "computer_20250124", "name": "computer"}, {"type": "bash_20250124"}]});
        assert!(measure(tools.as_object().unwrap()).tokens > 2 * 2048);
    }
}
