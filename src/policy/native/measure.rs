//! What a native request can cost, read from its own words. The neutral request beside it leaves out what only the
//! service understands, and that is billed too.

use crate::conversation::CacheTtl;
use serde_json::{Map, Value};

/// What is measured of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::policy) struct Measure {
    /// An upper bound of the tokens of its texts, names, schemas and tools. The data of media are not in it.
    pub(in crate::policy) tokens: usize,
    /// How many images and documents it has, wherever they are.
    pub(in crate::policy) media: usize,
    /// Whether it has tools.
    pub(in crate::policy) has_tools: bool,
    /// The longest time to live among its cache points.
    pub(in crate::policy) cache: Option<CacheTtl>,
}

/// Measures a request. No tokenizer makes more tokens than there are bytes; each member adds a little for the form in
/// which the model sees it.
pub(in crate::policy) fn measure(body: &Map<String, Value>) -> Measure {
    // What Claude is told of a tool that it knows by its type, and of such tools in general: the longest, for using a
    // computer, takes 735 and 499 tokens
    // (<https://docs.claude.com/en/docs/agents-and-tools/tool-use/computer-use-tool#pricing>).
    const PER_KNOWN_TOOL: usize = 2048;
    let mut measure = Measure::default();
    measure.object(body);
    let tools = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let known = tools.iter().filter(|tool| tool["type"].as_str().unwrap_or("custom") != "custom").count();
    measure.tokens += PER_KNOWN_TOOL * known;
    measure.has_tools = !tools.is_empty() || body.contains_key("toolConfig");
    measure
}

impl Measure {
    fn object(&mut self, members: &Map<String, Value>) {
        const PER_MEMBER: usize = 4;
        let kind = members.get("type").and_then(Value::as_str);
        // Where a document is made of blocks, its texts and images are measured as such.
        self.media += usize::from(kind == Some("content") && members.contains_key("content"));
        for (name, value) in members {
            self.tokens += name.len() + PER_MEMBER;
            match (name.as_str(), value) {
                ("cache_control" | "cachePoint", Value::Object(control)) => self.cache_point(control),
                ("data", Value::String(_)) if matches!(kind, Some("base64" | "text")) => self.media += 1,
                ("bytes", Value::String(_)) => self.media += 1,
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
    fn media_and_known_tools_count_wherever_they_are() {
        let pdf =
            json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}});
        let pieces = json!({"type": "document", "source": {"type": "content", "content": [pdf, pdf]}});
        for (body, media) in [
            (json!({"messages": [{"role": "user", "content": [pdf]}]}), 1),
            (json!({"system": [pdf], "messages": [{"role": "system", "content": [pdf]}]}), 2),
            (json!({"a": {"type": "made_up", "content": {"type": "made_up", "content": pdf}}}), 1),
            (json!({"a": pieces}), 3),
            (json!({"a": {"type": "document", "source": {"type": "text", "data": "x"}}}), 1),
            (json!({"a": {"image": {"format": "png", "source": {"bytes": "AAAA"}}}}), 1),
            (json!({"a": {"type": "redacted_thinking", "data": "AAAA"}}), 0),
            (json!({"a": {"type": "tool_use", "input": {"bytes": "AAAA", "type": "base64", "data": "AAAA"}}}), 0),
        ] {
            assert_eq!(measure(body.as_object().unwrap()).media, media, "{body}");
        }
        let known = json!({"tools": [{"type": "bash_20250124", "name": "bash"}, {"name": "f"}, {"type": "custom"}]});
        let measured = measure(known.as_object().unwrap());
        assert!(measured.has_tools && (2048..2 * 2048).contains(&measured.tokens), "{measured:?}");
    }

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
}
