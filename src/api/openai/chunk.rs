//! `chat.completion.chunk`: an answer as it comes (`openai-clients.md` §4.3). The role first, then content,
//! `finish_reason` exactly once and last, usage after it and only when asked for.

use super::completion::{annotation, detail, finish_reason, usage};
use crate::catalog::NanoDollars;
use crate::conversation::{Event, Reasoning, Usage};
use serde::Serialize;
use serde_json::Value;

/// `system_fingerprint` of everything we answer.
pub const FINGERPRINT: &str = "fp_chatrix";

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_details: Option<[Value; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[Value; 1]>,
    /// `Some(())` is written as null.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<()>,
}

/// Writes an answer as it comes, event by event.
pub trait Writer {
    /// What comes before the first event.
    fn first(&self) -> Option<String>;
    /// The chunk of an event, if it has one. `cost` is told with the usage.
    fn event(&mut self, event: &Event, cost: Option<NanoDollars>) -> Option<String>;
}

/// One call per chunk: the Jan of 2025 reads only the first (`openai-clients.md` §1.5).
#[derive(Serialize)]
struct ToolCall<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

/// Writes the chunks of one answer.
#[derive(Debug)]
pub struct Chunks {
    id: String,
    created: u64,
    model: String,
    include_usage: bool,
    /// Which thought is being told.
    thought: usize,
    /// Characters of text so far.
    length: usize,
}

impl Chunks {
    /// For an answer with this id, time (seconds since 1970) and model name.
    #[must_use]
    pub fn new(id: String, created: u64, model: String, include_usage: bool) -> Self {
        Self { id, created, model, include_usage, thought: 0, length: 0 }
    }

    fn role(&self) -> String {
        let delta = Delta { role: Some("assistant"), content: Some(""), refusal: Some(()), ..Delta::default() };
        self.choice(delta, None)
    }

    fn call(call: ToolCall<'_>) -> Delta<'_> {
        Delta { tool_calls: Some([call]), ..Delta::default() }
    }

    fn usage(&self, tokens: &Usage, cost: Option<NanoDollars>) -> String {
        self.chunk(&[], Some(usage(tokens, cost)))
    }

    fn choice(&self, delta: Delta<'_>, finish_reason: Option<&'static str>) -> String {
        self.chunk(&[Choice { index: 0, delta, logprobs: (), finish_reason }], None)
    }

    fn chunk(&self, choices: &[Choice<'_>], usage: Option<Value>) -> String {
        let chunk = Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        };
        // Strings, numbers and options: nothing here can fail to serialise.
        serde_json::to_string(&chunk).unwrap_or_default()
    }
}

impl Writer for Chunks {
    fn first(&self) -> Option<String> {
        Some(self.role())
    }

    fn event(&mut self, event: &Event, cost: Option<NanoDollars>) -> Option<String> {
        let delta = match event {
            Event::Text(text) => {
                self.length += text.chars().count();
                Delta { content: Some(text), ..Delta::default() }
            }
            Event::Reasoning(text) => {
                let piece = Reasoning::Text { text: text.clone(), signature: None };
                let details = Some([detail(self.thought, &piece)]);
                Delta { reasoning_content: Some(text), reasoning_details: details, ..Delta::default() }
            }
            Event::Signature(signature) => {
                let end = Reasoning::Text { text: String::new(), signature: Some(signature.clone()) };
                self.thought += 1;
                Delta { reasoning_details: Some([detail(self.thought - 1, &end)]), ..Delta::default() }
            }
            Event::Redacted(data) => {
                self.thought += 1;
                let details = Some([detail(self.thought - 1, &Reasoning::Redacted(data.clone()))]);
                Delta { reasoning_details: details, ..Delta::default() }
            }
            Event::ToolCall { index, id, name } => {
                let function = Function { name: Some(name), arguments: "" };
                Self::call(ToolCall { index: *index, id: Some(id), r#type: Some("function"), function })
            }
            Event::Arguments { index, json } => {
                let function = Function { name: None, arguments: json };
                Self::call(ToolCall { index: *index, id: None, r#type: None, function })
            }
            Event::Citation(citation) => {
                Delta { annotations: Some([annotation(citation, self.length, self.length)]), ..Delta::default() }
            }
            Event::Stop(reason) => return Some(self.choice(Delta::default(), Some(finish_reason(reason)))),
            Event::Usage(usage) => return self.include_usage.then(|| self.usage(usage, cost)),
        };
        Some(self.choice(delta, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::StopReason;

    #[test]
    fn chunks_read_as_openai_writes_them() {
        let mut chunks = Chunks::new("chatcmpl-1".into(), 7, "m".into(), true);
        let head = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","system_fingerprint":"fp_chatrix","choices":["#;
        assert_eq!(
            chunks.role(),
            format!(
                r#"{head}{{"index":0,"delta":{{"role":"assistant","content":"","refusal":null}},"logprobs":null,"finish_reason":null}}]}}"#
            )
        );
        assert_eq!(
            chunks.event(&Event::Text("Hel".into()), None),
            Some(format!(r#"{head}{{"index":0,"delta":{{"content":"Hel"}},"logprobs":null,"finish_reason":null}}]}}"#))
        );
        assert_eq!(
            chunks.event(&Event::Stop(StopReason::MaxTokens), None),
            Some(format!(r#"{head}{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"length"}}]}}"#))
        );
        let usage = chunks.event(&Event::Usage(Usage { input: 3, output: 4, cache_read: 5, ..Usage::default() }), None);
        assert!(usage.is_some_and(|usage| { usage.starts_with(&format!(r#"{head}],"usage":{{"prompt_tokens":8,"#)) }));
        let mut silent = Chunks::new(String::new(), 0, String::new(), false);
        assert_eq!(silent.event(&Event::Usage(Usage::default()), None), None);
    }
}
