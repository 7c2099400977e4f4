//! What a model answers, as a grammar: `(Text | Reasoning… | ToolCall…)* Stop Usage`.
//! Bedrock sends usage after the stop reason (`bedrock.md` §1.4), so a reader that ends on
//! [`Event::Stop`] never learns the cost. A stream that ends before its stop is an error, never success.

use super::request::{Reasoning, ToolCall};

/// Why the model stopped (`bedrock.md` §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The answer is complete.
    EndTurn,
    /// One of the request's stop texts came up.
    StopSequence,
    /// The limit on the answer was reached.
    MaxTokens,
    /// The model's context window was full.
    ContextWindow,
    /// The model wants a tool called.
    ToolUse,
    /// A guardrail of the account stepped in.
    Guardrail,
    /// The service filtered the answer.
    ContentFiltered,
    /// The model produced something that is not an answer, or not a tool call.
    Malformed(String),
    /// A reason newer than this build, in Bedrock's word.
    Unknown(String),
}

impl StopReason {
    /// Bedrock's word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::EndTurn => "end_turn",
            Self::StopSequence => "stop_sequence",
            Self::MaxTokens => "max_tokens",
            Self::ContextWindow => "model_context_window_exceeded",
            Self::ToolUse => "tool_use",
            Self::Guardrail => "guardrail_intervened",
            Self::ContentFiltered => "content_filtered",
            Self::Malformed(word) | Self::Unknown(word) => word,
        }
    }
}

/// Tokens of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Input tokens, without cached ones (Bedrock's meaning, `bedrock.md` trap 9).
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens read from the prompt cache.
    pub cache_read: u64,
    /// Input tokens written to the prompt cache for five minutes.
    pub cache_write_5m: u64,
    /// Input tokens written to the prompt cache for one hour.
    pub cache_write_1h: u64,
}

impl Usage {
    /// All input tokens, cached ones included (OpenAI's `prompt_tokens`).
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write())
    }

    /// All tokens written to the cache.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m.saturating_add(self.cache_write_1h)
    }
}

/// Where a piece of an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Citation {
    /// Title of the source.
    pub title: String,
    /// Its address, when it has one.
    pub url: String,
    /// The words that were cited.
    pub quote: String,
}

/// One step of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// More of the answer.
    Text(String),
    /// More of what the model thought before it answered.
    Reasoning(String),
    /// The signature over the thought that ends here.
    Signature(String),
    /// A thought nobody here can read (base64).
    Redacted(String),
    /// A tool call begins. Calls are numbered from 0, without gaps.
    ToolCall {
        /// Which call.
        index: usize,
        /// Joins it to its result.
        id: String,
        /// The tool's name.
        name: String,
    },
    /// More of a call's arguments (JSON text).
    Arguments {
        /// Which call.
        index: usize,
        /// The next piece.
        json: String,
    },
    /// What the answer's text so far cites.
    Citation(Citation),
    /// The answer is over.
    Stop(StopReason),
    /// What it took. Comes once, after the stop.
    Usage(Usage),
}

impl Event {
    /// Adds what the event thinks, if it does, to the thoughts before it.
    pub fn think(&self, thoughts: &mut Vec<Reasoning>) {
        match (self, thoughts.last_mut()) {
            (Self::Reasoning(more), Some(Reasoning::Text { text, signature: None })) => text.push_str(more),
            (Self::Reasoning(more), _) => thoughts.push(Reasoning::Text { text: more.clone(), signature: None }),
            (Self::Signature(signed), Some(Reasoning::Text { signature: signature @ None, .. })) => {
                *signature = Some(signed.clone());
            }
            // A signature without a text is a thought too (cases.md R3).
            (Self::Signature(signed), _) => {
                thoughts.push(Reasoning::Text { text: String::new(), signature: Some(signed.clone()) });
            }
            (Self::Redacted(data), _) => thoughts.push(Reasoning::Redacted(data.clone())),
            _ => {}
        }
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// What the model thought, thought by thought.
    pub reasoning: Vec<Reasoning>,
    /// Tools it wants called.
    pub tool_calls: Vec<ToolCall>,
    /// What it cites: the length of the text so far (bytes), and the source.
    pub citations: Vec<(usize, Citation)>,
    /// Why it stopped; `None` while it goes on.
    pub stop: Option<StopReason>,
    /// What it took; `None` when Bedrock never said.
    pub usage: Option<Usage>,
}

impl Answer {
    /// Adds the next step.
    pub fn add(&mut self, event: Event) {
        event.think(&mut self.reasoning);
        match event {
            Event::Text(more) => self.text.push_str(&more),
            Event::ToolCall { id, name, .. } => self.tool_calls.push(ToolCall { id, name, arguments: String::new() }),
            Event::Arguments { index, json } => {
                if let Some(call) = self.tool_calls.get_mut(index) {
                    call.arguments.push_str(&json);
                }
            }
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) => {}
            Event::Citation(citation) => self.citations.push((self.text.len(), citation)),
            Event::Stop(reason) => self.stop = Some(reason),
            Event::Usage(usage) => self.usage = Some(usage),
        }
    }

    /// All readable thoughts as one text.
    #[must_use]
    pub fn reasoning_text(&self) -> String {
        let texts = self.reasoning.iter().map(|reasoning| match reasoning {
            Reasoning::Text { text, .. } => text.as_str(),
            Reasoning::Redacted(_) => "",
        });
        texts.collect()
    }
}
