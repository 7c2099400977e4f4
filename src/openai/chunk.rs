//! `chat.completion.chunk`: an answer as it comes (`openai-clients.md` §4.3). The role first, then content,
//! `finish_reason` exactly once and last, usage after it and only when asked for.

use super::{finish_reason, usage};
use crate::conversation::{Event, Usage};
use serde::Serialize;

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
    usage: Option<serde_json::Value>,
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
    /// `Some(())` is written as null.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<()>,
}

/// Writes the chunks of one answer.
#[derive(Debug)]
pub struct Chunks {
    id: String,
    created: u64,
    model: String,
    include_usage: bool,
}

impl Chunks {
    /// For an answer with this id, time (seconds since 1970) and model name.
    #[must_use]
    pub fn new(id: String, created: u64, model: String, include_usage: bool) -> Self {
        Self { id, created, model, include_usage }
    }

    /// The first chunk: the role.
    #[must_use]
    pub fn role(&self) -> String {
        let delta = Delta { role: Some("assistant"), content: Some(""), refusal: Some(()), ..Delta::default() };
        self.choice(delta, None)
    }

    /// The chunk of an event, if it has one.
    #[must_use]
    pub fn event(&self, event: &Event) -> Option<String> {
        match event {
            Event::Text(text) => Some(self.choice(Delta { content: Some(text), ..Delta::default() }, None)),
            Event::Reasoning(text) => {
                Some(self.choice(Delta { reasoning_content: Some(text), ..Delta::default() }, None))
            }
            Event::Stop(reason) => Some(self.choice(Delta::default(), Some(finish_reason(reason)))),
            Event::Usage(usage) => self.include_usage.then(|| self.usage(usage)),
        }
    }

    fn usage(&self, tokens: &Usage) -> String {
        self.chunk(&[], Some(usage(tokens)))
    }

    fn choice(&self, delta: Delta<'_>, finish_reason: Option<&'static str>) -> String {
        self.chunk(&[Choice { index: 0, delta, logprobs: (), finish_reason }], None)
    }

    fn chunk(&self, choices: &[Choice<'_>], usage: Option<serde_json::Value>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::StopReason;

    #[test]
    fn chunks_read_as_openai_writes_them() {
        let chunks = Chunks::new("chatcmpl-1".into(), 7, "m".into(), true);
        let head = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","system_fingerprint":"fp_chatrix","choices":["#;
        assert_eq!(
            chunks.role(),
            format!(
                r#"{head}{{"index":0,"delta":{{"role":"assistant","content":"","refusal":null}},"logprobs":null,"finish_reason":null}}]}}"#
            )
        );
        assert_eq!(
            chunks.event(&Event::Text("Hel".into())),
            Some(format!(r#"{head}{{"index":0,"delta":{{"content":"Hel"}},"logprobs":null,"finish_reason":null}}]}}"#))
        );
        assert_eq!(
            chunks.event(&Event::Stop(StopReason::MaxTokens)),
            Some(format!(r#"{head}{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"length"}}]}}"#))
        );
        let usage = chunks.event(&Event::Usage(Usage { input: 3, output: 4, cache_read: 5, ..Usage::default() }));
        assert!(usage.is_some_and(|usage| { usage.starts_with(&format!(r#"{head}],"usage":{{"prompt_tokens":8,"#)) }));
        let silent = Chunks::new(String::new(), 0, String::new(), false);
        assert_eq!(silent.event(&Event::Usage(Usage::default())), None);
    }
}
